import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { type EncodedChange, type EncodedRecord, parseRecord, splitDeltas } from '../delta.ts'
import { checksumOf, verify } from './database.ts'

type Row = Readonly<Record<string, SQLOutputValue>>

/** A row of `objects`. */
export interface ObjectRow {
  readonly id: number
  readonly className: string
  readonly ref: string
  /** The newest generation whose deltas the record contains. */
  readonly generation: number
  /** Undefined for an object that is deleted. */
  readonly record: EncodedRecord | undefined
}

/** A row of `deltas`: one batch. */
export interface DeltaRow {
  readonly last: number
  readonly deltas: readonly { readonly generation: number; readonly changes: readonly EncodedChange[] }[]
  readonly characters: number
}

/** What `readObject` reads. */
export const OBJECT_COLUMNS = 'id, class, ref, generation, record, checksum'
/** What `readDeltas` reads. */
export const DELTA_COLUMNS = 'last, first, payload, checksum'

/** An object as it was written. Throws Damaged. */
export function readObject(row: Row): ObjectRow {
  const [className, ref, generation] = [String(row['class']), String(row['ref']), Number(row['generation'])]
  const text = row['record'] === null ? '' : String(row['record'])
  verify(row['checksum'], `${className} '${ref}'`, className, ref, generation, text)
  return { id: Number(row['id']), className, ref, generation, record: text === '' ? undefined : parseRecord(text) }
}

/** A batch of deltas as it was written. Throws Damaged. */
export function readDeltas(row: Row): DeltaRow {
  const [last, first, payload] = [Number(row['last']), Number(row['first']), String(row['payload'])]
  verify(row['checksum'], `the deltas ${first} to ${last}`, last, first, payload)
  return { last, deltas: splitDeltas(payload), characters: payload.length }
}

/** The statements that write `objects`. */
export function objectWriter(database: DatabaseSync) {
  const insert = database.prepare(
    'INSERT INTO objects (class, ref, generation, record, checksum) VALUES (?, ?, ?, ?, ?)',
  )
  const update = database.prepare('UPDATE objects SET generation = ?, record = ?, checksum = ? WHERE id = ?')
  const remove = database.prepare('DELETE FROM objects WHERE id = ?')
  return {
    /** Adds an object behind all others; the row it had before, if any, goes. */
    append(object: Omit<ObjectRow, 'id'>, old: ObjectRow | undefined): void {
      if (old !== undefined) remove.run(old.id)
      const { className, ref, generation } = object
      const text = textOf(object)
      insert.run(className, ref, generation, text, checksumOf(className, ref, generation, text ?? ''))
    },
    /** Changes an object in its place. */
    replace(object: ObjectRow): void {
      const { id, className, ref, generation } = object
      const text = textOf(object)
      update.run(generation, text, checksumOf(className, ref, generation, text ?? ''), id)
    },
  }
}

const textOf = ({ record }: Omit<ObjectRow, 'id'>) => (record === undefined ? null : JSON.stringify(record))
