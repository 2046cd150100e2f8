/** What the sides of an NTLM authentication agree on. Source: [MS-NLMP] 2.2.2.5. */
export const NtlmFlag = {
  unicode: 0x00000001,
  oem: 0x00000002,
  requestTarget: 0x00000004,
  sign: 0x00000010,
  seal: 0x00000020,
  ntlm: 0x00000200,
  alwaysSign: 0x00008000,
  extendedSessionSecurity: 0x00080000,
  targetInfo: 0x00800000,
  version: 0x02000000,
  key128: 0x20000000,
  keyExchange: 0x40000000,
  key56: 0x80000000,
} as const

/** What we ask for: the same that gss-ntlmssp and pyspnego ask for. */
export const OFFERED_FLAGS = unite([
  NtlmFlag.unicode,
  NtlmFlag.oem,
  NtlmFlag.requestTarget,
  NtlmFlag.sign,
  NtlmFlag.seal,
  NtlmFlag.ntlm,
  NtlmFlag.alwaysSign,
  NtlmFlag.extendedSessionSecurity,
  NtlmFlag.version,
  NtlmFlag.key128,
  NtlmFlag.keyExchange,
  NtlmFlag.key56,
])

/**
 * What the peer has to agree to. Whoever asks for less gets no answer: without these, keys would be short enough to be
 * found, or the session weaker than NTLM version 2. Windows demands 128 bits too since Windows 7 (NtlmMinClientSec).
 */
export const DEMANDED_FLAGS = unite([
  NtlmFlag.unicode,
  NtlmFlag.sign,
  NtlmFlag.seal,
  NtlmFlag.extendedSessionSecurity,
  NtlmFlag.key128,
])

/** Whether all of `wanted` are among `flags`. */
export function hasFlags(flags: number, wanted: number): boolean {
  return (flags & wanted) >>> 0 === wanted >>> 0
}

/** The flags that both hold, as an unsigned number. */
export function commonFlags(one: number, other: number): number {
  return (one & other) >>> 0
}

function unite(flags: readonly number[]): number {
  return flags.reduce((all, flag) => all | flag, 0) >>> 0
}
