import { Buffer } from 'node:buffer'
import { trimSpace } from '../xml/characters.ts'
import { INT_RANGE, type WireValue } from './value.ts'

/** Digits of an integer, leading zeros included; no more are looked at. */
const INT_DIGITS_MAX = 40
const INT = /^[+-]?\d+$/
/** As the specification has it, and with an exponent, which most peers write for very large and very small ones. */
const DOUBLE = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,5})?$/
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/
const DATE_TIME =
  /^(\d{4})-?(\d\d)-?(\d\d)[Tt](\d\d):?(\d\d):?(\d\d)(?:[.,](\d{1,9}))?(?:[Zz]|([+-])(\d\d)(?::?(\d\d))?)?$/

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['1', true],
  ['0', false],
  ['true', true],
  ['false', false],
])

/**
 * The scalar types whose text is data, by element name; white space at the ends is no part of it. Each gives
 * undefined for a text that is none of its values.
 */
const SCALARS: ReadonlyMap<string, (text: string) => WireValue | undefined> = new Map<
  string,
  (text: string) => WireValue | undefined
>([
  ['int', readInt],
  ['i4', readInt],
  ['i8', readInt],
  ['boolean', text => BOOLEANS.get(text)],
  ['double', readDouble],
  ['dateTime.iso8601', readDateTime],
  ['base64', readBase64],
])

/** Whether `type` is the element of a scalar other than `string` and `nil`. */
export function isScalarType(type: string): boolean {
  return SCALARS.has(type)
}

/** The value that `text` spells in the element `type`; undefined when it spells none, or there is no such type. */
export function readScalar(type: string, text: string): WireValue | undefined {
  return SCALARS.get(type)?.(trimSpace(text))
}

/** Any of the three elements may carry 64 bits. */
function readInt(text: string): bigint | undefined {
  if (text.length > INT_DIGITS_MAX || !INT.test(text)) return undefined
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text)
  return value >= INT_RANGE.min && value <= INT_RANGE.max ? value : undefined
}

/** A text beyond the greatest double is none, rather than infinity. */
function readDouble(text: string): number | undefined {
  const value = DOUBLE.test(text) ? Number(text) : Number.NaN
  return Number.isFinite(value) ? value : undefined
}

function readBase64(text: string): Uint8Array | undefined {
  const letters = text.replace(/[ \t\r\n]+/g, '')
  if (letters.length % 4 !== 0 || !BASE64.test(letters)) return undefined
  return new Uint8Array(Buffer.from(letters, 'base64'))
}

/** With or without dashes, colons, fractions, a zone; without a zone it is UTC. */
function readDateTime(text: string): Date | undefined {
  const match = DATE_TIME.exec(text)
  if (match === null) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number)
  const fraction = Number(`0.${match[7] ?? '0'}`)
  const zone = { hour: Number(match[9] ?? 0), minute: Number(match[10] ?? 0) }
  if (hour > 23 || minute > 59 || second > 59 || zone.hour > 23 || zone.minute > 59) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  // A day that the month does not have would have moved on to the next one.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined
  date.setUTCHours(hour, minute, second, Math.floor(fraction * 1000))
  const offset = (zone.hour * 60 + zone.minute) * 60_000
  return new Date(date.getTime() - (match[8] === '-' ? -offset : offset))
}

/** The text of a `double`: the shortest that reads back the same. Undefined for infinities and what is no number. */
export function writeDouble(value: number): string | undefined {
  if (!Number.isFinite(value)) return undefined
  return Object.is(value, -0) ? '-0' : String(value)
}

/** The text of a `dateTime.iso8601`, as in `20061122T08:00:00Z`. Undefined for what is no date, or of no such year. */
export function writeDateTime(value: Date): string | undefined {
  const time = value.getTime()
  if (Number.isNaN(time)) return undefined
  const text = value.toISOString() // 2006-11-22T08:00:00.000Z; years beyond four digits begin with a sign.
  return text.length === 24 ? `${text.slice(0, 4)}${text.slice(5, 7)}${text.slice(8, 19)}Z` : undefined
}
