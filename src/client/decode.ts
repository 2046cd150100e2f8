/** Wire values to model values: results on their way in. Source: Xen Management API rev 0.2, §1.3 and §2.3. */

import { type Type, typeName } from '../model/kernel/types.ts'
import { isArray, isStruct, type WireValue } from '../wire/xmlrpc/value.ts'

const DECIMAL = /^\s*[+-]?\d{1,20}\s*$/

/** An answer that is not what the declaration says. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer'
}

/** The model's value of a result. Throws UnexpectedAnswer where it is not of its declared type. */
export function decodeResult(type: Type, wire: WireValue): unknown {
  switch (type.kind) {
    case 'void':
      return null
    case 'string':
    case 'enum':
    case 'ref':
      return typeof wire === 'string' ? wire : wrong(type, wire)
    case 'int':
    case 'int32':
      return decodeInt(type, wire)
    case 'float':
      if (typeof wire === 'bigint') return Number(wire)
      return typeof wire === 'number' ? wire : wrong(type, wire)
    case 'bool':
      return typeof wire === 'boolean' ? wire : wrong(type, wire)
    case 'dateTime':
      return wire instanceof Date ? wire : wrong(type, wire)
    case 'set':
      return isArray(wire) ? wire.map(element => decodeResult(type.of, element)) : wrong(type, wire)
    case 'map':
      return isStruct(wire) ? decodeMap(type, wire) : wrong(type, wire)
    case 'struct':
      return isStruct(wire) ? decodeStruct(type.fields, wire) : wrong(type, wire)
    default:
      return wire // Open: whatever it is.
  }
}

function decodeInt(type: Type, wire: WireValue): bigint {
  if (typeof wire === 'bigint') return wire
  return typeof wire === 'string' && DECIMAL.test(wire) ? BigInt(wire) : wrong(type, wire)
}

type Struct = { readonly [member: string]: WireValue }

function decodeMap(type: Extract<Type, { kind: 'map' }>, wire: Struct): ReadonlyMap<unknown, unknown> {
  return new Map(
    Object.entries(wire).map(([key, entry]) => [decodeResult(type.key, key), decodeResult(type.value, entry)]),
  )
}

function decodeStruct(fields: Readonly<Record<string, Type>>, wire: Struct): unknown {
  const entries = Object.entries(fields).map(([name, type]) => {
    if (!Object.hasOwn(wire, name)) throw new UnexpectedAnswer(`the answer has no member ${name}`)
    return [name, decodeResult(type, wire[name] ?? '')] as const
  })
  return Object.fromEntries(entries)
}

function wrong(type: Type, wire: WireValue): never {
  const shown = isArray(wire) ? 'an array' : isStruct(wire) ? 'a struct' : `a ${typeof wire}`
  throw new UnexpectedAnswer(`the answer must be of type ${typeName(type)} and is ${shown}`)
}
