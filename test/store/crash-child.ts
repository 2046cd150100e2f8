/**
 * A server that does nothing but commit, to be killed by its test. Each caller counts up an object of its own, the
 * total, and moves a port from node to node, all in one transaction, and writes `caller count` to a file once that is
 * durable. (A pipe would not do: it fills up.)
 */

import { openSync, readSync, writeSync } from 'node:fs'
import { openStore } from '../../src/store/open.ts'
import { sqliteLog } from '../../src/store/sqlite/log.ts'
import type { Store } from '../../src/store/store.ts'
import { classes, Everything, everything, Node, node, Port } from './classes.ts'

const CALLERS = 8
const TEXT_CHARACTERS = 500
const say = (line: string) => writeSync(1, `${line}\n`)

const [folder = '', acknowledgements = ''] = process.argv.slice(2)
const store = await openStore({ classes, log: sqliteLog({ folder }) })
await prepare(store)
say('ready')
if (acknowledgements === '') await untilFull(store)
else await countUntilKilled(store, openSync(acknowledgements, 'w'))

async function prepare(store: Store): Promise<void> {
  await store.transact(tx => {
    if (tx.get(Everything, 'total') !== undefined) return
    tx.insert(Everything, everything('total', { count: 0n }))
    for (let caller = 0; caller < CALLERS; caller++) {
      tx.insert(Everything, everything(`caller-${caller}`, { count: 0n }))
      tx.insert(Node, node(`node-${caller}`))
      tx.insert(Port, { uuid: `port-${caller}`, node: `node-${caller}` })
    }
  })
}

/** Answers the caller's new count once it is durable. */
function count(store: Store, caller: number): Promise<bigint> {
  return store.transact(tx => {
    const [own, total] = [tx.get(Everything, `caller-${caller}`), tx.get(Everything, 'total')]
    const next = (own?.count ?? 0n) + 1n
    const text = `${next} `.repeat(TEXT_CHARACTERS / 4).slice(0, TEXT_CHARACTERS)
    tx.patch(Everything, `caller-${caller}`, { count: next, text })
    tx.patch(Everything, 'total', { count: (total?.count ?? 0n) + 1n })
    tx.patch(Port, `port-${caller}`, { node: `node-${Number(next) % CALLERS}` })
    return next
  })
}

async function countUntilKilled(store: Store, file: number): Promise<void> {
  async function countForEver(_: unknown, caller: number): Promise<never> {
    for (;;) writeSync(file, `${caller} ${await count(store, caller)}\n`)
  }
  await Promise.all(Array.from({ length: CALLERS }, countForEver))
}

/** Counts until the disk is full, says so, waits until it is told that there is room again, and counts once more. */
async function untilFull(store: Store): Promise<void> {
  const failure = await failureOf(async () => {
    for (;;) await Promise.all([0, 1, 2].map(caller => count(store, caller)))
  })
  const total = () => store.get(Everything, 'total')?.count
  await store.settled().catch(() => undefined)
  say(`${failure.name} at ${total()}`)
  readSync(0, Buffer.alloc(1))
  await count(store, 0)
  say(`durable at ${total()}`)
  await store.close()
}

async function failureOf(work: () => Promise<never>): Promise<Error> {
  try {
    return await work()
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}
