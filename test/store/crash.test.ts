import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { describe, it, type TestContext } from 'node:test'
import { openStore } from '../../src/store/open.ts'
import { sqliteLog } from '../../src/store/sqlite/log.ts'
import type { Store } from '../../src/store/store.ts'
import { classes, Everything } from './classes.ts'
import { assertBoundFieldsAgree } from './dump.ts'
import { closeAfter, temporaryFolder } from './temporary.ts'
import { atEnd } from '../support/at-end.ts'

const CHILD = new URL('crash-child.ts', import.meta.url).pathname

/** A child that is killed with the test, and its output line by line. */
function start(
  context: TestContext,
  command: string,
  args: readonly string[],
): { child: ChildProcess; lines: Interface } {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  atEnd(context, () => child.kill('SIGKILL'))
  assert.ok(child.stdout)
  return { child, lines: createInterface({ input: child.stdout }) }
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

/** Lets a child commit for a while, kills it, and answers the highest count that each caller was told is durable. */
async function commitAndKill(
  context: TestContext,
  folder: string,
  afterMs: number,
  walBytes = 0,
): Promise<ReadonlyMap<string, bigint>> {
  const acknowledgements = join(temporaryFolder(context), 'acknowledged')
  const { child, lines } = start(context, process.execPath, [CHILD, folder, acknowledgements])
  lines.once('line', () => {
    // However busy the machine is: not before something has been told, and as much written as is asked for.
    const timer = setInterval(() => {
      if (sizeOf(acknowledgements) === 0 || sizeOf(join(folder, 'state.db-wal')) < walBytes) return
      clearInterval(timer)
      setTimeout(() => child.kill('SIGKILL'), afterMs)
    }, 2)
  })
  await once(child, 'exit')
  assert.equal(child.signalCode, 'SIGKILL')
  // The last line may be torn.
  const told = readFileSync(acknowledgements, 'utf8').split('\n').slice(0, -1)
  return new Map(told.map(line => line.split(' ')).map(([caller = '', count = '']) => [caller, BigInt(count)]))
}

const open = async (context: TestContext, folder: string) =>
  closeAfter(context, await openStore({ classes, log: sqliteLog({ folder }) }))
const countOf = (store: Store, ref: string) => store.get(Everything, ref)?.count ?? 0n

/** Fails if any transaction is there by halves. Answers how many are there. */
function assertWhole(store: Store): bigint {
  assertBoundFieldsAgree(store)
  const callers = store.all(Everything).filter(ref => ref !== 'total')
  const sum = callers.reduce((total, ref) => total + countOf(store, ref), 0n)
  assert.equal(countOf(store, 'total'), sum)
  for (const ref of callers) {
    const record = store.get(Everything, ref)
    assert.ok(record !== undefined && (record.count === 0n || record.text.startsWith(`${record.count} `)))
  }
  return sum
}

describe('a server that is killed in the middle of commits', () => {
  const KILLS = 5

  it('has lost no transaction that it acknowledged, time after time', async context => {
    const folder = temporaryFolder(context)
    let before = 0n
    for (let kill = 0; kill < KILLS; kill++) {
      const acknowledged = await commitAndKill(context, folder, 20 + 60 * kill)

      const store = await open(context, folder)
      for (const [caller, count] of acknowledged) {
        const stored = countOf(store, `caller-${caller}`)
        assert.ok(stored === count || stored === count + 1n, `caller ${caller}: told ${count}, stored ${stored}`)
      }
      const total = assertWhole(store)
      assert.ok(total > before, `${total} transactions after ${before}`)
      before = total
      await store.close()
    }
  })
})

describe('a side file that is torn', () => {
  const RUNS = 8

  /** What a killed server left: the database, and a side file with commits that are not in it yet. */
  async function leftover(
    context: TestContext,
  ): Promise<{ source: string; wal: Buffer; checkpointed: bigint; all: bigint }> {
    const source = join(temporaryFolder(context), 'source')
    mkdirSync(source)
    await commitAndKill(context, source, 20, 150_000)
    const wal = readFileSync(join(source, 'state.db-wal'))
    const totalWith = async (bytes: Buffer) => {
      const store = await open(context, copyWith(context, source, bytes))
      const total = assertWhole(store)
      await store.close()
      return total
    }
    return { source, wal, checkpointed: await totalWith(Buffer.alloc(0)), all: await totalWith(wal) }
  }

  function copyWith(context: TestContext, source: string, wal: Buffer): string {
    const folder = temporaryFolder(context)
    for (const name of ['state.db', 'state.lock']) copyFileSync(join(source, name), join(folder, name))
    writeFileSync(join(folder, 'state.db-wal'), wal)
    return folder
  }

  for (const [what, tear] of [
    ['cut off', (wal: Buffer, at: number) => wal.subarray(0, at)],
    [
      'changed',
      (wal: Buffer, at: number) =>
        Buffer.concat([wal.subarray(0, at), Buffer.from(wal.subarray(at)).fill(0xa5, 0, 16)]),
    ],
  ] as const) {
    it(`gives whole transactions up to the place where it is ${what}`, async context => {
      const { source, wal, checkpointed, all } = await leftover(context)
      assert.ok(wal.length > 100_000 && all > 0n)
      let last = checkpointed
      for (let run = 0; run < RUNS; run++) {
        // The head of the file, with the schema of a young store, is left whole.
        const at = Math.floor(wal.length * (0.4 + (0.6 * (run + 0.31)) / RUNS))
        const store = await open(context, copyWith(context, source, tear(wal, at)))
        const total = assertWhole(store)
        assert.ok(total >= last && total <= all, `${total} of ${all} transactions at ${at}, ${last} before`)
        last = total
        await store.close()
      }
    })
  }
})

describe('a disk that is full', () => {
  const FILE_BLOCKS_MAX = 500
  const limit = ['-c', `trap '' XFSZ; ulimit -S -f ${FILE_BLOCKS_MAX}; exec "$@"`, 'sh']

  it('has the changes taken back that it does not hold, and is used again when there is room', async context => {
    const folder = temporaryFolder(context)
    const { child, lines } = start(context, '/bin/sh', [...limit, process.execPath, CHILD, folder])
    const said = lines[Symbol.asyncIterator]()
    const next = async () => String((await said.next()).value)

    assert.equal(await next(), 'ready')
    const failed = /^StoreFailure at (\d+)$/.exec(await next())?.[1]
    assert.ok(failed)
    execFileSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited:unlimited'])
    child.stdin?.write('x')
    const durable = /^durable at (\d+)$/.exec(await next())?.[1]
    assert.ok(durable)
    const [status] = await once(child, 'exit')

    assert.equal(BigInt(durable), BigInt(failed) + 1n)
    assert.equal(status, 0)
    const store = await open(context, folder)
    assert.equal(assertWhole(store), BigInt(durable))
    await store.close()
    const database = new DatabaseSync(join(folder, 'state.db'))
    const repairs = Number(database.prepare('SELECT repairs FROM meta').get()?.['repairs'])
    database.close()
    assert.ok(repairs > 0, 'what the failed commit may have left was overwritten')
  })
})
