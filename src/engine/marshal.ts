/**
 * The one door between the wire's values and the model's: arguments are checked by their declared type on the way
 * in, results written by theirs on the way out. Source: Xen Management API rev 0.2, §1.3 and §2.3.
 */

import { fail } from '../model/errors.ts'
import { NULL_REF, type Type } from '../model/kernel/types.ts'
import { isStruct, setMember, type WireValue } from '../wire/xmlrpc/value.ts'
import type { Dialect } from './dialect.ts'
import { printable } from './text.ts'

const INT_MIN = -(2n ** 63n)
const INT_MAX = 2n ** 63n - 1n
const DECIMAL = /^\s*[+-]?\d{1,20}\s*$/

/** What decoding needs to know beyond the type. */
export interface DecodeOptions {
  readonly dialect: Dialect
  /** Whether an object exists. */
  readonly exists: (className: string, ref: string) => boolean
}

/**
 * The model's value of a client's argument. Throws FIELD_TYPE_ERROR naming `field` where the type is wrong,
 * INVALID_VALUE where an enumeration has no such value, HANDLE_INVALID where a reference names nothing or is null and
 * not `nullable`.
 */
export function decodeValue(
  type: Type,
  value: WireValue,
  field: string,
  options: DecodeOptions,
  nullable = false,
): unknown {
  switch (type.kind) {
    case 'string':
      return typeof value === 'string' ? value : wrongType(field)
    case 'int':
    case 'int32':
      return decodeInt(value, field)
    case 'float':
      return decodeFloat(value, field)
    case 'bool':
      return typeof value === 'boolean' ? value : wrongType(field)
    case 'dateTime':
      return value instanceof Date ? value : wrongType(field)
    case 'enum':
      return decodeEnum(type.values, value, field)
    case 'ref':
      return decodeRef(type.class, value, field, options, nullable)
    case 'set':
      return decodeSet(type.of, value, field, options)
    case 'map':
      return decodeMap(type, value, field, options)
    case 'open':
      return value
    default:
      return wrongType(field)
  }
}

function wrongType(field: string): never {
  throw fail('FIELD_TYPE_ERROR', { field })
}

function decodeInt(value: WireValue, field: string): bigint {
  const int =
    typeof value === 'bigint' ? value : typeof value === 'string' && DECIMAL.test(value) ? BigInt(value) : null
  if (int === null || int < INT_MIN || int > INT_MAX) return wrongType(field)
  return int
}

function decodeFloat(value: WireValue, field: string): number {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  return wrongType(field)
}

function decodeEnum(values: Readonly<Record<string, string>>, value: WireValue, field: string): string {
  if (typeof value !== 'string') return wrongType(field)
  const name = value.trim()
  if (!Object.hasOwn(values, name)) throw fail('INVALID_VALUE', { field, value: name.slice(0, 100) })
  return name
}

function decodeRef(
  className: string,
  value: WireValue,
  field: string,
  options: DecodeOptions,
  nullable: boolean,
): string {
  if (typeof value !== 'string') return wrongType(field)
  const ref = options.dialect.readRef(value)
  const known = ref === NULL_REF ? nullable : options.exists(className, ref)
  if (!known) throw fail('HANDLE_INVALID', { class: className, handle: value.slice(0, 100) })
  return ref
}

function decodeSet(of: Type, value: WireValue, field: string, options: DecodeOptions): readonly unknown[] {
  if (!Array.isArray(value)) return wrongType(field)
  const elements: unknown[] = value.map((element: WireValue) => decodeValue(of, element, field, options))
  return [...new Set(elements)]
}

type MapDeclaration = Extract<Type, { kind: 'map' }>

function decodeMap(
  type: MapDeclaration,
  value: WireValue,
  field: string,
  options: DecodeOptions,
): ReadonlyMap<unknown, unknown> {
  if (!isStruct(value)) return wrongType(field)
  return new Map(
    Object.entries(value).map(([key, entry]) => [
      decodeValue(type.key, key, field, options),
      decodeValue(type.value, entry, field, options),
    ]),
  )
}

/** The wire's value of a result. Its type must be the declared one; anything else is a fault of the server. */
export function encodeValue(type: Type, value: unknown, dialect: Dialect): WireValue {
  switch (type.kind) {
    case 'void':
      return ''
    case 'string':
      return printable(String(value))
    case 'int':
      return String(value)
    case 'ref':
      return dialect.writeRef(value as string)
    case 'set':
      return (value as readonly unknown[]).map(element => encodeValue(type.of, element, dialect))
    case 'map':
      return encodeMap(type, value as ReadonlyMap<unknown, unknown>, dialect)
    case 'struct': {
      const fields = value as Readonly<Record<string, unknown>>
      return Object.fromEntries(
        Object.entries(type.fields).map(([name, of]) => [name, encodeValue(of, fields[name], dialect)]),
      )
    }
    default:
      return value as WireValue
  }
}

function encodeMap(type: MapDeclaration, map: ReadonlyMap<unknown, unknown>, dialect: Dialect): WireValue {
  const members: Record<string, WireValue> = {}
  for (const [key, entry] of map) {
    // Keys are scalars: nothing else may key a map of the declaration.
    const name = encodeValue(type.key, key, dialect)
    setMember(members, typeof name === 'string' ? name : JSON.stringify(name), encodeValue(type.value, entry, dialect))
  }
  return members
}
