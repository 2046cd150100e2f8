import { VIR_ERR_INVALID_ARG, VIR_ERR_OVERFLOW, VIR_FROM_NONE } from '../error-numbers.ts'
import { LibvirtError } from '../errors.ts'
import type { Reading } from './reading.ts'

/** Octets of a KiB. */
export const KIB = 1024
/** The most that a number of bytes can be here without losing its last digits; 8 PiB. */
const BYTES_MAX = BigInt(Number.MAX_SAFE_INTEGER)
/** Decimal digits of the largest number of 64 bits. */
const DIGITS_MAX = 20
const LETTERS = 'kmgtpe'

/**
 * How many bytes a unit is: `b`, `bytes`, `KB` (1,000), `k` and `KiB` (1,024), and so on to `E`. Case does not count.
 * Undefined for what is none. Source: libvirt, formatdomain, "memory"; src/util/virutil.c, virScaleInteger.
 */
export function unitBytes(unit: string): bigint | undefined {
  const lower = unit.toLowerCase()
  if (lower === 'b' || lower === 'byte' || lower === 'bytes') return 1n
  const power = LETTERS.indexOf(lower.slice(0, 1)) + 1
  if (lower === '' || power === 0) return undefined
  const base = { '': 1024n, ib: 1024n, b: 1000n }[lower.slice(1)]
  return base === undefined ? undefined : base ** BigInt(power)
}

/** The amount that an element holds, in bytes; `unit` is what it counts in where it does not say. */
export function readBytes(element: Reading, unit: string): number {
  const text = element.text()
  if (!/^\d+$/.test(text)) return element.invalid('', text)
  const name = element.attribute('unit') ?? unit
  const factor = unitBytes(name)
  if (factor === undefined) {
    throw new LibvirtError(VIR_ERR_INVALID_ARG, `unknown suffix '${name.slice(0, 100)}'`, { domain: VIR_FROM_NONE })
  }
  const digits = text.replace(/^0+(?=\d)/, '')
  const bytes = digits.length > DIGITS_MAX ? BYTES_MAX + 1n : BigInt(digits) * factor
  if (bytes > BYTES_MAX) {
    throw new LibvirtError(VIR_ERR_OVERFLOW, `value too large: ${digits.slice(0, 100)}${name}`, {
      domain: VIR_FROM_NONE,
    })
  }
  return Number(bytes)
}

/** As `readBytes` in KiB, and rounded up to them: libvirt keeps the memory of domains so. */
export function readMemoryBytes(element: Reading): number {
  return kibibytes(readBytes(element, 'KiB')) * KIB
}

/** So many KiB hold this many bytes. */
export const kibibytes = (bytes: number): number => Math.ceil(bytes / KIB)
