import type { CimXmlType } from './cim-xml.ts'
import { CimInterval, CimTimestamp } from './datetime.ts'
import { EndpointReference } from './endpoint-reference.ts'
import { CimError } from './error.ts'
import { CimInstance } from './instance.ts'
import type { RawProperty } from './properties.ts'
import {
  type CimInput,
  type CimScalar,
  type CimScalarType,
  type CimType,
  type CimValue,
  checkValue,
  splitType,
} from './types.ts'

/** A value and the type that it is sent as. */
export interface TypedValue {
  readonly type: CimType
  readonly value: CimValue
}

/** `value` as one of `type`. Throws CimError where it is none. */
export function typed<T extends CimType>(type: T, value: CimInput<T>): TypedValue {
  return { type, value: checkValue(type, value, 'the value') }
}

/**
 * An instance to be sent in a method's parameter: only what is given is told, so that a method that changes settings
 * changes nothing else. Throws CimError for a property that CIM-XML has no way to carry.
 */
export function embedded(className: string, properties: Readonly<Record<string, TypedValue>>): CimInstance {
  const [raw, types] = [new Map<string, RawProperty>(), new Map<string, CimXmlType>()]
  for (const [name, { type, value }] of Object.entries(properties)) {
    const { scalar, isArray } = splitType(type)
    const base = baseType(name, scalar)
    types.set(name, isArray ? `${base}[]` : base)
    raw.set(name, rawValue(value))
  }
  return new CimInstance(className, raw, { types })
}

function rawValue(value: CimValue): RawProperty {
  if (value === null) return null
  if (value instanceof Uint8Array) return [...value].map(String)
  return isScalar(value) ? cimText(value) : value.map(cimText)
}

function isScalar(value: CimScalar | readonly CimScalar[]): value is CimScalar {
  return !Array.isArray(value)
}

function baseType(name: string, type: CimScalarType) {
  if (type === 'reference') throw new CimError(`${name}: settings hold object paths as strings, not references`)
  if (type === 'interval') return 'datetime'
  return type === 'instance' ? 'string' : type
}

/** A value in CIM-XML's own form. Source: DSP0201, "VALUE". */
function cimText(value: CimScalar): string {
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE'
  if (value instanceof CimTimestamp || value instanceof CimInterval) return value.toCim()
  if (value instanceof CimInstance) return value.toCimXml()
  if (value instanceof EndpointReference) throw new CimError('a reference is no text')
  return String(value)
}
