import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { applyChange, type EncodedChange, type EncodedRecord, parseRecord, splitDeltas } from '../delta.ts'
import { checksumOf, verified } from './database.ts'

/** How much text of deltas may gather before it is folded into the objects, in characters. */
export const DELTA_CHARACTERS_MAX = 4 * 1024 * 1024
/** How many characters of deltas are read in one step. */
const READ_CHARACTERS_MAX = 64 * 1024
/** How many objects are written in one step. */
const OBJECTS_PER_STEP_MAX = 64
/** How many rows are deleted in one step. */
const DELETIONS_PER_STEP_MAX = 256

/** What a window of deltas did to one object, oldest first. */
interface Folded {
  readonly className: string
  readonly ref: string
  readonly changes: { readonly generation: number; readonly change: EncodedChange }[]
}

/**
 * Folds deltas into the objects, oldest first, about DELTA_CHARACTERS_MAX of them, in steps of a few milliseconds:
 * between two steps, commits go on. Yields after each step; returns how many characters of deltas are gone.
 *
 * It may be broken off anywhere, by a crash too. An object that was written names the generation it contains, deltas
 * are deleted only when every object contains them, and deleted objects are swept only when no delta names them.
 */
export function* compact(database: DatabaseSync): Generator<undefined, number> {
  const window = new Map<string, Folded>()
  const { upTo, characters } = yield* readWindow(database, window)
  if (upTo === 0) return 0

  const statements = prepare(database)
  for (const part of chunks([...window.values()], OBJECTS_PER_STEP_MAX)) {
    inTransaction(database, () => part.forEach(folded => fold(statements, folded, upTo)))
    yield
  }

  database.prepare('UPDATE meta SET generation = max(generation, ?)').run(upTo)
  const deltas = 'SELECT last FROM deltas WHERE last <= ? ORDER BY last LIMIT ?'
  yield* deleteInSteps(database.prepare(`DELETE FROM deltas WHERE last IN (${deltas})`), [upTo, DELETIONS_PER_STEP_MAX])
  const objects = 'SELECT id FROM objects WHERE record IS NULL LIMIT ?'
  yield* deleteInSteps(database.prepare(`DELETE FROM objects WHERE id IN (${objects})`), [DELETIONS_PER_STEP_MAX])
  return characters
}

/** Gathers by object what the oldest deltas did, in the order in which objects were created. */
function* readWindow(
  database: DatabaseSync,
  window: Map<string, Folded>,
): Generator<undefined, { readonly upTo: number; readonly characters: number }> {
  // One row at a time by its key: an open cursor would keep the connection from its commits.
  const next = database.prepare('SELECT last, payload, checksum FROM deltas WHERE last > ? ORDER BY last LIMIT 1')
  let [upTo, characters, inStep] = [0, 0, 0]
  while (characters < DELTA_CHARACTERS_MAX) {
    const row = next.get(upTo)
    if (row === undefined) break
    const payload = verified(row['payload'], row['checksum'], `the deltas up to ${String(row['last'])}`)
    for (const { generation, changes } of splitDeltas(payload)) {
      for (const change of changes) gather(window, generation, change)
    }
    upTo = Number(row['last'])
    characters += payload.length
    inStep += payload.length
    if (inStep < READ_CHARACTERS_MAX) continue
    inStep = 0
    yield
  }
  return { upTo, characters }
}

function gather(window: Map<string, Folded>, generation: number, change: EncodedChange): void {
  const [kind, className, ref] = change
  const key = `${className}\0${ref}`
  const folded = window.get(key) ?? { className, ref, changes: [] }
  folded.changes.push({ generation, change })
  // An object that was added takes its place behind all before it.
  if (kind === 'a') window.delete(key)
  window.set(key, folded)
}

interface Statements {
  readonly find: StatementSync
  readonly insert: StatementSync
  readonly update: StatementSync
  readonly remove: StatementSync
}

const prepare = (database: DatabaseSync): Statements => ({
  find: database.prepare('SELECT id, generation, record, checksum FROM objects WHERE class = ? AND ref = ?'),
  insert: database.prepare('INSERT INTO objects (class, ref, generation, record, checksum) VALUES (?, ?, ?, ?, ?)'),
  update: database.prepare('UPDATE objects SET generation = ?, record = ?, checksum = ? WHERE id = ?'),
  remove: database.prepare('DELETE FROM objects WHERE id = ?'),
})

function fold(statements: Statements, { className, ref, changes }: Folded, upTo: number): void {
  const row = statements.find.get(className, ref)
  const contained = Number(row?.['generation'] ?? 0)
  const news = changes.filter(({ generation }) => generation > contained)
  if (news.length === 0) return

  let record: EncodedRecord | undefined
  if (row !== undefined && row['record'] !== null) {
    record = parseRecord(verified(row['record'], row['checksum'], `${className} '${ref}'`))
  }
  for (const { change } of news) record = applyChange(record, change)

  const text = record === undefined ? null : JSON.stringify(record)
  const checksum = text === null ? 0 : checksumOf(text)
  const isAnew = news.some(({ change }) => change[0] === 'a')
  if (row !== undefined && !isAnew) {
    statements.update.run(upTo, text, checksum, Number(row['id']))
  } else {
    if (row !== undefined) statements.remove.run(Number(row['id']))
    statements.insert.run(className, ref, upTo, text, checksum)
  }
}

function* deleteInSteps(statement: StatementSync, parameters: readonly number[]): Generator<undefined, void> {
  while (Number(statement.run(...parameters).changes) > 0) yield
}

function inTransaction(database: DatabaseSync, write: () => void): void {
  database.exec('BEGIN IMMEDIATE')
  try {
    write()
    database.exec('COMMIT')
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

function* chunks<T>(items: readonly T[], size: number): Generator<readonly T[], void> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size)
}
