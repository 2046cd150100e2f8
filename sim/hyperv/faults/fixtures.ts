import type { Locale } from '../host/texts.ts'
import type { JobFacts, JobFault } from './plan.ts'

// Machines, switches and images that go wrong by their name, with or without a plan: so a person at a console, who has
// no plan to write, can bring about what a test can. A name may go on after the fixture's: `vm-that-fails-to-start-2`.

interface Fixture {
  readonly name: string
  readonly className: string
  /** JobType of what goes wrong; others go well. */
  readonly types: readonly number[]
  readonly code: number
  /** What the job says; `NAME` stands for the name of the target. */
  readonly en: string
  readonly ja: string
}

/** JobType. Source: the ValueMaps of Msvm_ConcreteJob and Msvm_StorageJob. */
const Type = {
  define: 1,
  modify: 2,
  destroy: 3,
  waitToStart: 11,
  start: 12,
  turnOff: 13,
  save: 14,
  restore: 15,
  addResources: 30,
  modifyResources: 31,
  snapshot: 70,
  defineSwitch: 130,
  createImage: 1,
  mergeImage: 5,
  convertImage: 6,
} as const

const CONCRETE = 'Msvm_ConcreteJob'
const STORAGE = 'Msvm_StorageJob'
const FAILED = 32768
const OUT_OF_MEMORY = 32778

/** What always fails. */
export const FIXTURES: readonly Fixture[] = [
  {
    name: 'vm-that-fails-to-start',
    className: CONCRETE,
    types: [Type.waitToStart, Type.start, Type.restore],
    code: OUT_OF_MEMORY,
    en: "'NAME' failed to start.\n\nNot enough memory in the system to start the virtual machine NAME.",
    ja: "'NAME' を起動できませんでした。\n\n仮想マシン NAME を起動するのに十分なメモリがシステムにありません。",
  },
  {
    name: 'vm-that-fails-to-stop',
    className: CONCRETE,
    types: [Type.turnOff],
    code: FAILED,
    en: "'NAME' failed to stop.",
    ja: "'NAME' を停止できませんでした。",
  },
  {
    name: 'vm-that-fails-to-save',
    className: CONCRETE,
    types: [Type.save],
    code: FAILED,
    en: "'NAME' failed to save.",
    ja: "'NAME' を保存できませんでした。",
  },
  {
    name: 'vm-that-fails-to-be-modified',
    className: CONCRETE,
    types: [Type.modify, Type.addResources, Type.modifyResources],
    code: FAILED,
    en: "Failed to modify 'NAME'.",
    ja: "'NAME' を変更できませんでした。",
  },
  {
    name: 'vm-that-fails-to-be-destroyed',
    className: CONCRETE,
    types: [Type.destroy],
    code: FAILED,
    en: "'NAME' could not be deleted.",
    ja: "'NAME' を削除できませんでした。",
  },
  {
    name: 'vm-that-fails-to-be-snapshot',
    className: CONCRETE,
    types: [Type.snapshot],
    code: FAILED,
    en: "Checkpoint operation for 'NAME' failed.",
    ja: "'NAME' のチェックポイント操作に失敗しました。",
  },
  {
    name: 'switch-that-fails-to-be-defined',
    className: CONCRETE,
    types: [Type.defineSwitch],
    code: FAILED,
    en: "Failed to create the virtual switch 'NAME'.",
    ja: "仮想スイッチ 'NAME' を作成できませんでした。",
  },
  {
    name: 'disk-that-fails-to-be-created',
    className: STORAGE,
    types: [Type.createImage, Type.convertImage],
    code: FAILED,
    en: "The system failed to create 'NAME'. There is not enough space on the disk. (0x80070070).",
    ja: "システムは 'NAME' を作成できませんでした。ディスクに十分な空き領域がありません。(0x80070070)",
  },
  {
    name: 'disk-that-fails-to-be-merged',
    className: STORAGE,
    types: [Type.mergeImage],
    code: FAILED,
    en: "The system failed to merge 'NAME'.",
    ja: "システムは 'NAME' を結合できませんでした。",
  },
]

/** Machines and images that are slow: how many times longer everything takes. */
export const SLOW_FIXTURES: Readonly<Record<string, number>> = { 'vm-that-is-slow': 20, 'disk-that-is-slow': 20 }

/** What a target's name alone brings about. */
export function faultOfFixture({ className, type, target }: JobFacts, locale: Locale): JobFault | undefined {
  const name = baseName(target)
  const slow = Object.keys(SLOW_FIXTURES).find(each => name.startsWith(each))
  if (slow !== undefined) return { slowness: SLOW_FIXTURES[slow] ?? 1 }
  const fixture = FIXTURES.find(each => each.className === className && name.startsWith(each.name))
  if (fixture === undefined || !fixture.types.includes(type)) return undefined
  const text = locale === 'ja-JP' ? fixture.ja : fixture.en
  return { failure: { code: fixture.code, message: text.replaceAll('NAME', () => target) } }
}

/** Of an image, its path's last part; a machine's or switch's name has no backslash to cut at. */
function baseName(target: string): string {
  return target.slice(target.lastIndexOf('\\') + 1).toLowerCase()
}
