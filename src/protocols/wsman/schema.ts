import { embedded, type TypedValue } from './embedded.ts'
import { CimError } from './error.ts'
import type { CimInstance } from './instance.ts'
import type { Arguments } from './parameters.ts'
import { requireName } from './resource.ts'
import {
  type CimInput,
  type CimOutput,
  type CimScalar,
  type CimScalarType,
  type CimType,
  type CimValue,
  checkScalar,
  checkValue,
  splitType,
} from './types.ts'

/** Names, and the type of each. */
export type Types = Readonly<Record<string, CimType>>

/** A class, as far as its caller uses it. */
export interface CimClass<T extends Types> {
  readonly name: string
  readonly properties: T
}

/** A method, as far as its caller uses it. The return value is not part of `output`. */
export interface CimMethod<I extends Types, O extends Types> {
  readonly className: string
  readonly name: string
  readonly input: I
  readonly output: O
}

/** What some of the names are given; what is left out is not sent, and null is. */
export type InputOf<T extends Types> = { readonly [N in keyof T]?: CimInput<T[N]> | undefined }

/** What is read under each name: undefined for one value that is null, an empty array for several that are. */
export type OutputOf<T extends Types> = {
  readonly [N in keyof T]: T[N] extends `${string}[]` ? CimOutput<T[N]> : CimOutput<T[N]> | undefined
}

/** Declares a class: `defineClass('Msvm_MemorySettingData', { InstanceID: 'string', VirtualQuantity: 'uint64' })`. */
export function defineClass<const T extends Types>(name: string, properties: T): CimClass<T> {
  return { name: requireName(name), properties }
}

/** Declares a method of a class: what goes in, what comes out beside the return value. */
export function defineMethod<const I extends Types, const O extends Types>(
  className: string,
  name: string,
  parameters: { readonly input: I; readonly output: O },
): CimMethod<I, O> {
  return { className: requireName(className), name: requireName(name), ...parameters }
}

/**
 * An instance of a declared class, to be sent in a parameter. Throws CimError for a property that the class does not
 * declare, and for a value that is not of its type.
 */
export function instanceOf<T extends Types>(of: CimClass<T>, values: InputOf<T>): CimInstance {
  const properties: Record<string, TypedValue> = {}
  for (const [name, value] of given(of.name, of.properties, values)) properties[name] = value
  return embedded(of.name, properties)
}

/** The declared properties of an instance, typed. Throws CimError where one holds something else than is declared. */
export function valuesOf<T extends Types>(of: CimClass<T>, instance: CimInstance): OutputOf<T>
export function valuesOf(of: CimClass<Types>, instance: CimInstance): unknown {
  return readTyped(of.properties, instance)
}

/**
 * The arguments of a declared method, checked. Throws CimError for a parameter that the method does not declare, and for
 * a value that is not of its type.
 */
export function argumentsOf<I extends Types>(of: CimMethod<I, Types>, values: InputOf<I>): Arguments {
  const checked = given(of.name, of.input, values).map(([name, { value }]): [string, Arguments[string]] => [
    name,
    value,
  ])
  return Object.fromEntries(checked)
}

/** What a declared method gave back, typed. Throws CimError where something else came than is declared. */
export function resultOf<O extends Types>(of: CimMethod<Types, O>, output: CimInstance): OutputOf<O>
export function resultOf(of: CimMethod<Types, Types>, output: CimInstance): unknown {
  return readTyped(of.output, output)
}

function given(owner: string, types: Types, values: Readonly<Record<string, unknown>>): [string, TypedValue][] {
  return Object.entries(values).flatMap(([name, value]): [string, TypedValue][] => {
    const type = Object.hasOwn(types, name) ? types[name] : undefined
    if (type === undefined) throw new CimError(`${owner} declares no ${name}`)
    return value === undefined ? [] : [[name, { type, value: checkValue(type, value, `${name} of ${owner}`) }]]
  })
}

function readTyped(types: Types, instance: CimInstance): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(types).map(([name, type]) => [name, readAs(type, instance, name)]))
}

/** Reads a property as what it is declared to be. Throws CimError where it holds something else. */
function readAs(type: CimType, instance: CimInstance, name: string): CimValue | undefined {
  if (type === 'uint8[]') return instance.bytes(name) ?? new Uint8Array()
  const { scalar, isArray } = splitType(type)
  const { one, all } = READERS[scalar]
  const check = (value: CimScalar) => checkScalar(scalar, value, `${name} of ${instance.className}`)
  if (isArray) return all(instance, name).map(check)
  const value = one(instance, name)
  return value === undefined ? undefined : check(value)
}

interface Reader {
  readonly one: (from: CimInstance, name: string) => CimScalar | undefined
  readonly all: (from: CimInstance, name: string) => readonly CimScalar[]
}

const STRING: Reader = { one: (from, name) => from.string(name), all: (from, name) => from.strings(name) }
const NUMBER: Reader = { one: (from, name) => from.number(name), all: (from, name) => from.numbers(name) }
const BIGINT: Reader = { one: (from, name) => from.bigint(name), all: (from, name) => from.bigints(name) }
const REAL: Reader = { one: (from, name) => from.real(name), all: (from, name) => from.reals(name) }

const READERS: Readonly<Record<CimScalarType, Reader>> = {
  boolean: { one: (from, name) => from.boolean(name), all: (from, name) => from.booleans(name) },
  string: STRING,
  char16: STRING,
  uint8: NUMBER,
  uint16: NUMBER,
  uint32: NUMBER,
  uint64: BIGINT,
  sint8: NUMBER,
  sint16: NUMBER,
  sint32: NUMBER,
  sint64: BIGINT,
  real32: REAL,
  real64: REAL,
  datetime: { one: (from, name) => from.datetime(name), all: (from, name) => from.datetimes(name) },
  interval: { one: (from, name) => from.interval(name), all: (from, name) => from.intervals(name) },
  reference: { one: (from, name) => from.reference(name), all: (from, name) => from.references(name) },
  instance: { one: (from, name) => from.instance(name), all: (from, name) => from.instances(name) },
}
