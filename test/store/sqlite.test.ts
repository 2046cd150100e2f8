import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it, type TestContext } from 'node:test'
import { EncodedObjects } from '../../src/store/delta.ts'
import { LogFailure } from '../../src/store/log.ts'
import { openStore } from '../../src/store/open.ts'
import { loadDatabase } from '../../src/store/sqlite/load.ts'
import { sqliteLog } from '../../src/store/sqlite/log.ts'
import { type Store, StoreUnavailable } from '../../src/store/store.ts'
import { classes, Everything, everything, Group, Node, node, Port } from './classes.ts'
import { assertBoundFieldsAgree, dump } from './dump.ts'
import { closeAfter, temporaryFolder } from './temporary.ts'

const open = (folder: string) => openStore({ classes, log: sqliteLog({ folder }) })

/** Opens a store that the end of the test closes. */
async function openFor(context: TestContext, folder: string): Promise<Store> {
  return closeAfter(context, await open(folder))
}

async function fill(store: Store, count: number, text = 'some text'): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, (_, index) =>
      store.transact(tx => {
        tx.insert(Node, node(`node-${index}`, { friends: tx.all(Node).slice(0, 2) }))
        tx.insert(Port, { uuid: `port-${index}`, node: `node-${index}` })
        tx.insert(Everything, everything(`e-${index}`, { text: `${text} ${index}`, count: BigInt(index) << 40n }))
        if (index % 7 === 3) tx.remove(Node, `node-${index - 2}`)
        if (index % 5 === 4) tx.insert(Group, { uuid: `group-${index}`, nodes: tx.all(Node).slice(-3).reverse() })
      }),
    ),
  )
}

const unavailable = (reason: RegExp) => (error: unknown) => {
  assert.ok(error instanceof StoreUnavailable, String(error))
  assert.match(error.message, reason)
  return true
}

describe('a store on disk', () => {
  it('holds after reopening exactly what it held, in order, and goes on counting', async context => {
    const folder = temporaryFolder(context)
    const store = await openFor(context, folder)
    await fill(store, 300)
    const [before, generation] = [dump(store), store.generation]
    await store.close()

    const reopened = await openFor(context, folder)

    assert.deepEqual(dump(reopened), before)
    assert.equal(reopened.generation, generation)
    assertBoundFieldsAgree(reopened)
    assert.deepEqual(reopened.changesSince(generation), [])
    assert.equal(reopened.changesSince(generation - 1), undefined)
    await reopened.transact(tx => tx.remove(Group, 'group-4'))
    assert.equal(reopened.generation, generation + 1)
  })

  it('is for its owner’s eyes only', async context => {
    const folder = join(temporaryFolder(context), 'data')
    const store = await openFor(context, folder)
    await fill(store, 3)

    assert.equal(statSync(folder).mode & 0o777, 0o700)
    for (const name of readdirSync(folder)) assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name)
  })

  it('is refused to a second server, of this process or another, until the first has ended', async context => {
    const folder = temporaryFolder(context)
    const store = await openFor(context, folder)

    await assert.rejects(open(folder), unavailable(new RegExp(`another server holds the data folder ${folder}`)))
    assert.match(openElsewhere(folder), /StoreUnavailable: another server holds/)
    await fill(store, 3)
    await store.close()

    assert.match(openElsewhere(folder), /opened with 2 nodes/)
    assert.equal((await openFor(context, folder)).all(Node).length, 3)
  })

  it('can be read and backed up while the server runs', async context => {
    const folder = temporaryFolder(context)
    const store = await openFor(context, folder)
    await fill(store, 3)

    const reader = new DatabaseSync(join(folder, 'state.db'), { readOnly: true })
    const row = reader.prepare('SELECT max(last) AS newest FROM deltas').get()
    reader.close()
    await store.transact(tx => tx.insert(Node, node('later')))

    assert.equal(row?.['newest'], 3)
  })

  it('keeps fences but no leases across servers', async context => {
    const folder = temporaryFolder(context)
    const first = await openFor(context, folder)
    const lease = await first.holdLease('host', 'first server')
    assert.equal(await first.holdLease('host', 'another'), undefined)
    await first.close()

    const second = await openFor(context, folder)
    const next = await second.holdLease('host', 'second server')
    await next?.release()
    const last = await second.holdLease('host', 'third')
    await last?.release()

    assert.deepEqual([lease?.fence, next?.fence, last?.fence], [1, 2, 3])
  })

  it('refuses a batch that does not follow what is there, for good', async context => {
    const folder = temporaryFolder(context)
    const log = closeAfter(context, sqliteLog({ folder }))
    await log.load({ object: () => {}, change: () => {} })
    await log.append({ after: 0, deltas: [{ generation: 2, changes: '[]' }] })

    const append = log.append({ after: 0, deltas: [{ generation: 3, changes: '[]' }] })

    await assert.rejects(append, (error: unknown) => error instanceof LogFailure && error.forGood)
  })
})

/** Opens the store in another process, and tells how that went. */
function openElsewhere(folder: string): string {
  const script = `
    const { openStore } = await import('${new URL('../../src/store/open.ts', import.meta.url).href}')
    const { sqliteLog } = await import('${new URL('../../src/store/sqlite/log.ts', import.meta.url).href}')
    const { classes, Node } = await import('${new URL('classes.ts', import.meta.url).href}')
    try {
      const store = await openStore({ classes, log: sqliteLog({ folder: process.argv[1] }) })
      console.log('opened with', store.all(Node).length - 1, 'nodes')
      await store.close()
    } catch (error) {
      console.log(String(error))
    }`
  return spawnSync(process.execPath, ['--input-type=module', '-e', script, folder], { encoding: 'utf8' }).stdout
}

describe('a damaged or foreign store', () => {
  async function stored(context: TestContext, count = 40): Promise<{ folder: string; database: string }> {
    const folder = temporaryFolder(context)
    const store = await openFor(context, folder)
    await fill(store, count)
    await store.close()
    return { folder, database: join(folder, 'state.db') }
  }

  it('of a newer version is refused and left alone', async context => {
    const { folder, database } = await stored(context)
    change(database, 'PRAGMA user_version = 2')
    const before = readFileSync(database)

    await assert.rejects(open(folder), unavailable(/has version 2; this server knows versions up to 1/))
    assert.ok(readFileSync(database).equals(before))
  })

  it('of another program is refused', async context => {
    const folder = temporaryFolder(context)
    change(join(folder, 'state.db'), 'CREATE TABLE theirs (x)')

    await assert.rejects(open(folder), unavailable(/database of another program/))
  })

  it('that is not a database at all is refused, with the way out', async context => {
    const { folder, database } = await stored(context)
    writeFileSync(database, 'This is not a database. '.repeat(1_000))

    await assert.rejects(open(folder), unavailable(/is damaged.*restore state\.db from a backup/))
    assert.ok(existsSync(database))
  })

  it('whose database is missing or empty is refused instead of begun anew', async context => {
    const { folder, database } = await stored(context)

    truncateSync(database)
    await assert.rejects(open(folder), unavailable(/is gone: state\.db is missing or empty/))
    rmSync(database)
    await assert.rejects(open(folder), unavailable(/is gone/))

    rmSync(join(folder, 'state.lock'))
    assert.deepEqual((await openFor(context, folder)).all(Node), [])
  })

  it('is refused wherever a row was changed behind its back', async context => {
    for (const sql of [
      `UPDATE deltas SET payload = replace(payload, 'some text', 'same text')`,
      `UPDATE deltas SET first = first + 1`,
      `INSERT INTO objects VALUES (1, 'node', 'x', 1, '{}', 0)`,
    ]) {
      const { folder, database } = await stored(context, 5)
      change(database, sql)
      await assert.rejects(open(folder), unavailable(/checksum of .* does not match.*restore/))
    }
  })

  it('reads as it was or not at all when bytes of it have changed', async context => {
    const { database } = await stored(context)
    const good = readFileSync(database)
    const before = objectsIn(database)
    let refused = 0
    for (let run = 0; run < FLIPS; run++) {
      // Spread over the file, the same in each run of the test.
      const [offset, bit] = [Math.floor((good.length * (run + 0.37)) / FLIPS), 1 << (run % 8)]
      const bad = Buffer.from(good)
      bad[offset] = (bad[offset] ?? 0) ^ bit
      writeFileSync(database, bad)
      rmSync(`${database}-wal`, { force: true })
      try {
        assert.deepEqual(objectsIn(database), before, `bit ${bit} of byte ${offset}`)
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error
        refused += 1
      }
    }
    assert.ok(refused > FLIPS / 4, `${refused} of ${FLIPS} refused`)
  })

  const FLIPS = 300

  function change(database: string, sql: string): void {
    const connection = new DatabaseSync(database)
    connection.exec(sql)
    connection.close()
  }

  function objectsIn(database: string): ReadonlyMap<string, ReadonlyMap<string, unknown>> {
    const objects = new EncodedObjects()
    loadDatabase(database, 'a folder', {
      object: (className, ref, record) => objects.put(className, ref, record),
      change: (_generation, each) => objects.apply(each),
    })
    return new Map(objects.classNames().map(name => [name, objects.of(name)]))
  }
})

describe('compaction', () => {
  it('keeps the log short while commits go on, and loses nothing', async context => {
    const folder = temporaryFolder(context)
    const store = await openFor(context, folder)
    await fill(store, 100)
    const text = 'x'.repeat(20_000)
    for (let round = 0; round < 20; round++) {
      await Promise.all(
        Array.from({ length: 60 }, (_, index) =>
          store.transact(tx => {
            tx.patch(Everything, `e-${index}`, { text: `${text} ${round}` })
            tx.patch(Port, `port-${index}`, { node: tx.all(Node)[(index + round) % 80] ?? '' })
            if (index === round) tx.remove(Port, `port-${99 - index}`)
          }),
        ),
      )
    }
    const before = dump(store)
    await compacted(folder)
    await store.close()

    const reopened = await openFor(context, folder)

    assert.deepEqual(dump(reopened), before)
    assertBoundFieldsAgree(reopened)
  })

  const WAIT_MAX_MS = 20_000
  const DELTA_CHARACTERS_MAX = 1024 * 1024

  /** Waits until deltas have gone, as a reader beside the server sees it. */
  async function compacted(folder: string): Promise<void> {
    const reader = new DatabaseSync(join(folder, 'state.db'), { readOnly: true })
    const end = performance.now() + WAIT_MAX_MS
    const characters = () => Number(reader.prepare('SELECT total(octet_length(payload)) AS n FROM deltas').get()?.['n'])
    while (characters() > DELTA_CHARACTERS_MAX) {
      assert.ok(performance.now() < end, `${characters()} characters of deltas are left`)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    reader.close()
  }
})
