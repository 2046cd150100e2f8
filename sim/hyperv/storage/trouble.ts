import type { Host } from '../host/host.ts'
import { OperationError, Return } from '../host/operation-error.ts'
import { ImageError } from './disk-image.ts'

/** What was being done with a file. */
export type Doing = keyof typeof HEADLINES

/** Why it was not. */
export type Reason = keyof typeof REASONS

// In our words, in the shape of the sentences that users quote; numbers are the system's own for these reasons.
const HEADLINES = {
  create: [`The system failed to create '%'.`, `'%' を作成できませんでした。`],
  open: [`Failed to open '%'.`, `'%' を開けませんでした。`],
  resize: [`The system failed to resize '%'.`, `'%' のサイズを変更できませんでした。`],
  convert: [`The system failed to convert '%'.`, `'%' を変換できませんでした。`],
  merge: [`The system failed to merge '%'.`, `'%' を結合できませんでした。`],
  compact: [`The system failed to compact '%'.`, `'%' を圧縮できませんでした。`],
  validate: [`Failed to validate the disk '%'.`, `ディスク '%' を検証できませんでした。`],
  link: [`Failed to set the parent of '%'.`, `'%' の親を設定できませんでした。`],
  modify: [`Failed to modify '%'.`, `'%' を変更できませんでした。`],
  mount: [`The system failed to mount '%'.`, `'%' をマウントできませんでした。`],
} as const satisfies Readonly<Record<string, readonly [english: string, japanese: string]>>

const REASONS = {
  path: [
    Return.invalidParameter,
    'The filename, directory name, or volume label syntax is incorrect. (0x8007007B)',
    'ファイル名、ディレクトリ名、またはボリューム ラベルの構文が間違っています。(0x8007007B)',
  ],
  noFolder: [
    Return.failed,
    'The system cannot find the path specified. (0x80070003)',
    '指定されたパスが見つかりません。(0x80070003)',
  ],
  missing: [
    Return.fileNotFound,
    'The system cannot find the file specified. (0x80070002)',
    '指定されたファイルが見つかりません。(0x80070002)',
  ],
  exists: [Return.failed, 'The file exists. (0x80070050)', 'ファイルは既に存在します。(0x80070050)'],
  inUse: [
    Return.inUse,
    'The process cannot access the file because it is being used by another process. (0x80070020)',
    'プロセスはファイルにアクセスできません。別のプロセスが使用中です。(0x80070020)',
  ],
  extension: [
    Return.invalidParameter,
    'The file extension is not that of the format.',
    'ファイルの拡張子が形式と一致しません。',
  ],
  invalid: [
    Return.invalidParameter,
    'The parameter is incorrect. (0x80070057)',
    'パラメーターが間違っています。(0x80070057)',
  ],
  size: [
    Return.invalidParameter,
    'The size of the virtual hard disk is out of range. (0xC03A0023)',
    '仮想ハード ディスクのサイズが範囲外です。(0xC03A0023)',
  ],
  corrupt: [
    Return.failed,
    'The file or directory is corrupted and unreadable. (0x80070570)',
    'ファイルまたはディレクトリが壊れているため、読み取ることができません。(0x80070570)',
  ],
  noParent: [
    Return.failed,
    'The chain of virtual hard disks is inaccessible. There was an error opening a virtual hard disk further up the chain. (0xC03A000D)',
    '仮想ハード ディスクのチェーンにアクセスできません。(0xC03A000D)',
  ],
  otherParent: [
    Return.failed,
    'The chain of virtual hard disks is corrupted. There is a mismatch in the identifiers of the parent virtual hard disk and differencing disk. (0xC03A000E)',
    '仮想ハード ディスクのチェーンが壊れています。識別子が一致しません。(0xC03A000E)',
  ],
  noSpace: [
    Return.failed,
    'There is not enough space on the disk. (0x80070070)',
    'ディスクに十分な空き領域がありません。(0x80070070)',
  ],
  denied: [Return.accessDenied, 'Access is denied. (0x80070005)', 'アクセスが拒否されました。(0x80070005)'],
  system: [Return.failed, 'Unspecified error (0x80004005)', 'エラーを特定できません (0x80004005)'],
  notSupported: [
    Return.notSupported,
    'The request is not supported. (0x80070032)',
    'この要求はサポートされていません。(0x80070032)',
  ],
} as const satisfies Readonly<Record<string, readonly [code: number, english: string, japanese: string]>>

/** An operation on a file that is refused, in the language of the host. */
export function fileTrouble({ locale }: Host, doing: Doing, path: string, reason: Reason): OperationError {
  const [code, english, japanese] = REASONS[reason]
  const isJapanese = locale === 'ja-JP'
  // A function, since a path may hold what `replace` takes for a pattern.
  const headline = HEADLINES[doing][isJapanese ? 1 : 0].replace('%', () => path)
  return new OperationError(code, `${headline}\n${isJapanese ? japanese : english}`)
}

/** The operation's error for whatever was thrown while it worked on a file; what is nobody's business stays as it is. */
export function translated(host: Host, doing: Doing, path: string, error: unknown): unknown {
  if (error instanceof ImageError) return fileTrouble(host, doing, path, 'corrupt')
  // What the system says names files as they really are, which is nobody's business.
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return error
  return fileTrouble(host, doing, path, SYSTEM_REASONS[String(error.code)] ?? 'system')
}

const SYSTEM_REASONS: Readonly<Record<string, Reason>> = {
  EACCES: 'denied',
  EEXIST: 'exists',
  EFBIG: 'noSpace',
  ELOOP: 'missing',
  ENAMETOOLONG: 'path',
  ENOENT: 'missing',
  ENOSPC: 'noSpace',
  EPERM: 'denied',
  EROFS: 'denied',
}
