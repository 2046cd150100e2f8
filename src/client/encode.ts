/**
 * Model values to wire values: arguments on their way out. What does not fit its declared type is a mistake of the
 * calling program, so it is a TypeError that names the argument.
 * Source: Xen Management API rev 0.2, §1.3 and §2.3.
 */

import { wireName } from '../model/kernel/define.ts'
import { constructorFields, type Operation } from '../model/kernel/operations.ts'
import { type Type, typeName } from '../model/kernel/types.ts'
import { INT_RANGE, setMember, type WireValue } from '../wire/xmlrpc/value.ts'

/** Arguments by name, in the form that values have in memory. */
export type NamedArguments = Readonly<Record<string, unknown>>

/** The arguments of a call in wire order, without the session. Throws TypeError where one is missing, unknown or wrong. */
export function encodeArguments(operation: Operation, args: NamedArguments): readonly WireValue[] {
  if (operation.kind === 'create') return [encodeRecord(operation, args)]
  const names = operation.params.map(param => param.name)
  const stranger = Object.keys(args).find(name => !names.includes(name))
  if (stranger !== undefined) {
    throw new TypeError(`${operation.name} has no argument ${stranger}; it takes ${names.join(', ') || 'none'}`)
  }
  return operation.params.map(({ name, type }) => encodeValue(type, args[name], `${operation.name}: ${name}`))
}

/** A field that is undefined is left out, and so gets its default. */
function encodeRecord(operation: Operation, record: NamedArguments): WireValue {
  const types = new Map<string, Type>(
    constructorFields(operation.class).map(([path, field]) => [wireName(path), field.type]),
  )
  const struct: Record<string, WireValue> = {}
  for (const [name, value] of Object.entries(record)) {
    const type = types.get(name)
    if (type === undefined) throw new TypeError(`${operation.name} takes no field ${name}`)
    if (value !== undefined) setMember(struct, name, encodeValue(type, value, `${operation.name}: ${name}`))
  }
  return struct
}

/** The wire form of one value; `where` names it in the TypeError. */
export function encodeValue(type: Type, value: unknown, where: string): WireValue {
  const wire = encode(type, value, where)
  if (wire !== undefined) return wire
  throw new TypeError(`${where} must be ${expected(type)}, not ${shape(value)}`)
}

/** Undefined where the value is not of the type. */
function encode(type: Type, value: unknown, where: string): WireValue | undefined {
  switch (type.kind) {
    case 'string':
    case 'enum':
    case 'ref':
      return typeof value === 'string' ? value : undefined
    case 'int':
      return isInt(value) ? String(value) : undefined
    case 'int32':
      return isInt(value) ? value : undefined
    case 'float':
      return typeof value === 'number' && Number.isFinite(value) ? value : undefined
    case 'bool':
      return typeof value === 'boolean' ? value : undefined
    case 'dateTime':
      return value instanceof Date && !Number.isNaN(value.getTime()) ? value : undefined
    case 'set':
      return Array.isArray(value) ? value.map(element => encodeValue(type.of, element, where)) : undefined
    case 'map':
      return value instanceof Map ? encodeMap(type, value, where) : undefined
    default:
      return undefined // No message takes the rest: void, structs and open values are results.
  }
}

const isInt = (value: unknown): value is bigint =>
  typeof value === 'bigint' && value >= INT_RANGE.min && value <= INT_RANGE.max

function encodeMap(type: Extract<Type, { kind: 'map' }>, map: ReadonlyMap<unknown, unknown>, where: string): WireValue {
  const struct: Record<string, WireValue> = {}
  for (const [key, entry] of map) {
    const name = encodeValue(type.key, key, where)
    setMember(struct, typeof name === 'string' ? name : String(key), encodeValue(type.value, entry, where))
  }
  return struct
}

/** What a type is called in TypeScript, where that differs. */
function expected(type: Type): string {
  switch (type.kind) {
    case 'int':
    case 'int32':
      return 'a bigint of 64 bits'
    case 'float':
      return 'a finite number'
    case 'bool':
      return 'a boolean'
    case 'dateTime':
      return 'a Date'
    case 'set':
      return `an array: ${typeName(type)}`
    case 'map':
      return `a Map: ${typeName(type)}`
    default:
      return `a string: ${typeName(type)}`
  }
}

/** Says what a value is and not what it holds, which may be a secret. */
function shape(value: unknown): string {
  if (value === undefined) return 'left out'
  if (value === null) return 'null'
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object'
  return `a ${typeof value}`
}
