import { CIM_XML_TYPES } from './cim-xml.ts'
import { CimInterval, CimTimestamp } from './datetime.ts'
import { EndpointReference } from './endpoint-reference.ts'
import { CimError } from './error.ts'
import { CimInstance } from './instance.ts'

/** The integers of CIM, and the values between which each lies. Source: DSP0004, "Intrinsic data types". */
const INTEGERS = {
  uint8: [0n, 2n ** 8n - 1n],
  uint16: [0n, 2n ** 16n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
  sint8: [-(2n ** 7n), 2n ** 7n - 1n],
  sint16: [-(2n ** 15n), 2n ** 15n - 1n],
  sint32: [-(2n ** 31n), 2n ** 31n - 1n],
  sint64: [-(2n ** 63n), 2n ** 63n - 1n],
} as const

/** What a value of each type is given and read as. */
interface Values {
  boolean: boolean
  string: string
  char16: string
  uint8: number
  uint16: number
  uint32: number
  uint64: bigint
  sint8: number
  sint16: number
  sint32: number
  sint64: bigint
  real32: number
  real64: number
  datetime: CimTimestamp
  interval: CimInterval
  reference: EndpointReference
  instance: CimInstance
}

/**
 * The types of CIM for one value. Three are finer than CIM's own: `interval` is the datetime that tells a length of
 * time, `reference` an instance elsewhere, `instance` the string that holds an instance as CIM-XML.
 */
export type CimScalarType = keyof Values

/** A type of CIM, or an array of it. */
export type CimType = CimScalarType | `${CimScalarType}[]`

/** One value of any type. */
export type CimScalar = Values[CimScalarType]

/** What a value of type T is read as; octets come as bytes. */
export type CimOutput<T extends CimType> = T extends 'uint8[]'
  ? Uint8Array
  : T extends `${infer S extends CimScalarType}[]`
    ? readonly Values[S][]
    : T extends CimScalarType
      ? Values[T]
      : never

/** A value of any type, as it is given. */
export type CimValue = CimScalar | readonly CimScalar[] | Uint8Array | null

/** What a value of type T may be given as: exact numbers for 64 bits too, numbers for octets too, and null. */
export type CimInput<T extends CimType> =
  | CimOutput<T>
  | null
  | (T extends 'uint64' | 'sint64' ? number : never)
  | (T extends 'uint64[]' | 'sint64[]' ? readonly number[] : never)
  | (T extends 'uint8[]' ? readonly number[] : never)

/** The type of the items, and whether there may be several. */
export function splitType(type: CimType): { readonly scalar: CimScalarType; readonly isArray: boolean } {
  const scalar = SCALARS.find(known => type === known || type === `${known}[]`)
  if (scalar === undefined) throw new CimError(`${type} is no type of CIM`)
  return { scalar, isArray: type !== scalar }
}

/** `value` if it is one of the type. Throws CimError, which calls it `what`, if not. */
export function checkScalar(type: CimScalarType, value: unknown, what: string): CimScalar {
  const found = CHECKS[type](value)
  if (found === undefined) throw new CimError(`${what} is no ${type}`)
  return found
}

/** `value` if it is one of the type, or an array of such. Throws CimError, which calls it `what`, if not. */
export function checkValue(type: CimType, value: unknown, what: string): CimValue {
  const { scalar, isArray } = splitType(type)
  if (value === null) return null
  if (!isArray) return checkScalar(scalar, value, what)
  if (scalar === 'uint8' && value instanceof Uint8Array) return value
  if (!Array.isArray(value)) throw new CimError(`${what} is no array of ${scalar}`)
  return value.map((item: unknown, index) => checkScalar(scalar, item, `${what}[${index}]`))
}

type Check = (value: unknown) => CimScalar | undefined

const CHECKS: Readonly<Record<CimScalarType, Check>> = {
  boolean: value => (typeof value === 'boolean' ? value : undefined),
  string: value => (typeof value === 'string' ? value : undefined),
  char16: value => (typeof value === 'string' && value.length === 1 ? value : undefined),
  ...integerChecks(),
  real32: value => (typeof value === 'number' && Number.isFinite(value) ? value : undefined),
  real64: value => (typeof value === 'number' && Number.isFinite(value) ? value : undefined),
  datetime: value => (value instanceof CimTimestamp ? value : undefined),
  interval: value => (value instanceof CimInterval ? value : undefined),
  reference: value => (value instanceof EndpointReference ? value : undefined),
  instance: value => (value instanceof CimInstance ? value : undefined),
}

function integerChecks(): Readonly<Record<keyof typeof INTEGERS, Check>> {
  const check =
    ([least, most]: readonly [bigint, bigint]): Check =>
    value => {
      const isWhole = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value))
      return isWhole && value >= least && value <= most ? value : undefined
    }
  return {
    uint8: check(INTEGERS.uint8),
    uint16: check(INTEGERS.uint16),
    uint32: check(INTEGERS.uint32),
    uint64: check(INTEGERS.uint64),
    sint8: check(INTEGERS.sint8),
    sint16: check(INTEGERS.sint16),
    sint32: check(INTEGERS.sint32),
    sint64: check(INTEGERS.sint64),
  }
}

const SCALARS: readonly CimScalarType[] = [...CIM_XML_TYPES, 'interval', 'reference', 'instance']
