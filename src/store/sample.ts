import { changedRecord, type Table } from './table.ts'
import { assignments } from './transaction.ts'

/** Writes measured values into an object; see `Store.sample`. */
export function sample(table: Table, ref: string, measured: Readonly<Record<string, unknown>>): void {
  const given = assignments(table.schema, measured)
  const durable = given.find(({ field }) => !field.isVolatile)
  if (durable !== undefined) throw new TypeError(`${table.schema.name}.${durable.field.name} is not volatile`)
  const record = table.get(ref)
  if (record === undefined) return
  const changed = given.filter(({ field, value }) => !field.codec.equal(record[field.name], value))
  if (changed.length === 0) return
  table.put(ref, changedRecord(record, Object.fromEntries(changed.map(({ field, value }) => [field.name, value]))))
}
