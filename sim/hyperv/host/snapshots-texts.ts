import { OperationError, Return } from './operation-error.ts'
import type { Host } from './host.ts'
import type { Vm } from './model.ts'
import { nameOfVm } from './settings.ts'

/** Why a snapshot cannot be made. */
export type SnapshotReason = keyof typeof REASONS

// In our words, in the shape of the sentences that users quote.
const REASONS = {
  tooMany: ['The maximum number of checkpoints is reached.', 'チェックポイントの最大数に達しました。'],
  disabled: [
    'Checkpoints have been disabled for the virtual machine.',
    'この仮想マシンのチェックポイントは無効になっています。',
  ],
  passThrough: [
    'Checkpoints are not supported for a virtual machine with a physical disk.',
    '物理ディスクが接続された仮想マシンでは、チェックポイントはサポートされていません。',
  ],
  notConsistent: [
    'Production checkpoints cannot be created: the guest does not answer. (0x800710DF)',
    '運用チェックポイントを作成できません。ゲストが応答しません。(0x800710DF)',
  ],
} as const satisfies Readonly<Record<string, readonly [english: string, japanese: string]>>

/** A snapshot that is refused, in the language of the host. */
export function snapshotTrouble({ locale }: Host, vm: Vm, reason: SnapshotReason): OperationError {
  const isJapanese = locale === 'ja-JP'
  const name = nameOfVm(vm)
  const headline = isJapanese
    ? `'${name}' のチェックポイントを作成できませんでした。(仮想マシン ID ${vm.id})`
    : `Checkpoint operation for '${name}' failed. (Virtual machine ID ${vm.id})`
  return new OperationError(Return.failed, `${headline}\n${REASONS[reason][isJapanese ? 1 : 0]}`)
}
