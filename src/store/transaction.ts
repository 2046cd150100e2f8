import type { Class, RecordOf } from '../model/kernel/define.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { type ClassSchema, type FieldSchema, type ReferenceField, refersTo, refsIn } from './schema.ts'
import { ReferenceUnknown, type Transaction } from './store.ts'
import { changedRecord, newRecord, type StoredRecord, type Table, type Tables, tableOf } from './table.ts'
import type { Touch, Writer } from './writer.ts'

/**
 * A transaction while its body runs. It changes the tables themselves. Every operation checks first and then cannot
 * fail, so that a body that catches an error goes on from a state that is whole.
 */
export class OpenTransaction implements Transaction {
  readonly #tables: Tables
  readonly #writer: Writer
  #ended = false

  constructor(tables: Tables, writer: Writer) {
    this.#tables = tables
    this.#writer = writer
    writer.begin()
  }

  all(of: Class): readonly string[] {
    return this.#table(of).refs()
  }

  get<C extends Class>(of: C, ref: string): RecordOf<C> | undefined {
    return recordOf(of, this.#table(of).get(ref))
  }

  insert<C extends Class>(of: C, record: RecordOf<C>): void {
    const table = this.#table(of)
    const { schema } = table
    const given = new Map(assignments(schema, record).map(({ field, value }) => [field, value]))
    const missing = schema.fields.filter(field => !given.has(field))
    if (missing.length > 0) throw new TypeError(`${of.name}: the record lacks ${missing.map(each => each.name).join()}`)
    const ref = record['uuid']
    if (typeof ref !== 'string' || ref === NULL_REF) throw new TypeError(`${of.name}: an object needs a uuid`)
    if (table.has(ref)) throw new TypeError(`${of.name} '${ref}' exists already`)
    for (const [field, value] of given) this.#checkReferences(table, ref, field, value)

    this.#writer.touch(table, ref).added()
    table.put(
      ref,
      newRecord(schema.fields, field => (isBound(field) ? nothing(field) : initial(field, given.get(field)))),
    )
    for (const field of schema.bound) this.#writer.relate(table, ref, field, refsIn(field, given.get(field)))
  }

  patch<C extends Class>(of: C, ref: string, change: Partial<RecordOf<C>>): void {
    const table = this.#table(of)
    const record = table.get(ref)
    if (record === undefined) throw new ReferenceUnknown(of.name, ref)
    const given = assignments(table.schema, change)
    const measured = given.find(({ field }) => field.isVolatile)
    if (measured !== undefined) throw new TypeError(`${of.name}.${measured.field.name} is sampled, not patched`)
    for (const { field, value } of given) this.#checkReferences(table, ref, field, value)
    const changed = given.filter(({ field, value }) => !field.codec.equal(record[field.name], value))
    if (changed.some(({ field }) => field.name === 'uuid')) throw new TypeError(`${of.name}: a uuid cannot change`)

    const plain = changed.filter(({ field }) => !isBound(field))
    if (plain.length > 0) this.#write(table, ref, record, plain)
    for (const { field, value } of changed) {
      if (isBound(field)) this.#writer.relate(table, ref, field, refsIn(field, value))
    }
  }

  remove(of: Class, ref: string): void {
    const table = this.#table(of)
    if (!table.has(ref)) return
    for (const field of table.schema.bound) this.#writer.relate(table, ref, field, [])
    this.#writer.touch(table, ref).removed()
    table.take(ref)
  }

  /** Ends the transaction and tells what it did. Throws ReferenceInUse where an object that was removed is still named. */
  end(): readonly Touch[] {
    this.#ended = true
    return this.#writer.end()
  }

  /** Takes back everything it did, also after its end. */
  abandon(): void {
    this.#ended = true
    this.#writer.abandon()
  }

  #table(of: Class): Table {
    if (this.#ended) throw new TypeError('the transaction has ended')
    return tableOf(this.#tables, of.name)
  }

  #checkReferences(table: Table, ref: string, field: FieldSchema, value: unknown): void {
    if (!refersTo(field)) return
    const target = tableOf(this.#tables, field.reference.class)
    for (const named of refsIn(field, value)) {
      const isItself = target === table && named === ref
      if (!isItself && !target.has(named)) throw new ReferenceUnknown(field.reference.class, named)
    }
  }

  /** Writes fields that have no partner, all in one new record. */
  #write(table: Table, ref: string, record: StoredRecord, plain: readonly Assignment[]): void {
    const touch = this.#writer.touch(table, ref)
    const changes: Record<string, unknown> = {}
    for (const { field, value } of plain) {
      changes[field.name] = value
      touch.wrote(field)
    }
    table.put(ref, changedRecord(record, changes))
  }
}

/** A field and the value it is to have, as the store keeps it. */
export interface Assignment {
  readonly field: FieldSchema
  readonly value: unknown
}

/** The given values, normalised. Throws TypeError that names the field. */
export function assignments(schema: ClassSchema, values: Readonly<Record<string, unknown>>): Assignment[] {
  return Object.keys(values).map(name => {
    const field = schema.byName.get(name)
    if (field === undefined) throw new TypeError(`${schema.name} has no field ${name}`)
    try {
      return { field, value: field.codec.normalise(values[name]) }
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new TypeError(`${schema.name}.${name}: ${reason}`, { cause })
    }
  })
}

const isBound = (field: FieldSchema): field is ReferenceField => field.reference?.partner !== undefined
const nothing = (field: ReferenceField) => (field.reference.many ? NO_REFS : NULL_REF)
/** Whoever copies an object copies what was measured of it, too; of the copy, nothing has been. */
const initial = (field: FieldSchema, value: unknown) => (field.isVolatile ? field.default : value)
const NO_REFS: readonly string[] = Object.freeze([])

/** A stored record by its class's own type. */
export function recordOf<C extends Class>(_of: C, record: StoredRecord | undefined): RecordOf<C> | undefined {
  // Every record of the table went through the codecs of this class: its type is what the declaration says.
  return record as RecordOf<C> | undefined
}
