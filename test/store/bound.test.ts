import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { memoryLog } from '../../src/store/memory-log.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { classes, Group, Node, node, Port } from './classes.ts'
import { faultyLog } from './faulty-log.ts'

async function openWithNodes(...refs: readonly string[]): Promise<Store> {
  const store = await openStore({ classes, log: memoryLog() })
  await store.transact(tx => {
    for (const ref of refs) tx.insert(Node, node(ref))
  })
  return store
}

describe('bound fields', () => {
  it('move a port to the node that takes it', async () => {
    const store = await openWithNodes('a', 'b')
    await store.transact(tx => tx.insert(Port, { uuid: 'p', node: 'a' }))

    await store.transact(tx => tx.patch(Node, 'b', { ports: ['p'] }))
    assert.deepEqual([store.get(Node, 'a')?.ports, store.get(Port, 'p')?.node], [[], 'b'])

    await store.transact(tx => tx.patch(Node, 'b', { ports: [] }))
    assert.equal(store.get(Port, 'p')?.node, '')

    await store.transact(tx => tx.patch(Port, 'p', { node: 'a' }))
    assert.deepEqual([store.get(Node, 'a')?.ports, store.get(Node, 'b')?.ports], [['p'], []])
  })

  it('part a couple when one of them pairs with another', async () => {
    const store = await openWithNodes('a', 'b', 'c')
    await store.transact(tx => tx.patch(Node, 'a', { spouse: 'b' }))

    await store.transact(tx => tx.patch(Node, 'c', { spouse: 'a' }))

    const spouses = ['a', 'b', 'c'].map(ref => store.get(Node, ref)?.spouse)
    assert.deepEqual(spouses, ['c', '', 'a'])
  })

  it('keep the order that was given, at this end, and the order of arrival at the other', async () => {
    const store = await openWithNodes('a')
    await store.transact(tx => {
      for (const uuid of ['g', 'h', 'i']) tx.insert(Group, { uuid, nodes: ['a'] })
    })

    assert.deepEqual(store.get(Node, 'a')?.groups, ['g', 'h', 'i'])
    await store.transact(tx => tx.patch(Node, 'a', { groups: ['i', 'g', 'h'] }))
    assert.deepEqual(store.get(Node, 'a')?.groups, ['i', 'g', 'h'])
    assert.deepEqual(store.get(Group, 'g')?.nodes, ['a'])
  })

  it('lose an object that is removed', async () => {
    const store = await openWithNodes('a', 'b')
    await store.transact(tx => {
      tx.insert(Port, { uuid: 'p', node: 'a' })
      tx.insert(Group, { uuid: 'g', nodes: ['a', 'b'] })
      tx.patch(Node, 'a', { friends: ['a', 'b'], children: ['b'] })
    })

    await store.transact(tx => tx.remove(Node, 'a'))

    assert.equal(store.get(Port, 'p')?.node, '')
    assert.deepEqual(store.get(Group, 'g')?.nodes, ['b'])
    assert.deepEqual([store.get(Node, 'b')?.friends, store.get(Node, 'b')?.parent], [[], ''])
  })

  it('cost a short delta however long the set has grown', async () => {
    const log = faultyLog(memoryLog())
    const store = await openStore({ classes, log })
    await store.transact(tx => {
      tx.insert(Node, node('a'))
      for (let index = 0; index < 1_000; index++) tx.insert(Port, { uuid: `port-${index}`, node: 'a' })
    })

    await store.transact(tx => tx.insert(Port, { uuid: 'one-more', node: 'a' }))

    assert.equal(store.get(Node, 'a')?.ports.length, 1_001)
    const delta = log.batches.at(-1)?.deltas.at(-1)?.changes ?? ''
    assert.ok(delta.includes('+one-more') && delta.length < 200, delta)
  })
})
