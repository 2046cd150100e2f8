import { CimError } from './error.ts'

const MICROSECONDS_PER_MS = 1_000n
const MICROSECONDS_PER_SECOND = 1_000_000n
const SECONDS_PER_DAY = 86_400n
/** An interval of CIM has eight digits for its days. Source: DSP0004, "Datetime type". */
const INTERVAL_DAYS_MAX = 99_999_999n

/** What hosts send for a time that was never set: the beginning of Windows' own calendar. */
const UNSET_MICROSECONDS = BigInt(Date.UTC(1601, 0, 1)) * MICROSECONDS_PER_MS

/** A moment, to the microsecond. */
export class CimTimestamp {
  /** Since 1970-01-01T00:00:00Z. */
  readonly epochMicroseconds: bigint
  /** The zone it was told in, in minutes east of Greenwich; it does not change the moment. */
  readonly offsetMinutes: number

  constructor(epochMicroseconds: bigint, offsetMinutes = 0) {
    this.epochMicroseconds = epochMicroseconds
    this.offsetMinutes = offsetMinutes
  }

  static of(date: Date): CimTimestamp {
    const time = date.getTime()
    if (Number.isNaN(time)) throw new CimError('an invalid Date')
    return new CimTimestamp(BigInt(time) * MICROSECONDS_PER_MS)
  }

  /** What hosts send for "never". */
  get isUnset(): boolean {
    return this.epochMicroseconds === UNSET_MICROSECONDS
  }

  /** To the millisecond, rounded down. */
  toDate(): Date {
    return new Date(Number(floorDivide(this.epochMicroseconds, MICROSECONDS_PER_MS)))
  }

  /** As WS-Management has it: `2025-12-17T09:55:22.702341Z`, the fraction without its trailing zeros. */
  toIso(): string {
    const { whole, fraction } = this.#split(0n)
    const digits = String(fraction).padStart(6, '0').replace(/0+$/, '')
    return `${whole.slice(0, 19)}${digits === '' ? '' : `.${digits}`}Z`
  }

  /** As CIM has it, in 25 characters: `20251217095522.702341+000`. Source: DSP0004, "Datetime type". */
  toCim(): string {
    const { whole, fraction } = this.#split(BigInt(this.offsetMinutes) * 60n * MICROSECONDS_PER_SECOND)
    const zone = `${this.offsetMinutes < 0 ? '-' : '+'}${String(Math.abs(this.offsetMinutes)).padStart(3, '0')}`
    return `${whole.slice(0, 19).replace(/[-T:]/g, '')}.${String(fraction).padStart(6, '0')}${zone}`
  }

  #split(shift: bigint): { readonly whole: string; readonly fraction: bigint } {
    const local = this.epochMicroseconds + shift
    const seconds = floorDivide(local, MICROSECONDS_PER_SECOND)
    const date = new Date(Number(seconds) * 1_000)
    const year = date.getUTCFullYear()
    if (Number.isNaN(year) || year < 0 || year > 9_999) throw new CimError('a time outside the years 0 to 9999')
    return { whole: date.toISOString(), fraction: local - seconds * MICROSECONDS_PER_SECOND }
  }
}

/** A length of time, to the microsecond, never negative. */
export class CimInterval {
  readonly microseconds: bigint

  constructor(microseconds: bigint) {
    if (microseconds < 0n || microseconds / MICROSECONDS_PER_SECOND / SECONDS_PER_DAY > INTERVAL_DAYS_MAX) {
      throw new CimError('an interval that is negative or longer than 99,999,999 days')
    }
    this.microseconds = microseconds
  }

  static ofMilliseconds(milliseconds: number): CimInterval {
    if (!Number.isFinite(milliseconds)) throw new CimError('an interval that is no number of milliseconds')
    return new CimInterval(BigInt(Math.round(milliseconds * 1_000)))
  }

  get milliseconds(): number {
    return Number(this.microseconds) / 1_000
  }

  /** As WS-Management has it: `P0DT0H5M0.25S`. */
  toIso(): string {
    const { days, hours, minutes, seconds, fraction } = this.#parts()
    const digits = String(fraction).padStart(6, '0').replace(/0+$/, '')
    return `P${days}DT${hours}H${minutes}M${seconds}${digits === '' ? '' : `.${digits}`}S`
  }

  /** As CIM has it, in 25 characters: `00000000000500.250000:000`. Source: DSP0004, "Datetime type". */
  toCim(): string {
    const { days, hours, minutes, seconds, fraction } = this.#parts()
    const clock = [hours, minutes, seconds].map(part => String(part).padStart(2, '0')).join('')
    return `${String(days).padStart(8, '0')}${clock}.${String(fraction).padStart(6, '0')}:000`
  }

  #parts() {
    const whole = this.microseconds / MICROSECONDS_PER_SECOND
    return {
      days: whole / SECONDS_PER_DAY,
      hours: (whole / 3_600n) % 24n,
      minutes: (whole / 60n) % 60n,
      seconds: whole % 60n,
      fraction: this.microseconds % MICROSECONDS_PER_SECOND,
    }
  }
}

const ISO_TIME = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})?$/i
const ISO_DATE = /^(\d{4})-(\d{2})-(\d{2})(Z|[+-]\d{2}:\d{2})?$/i
const CIM_TIME = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})\.(\d{6})([+-])(\d{3})$/
const ISO_INTERVAL = /^P(?:(\d{1,8})D)?(?:T(?:(\d{1,10})H)?(?:(\d{1,12})M)?(?:(\d{1,14})(?:\.(\d{1,9}))?S)?)?$/
const CIM_INTERVAL = /^(\d{8})(\d{2})(\d{2})(\d{2})\.(\d{6}):000$/

/**
 * Reads a time in either form, XML Schema's or CIM's; a time that names no zone is taken for UTC. Undefined where it is
 * neither, or leaves fields open with asterisks.
 * Source: DSP0004, "Datetime type"; DSP0230, "datetime".
 */
export function parseTimestamp(text: string): CimTimestamp | undefined {
  const iso = ISO_TIME.exec(text)
  if (iso !== null) return timestamp(iso.slice(1, 7), iso[7], isoOffset(iso[8]))
  const date = ISO_DATE.exec(text)
  if (date !== null) return timestamp(date.slice(1, 4), undefined, isoOffset(date[4]))
  const cim = CIM_TIME.exec(text)
  if (cim === null) return undefined
  const offset = Number(cim[9])
  return timestamp(cim.slice(1, 7), cim[7], cim[8] === '-' ? -offset : offset)
}

/** Reads an interval in either form, XML Schema's or CIM's. Undefined where it is neither, or counts months or years. */
export function parseInterval(text: string): CimInterval | undefined {
  const match = ISO_INTERVAL.exec(text) ?? CIM_INTERVAL.exec(text)
  if (match === null || /[PT]$/.test(text)) return undefined
  const [days, hours, minutes, seconds] = match.slice(1, 5).map(part => BigInt(part ?? 0))
  const total = (((days ?? 0n) * 24n + (hours ?? 0n)) * 60n + (minutes ?? 0n)) * 60n + (seconds ?? 0n)
  if (total / SECONDS_PER_DAY > INTERVAL_DAYS_MAX) return undefined
  return new CimInterval(total * MICROSECONDS_PER_SECOND + microseconds(match[5]))
}

function timestamp(fields: readonly string[], fraction: string | undefined, offsetMinutes: number) {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = fields.map(Number)
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second)
  // A 31st of June becomes the 1st of July; what does not come back as it was given is no date.
  const isReal =
    date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60
  if (!isReal) return undefined
  const seconds = BigInt(date.getTime() / 1_000) - BigInt(offsetMinutes) * 60n
  return new CimTimestamp(seconds * MICROSECONDS_PER_SECOND + microseconds(fraction), offsetMinutes)
}

function isoOffset(zone: string | undefined): number {
  if (zone === undefined || /^z$/i.test(zone)) return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4))
  return zone.startsWith('-') ? -minutes : minutes
}

/** The first six digits of a fraction. */
function microseconds(fraction = ''): bigint {
  return BigInt(fraction.slice(0, 6).padEnd(6, '0'))
}

function floorDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor
  return dividend % divisor < 0n ? quotient - 1n : quotient
}
