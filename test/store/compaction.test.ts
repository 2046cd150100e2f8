import assert from 'node:assert/strict'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { it, type TestContext } from 'node:test'
import { type EncodedChange, EncodedObjects, joinDeltas } from '../../src/store/delta.ts'
import { compact } from '../../src/store/sqlite/compaction.ts'
import { loadDatabase } from '../../src/store/sqlite/load.ts'
import { DatabaseWriter } from '../../src/store/sqlite/writer.ts'
import { temporaryFolder } from './temporary.ts'

/** Some hundred changes to a few objects each: added, changed, deleted, added again, sets stepped through. */
function history(from: number, to: number): { generation: number; changes: EncodedChange[] }[] {
  const alive = new Set<string>()
  const all = Array.from({ length: to }, (_, index) => {
    const generation = index + 1
    const ref = `r${(index * 7) % 90}`
    const changes: EncodedChange[] = []
    if (!alive.has(ref)) {
      changes.push(['a', 'thing', ref, { name: `${generation}`, set: ['x'] }])
      alive.add(ref)
    } else if (index % 3 === 0) {
      changes.push(['d', 'thing', ref])
      alive.delete(ref)
      if (index % 2 === 0) {
        changes.push(['a', 'thing', ref, { name: `again ${generation}`, set: [] }])
        alive.add(ref)
      }
    } else {
      changes.push(['m', 'thing', ref, { name: `changed ${generation}` }, { set: ['-x', `+${generation}`, '+x'] }])
    }
    return { generation, changes }
  })
  return all.slice(from)
}

function append(path: string, from: number, to: number): void {
  const writer = new DatabaseWriter(path, from, message => assert.fail(message))
  for (const { generation, changes } of history(from, to)) {
    const payload = joinDeltas([{ generation, changes: JSON.stringify(changes) }])
    writer.serve({ kind: 'append', after: generation - 1, first: generation, last: generation, payload })
  }
  writer.serve({ kind: 'close' })
}

/** The generation and all objects in order, as a server would read them. */
function read(path: string): readonly [number, readonly unknown[]] {
  const objects = new EncodedObjects()
  const generation = loadDatabase(path, 'a folder', {
    object: (className, ref, record) => objects.put(className, ref, record),
    change: (_generation, change) => objects.apply(change),
  })
  return [generation, [...objects.of('thing')]]
}

function expected(to: number): readonly [number, readonly unknown[]] {
  const objects = new EncodedObjects()
  for (const { changes } of history(0, to)) for (const change of changes) objects.apply(change)
  return [to, [...objects.of('thing')]]
}

/** Runs this many steps of a compaction, then breaks it off. Answers whether it had ended by itself. */
function stepThrough(path: string, steps: number): boolean {
  const database = new DatabaseSync(path)
  const compaction = compact(database)
  let ended = false
  for (let step = 0; step < steps && !ended; step++) ended = compaction.next().done === true
  database.close()
  return ended
}

function begin(context: TestContext): { readonly path: string; readonly copy: string } {
  const folder = temporaryFolder(context)
  const path = join(folder, 'state.db')
  read(path)
  return { path, copy: join(folder, 'copy.db') }
}

it('a compaction that is broken off after any step has changed nothing that can be read', context => {
  const { path, copy } = begin(context)
  append(path, 0, 600)
  assert.deepEqual(read(path), expected(600))

  let ended = false
  let steps = 0
  for (; !ended; steps++) {
    copyFileSync(path, copy)
    ended = stepThrough(copy, steps)
    assert.deepEqual(read(copy), expected(600), `after ${steps} steps`)

    // What is committed afterwards, and the next compaction, meet a snapshot that is half renewed.
    append(copy, 600, 700)
    assert.deepEqual(read(copy), expected(700), `after ${steps} steps and more commits`)
    stepThrough(copy, Infinity)
    assert.deepEqual(read(copy), expected(700), `after ${steps} steps and another compaction`)
  }
  assert.ok(steps > 5, `${steps} steps`)
})

it('a compaction leaves no deltas and no deleted objects behind', context => {
  const { path } = begin(context)
  append(path, 0, 600)

  stepThrough(path, Infinity)

  const database = new DatabaseSync(path)
  const left = database
    .prepare('SELECT (SELECT count(*) FROM deltas) AS deltas, count(*) AS objects, count(record) AS alive FROM objects')
    .get()
  database.close()
  const [, objects] = expected(600)
  assert.deepEqual({ ...left }, { deltas: 0, objects: objects.length, alive: objects.length })
})
