import { Buffer } from 'node:buffer'

/** A number of CIM-XML may have so many digits; 64 bits need twenty. */
const INTEGER = /^[+-]?(?:\d{1,20}|0x[\da-f]{1,16})$/i
const REAL = /^[+-]?(?:\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})(?:e[+-]?\d{1,4})?$/i
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const OCTET = /^\d{1,3}$/
const SPACE = /[ \t\r\n]+/g

/** The truth of `text`, whatever its case; undefined where it tells none. Source: DSP0201, "VALUE"; XML Schema, boolean. */
export function parseBoolean(text: string): boolean | undefined {
  const word = text.trim().toLowerCase()
  if (word === 'true' || word === '1') return true
  return word === 'false' || word === '0' ? false : undefined
}

/** The whole number that `text` is, decimal or hexadecimal; undefined where it is none. Source: DSP0201, "VALUE". */
export function parseInteger(text: string): bigint | undefined {
  const digits = text.trim()
  if (!INTEGER.test(digits)) return undefined
  const isNegative = digits.startsWith('-')
  const magnitude = BigInt(digits.replace(/^[+-]/, ''))
  return isNegative ? -magnitude : magnitude
}

/** The whole number that `text` is, where it is one and a number of ours is exact for it. */
export function parseSmallInteger(text: string): number | undefined {
  const integer = parseInteger(text)
  const number = Number(integer ?? Number.NaN)
  return Number.isSafeInteger(number) ? number : undefined
}

/** The number that `text` is, which may have a fraction and be infinite; undefined where it is none. */
export function parseReal(text: string): number | undefined {
  const digits = text.trim()
  if (REAL.test(digits)) return Number(digits)
  const word = /^(?<sign>[+-]?)INF(?:INITY)?$/i.exec(digits)
  if (word !== null) return word.groups?.['sign'] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  return /^NAN$/i.test(digits) ? Number.NaN : undefined
}

/**
 * The bytes of an array of octets: one text in base64, as hosts write them, or a number for each. The two cannot be
 * mistaken for each other: base64 has four characters or more, an octet three at most.
 */
export function parseOctets(texts: readonly string[]): Uint8Array | undefined {
  const [first] = texts
  if (first === undefined) return new Uint8Array()
  if (texts.length === 1 && !OCTET.test(first.trim())) {
    const packed = first.replace(SPACE, '')
    return BASE64.test(packed) ? new Uint8Array(Buffer.from(packed, 'base64')) : undefined
  }
  const octets = texts.map(text => (OCTET.test(text.trim()) ? Number(text) : 256))
  return octets.every(octet => octet < 256) ? Uint8Array.from(octets) : undefined
}
