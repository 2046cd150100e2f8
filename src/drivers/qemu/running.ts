import { readFile } from 'node:fs/promises'
import { JsonShapeError } from '../../protocols/qmp/json.ts'
import type { DomainConfig } from '../driver.ts'
import { type Definition, parse, serialise, withRelocated } from './definition.ts'
import { systemCode, writeAtomically } from './files.ts'
import type { ImageKey } from './images.ts'

/**
 * What the living QEMU of a domain is made of: what it was started with, and what was plugged and unplugged since. The
 * stored definition says what the next one will be made of; but a guest can only be restored into the same machine.
 */
export class RunningRecord {
  readonly #path: string
  #definition: Definition | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** Undefined where no QEMU lives, or none that left a record. */
  get definition(): Definition | undefined {
    return this.#definition
  }

  /** QEMU is made of this now, or is about to be started with it; durable when it resolves. */
  async begin(definition: Definition): Promise<void> {
    await writeAtomically(this.#path, serialise(definition))
    this.#definition = definition
  }

  /** The stored definition was changed together with the living machine: the same has changed here. */
  async follow(before: Definition, after: Definition): Promise<void> {
    if (this.#definition !== undefined) await this.begin(carriedOver(this.#definition, before, after))
  }

  /** An image has another place now. */
  async relocate(image: ImageKey, place: string): Promise<void> {
    if (this.#definition !== undefined) await this.begin(withRelocated(this.#definition, image, place))
  }

  /** Reads what an earlier connection recorded; without a record there is none. */
  async load(): Promise<void> {
    try {
      this.#definition = parse(await readFile(this.#path, 'utf8'))
    } catch (error) {
      const isLegible = systemCode(error) !== 'ENOENT' && !(error instanceof SyntaxError)
      if (isLegible && !(error instanceof JsonShapeError)) throw error
    }
  }
}

/** `running` with what differs between `before` and `after`. */
export function carriedOver(running: Definition, before: Definition, after: Definition): Definition {
  const { config } = running
  const disks = carriedDevices(config.disks, before.config.disks, after.config.disks)
  const nics = carriedDevices(config.nics ?? [], before.config.nics ?? [], after.config.nics ?? [])
  const changed = {
    ...config,
    disks,
    nics,
    ...adjustable(after.config),
    ...told(config, before.config, after.config),
  } satisfies DomainConfig
  return { ...running, config: changed, slots: { ...running.slots, ...after.slots } }
}

/** What else of a living machine changes. */
const adjustable = ({ memoryTargetBytes, scheduling }: DomainConfig) => ({
  ...(memoryTargetBytes !== undefined && { memoryTargetBytes }),
  ...(scheduling !== undefined && { scheduling }),
})

/** How often the guest is to tell of its memory, where that has changed. */
function told(running: DomainConfig, before: DomainConfig, after: DomainConfig): Pick<DomainConfig, 'platform'> {
  const seconds = after.platform?.memoryStatsSeconds
  if (seconds === before.platform?.memoryStatsSeconds) return {}
  const { memoryStatsSeconds: _, ...board } = running.platform ?? {}
  return { platform: { ...board, ...(seconds !== undefined && { memoryStatsSeconds: seconds }) } }
}

function carriedDevices<Device extends { readonly id: string }>(
  running: readonly Device[],
  before: readonly Device[],
  after: readonly Device[],
): Device[] {
  const isSame = (a: Device, b: Device) => JSON.stringify(a) === JSON.stringify(b)
  const changed = after.filter(device => !before.some(old => isSame(old, device)))
  const touched = new Set(
    [...before, ...after].filter(device => !after.some(now => isSame(now, device))).map(({ id }) => id),
  )
  for (const { id } of changed) touched.add(id)
  return [...running.filter(({ id }) => !touched.has(id)), ...changed]
}
