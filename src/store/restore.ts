import { type EncodedObjects, type EncodedRecord, Damaged } from './delta.ts'
import { type ClassSchema, partnerOf, type ReferenceField, refsIn, type Schema } from './schema.ts'
import { emptyTables, newRecord, type StoredRecord, type Table, type Tables, tableOf } from './table.ts'
import type { Writer } from './writer.ts'

/** What was read from a log. */
export interface Restored {
  readonly tables: Tables
  /** Objects whose stored record lacked fields, with the encoded defaults they were given: the log has yet to learn them. */
  readonly completed: readonly { readonly class: string; readonly ref: string; readonly fields: EncodedRecord }[]
}

/**
 * Makes records of what a log held. The log may have been written under an older declaration: fields it does not have
 * get their default, as measured ones always do, and fields and classes that are no longer declared are left alone, each with one warning. Throws
 * Damaged for a value that is not of its field's type.
 */
export function restore(schema: Schema, objects: EncodedObjects, warn: (message: string) => void): Restored {
  const tables = emptyTables(schema)
  const completed: { class: string; ref: string; fields: EncodedRecord }[] = []
  for (const name of objects.classNames()) {
    const classSchema = schema.get(name)
    const stored = objects.of(name)
    if (classSchema === undefined) {
      if (stored.size > 0)
        warn(`the store holds ${stored.size} objects of the class ${name}, which is no longer declared`)
      continue
    }
    const dropped = new Set<string>()
    for (const [ref, encoded] of stored) {
      const { record, missing } = decodeRecord(classSchema, ref, encoded)
      tableOf(tables, name).put(ref, record)
      if (missing !== undefined) completed.push({ class: name, ref, fields: missing })
      for (const field in encoded) if (!classSchema.byName.has(field)) dropped.add(field)
    }
    if (dropped.size > 0)
      warn(`the store holds fields of ${name} that are no longer declared: ${[...dropped].join(', ')}`)
  }
  return { tables, completed }
}

function decodeRecord(
  schema: ClassSchema,
  ref: string,
  encoded: EncodedRecord,
): { readonly record: StoredRecord; readonly missing: EncodedRecord | undefined } {
  let missing: Record<string, unknown> | undefined
  const record = newRecord(schema.fields, ({ name, codec, default: otherwise, isVolatile }) => {
    if (isVolatile) return otherwise
    const json = encoded[name]
    if (json === undefined) {
      missing ??= {}
      missing[name] = codec.encode(otherwise)
      return otherwise
    }
    try {
      return codec.decode(json)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new Damaged(`${schema.name} '${ref}'.${name}: ${reason}`, { cause })
    }
  })
  return { record, missing }
}

/**
 * Makes references agree where a changed declaration left them out of step: those to objects that do not exist are
 * taken out, and each end of a bound pair follows the other. Where they contradict, the single reference is right.
 */
export function mend(tables: Tables, writer: Writer): void {
  for (const table of tables.values()) {
    for (const field of [...table.schema.bound, ...table.schema.unbound]) dropDangling(tables, table, field, writer)
  }
  const fields = [...tables.values()].flatMap(table => table.schema.bound.map(field => ({ table, field })))
  for (const { table, field } of fields) if (!field.reference.many) mendField(tables, table, field, writer)
  for (const { table, field } of fields) if (field.reference.many) mendField(tables, table, field, writer)
}

function dropDangling(tables: Tables, table: Table, field: ReferenceField, writer: Writer): void {
  const target = tableOf(tables, field.reference.class)
  for (const ref of table.refs()) {
    for (const other of refsIn(field, table.get(ref)?.[field.name])) {
      if (!target.has(other)) writer.detach(table, ref, field, other)
    }
  }
}

function mendField(tables: Tables, table: Table, field: ReferenceField, writer: Writer): void {
  const partner = partnerOf(field)
  if (partner === undefined) return
  const partnerTable = tableOf(tables, partner.class)
  const members = memberSets()
  for (const ref of table.refs()) {
    for (const other of refsIn(field, table.get(ref)?.[field.name])) {
      const back = refsIn(partner, partnerTable.get(other)?.[partner.name])
      if (members(back).has(ref)) continue
      const isContradicted = field.reference.many && !partner.reference.many && back.length > 0
      if (isContradicted) writer.detach(table, ref, field, other)
      else writer.link(table, ref, field, other)
    }
  }
}

/** The members of a list as a Set, made once for each list: thousands of objects may look into the same one. */
function memberSets(): (list: readonly string[]) => ReadonlySet<string> {
  const sets = new WeakMap<readonly string[], ReadonlySet<string>>()
  return list => {
    const known = sets.get(list)
    if (known !== undefined) return known
    const fresh = new Set(list)
    sets.set(list, fresh)
    return fresh
  }
}
