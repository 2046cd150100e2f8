/** The languages that a host can be installed in. */
export type Locale = 'en-US' | 'ja-JP'

/** What a host says in its language. Clients must not depend on any of it. */
export interface Texts {
  /** Msvm_ComputerSystem.Caption of a machine. */
  readonly virtualMachine: string
}

const ENGLISH: Texts = { virtualMachine: 'Virtual Machine' }
const JAPANESE: Texts = { virtualMachine: '仮想マシン' }

/** What a host in this language says. */
export function textsOf(locale: Locale): Texts {
  return locale === 'ja-JP' ? JAPANESE : ENGLISH
}
