import { NULL_REF } from '../model/kernel/types.ts'
import {
  type ClassSchema,
  type FieldSchema,
  partnerOf,
  type ReferenceField,
  refersTo,
  refsIn,
  type Schema,
} from './schema.ts'
import type { User } from './store.ts'

/** A record in memory, frozen: normalised values by wire name. */
export type StoredRecord = Readonly<Record<string, unknown>>

/**
 * A record of these fields. Both functions here keep to the forms that V8 keeps fast objects for: a record filled field
 * by field would be a dictionary, and several times as slow to copy.
 */
export const newRecord = (fields: readonly FieldSchema[], valueOf: (field: FieldSchema) => unknown): StoredRecord =>
  Object.freeze(Object.fromEntries(fields.map(field => [field.name, valueOf(field)])))

/** The record with some fields changed. */
export const changedRecord = (record: StoredRecord, changes: StoredRecord): StoredRecord =>
  Object.freeze({ ...record, ...changes })

interface Entry {
  readonly record: StoredRecord
  /** Its place in the order of creation. */
  readonly created: number
}

/** What a table held for a reference at a moment, to be put back. */
export type Memento = Entry | undefined

/** The objects of one class, in order of creation, and who of them refers to whom by fields that are not bound. */
export class Table {
  readonly schema: ClassSchema
  readonly #entries = new Map<string, Entry>()
  readonly #indexes: ReadonlyMap<string, Map<string, Set<string>>>
  #refs: readonly string[] | undefined
  #created = 0
  /** A Map keeps the order of insertion; once an object has come back, that is no longer the order of creation. */
  #isInOrder = true

  constructor(schema: ClassSchema) {
    this.schema = schema
    this.#indexes = new Map(schema.unbound.map(field => [field.name, new Map()]))
  }

  get(ref: string): StoredRecord | undefined {
    return this.#entries.get(ref)?.record
  }

  has(ref: string): boolean {
    return this.#entries.has(ref)
  }

  /** All references, in order of creation. The same list until an object comes or goes. */
  refs(): readonly string[] {
    if (!this.#isInOrder) this.#sort()
    this.#refs ??= Object.freeze([...this.#entries.keys()])
    return this.#refs
  }

  /** The objects whose field, one that is not bound, names `target`. */
  owners(field: ReferenceField, target: string): readonly string[] {
    return [...(this.#indexes.get(field.name)?.get(target) ?? [])]
  }

  /** Adds an object, or replaces its record. */
  put(ref: string, record: StoredRecord): void {
    const old = this.#entries.get(ref)
    if (old === undefined) this.#refs = undefined
    this.#entries.set(ref, { record, created: old?.created ?? this.#created++ })
    this.#reindex(ref, old?.record, record)
  }

  /** Takes an object away. */
  take(ref: string): void {
    const old = this.#entries.get(ref)
    if (old === undefined) return
    this.#refs = undefined
    this.#entries.delete(ref)
    this.#reindex(ref, old.record, undefined)
  }

  /** What there is now for this reference. */
  memento(ref: string): Memento {
    return this.#entries.get(ref)
  }

  /**
   * Puts back what there was for a reference, in its old place among the others. Of an object that was there all the
   * while, what has been measured meanwhile stays.
   */
  restore(ref: string, was: Memento): void {
    if (was === undefined) return this.take(ref)
    const now = this.#entries.get(ref)
    const isSame = now?.created === was.created
    this.#entries.set(ref, isSame ? { ...was, record: this.#withSamples(was.record, now.record) } : was)
    if (!isSame) {
      this.#isInOrder = false
      this.#refs = undefined
    }
    this.#reindex(ref, now?.record, was.record)
  }

  #withSamples(record: StoredRecord, now: StoredRecord): StoredRecord {
    const measured = this.schema.volatile.filter(({ name }) => record[name] !== now[name])
    if (measured.length === 0) return record
    return changedRecord(record, Object.fromEntries(measured.map(({ name }) => [name, now[name]])))
  }

  #sort(): void {
    const sorted = [...this.#entries].sort(([, a], [, b]) => a.created - b.created)
    this.#entries.clear()
    for (const [ref, entry] of sorted) this.#entries.set(ref, entry)
    this.#isInOrder = true
  }

  #reindex(ref: string, old: StoredRecord | undefined, now: StoredRecord | undefined): void {
    for (const field of this.schema.unbound) {
      const [before, after] = [old?.[field.name], now?.[field.name]]
      if (before === after) continue
      const index = this.#indexes.get(field.name)
      if (index === undefined) continue
      for (const target of refsIn(field, before)) removeFrom(index, target, ref)
      for (const target of refsIn(field, after)) addTo(index, target, ref)
    }
  }
}

/** All tables by class name. */
export type Tables = ReadonlyMap<string, Table>

/** Empty tables for all classes. */
export const emptyTables = (schema: Schema): Tables =>
  new Map([...schema].map(([name, classSchema]) => [name, new Table(classSchema)]))

/** The table of a class. Throws TypeError for a class the store was not opened with. */
export function tableOf(tables: Tables, className: string): Table {
  const table = tables.get(className)
  if (table === undefined) throw new TypeError(`the store was opened without the class ${className}`)
  return table
}

/** The objects of a class whose field holds the value, or contains it; see `Store.findBy`. */
export function find(tables: Tables, className: string, fieldName: string, value: unknown): readonly string[] {
  const table = tableOf(tables, className)
  const field = table.schema.byName.get(fieldName)
  if (field === undefined) throw new TypeError(`${className} has no field ${fieldName}`)
  if (refersTo(field) && typeof value === 'string' && value !== NULL_REF) return ownersOf(tables, field, value)
  return table.refs().filter(ref => {
    const held = table.get(ref)?.[fieldName]
    return Array.isArray(held) && !Array.isArray(value)
      ? held.some(member => sameScalar(member, value))
      : field.codec.equal(held, value)
  })
}

const sameScalar = (a: unknown, b: unknown) =>
  a instanceof Date && b instanceof Date ? a.getTime() === b.getTime() : Object.is(a, b)

/** The objects whose reference field names `target`. The partner of a bound field is its index. */
export function ownersOf(tables: Tables, field: ReferenceField, target: string): readonly string[] {
  const partner = partnerOf(field)
  if (partner === undefined) return tableOf(tables, field.class).owners(field, target)
  return refsIn(partner, tableOf(tables, partner.class).get(target)?.[partner.name])
}

/** Every reference field of another object that names this one. */
export function usersOf(tables: Tables, className: string, ref: string): readonly User[] {
  const users: User[] = []
  for (const { schema } of tables.values()) {
    for (const field of [...schema.bound, ...schema.unbound]) {
      if (field.reference.class !== className) continue
      for (const owner of ownersOf(tables, field, ref)) {
        if (owner === ref && schema.name === className) continue
        users.push({ class: schema.name, ref: owner, field: field.name })
      }
    }
  }
  return users
}

function addTo(index: Map<string, Set<string>>, target: string, owner: string): void {
  const owners = index.get(target)
  if (owners === undefined) index.set(target, new Set([owner]))
  else owners.add(owner)
}

function removeFrom(index: Map<string, Set<string>>, target: string, owner: string): void {
  const owners = index.get(target)
  owners?.delete(owner)
  if (owners?.size === 0) index.delete(target)
}
