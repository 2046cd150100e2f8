import type { Locale } from './texts.ts'

/** Why an operation on resources is refused. */
export type Reason = keyof typeof REASONS

/** What was being done. */
export type Doing = 'add' | 'modify' | 'remove' | 'start'

// In our words, in the shape that hosts give such sentences; those with a number are HRESULTs that were observed.
const REASONS = {
  invalid: ['The parameter is incorrect. (0x80070057)', 'パラメーターが間違っています。(0x80070057)'],
  state: [
    'The operation cannot be performed while the virtual machine is in its current state.',
    '仮想マシンの現在の状態では、この操作を実行できません。',
  ],
  unknownType: [
    'The resource type or sub type is missing or unknown.',
    'リソースの種類またはサブタイプが指定されていないか、不明です。',
  ],
  fixed: [
    'A resource of this kind cannot be added or removed.',
    'この種類のリソースを追加または削除することはできません。',
  ],
  generation: [
    'The resource is not supported by the generation of the virtual machine.',
    'このリソースは、仮想マシンの世代ではサポートされていません。',
  ],
  tooMany: ['The maximum number of resources of this kind is reached.', 'この種類のリソースの最大数に達しました。'],
  parent: ['The parent of the resource was not found.', 'リソースの親が見つかりません。'],
  parentKind: ['The parent of the resource cannot hold it.', 'リソースの親は、このリソースを保持できません。'],
  slot: [
    'The location on the controller is in use or does not exist.',
    'コントローラー上の場所は使用中か存在しません。',
  ],
  holdsImage: ['The drive holds an image already.', 'ドライブには既にイメージがあります。'],
  holdsDrives: ['The controller has drives.', 'コントローラーにドライブがあります。'],
  fileMissing: [
    'The system cannot find the file specified. (0x80070002)',
    '指定されたファイルが見つかりません。(0x80070002)',
  ],
  fileInUse: [
    'The process cannot access the file because it is being used by another process. (0x80070020)',
    'プロセスはファイルにアクセスできません。別のプロセスが使用中です。(0x80070020)',
  ],
  fileType: ['The file is not an image of this kind.', 'このファイルは、この種類のイメージではありません。'],
  notSharable: [
    'The storage where the virtual hard disk is located does not support virtual hard disk sharing.',
    '仮想ハード ディスクがある記憶域は、仮想ハード ディスクの共有をサポートしていません。',
  ],
  disk: ['The physical disk was not found or is in use.', '物理ディスクが見つからないか、使用中です。'],
  noDevice: ['The host has no device for the resource.', 'ホストには、このリソースのデバイスがありません。'],
  spansNuma: [
    'Cannot enable dynamic memory because NUMA is span based.',
    '仮想 NUMA が有効なため、動的メモリを有効にできません。',
  ],
  noAddress: ['No MAC address is free.', '使用できる MAC アドレスがありません。'],
  noSwitch: ['The virtual switch was not found.', '仮想スイッチが見つかりません。'],
  notSupported: ['The request is not supported. (0x80070032)', 'この要求はサポートされていません。(0x80070032)'],
} as const satisfies Readonly<Record<string, readonly [english: string, japanese: string]>>

const HEADLINES: Readonly<Record<Doing, readonly [string, string]>> = {
  add: [`'%' failed to add device '&'.`, `'%' はデバイス '&' を追加できませんでした。`],
  modify: [`'%' failed to modify device '&'.`, `'%' はデバイス '&' を変更できませんでした。`],
  remove: [`'%' failed to remove device '&'.`, `'%' はデバイス '&' を削除できませんでした。`],
  start: [`'%' failed to start. Device: '&'.`, `'%' を開始できませんでした。デバイス: '&'。`],
}

/** Of a resource that is no device which has a name. Source: as a host was seen to word it. */
const HEADLINES_OF_NOTHING: Readonly<Record<Doing, readonly [string, string]>> = {
  add: [`'%' failed to add resources.`, `'%' はリソースを追加できませんでした。`],
  modify: [`'%' failed to modify resources.`, `'%' はリソースを変更できませんでした。`],
  remove: [`'%' failed to remove resources.`, `'%' はリソースを削除できませんでした。`],
  start: [`'%' failed to start.`, `'%' を開始できませんでした。`],
}

/** What went wrong, in the language of the host. */
export interface Trouble {
  readonly doing: Doing
  /** ElementName of the machine, and its GUID. */
  readonly name: string
  readonly id: string
  /** What the device is called; empty where that is not known. */
  readonly device: string
  readonly reason: Reason
}

/** The sentences of a refusal. Source: the shape of those that users quote, headline and detail. */
export function troubleText(locale: Locale, { doing, name, id, device, reason }: Trouble): string {
  const language = locale === 'ja-JP' ? 1 : 0
  // Functions, since a name may hold what `replace` takes for a pattern; and the name last, since it may hold `&`.
  const headlines = device === '' ? HEADLINES_OF_NOTHING : HEADLINES
  const headline = headlines[doing][language].replace('&', () => device).replace('%', () => name)
  const machine = language === 1 ? `(仮想マシン ID ${id})` : `(Virtual machine ID ${id})`
  return `${headline} ${machine}\n${reasonText(locale, reason)}`
}

/** Why alone. */
export const reasonText = (locale: Locale, reason: Reason): string => REASONS[reason][locale === 'ja-JP' ? 1 : 0]
