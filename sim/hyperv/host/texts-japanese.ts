import type { JobClass } from './jobs.ts'
import type { JobTexts, Texts } from './texts.ts'
import { ENGLISH } from './texts-english.ts'

/** What a host says in Japanese. Where a real one is not known to say otherwise, names of things are the English ones. */
export const JAPANESE: Texts = {
  virtualMachine: '仮想マシン',
  hostingSystem: 'ホスト コンピューター システム',
  // Recorded: the description of a machine stays English.
  virtualMachineDescription: 'Microsoft Virtual Machine',
  hostingSystemDescription: 'Microsoft ホスト コンピューター システム',
  settings: '仮想マシンの設定',
  settingsDescription: '仮想マシンのアクティブな設定です。',
  statuses: {
    2: '正常稼働中',
    3: '低下',
    5: '障害の予測',
    10: '停止',
    11: 'サービス中',
    12: '接続なし',
    13: '通信の喪失',
    15: '休止',
    32768: 'チェックポイントの作成中',
    32769: 'チェックポイントの適用中',
    32770: 'チェックポイントの削除中',
    32771: '起動待ち',
    32772: 'ディスクの結合中',
    32773: '仮想マシンのエクスポート中',
    32774: '仮想マシンの移行中',
  },
  serviceRuns: 'サービスは正常に実行されています。',
  jobRuns: 'ジョブは実行中です',
  jobCompleted: 'ジョブは完了しました',
  jobCompletedSuccessfully: 'ジョブは正常に完了しました',
  jobFailed: 'ジョブは失敗しました',
  jobTerminated: 'ジョブは終了されました',
  jobOf,
  logicalProcessor: number => `論理プロセッサ ${number}`,
  snapshotName(vm, at) {
    const date = new Date(at)
    const two = (number: number): string => String(number).padStart(2, '0')
    const day = [date.getUTCFullYear(), two(date.getUTCMonth() + 1), two(date.getUTCDate())].join('/')
    return `${vm} - (${day} - ${[date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':')})`
  },
  notEnoughMemory: (vm, id, ramMb) =>
    [
      `'${vm}' を起動できませんでした。(仮想マシン ID ${id})`,
      `RAM サイズが ${ramMb} MB の仮想マシン ${vm} を起動するのに十分なメモリがシステムにありません。`,
      `'${vm}' はメモリを初期化できませんでした: この操作を完了するのに十分なメモリ リソースがありません。` +
        `(0x8007000E)。(仮想マシン ID ${id})`,
    ].join('\n'),
  invalidState: (vm, id) =>
    `'${vm}' の状態を変更できませんでした。仮想マシンの現在の状態では、この操作を実行できません。(仮想マシン ID ${id})`,
  cannotModify: (vm, id, property) =>
    `'${vm}' の設定を変更できませんでした。(仮想マシン ID ${id})\nプロパティ '${property}' の値は変更できません。`,
  cannotModifyNow: (vm, id, property) =>
    `'${vm}' の設定を変更できませんでした。(仮想マシン ID ${id})\n` +
    `仮想マシンの現在の状態では、プロパティ '${property}' の値を変更できません。`,
  invalidValue: property => `プロパティ '${property}' の値が無効です。(0x80070057)`,
  kvpFailed: (vm, id, item) =>
    `仮想マシン '${vm}' のデータ交換統合サービスの項目 '${item}' の値を設定できませんでした: ` +
    `パラメーターが正しくありません。(0x80070057)(仮想マシン ID ${id})`,
}

function jobOf(className: JobClass, type: number): JobTexts {
  const name = JOBS[className]?.[type]
  if (name === undefined) return ENGLISH.jobOf(className, type)
  return { name, description: `${name}中` }
}

/** That of a storage job of type 1 was recorded, its description with the last character added. */
const JOBS: Readonly<Partial<Record<JobClass, Readonly<Record<number, string>>>>> = {
  Msvm_ConcreteJob: {
    1: '仮想マシンの定義',
    2: '仮想マシンの変更',
    3: '仮想マシンの破棄',
    12: '仮想マシンの起動',
    13: '仮想マシンの停止',
    14: '仮想マシンの保存',
    15: '仮想マシンの復元',
    16: '仮想マシンのシャットダウン',
    26: '仮想マシンの一時停止',
    27: '仮想マシンの再開',
    28: '仮想マシンのリセット',
    29: '仮想マシンの再起動',
    30: '仮想マシンのリソースの追加',
    31: '仮想マシンのリソースの変更',
    32: '仮想マシンのリソースの削除',
    62: '仮想マシンのエクスポート',
    70: '仮想マシンのチェックポイントの作成',
    71: '仮想マシンのチェックポイントの適用',
    72: '仮想マシンのチェックポイントの削除',
    130: 'イーサネット スイッチの定義',
  },
  Msvm_StorageJob: {
    1: '仮想ハード ディスクの作成',
    3: '仮想ハード ディスクの圧縮',
    4: '仮想ハード ディスクの拡張',
    5: '仮想ハード ディスクの結合',
    6: '仮想ハード ディスクの変換',
    7: '仮想ハード ディスクのマウント',
    9: '仮想ハード ディスクの検証',
  },
}
