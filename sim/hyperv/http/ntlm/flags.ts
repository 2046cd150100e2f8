/** What the two sides of NTLM agree on. Source: MS-NLMP, §2.2.2.5. */
export const FLAG = {
  unicode: 0x1,
  oem: 0x2,
  requestTarget: 0x4,
  sign: 0x10,
  seal: 0x20,
  ntlm: 0x200,
  anonymous: 0x800,
  alwaysSign: 0x8000,
  targetIsDomain: 0x10000,
  targetIsServer: 0x20000,
  extendedSecurity: 0x80000,
  targetInfo: 0x800000,
  version: 0x2000000,
  key128: 0x20000000,
  keyExchange: 0x40000000,
  key56: 0x80000000,
} as const

/** Granted where the client asks for it. */
const ON_REQUEST =
  FLAG.sign |
  FLAG.seal |
  FLAG.alwaysSign |
  FLAG.extendedSecurity |
  FLAG.version |
  FLAG.key128 |
  FLAG.keyExchange |
  FLAG.key56

/** Whether all bits of `flag` are set. */
export function has(flags: number, flag: number): boolean {
  return (flags & flag) >>> 0 === flag
}

/**
 * What a server of a workgroup answers to what a client offers: `e2088237` becomes `e28a8235`, as recorded of Windows.
 * Source: MS-NLMP, §3.2.5.1.1.
 */
export function agreeOn(offered: number): number {
  const text = has(offered, FLAG.unicode) ? FLAG.unicode : FLAG.oem
  const always = FLAG.requestTarget | FLAG.ntlm | FLAG.targetInfo | FLAG.targetIsServer
  return ((offered & ON_REQUEST) | text | always) >>> 0
}
