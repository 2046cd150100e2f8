import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { WAITING_MAX } from '../../src/store/committer.ts'
import { memoryLog, MemoryLogContents } from '../../src/store/memory-log.ts'
import { openStore } from '../../src/store/open.ts'
import { StoreFailure } from '../../src/store/store.ts'
import { classes, Group, Node, node } from './classes.ts'
import { dump } from './dump.ts'
import { faultyLog } from './faulty-log.ts'

async function openFaulty() {
  const contents = new MemoryLogContents()
  const log = faultyLog(memoryLog(contents))
  const store = await openStore({ classes, log })
  await store.transact(tx => tx.insert(Node, node('a')))
  return { contents, log, store }
}

describe('a log that cannot be written', () => {
  it('has every change taken back that is not durable, newest first, and tells each caller', async () => {
    const { log, store } = await openFaulty()
    const before = dump(store)
    const release = log.hold()
    log.failAppend(2)
    const told: string[] = []
    const say = (what: string) => (error: unknown) => {
      assert.ok(error instanceof StoreFailure && /the disk is full/.test(error.message))
      told.push(what)
    }

    const outcomes = [
      store.transact(tx => tx.patch(Node, 'a', { name_label: 'x' })).catch(say('first')),
      store.transact(tx => tx.insert(Group, { uuid: 'g', nodes: ['a'] })).catch(say('second')),
      store.transact(tx => tx.get(Node, 'a')?.name_label).catch(say('reader')),
      store.settled().catch(say('settled')),
    ]
    await new Promise(resolve => setImmediate(resolve))
    outcomes.push(store.transact(tx => tx.remove(Node, 'a')).catch(say('third')))
    release()
    await Promise.all(outcomes)

    assert.deepEqual(dump(store), before)
    assert.deepEqual(
      told.filter(what => ['first', 'second', 'third'].includes(what)),
      ['third', 'second', 'first'],
    )
    assert.deepEqual(told.toSorted(), ['first', 'reader', 'second', 'settled', 'third'])
  })

  it('is used again when it works again, and no generation is used twice', async () => {
    const { contents, log, store } = await openFaulty()
    log.failAppend(2)
    await assert.rejects(store.transact(tx => tx.patch(Node, 'a', { name_label: 'lost' })))
    const afterFailure = store.generation

    await store.transact(tx => tx.patch(Node, 'a', { name_label: 'kept' }))

    assert.equal(afterFailure, 3)
    assert.equal(store.generation, 4)
    const changes = store.changesSince(1)?.map(({ generation, kind, fields }) => [generation, kind, fields])
    assert.deepEqual(changes, [
      [3, 'mod', ['name_label']],
      [4, 'mod', ['name_label']],
    ])
    await store.close()
    const reopened = await openStore({ classes, log: memoryLog(contents) })
    assert.equal(reopened.get(Node, 'a')?.name_label, 'kept')
    assert.equal(reopened.generation, 4)
  })

  it('puts objects back in their place, and tells the feed what that means', async () => {
    const { log, store } = await openFaulty()
    await store.transact(tx => tx.insert(Node, node('b')))
    log.failAppend(3)

    await assert.rejects(
      store.transact(tx => {
        tx.remove(Node, 'a')
        tx.insert(Node, node('c'))
      }),
    )

    assert.deepEqual(store.all(Node), ['a', 'b'])
    const told = store.changesSince(2)?.map(({ ref, kind }) => [ref, kind])
    assert.deepEqual(told, [
      ['a', 'add'],
      ['c', 'del'],
    ])
  })

  it('that has ended for good makes the store say so, and still be read', async () => {
    const { log, store } = await openFaulty()
    log.failAppend(2, { forGood: true })

    await assert.rejects(
      store.transact(tx => tx.remove(Node, 'a')),
      /must be started again/,
    )

    let ran = false
    const later = store.transact(() => {
      ran = true
    })
    await assert.rejects(later, StoreFailure)
    assert.equal(ran, false)
    assert.deepEqual(store.all(Node), ['a'])
    await store.close()
  })

  it('that falls too far behind has further transactions refused until it has caught up', async () => {
    const { log, store } = await openFaulty()
    const release = log.hold()
    const patch = (name_label: string) => store.transact(tx => tx.patch(Node, 'a', { name_label }))
    // The first goes to the log alone; the log holds it, and the others wait.
    const waiting = [patch('first'), ...Array.from({ length: WAITING_MAX }, (_, index) => patch(`${index}`))]

    await assert.rejects(patch('late'), /wait for the log already/)
    release()
    await Promise.all(waiting)

    await store.transact(tx => tx.patch(Node, 'a', { name_label: 'caught up' }))
    assert.equal(store.get(Node, 'a')?.name_label, 'caught up')
  })
})
