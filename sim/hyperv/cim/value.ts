import { isDatetime } from './datetime.ts'
import type { CimScalar, CimType, CimValue, Instance } from './model.ts'

/** What a value is held against: a property's or a parameter's type. */
export interface ValueType {
  readonly type: CimType
  readonly isArray: boolean
}

type Range = readonly [bigint, bigint]

const RANGES: Readonly<Partial<Record<CimType, Range>>> = {
  uint8: [0n, 0xffn],
  uint16: [0n, 0xffffn],
  uint32: [0n, 0xffff_ffffn],
  uint64: [0n, 0xffff_ffff_ffff_ffffn],
  sint8: [-0x80n, 0x7fn],
  sint16: [-0x8000n, 0x7fffn],
  sint32: [-0x8000_0000n, 0x7fff_ffffn],
  sint64: [-0x8000_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn],
}

/** Whether `value` is one of this type. NULL is of every type, but not inside an array. */
export function isOfType(value: CimValue, { type, isArray }: ValueType): boolean {
  if (value === null) return true
  if (isList(value)) return isArray && value.every(item => isScalarOfType(item, type))
  return !isArray && isScalarOfType(value, type)
}

/** Whether `value` is an array. */
export function isList(value: CimValue): value is readonly CimScalar[] {
  return Array.isArray(value)
}

/** Whether `value` is an embedded instance. */
export function isInstance(value: CimValue): value is Instance {
  return typeof value === 'object' && value !== null && 'class' in value
}

function isScalarOfType(value: CimScalar, type: CimType): boolean {
  switch (type) {
    case 'boolean':
      return typeof value === 'boolean'
    case 'string':
    case 'reference':
      return typeof value === 'string'
    case 'char16':
      return typeof value === 'string' && value.length === 1
    case 'datetime':
      return typeof value === 'string' && isDatetime(value)
    case 'object':
      return isInstance(value)
    case 'real32':
    case 'real64':
      return typeof value === 'number' && Number.isFinite(value)
    case 'uint64':
    case 'sint64':
      return typeof value === 'bigint' && isInRange(value, type)
    default:
      return typeof value === 'number' && Number.isInteger(value) && isInRange(BigInt(value), type)
  }
}

const INTEGER = /^[+-]?\d{1,20}$/
/** CIM's own; hexadecimal stands in value maps and queries. */
const HEXADECIMAL = /^0[xX][\da-fA-F]{1,16}$/
const REAL = /^[+-]?(?:\d{1,400}\.?\d{0,400}|\.\d{1,400})(?:[eE][+-]?\d{1,4})?$/

/**
 * The value of this type that `text` spells; undefined where it spells none. White space around it is not passed
 * over, but for TRUE and FALSE any case is taken. An `object` is never spelled as text.
 */
export function readScalar(text: string, type: CimType): Exclude<CimScalar, Instance> | undefined {
  switch (type) {
    case 'string':
    case 'reference':
      return text
    case 'boolean':
      return readBoolean(text)
    case 'char16':
      return text.length === 1 ? text : undefined
    case 'datetime':
      return isDatetime(text) ? text : undefined
    case 'object':
      return undefined
    case 'real32':
    case 'real64':
      return REAL.test(text) && Number.isFinite(Number(text)) ? Number(text) : undefined
    default:
      return readInteger(text, type)
  }
}

function readBoolean(text: string): boolean | undefined {
  const word = text.toLowerCase()
  if (word === 'true') return true
  return word === 'false' ? false : undefined
}

function readInteger(text: string, type: CimType): bigint | number | undefined {
  if (!INTEGER.test(text) && !HEXADECIMAL.test(text)) return undefined
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text)
  if (!isInRange(value, type)) return undefined
  return type === 'uint64' || type === 'sint64' ? value : Number(value)
}

function isInRange(value: bigint, type: CimType): boolean {
  const range = RANGES[type]
  return range !== undefined && value >= range[0] && value <= range[1]
}
