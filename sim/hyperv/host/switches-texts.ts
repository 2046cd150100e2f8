import type { Locale } from './texts.ts'

/** Why an operation on a switch is refused. */
export type SwitchReason = keyof typeof REASONS

// In our words but for `inUse` and `portFeature`, which are as users quote them.
const REASONS = {
  invalid: ['The parameter is incorrect. (0x80070057)', 'パラメーターが間違っています。(0x80070057)'],
  tooMany: ['No more can be made.', 'これ以上作成できません。'],
  noCard: ['The network adapter of the host was not found.', 'ホストのネットワーク アダプターが見つかりません。'],
  cardBound: [
    'The network adapter of the host is bound to another virtual switch.',
    'ホストのネットワーク アダプターは、別の仮想スイッチにバインドされています。',
  ],
  inUse: [
    'Virtual switch cannot be deleted because it is being used by running virtual machines or assigned to child pools.',
    '実行中の仮想マシンで使用されているか、子プールに割り当てられているため、仮想スイッチを削除できません。',
  ],
  portFeature: [
    'Failed while modifying virtual Ethernet switch connection settings.',
    '仮想イーサネット スイッチの接続設定の変更中にエラーが発生しました。',
  ],
} as const satisfies Readonly<Record<string, readonly [english: string, japanese: string]>>

/** The sentence of a refusal, in the language of the host. */
export function switchText(locale: Locale, name: string, reason: SwitchReason): string {
  const isJapanese = locale === 'ja-JP'
  const headline = isJapanese ? `仮想スイッチ '${name}':` : `Virtual switch '${name}':`
  return `${headline} ${REASONS[reason][isJapanese ? 1 : 0]}`
}
