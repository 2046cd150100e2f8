import type { FieldSchema } from './schema.ts'
import type { Change } from './store.ts'
import type { StoredRecord, Table } from './table.ts'
import type { Touch, WrittenField } from './writer.ts'

/** What a transaction has come to: how it is logged, told, and taken back. */
export interface Commit {
  readonly generation: number
  /** The JSON of its list of EncodedChange. */
  readonly text: string
  readonly changes: readonly Change[]
  readonly touches: readonly Touch[]
}

/** The commit of a body that has ended; undefined where all it did came to nothing. */
export function commitOf(touches: readonly Touch[], generation: number): Commit | undefined {
  const changes: Change[] = []
  const encoded: string[] = []
  for (const touch of touches) {
    const { table, ref, before } = touch
    const { name, json, names } = table.schema
    const now = table.get(ref)
    const object = `${json},${JSON.stringify(ref)}`
    if (now === undefined) {
      if (before === undefined) continue
      changes.push({ generation, class: name, ref, kind: 'del', fields: [] })
      encoded.push(`["d",${object}]`)
    } else if (before === undefined || touch.renewed) {
      changes.push({ generation, class: name, ref, kind: touch.renewed ? 'mod' : 'add', fields: names })
      if (touch.renewed) encoded.push(`["d",${object}]`)
      encoded.push(`["a",${object},${membersText(table.schema.durable, now)}]`)
    } else {
      const written = touch.written.filter(
        ({ field }) => !field.codec.equal(before.record[field.name], now[field.name]),
      )
      if (written.length === 0) continue
      changes.push({ generation, class: name, ref, kind: 'mod', fields: namesOf(written) })
      encoded.push(`["m",${object},${writtenText(written, now)}]`)
    }
  }
  return changes.length === 0 ? undefined : { generation, text: `[${encoded.join()}]`, changes, touches }
}

/** Puts everything back as it was before the commits, and tells it as changes of `generation`. */
export function takeBack(commits: readonly Commit[], generation: number): readonly Change[] {
  const seen = new Map<Table, Map<string, StoredRecord | undefined>>()
  for (const { touches } of commits.toReversed()) {
    for (const { table, ref, before } of touches) {
      const ofTable = seen.get(table) ?? new Map<string, StoredRecord | undefined>()
      seen.set(table, ofTable)
      if (!ofTable.has(ref)) ofTable.set(ref, table.get(ref))
      table.restore(ref, before)
    }
  }
  return [...seen].flatMap(([table, records]) =>
    [...records].flatMap(([ref, record]) => difference(table, ref, record, generation)),
  )
}

function difference(table: Table, ref: string, before: StoredRecord | undefined, generation: number): Change[] {
  const now = table.get(ref)
  const { name, names } = table.schema
  if (now === before) return []
  if (now === undefined) return [{ generation, class: name, ref, kind: 'del', fields: [] }]
  if (before === undefined) return [{ generation, class: name, ref, kind: 'add', fields: names }]
  const fields = names.filter(field => now[field] !== before[field])
  if (fields.length === 0) return []
  return [{ generation, class: name, ref, kind: 'mod', fields }]
}

/** Of the one field that most commits change, always the same list: the feed keeps many. */
function namesOf(written: readonly WrittenField[]): readonly string[] {
  const [first] = written
  return written.length === 1 && first !== undefined ? first.field.names : written.map(({ field }) => field.name)
}

/** The JSON of whole fields and of steps in sets, as EncodedChange has them. */
function writtenText(written: readonly WrittenField[], now: StoredRecord): string {
  const whole = written.filter(({ steps }) => steps === undefined).map(({ field }) => field)
  if (whole.length === written.length) return `${membersText(whole, now)},{}`
  const steps = written.filter(entry => entry.steps !== undefined).map(entry => [entry.field.name, entry.steps])
  return `${membersText(whole, now)},${JSON.stringify(Object.fromEntries(steps))}`
}

/** The JSON object of these fields. Put together by hand: this runs in every commit. */
function membersText(fields: readonly FieldSchema[], record: StoredRecord): string {
  const members = fields.map(({ name, json, codec }) => `${json}:${JSON.stringify(codec.encode(record[name]))}`)
  return `{${members.join()}}`
}
