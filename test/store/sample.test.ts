import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { defineClass, type RecordOf, roRun, rw } from '../../src/model/kernel/define.ts'
import { t } from '../../src/model/kernel/types.ts'
import type { EncodedChange } from '../../src/store/delta.ts'
import { MemoryLogContents, memoryLog } from '../../src/store/memory-log.ts'
import { openStore } from '../../src/store/open.ts'
import { sqliteLog } from '../../src/store/sqlite/log.ts'
import type { Change } from '../../src/store/store.ts'
import { faultyLog } from './faulty-log.ts'
import { temporaryFolder } from './temporary.ts'

const Machine = defineClass({
  name: 'machine',
  doc: 'For tests.',
  source: 'These tests.',
  objects: 'client',
  messages: {},
  fields: {
    uuid: roRun(t.string, 'Unique identifier.'),
    'name/label': rw(t.string, 'A name.'),
    'load/now': roRun(t.float, 'Measured.', { volatile: true }),
    loads: roRun(t.map(t.int, t.float), 'Measured.', { volatile: true }),
  },
})

const classes = [Machine]
const machine = (uuid: string, more: Partial<RecordOf<typeof Machine>> = {}): RecordOf<typeof Machine> => ({
  uuid,
  name_label: '',
  load_now: 0,
  loads: new Map(),
  ...more,
})

async function openWith(...refs: readonly string[]) {
  const log = faultyLog(memoryLog())
  const store = await openStore({ classes, log })
  await store.transact(tx => {
    for (const ref of refs) tx.insert(Machine, machine(ref))
  })
  return { log, store }
}

describe('what is measured', () => {
  it('is seen at once, frozen, and is nothing that the log or the feed is told', async () => {
    const { log, store } = await openWith('m')
    const heard: (readonly Change[])[] = []
    store.onChange(changes => heard.push(changes))
    const loads = new Map([[0n, 0.25]])

    store.sample(Machine, 'm', { load_now: 0.5, loads })
    loads.clear()
    await store.settled()

    assert.equal(store.get(Machine, 'm')?.load_now, 0.5)
    assert.deepEqual(store.get(Machine, 'm')?.loads, new Map([[0n, 0.25]]))
    assert(Object.isFrozen(store.get(Machine, 'm')))
    assert.deepEqual(store.findBy(Machine, 'load_now', 0.5), ['m'])
    assert.deepEqual([store.generation, store.changesSince(1), heard, log.batches.length], [1, [], [], 1])
  })

  it('stays through transactions, which log their own fields only', async () => {
    const { log, store } = await openWith('m')
    store.sample(Machine, 'm', { load_now: 0.5 })

    await store.transact(tx => tx.patch(Machine, 'm', { name_label: 'x' }))

    assert.deepEqual([store.get(Machine, 'm')?.load_now, store.get(Machine, 'm')?.name_label], [0.5, 'x'])
    const logged = log.batches.flatMap(({ deltas }) => deltas.map(({ changes }) => changes)).join()
    assert(!/load/.test(logged), logged)
  })

  it('is not what a copy begins with', async () => {
    const { store } = await openWith('m')
    store.sample(Machine, 'm', { load_now: 0.5 })

    await store.transact(tx => tx.insert(Machine, { ...machine('copy'), ...store.get(Machine, 'm'), uuid: 'copy' }))

    assert.equal(store.get(Machine, 'copy')?.load_now, 0)
  })

  it('is not for transactions to write, nor are other fields to be sampled', async () => {
    const { store } = await openWith('m')

    await assert.rejects(
      store.transact(tx => tx.patch(Machine, 'm', { load_now: 0 })),
      /machine\.load_now is sampled/,
    )
    assert.throws(() => store.sample(Machine, 'm', { name_label: 'x' }), /machine\.name_label is not volatile/)
    await assert.rejects(
      store.transact(() => store.sample(Machine, 'm', { load_now: 1 })),
      /within a transaction/,
    )
    assert.equal(store.get(Machine, 'm')?.load_now, 0)
  })

  it('goes with its object', async () => {
    const { store } = await openWith('m')
    store.sample(Machine, 'm', { load_now: 0.5 })
    await store.transact(tx => tx.remove(Machine, 'm'))

    store.sample(Machine, 'm', { load_now: 0.75 })
    await store.transact(tx => tx.insert(Machine, machine('m')))

    assert.equal(store.get(Machine, 'm')?.load_now, 0)
  })

  it('stays when changes are taken back, and comes back with an object that was removed', async () => {
    const { log, store } = await openWith('m', 'gone')
    store.sample(Machine, 'm', { load_now: 0.25 })
    store.sample(Machine, 'gone', { load_now: 0.25 })
    const release = log.hold()
    log.failAppend(2)
    const heard: Change[] = []
    store.onChange(changes => heard.push(...changes))

    const lost = store.transact(tx => {
      tx.patch(Machine, 'm', { name_label: 'x' })
      tx.patch(Machine, 'gone', { name_label: 'x' })
    })
    store.sample(Machine, 'm', { load_now: 0.5 })
    store.sample(Machine, 'gone', { load_now: 0.5 })
    const lostToo = store.transact(tx => tx.remove(Machine, 'gone'))
    release()
    await Promise.allSettled([lost, lostToo])

    await assert.rejects(lost)
    for (const ref of ['m', 'gone']) {
      assert.deepEqual([store.get(Machine, ref)?.load_now, store.get(Machine, ref)?.name_label], [0.5, ''], ref)
    }
    assert.deepEqual(
      heard.map(({ ref, kind, fields }) => [ref, kind, fields.includes('load_now')]),
      [
        ['gone', 'add', true],
        ['m', 'mod', false],
      ],
    )
  })

  it('is its default after a restart, also where an older log has it', async context => {
    const folder = temporaryFolder(context)
    const first = await openStore({ classes, log: sqliteLog({ folder, warn: assert.fail }) })
    await first.transact(tx => tx.insert(Machine, machine('m', { name_label: 'x' })))
    first.sample(Machine, 'm', { load_now: 0.5 })
    await first.close()
    const second = await openStore({ classes, log: sqliteLog({ folder, warn: assert.fail }), warn: assert.fail })
    assert.deepEqual(second.get(Machine, 'm'), machine('m', { name_label: 'x' }))
    assert.equal(second.generation, 1)
    await second.close()

    const contents = new MemoryLogContents()
    const old: EncodedChange = ['a', 'machine', 'old', { uuid: 'old', name_label: 'x', load_now: 0.5, loads: [] }]
    contents.objects.apply(old)
    const third = await openStore({ classes, log: memoryLog(contents), warn: assert.fail })
    assert.deepEqual(third.get(Machine, 'old'), machine('old', { name_label: 'x' }))
  })

  it('is whatever was measured last, among any transactions, kept or lost', async () => {
    const steps = fc.array(fc.constantFrom('sample', 'patch', 'fail', 'throw'), { maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(steps, async plan => {
        const { log, store } = await openWith('m')
        let [load, label] = [0, '']
        for (const [number, step] of plan.entries()) {
          if (step === 'sample') {
            load = number
            store.sample(Machine, 'm', { load_now: load })
            continue
          }
          if (step === 'fail') log.failAppend(log.batches.length + 1)
          const change = store.transact(tx => {
            tx.patch(Machine, 'm', { name_label: `${number}` })
            if (step === 'throw') throw new Error('no')
          })
          // Measured while the change is on its way.
          load = number + 0.5
          store.sample(Machine, 'm', { load_now: load })
          const [outcome] = await Promise.allSettled([change])
          if (outcome?.status === 'fulfilled') label = `${number}`
        }
        assert.deepEqual([store.get(Machine, 'm')?.load_now, store.get(Machine, 'm')?.name_label], [load, label])
      }),
    )
  })
})

it('a reference, or the reference itself, cannot be volatile', async () => {
  const other = { ...Machine, fields: { ...Machine.fields, uuid: roRun(t.string, 'Unique.', { volatile: true }) } }
  const link = { ...Machine, fields: { ...Machine.fields, next: rw(t.ref('machine'), 'Next.', { volatile: true }) } }

  await assert.rejects(openStore({ classes: [other], log: memoryLog() }), /machine\.uuid: must be durable/)
  await assert.rejects(openStore({ classes: [link], log: memoryLog() }), /machine\.next: must be durable/)
})
