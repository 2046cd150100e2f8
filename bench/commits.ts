/**
 * Durable commits per second, against raw writes with fdatasync on the same file system. Prints one JSON line a row.
 * `--folder DIR` chooses the file system; without it, the temporary folder's.
 */

import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { defineClass, roRun, rw } from '../src/model/kernel/define.ts'
import { t } from '../src/model/kernel/types.ts'
import { openStore } from '../src/store/open.ts'
import { sqliteLog } from '../src/store/sqlite/log.ts'
import type { Store } from '../src/store/store.ts'

const CALLERS = [1, 16, 64]
const OBJECTS = 1_000
/** Ours and the reference take turns, so that a moment in which the disk is slow is the same for both. */
const ROUNDS = 5
const RUN_MS = 400
/** How many times as fast as raw writes the store aims to be with 64 callers, whose commits share their waits for the disk. */
const AIM = 15
const REFERENCE_BYTES = 150

const TEXT_FIELDS = Array.from({ length: 56 }, (_, index) => `text_${index}`)

/** An object of the size of a VM: 60 fields. */
const Machine = defineClass({
  name: 'machine',
  doc: 'An object of 60 fields.',
  source: 'The benchmark.',
  objects: 'client',
  fields: {
    uuid: roRun(t.string, 'Unique identifier.'),
    counter: rw(t.int, 'What the benchmark changes.'),
    tags: rw(t.set(t.string), 'A set.'),
    load: rw(t.map(t.int, t.float), 'A map.'),
    ...Object.fromEntries(TEXT_FIELDS.map(name => [name, rw(t.string, 'A text.')])),
  },
  messages: {},
})

await main()

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { folder: { type: 'string', default: tmpdir() } } })
  const folder = mkdtempSync(join(values.folder, 'polyvisor-bench-'))
  try {
    const log = () => sqliteLog({ folder: join(folder, 'data') })
    const store = await openStore({ classes: [Machine], log: log() })
    await fill(store)
    for (const callers of CALLERS) {
      await commitsPerSecond(store, callers)
      let [ours, reference] = [0, 0]
      for (let round = 0; round < ROUNDS; round++) {
        reference += rawWritesPerSecond(folder) / ROUNDS
        ours += (await commitsPerSecond(store, callers)) / ROUNDS
      }
      print(`commits-${callers}`, ours, reference, callers === 64 ? AIM : undefined)
    }
    await store.close()
    await openings(log)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function fill(store: Store): Promise<void> {
  await store.transact(tx => {
    for (let index = 0; index < OBJECTS; index++) {
      const texts = Object.fromEntries(TEXT_FIELDS.map(name => [name, `the value of ${name} in machine ${index}`]))
      const load = new Map([[0n, 0.5]])
      tx.insert(Machine, { ...texts, uuid: `machine-${index}`, counter: 0n, tags: ['bench', 'machine'], load })
    }
  })
}

async function commitsPerSecond(store: Store, callers: number): Promise<number> {
  const start = performance.now()
  const end = start + RUN_MS
  const counts = await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      let count = 0
      while (performance.now() < end) {
        const ref = `machine-${(caller * 7_919 + count) % OBJECTS}`
        const counter = (store.get(Machine, ref)?.counter ?? 0n) + 1n
        await store.transact(tx => tx.patch(Machine, ref, { counter }))
        count += 1
      }
      return count
    }),
  )
  return (counts.reduce((sum, count) => sum + count, 0) * 1_000) / (performance.now() - start)
}

function rawWritesPerSecond(folder: string): number {
  const file = openSync(join(folder, 'raw'), 'w')
  const record = Buffer.alloc(REFERENCE_BYTES, 'x')
  const start = performance.now()
  let count = 0
  while (performance.now() < start + RUN_MS) {
    writeSync(file, record)
    fdatasyncSync(file)
    count += 1
  }
  closeSync(file)
  return (count * 1_000) / (performance.now() - start)
}

/** How long a store of these objects takes to open, in milliseconds: the median of five. */
async function openings(log: () => ReturnType<typeof sqliteLog>): Promise<void> {
  const times: number[] = []
  for (let run = 0; run < 5; run++) {
    const start = performance.now()
    const store = await openStore({ classes: [Machine], log: log() })
    times.push(performance.now() - start)
    await store.close()
  }
  const [, , median = 0] = times.sort((a, b) => a - b)
  console.log(JSON.stringify({ bench: 'open-1000-objects', ours_ms: round(median), aim_ms: 100 }))
}

function print(bench: string, ours: number, reference: number, aim: number | undefined): void {
  const row = {
    bench,
    ours_per_s: Math.round(ours),
    reference_per_s: Math.round(reference),
    ratio: round(ours / reference),
  }
  console.log(JSON.stringify(aim === undefined ? row : { ...row, aim }))
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
