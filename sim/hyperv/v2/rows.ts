import assert from 'node:assert/strict'
import { makeInstance } from '../cim/instance.ts'
import type { CimValue, Instance, Schema } from '../cim/model.ts'
import { printPath, sameName } from '../cim/path.ts'
import type { ClassProvider, ObjectName, Provider } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'

/** The namespace of everything in this folder. */
export const V2 = 'root\\virtualization\\v2'

/** Values by the schema's spelling; undefined is what the schema says, null is NULL. */
export type Row = Readonly<Record<string, CimValue | undefined>>

/**
 * An instance with what of `row` the class has on this build: rows are written for the newest Windows, and what came
 * later than the simulated one is left out. Asserts that the schema has the class.
 */
export function rowOf(schema: Schema, className: string, row: Row): Instance {
  const cls = schema.find(className)
  assert(cls !== undefined, `${schema.namespace} has no class ${className}`)
  const present: Record<string, CimValue> = {}
  for (const [name, value] of Object.entries(row)) {
    if (value !== undefined && cls.property(name) !== undefined) present[name] = value
  }
  return makeInstance(cls, present)
}

/** A provider of the classes and methods that this build has. */
export function providerOf(schema: Schema, { classes = {}, methods = {} }: Provider): Provider {
  const isThere = ([name]: readonly [string, unknown]): boolean => schema.find(name) !== undefined
  const isCallable = ([name]: readonly [string, unknown]): boolean => {
    const [className = '', method = ''] = name.split('.')
    return schema.find(className)?.method(method) !== undefined
  }
  return {
    classes: Object.fromEntries(Object.entries(classes).filter(isThere)),
    methods: Object.fromEntries(Object.entries(methods).filter(isCallable)),
  }
}

/** The full path of an instance on this host, as Windows prints it. */
export function pathIn(host: Host, name: ObjectName, namespace = V2): string {
  return printPath({ ...name, host: host.state.name, namespace })
}

/** Two names that an association joins, in the order of its ends. */
export type Pair = readonly [ObjectName, ObjectName]

export interface Association {
  readonly className: string
  /** The properties of its two ends. */
  readonly ends: readonly [string, string]
  readonly list: () => Iterable<Pair>
  /** Those that name `object`, without making all the others; absent, they are searched for in `list`. */
  readonly of?: (object: ObjectName) => Iterable<Pair>
  /** What an instance says beyond its ends. */
  readonly values?: Row
}

/** What gives the instances of an association. */
export function associationOf(host: Host, schema: Schema, association: Association): ClassProvider {
  const { className, ends, list, values = {} } = association
  const path = (name: ObjectName): string => pathIn(host, name, schema.namespace)
  const rowFor = ([first, second]: Pair): Instance =>
    rowOf(schema, className, { ...values, [ends[0]]: path(first), [ends[1]]: path(second) })
  function* searched(object: ObjectName): Iterable<Pair> {
    for (const pair of list()) {
      if (sameName(pair[0], object, schema) || sameName(pair[1], object, schema)) yield pair
    }
  }
  const of = association.of ?? searched
  return {
    *list() {
      for (const pair of list()) yield rowFor(pair)
    },
    *referring(object) {
      for (const pair of of(object)) yield rowFor(pair)
    },
  }
}

/** The key of a name by its spelling in the schema, whatever its spelling here. */
export function keyOf(name: ObjectName, key: string): string | undefined {
  const direct = name.keys.get(key)
  if (direct !== undefined) return direct
  const wanted = key.toLowerCase()
  for (const [own, value] of name.keys) if (own.toLowerCase() === wanted) return value
  return undefined
}
