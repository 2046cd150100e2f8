import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { applyChange, type EncodedChange } from '../delta.ts'
import { DELTA_COLUMNS, OBJECT_COLUMNS, objectWriter, readDeltas, readObject } from './rows.ts'

/** How much text of deltas one compaction folds into the objects, in characters. */
export const WINDOW_CHARACTERS_MAX = 4 * 1024 * 1024
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
 * Folds deltas into the objects, oldest first, about WINDOW_CHARACTERS_MAX of them, in steps of a few milliseconds:
 * between two steps, commits go on. Yields after each step; returns how many characters of deltas are gone.
 *
 * It may be broken off anywhere, by a crash too. An object that was written names the generation it contains, deltas
 * are deleted only when every object contains them, and deleted objects are swept only when no delta names them.
 */
export function* compact(database: DatabaseSync): Generator<undefined, number> {
  const window = new Map<string, Folded>()
  const { upTo, characters } = yield* readWindow(database, window)
  if (upTo === 0) return 0

  const fold = folder(database, upTo)
  for (const part of chunks([...window.values()], OBJECTS_PER_STEP_MAX)) {
    inTransaction(database, () => part.forEach(fold))
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
  const next = database.prepare(`SELECT ${DELTA_COLUMNS} FROM deltas WHERE last > ? ORDER BY last LIMIT 1`)
  let [upTo, characters, inStep] = [0, 0, 0]
  while (characters < WINDOW_CHARACTERS_MAX) {
    const row = next.get(upTo)
    if (row === undefined) break
    const batch = readDeltas(row)
    for (const { generation, changes } of batch.deltas) {
      for (const change of changes) gather(window, generation, change)
    }
    upTo = batch.last
    characters += batch.characters
    inStep += batch.characters
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

/** Answers a function that brings one object up to date. */
function folder(database: DatabaseSync, upTo: number): (folded: Folded) => void {
  const find = database.prepare(`SELECT ${OBJECT_COLUMNS} FROM objects WHERE class = ? AND ref = ?`)
  const write = objectWriter(database)
  return ({ className, ref, changes }) => {
    const row = find.get(className, ref)
    const old = row === undefined ? undefined : readObject(row)
    const news = changes.filter(({ generation }) => generation > (old?.generation ?? 0))
    if (news.length === 0) return

    const record = news.reduce((before, { change }) => applyChange(before, change), old?.record)
    const object = { className, ref, generation: upTo, record }
    const isAnew = news.some(({ change }) => change[0] === 'a')
    if (old === undefined || isAnew) write.append(object, old)
    else write.replace({ ...object, id: old.id })
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
