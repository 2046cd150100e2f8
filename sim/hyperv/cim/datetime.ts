// CIM's own form of a point in time or of an interval has 25 characters and a place for each digit:
//   20251217095522.702341+000   yyyymmddhhmmss.mmmmmm and the minutes that local time is ahead of UTC
//   00000000003000.000000:000   ddddddddhhmmss.mmmmmm and :000
// WS-Management shows them as XML does. Sources: DSP0004, §5.5.1; recorded instances of Windows hosts.

const DATETIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\.(\d{6})([+-])(\d{3})$/
const INTERVAL = /^(\d{8})(\d\d)(\d\d)(\d\d)\.(\d{6}):000$/
const XML_DATETIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))?$/
const XML_INTERVAL = /^P(?:(\d{1,8})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})(?:\.(\d{1,9}))?S)?)?$/

const MICROSECONDS_PER_SECOND = 1_000_000n
const SECONDS_PER_DAY = 86_400n
const DAYS_MAX = 99_999_999n

/** What Windows says of a time that never was: the beginning of its own count. */
export const UNSET_DATETIME = '16010101000000.000000+000'

/** Whether `text` is a point in time or an interval in CIM's own form. */
export function isDatetime(text: string): boolean {
  return isInterval(text) || microsecondsOf(text) !== undefined
}

/** Whether `text` is an interval in CIM's own form. */
export function isInterval(text: string): boolean {
  return intervalMicroseconds(text) !== undefined
}

/** A point in time in CIM's own form, in UTC. Milliseconds since 1970; what is behind the point are microseconds. */
export function datetimeOf(milliseconds: number): string {
  return printMicroseconds(toMicroseconds(milliseconds))
}

/** Milliseconds since 1970 of a point in time in CIM's own form; undefined for an interval and for what is neither. */
export function millisecondsOf(datetime: string): number | undefined {
  const microseconds = microsecondsOf(datetime)
  return microseconds === undefined ? undefined : toMilliseconds(microseconds)
}

/** An interval in CIM's own form. */
export function intervalOf(milliseconds: number): string {
  return printInterval(toMicroseconds(milliseconds))
}

/** Milliseconds of an interval in CIM's own form; undefined for a point in time and for what is neither. */
export function intervalMilliseconds(interval: string): number | undefined {
  const microseconds = intervalMicroseconds(interval)
  return microseconds === undefined ? undefined : toMilliseconds(microseconds)
}

/**
 * What order two values of the type datetime have: below 0 when `a` comes first. Undefined when they are not both
 * points in time or both intervals.
 */
export function compareDatetimes(a: string, b: string): number | undefined {
  const read = isInterval(a) ? intervalMicroseconds : microsecondsOf
  const [first, second] = [read(a), read(b)]
  if (first === undefined || second === undefined) return undefined
  return first < second ? -1 : Number(first > second)
}

/**
 * How WS-Management shows a value in CIM's own form: a Datetime in UTC with as many digits behind the point as it
 * needs, or an Interval. Undefined for what is neither.
 */
export function toXmlTime(text: string): { readonly kind: 'Datetime' | 'Interval'; readonly text: string } | undefined {
  const interval = intervalMicroseconds(text)
  if (interval !== undefined) return { kind: 'Interval', text: printXmlInterval(interval) }
  const datetime = microsecondsOf(text)
  if (datetime === undefined) return undefined
  const { date, fraction } = split(datetime)
  return { kind: 'Datetime', text: `${date.toISOString().slice(0, 19)}${printFraction(fraction)}Z` }
}

/** CIM's own form of what XML calls a dateTime or a duration; what is in CIM's own form already stays. */
export function fromXmlTime(text: string): string | undefined {
  if (isDatetime(text)) return text
  return text.startsWith('P') ? fromXmlInterval(text) : fromXmlDatetime(text)
}

/** Not in one multiplication: so many microseconds are more than a number can tell apart. */
function toMicroseconds(milliseconds: number): bigint {
  const whole = Math.floor(milliseconds)
  return BigInt(whole) * 1000n + BigInt(Math.round((milliseconds - whole) * 1000))
}

function toMilliseconds(microseconds: bigint): number {
  return Number(microseconds / 1000n) + Number(microseconds % 1000n) / 1000
}

function fromXmlDatetime(text: string): string | undefined {
  const match = XML_DATETIME.exec(text)
  if (match === null) return undefined
  const [, year = '', month = '', day = '', hour = '', minute = '', second = '', fraction = '', sign, hours, minutes] =
    match
  const offset = (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0))
  const time = utcMicroseconds([year, month, day, hour, minute, second], fraction.padEnd(6, '0').slice(0, 6), offset)
  return time === undefined ? undefined : printMicroseconds(time)
}

function fromXmlInterval(text: string): string | undefined {
  const match = XML_INTERVAL.exec(text)
  if (match === null || match.slice(1).every(part => part === undefined)) return undefined
  const [, days = '0', hours = '0', minutes = '0', seconds = '0', fraction = ''] = match
  const whole = BigInt(days) * SECONDS_PER_DAY + BigInt(hours) * 3600n + BigInt(minutes) * 60n + BigInt(seconds)
  const microseconds = whole * MICROSECONDS_PER_SECOND + BigInt(fraction.padEnd(6, '0').slice(0, 6))
  return whole / SECONDS_PER_DAY > DAYS_MAX ? undefined : printInterval(microseconds)
}

/** Of a point in time in CIM's own form, since 1970 in UTC. */
function microsecondsOf(text: string): bigint | undefined {
  const match = DATETIME.exec(text)
  if (match === null) return undefined
  const [, year = '', month = '', day = '', hour = '', minute = '', second = '', fraction = '', sign, offset] = match
  const minutes = (sign === '-' ? -1 : 1) * Number(offset)
  return utcMicroseconds([year, month, day, hour, minute, second], fraction, minutes)
}

type Fields = readonly [string, string, string, string, string, string]

/** Undefined where the calendar has no such time: `Date` would roll the 31st of February over into March. */
function utcMicroseconds(fields: Fields, fraction: string, offsetMinutes: number): bigint | undefined {
  const [year, month, day, hour, minute, second] = fields
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`
  const local = Date.parse(iso)
  if (Number.isNaN(local) || new Date(local).toISOString() !== iso) return undefined
  return BigInt(local - offsetMinutes * 60_000) * 1000n + BigInt(fraction)
}

function intervalMicroseconds(text: string): bigint | undefined {
  const match = INTERVAL.exec(text)
  if (match === null) return undefined
  const [, days = '', hours = '', minutes = '', seconds = '', fraction = ''] = match
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) return undefined
  const whole = BigInt(days) * SECONDS_PER_DAY + BigInt(hours) * 3600n + BigInt(minutes) * 60n + BigInt(seconds)
  return whole * MICROSECONDS_PER_SECOND + BigInt(fraction)
}

function printMicroseconds(microseconds: bigint): string {
  const { date, fraction } = split(microseconds)
  return `${date.toISOString().slice(0, 19).replace(/[-:T]/g, '')}.${fraction}+000`
}

/** Into what a Date holds, down to the second, and six digits of fraction; a fraction counts forward, also before 1970. */
function split(microseconds: bigint): { readonly date: Date; readonly fraction: string } {
  const rest = ((microseconds % MICROSECONDS_PER_SECOND) + MICROSECONDS_PER_SECOND) % MICROSECONDS_PER_SECOND
  const date = new Date(Number((microseconds - rest) / 1000n))
  return { date, fraction: String(rest).padStart(6, '0') }
}

function printInterval(microseconds: bigint): string {
  const { days, hours, minutes, seconds, fraction } = splitInterval(microseconds)
  const clock = [hours, minutes, seconds].map(part => String(part).padStart(2, '0')).join('')
  return `${String(days).padStart(8, '0')}${clock}.${fraction}:000`
}

/** As Windows does it: every part but the fraction is written, zero or not. */
function printXmlInterval(microseconds: bigint): string {
  const { days, hours, minutes, seconds, fraction } = splitInterval(microseconds)
  return `P${days}DT${hours}H${minutes}M${seconds}${printFraction(fraction)}S`
}

function splitInterval(microseconds: bigint) {
  const whole = microseconds / MICROSECONDS_PER_SECOND
  return {
    days: whole / SECONDS_PER_DAY,
    hours: (whole / 3600n) % 24n,
    minutes: (whole / 60n) % 60n,
    seconds: whole % 60n,
    fraction: String(microseconds % MICROSECONDS_PER_SECOND).padStart(6, '0'),
  }
}

function printFraction(digits: string): string {
  const needed = digits.replace(/0+$/, '')
  return needed === '' ? '' : `.${needed}`
}
