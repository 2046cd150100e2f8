import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { memoryLog } from '../../src/store/memory-log.ts'
import { openStore } from '../../src/store/open.ts'
import { ReferenceInUse, ReferenceUnknown, type Store, StoreFailure } from '../../src/store/store.ts'
import { Console, classes, Everything, everything, Group, Node, node, Port } from './classes.ts'
import { dump } from './dump.ts'

const open = () => openStore({ classes, log: memoryLog() })

async function openWithNodes(...refs: readonly string[]): Promise<Store> {
  const store = await open()
  await store.transact(tx => {
    for (const ref of refs) tx.insert(Node, node(ref))
  })
  return store
}

describe('objects', () => {
  it('are there at once, frozen, and in order of creation', async () => {
    const store = await open()

    const durable = store.transact(tx => {
      tx.insert(Node, node('b', { name_label: 'first' }))
      tx.insert(Node, node('a'))
      return 'done'
    })

    assert.deepEqual(store.all(Node), ['b', 'a'])
    assert.equal(store.get(Node, 'b')?.name_label, 'first')
    assert.ok(Object.isFrozen(store.get(Node, 'b')) && Object.isFrozen(store.get(Node, 'b')?.ports))
    assert.equal(store.get(Node, 'c'), undefined)
    assert.equal(await durable, 'done')
  })

  it('do not change with the values they were given', async () => {
    const store = await open()
    const words = ['one']
    const loads = new Map([[1n, 0.5]])
    const at = new Date(1_000)

    await store.transact(tx => tx.insert(Everything, everything('e', { words, loads, at_last: at })))
    words.push('two')
    loads.set(2n, 1)
    at.setTime(0)

    const record = store.get(Everything, 'e')
    assert.deepEqual([record?.words, record?.loads, record?.at_last], [['one'], new Map([[1n, 0.5]]), new Date(1_000)])
  })

  it('hold sets without duplicates, in order', async () => {
    const store = await open()
    const times = [new Date(2), new Date(1), new Date(2)]

    await store.transact(tx => tx.insert(Everything, everything('e', { words: ['b', 'a', 'b'], times })))

    assert.deepEqual(store.get(Everything, 'e')?.words, ['b', 'a'])
    assert.deepEqual(store.get(Everything, 'e')?.times, [new Date(2), new Date(1)])
  })

  it('are found by any field', async () => {
    const store = await openWithNodes('a', 'b')
    await store.transact(tx => {
      tx.insert(Group, { uuid: 'g', nodes: ['b', 'a'] })
      tx.insert(Console, { uuid: 'c', node: '' })
      tx.insert(Port, { uuid: 'p', node: 'a' })
      tx.patch(Node, 'a', { state_owner: 'g', watchers: ['c'], name_label: 'x' })
      tx.insert(Everything, everything('e', { words: ['w'], loads: new Map([[1n, 2]]), at_last: new Date(5) }))
    })

    assert.deepEqual(store.findBy(Node, 'state_owner', 'g'), ['a'])
    assert.deepEqual(store.findBy(Node, 'state_owner', ''), ['b'])
    assert.deepEqual(store.findBy(Node, 'watchers', 'c'), ['a'])
    assert.deepEqual(store.findBy(Node, 'groups', 'g'), ['b', 'a'])
    assert.deepEqual(store.findBy(Port, 'node', 'a'), ['p'])
    assert.deepEqual(store.findBy(Node, 'ports', 'p'), ['a'])
    assert.deepEqual(store.findBy(Node, 'name_label', 'x'), ['a'])
    assert.deepEqual(store.findBy(Everything, 'words', 'w'), ['e'])
    assert.deepEqual(store.findBy(Everything, 'words', ['w']), ['e'])
    assert.deepEqual(store.findBy(Everything, 'loads', new Map([[1n, 2]])), ['e'])
    assert.deepEqual(store.findBy(Everything, 'at_last', new Date(5)), ['e'])
    assert.deepEqual(store.findBy(Node, 'state_owner', 'nobody'), [])
  })

  it('know who names them', async () => {
    const store = await openWithNodes('a', 'b')
    await store.transact(tx => {
      tx.insert(Group, { uuid: 'g', nodes: ['a'] })
      tx.patch(Node, 'b', { state_owner: 'g' })
    })

    assert.deepEqual(store.usersOf(Group, 'g'), [
      { class: 'node', ref: 'a', field: 'groups' },
      { class: 'node', ref: 'b', field: 'state_owner' },
    ])
    assert.deepEqual(store.usersOf(Node, 'b'), [])
  })
})

describe('a transaction', () => {
  it('sees its own changes', async () => {
    const store = await open()

    const seen = await store.transact(tx => {
      tx.insert(Node, node('a'))
      tx.insert(Port, { uuid: 'p', node: 'a' })
      return [tx.all(Node), tx.get(Node, 'a')?.ports]
    })

    assert.deepEqual(seen, [['a'], ['p']])
  })

  it('whose body throws changes nothing', async () => {
    const store = await openWithNodes('a', 'b', 'c')
    const before = dump(store)

    const failed = store.transact(tx => {
      tx.remove(Node, 'a')
      tx.insert(Node, node('d', { friends: ['b'] }))
      tx.patch(Node, 'b', { parent: 'c', name_label: 'x' })
      tx.insert(Node, node('a'))
      throw new RangeError('changed my mind')
    })

    await assert.rejects(failed, RangeError)
    assert.deepEqual(dump(store), before)
    assert.equal(store.generation, 1)
  })

  it('goes on from a whole state when its body catches an error', async () => {
    const store = await openWithNodes('a')

    await store.transact(tx => {
      assert.throws(() => tx.insert(Node, node('b', { friends: ['a', 'nobody'] })), ReferenceUnknown)
      assert.throws(() => tx.patch(Node, 'a', { name_label: 'x', parent: 'nobody' }), ReferenceUnknown)
    })

    assert.deepEqual(store.all(Node), ['a'])
    assert.deepEqual(store.get(Node, 'a'), node('a'))
  })

  it('refuses what is not of the declared type, and fields nobody declared', async () => {
    const store = await openWithNodes('a')
    const insert = (more: object) => store.transact(tx => tx.insert(Everything, { ...everything('e'), ...more }))

    await assert.rejects(insert({ count: 7 }), /everything\.count: number 7 is not a value of type int/)
    await assert.rejects(insert({ count: 2n ** 63n }), TypeError)
    await assert.rejects(insert({ colour: 'blue' }), TypeError)
    await assert.rejects(insert({ at_last: new Date(Number.NaN) }), TypeError)
    await assert.rejects(insert({ loads: {} }), TypeError)
    await assert.rejects(insert({ words: 'w' }), TypeError)
    await assert.rejects(insert({ words: undefined }), TypeError)
    await assert.rejects(insert({ answer: () => 1 }), TypeError)
    await assert.rejects(insert({ nonsense: 1 }), /has no field nonsense/)
    await assert.rejects(insert({ uuid: '' }), /needs a uuid/)
    await assert.rejects(
      store.transact(tx => tx.patch(Node, 'a', { uuid: 'b' })),
      /cannot change/,
    )
    await assert.rejects(
      store.transact(tx => tx.insert(Node, node('a'))),
      /exists already/,
    )
  })

  it('refuses a reference to an object that does not exist', async () => {
    const store = await openWithNodes('a')
    const unknown = (className: string, ref: string) => ({ name: 'ReferenceUnknown', class: className, ref })

    await assert.rejects(
      store.transact(tx => tx.insert(Port, { uuid: 'p', node: 'x' })),
      unknown('node', 'x'),
    )
    await assert.rejects(
      store.transact(tx => tx.patch(Node, 'a', { state_owner: 'y' })),
      unknown('group', 'y'),
    )
    await assert.rejects(
      store.transact(tx => tx.patch(Node, 'a', { watchers: ['z'] })),
      unknown('console', 'z'),
    )
    await assert.rejects(
      store.transact(tx => tx.patch(Node, 'b', {})),
      unknown('node', 'b'),
    )
  })

  it('refuses to remove what a field that is not bound still names', async () => {
    const store = await openWithNodes('a')
    await store.transact(tx => {
      tx.insert(Group, { uuid: 'g', nodes: ['a'] })
      tx.patch(Node, 'a', { state_owner: 'g' })
    })

    const users = [{ class: 'node', ref: 'a', field: 'state_owner' }]
    await assert.rejects(
      store.transact(tx => tx.remove(Group, 'g')),
      { name: 'ReferenceInUse', class: 'group', ref: 'g', users },
    )
    assert.deepEqual(store.get(Node, 'a')?.groups, ['g'])

    await store.transact(tx => {
      tx.remove(Group, 'g')
      tx.patch(Node, 'a', { state_owner: '' })
    })
    assert.deepEqual(store.get(Node, 'a')?.groups, [])
    assert.ok(new ReferenceInUse('group', 'g', users).message.includes("node 'a'.state_owner"))
  })

  it('cannot wait, begin within another, or be used after its end', async () => {
    const store = await openWithNodes('a')

    await assert.rejects(
      store.transact(async tx => tx.patch(Node, 'a', { name_label: 'x' })),
      /cannot wait/,
    )
    assert.equal(store.get(Node, 'a')?.name_label, '')
    await assert.rejects(
      store.transact(() => store.transact(() => 1)),
      /cannot wait/,
    )
    const late = await store.transact(tx => tx)
    assert.throws(() => late.all(Node), /has ended/)
  })

  it('that sets equal values, or removes what is not there, changes nothing', async () => {
    const store = await open()
    await store.transact(tx => tx.insert(Everything, everything('e', { words: ['a'], loads: new Map([[1n, 0.5]]) })))
    const before = store.get(Everything, 'e')

    await store.transact(tx => {
      tx.patch(Everything, 'e', { words: ['a', 'a'], loads: new Map([[1n, 0.5]]), at_last: new Date(0), share: 0 })
      tx.remove(Everything, 'f')
    })
    await store.transact(tx => {
      tx.patch(Everything, 'e', { flag: true })
      tx.patch(Everything, 'e', { flag: false })
    })

    assert.equal(store.generation, 1)
    assert.deepEqual(store.get(Everything, 'e'), before)
    assert.deepEqual(
      store.changesSince(0)?.map(change => change.kind),
      ['add'],
    )
  })

  it('may remove and add an object under the same reference', async () => {
    const store = await openWithNodes('a', 'b')

    await store.transact(tx => {
      tx.remove(Node, 'a')
      tx.insert(Node, node('a', { name_label: 'again' }))
    })

    assert.deepEqual(store.all(Node), ['b', 'a'])
    assert.equal(store.get(Node, 'a')?.name_label, 'again')
  })

  it('is refused once the store is closed', async () => {
    const store = await openWithNodes('a')

    await store.close()
    await store.close()

    await assert.rejects(
      store.transact(tx => tx.remove(Node, 'a')),
      StoreFailure,
    )
    await assert.rejects(store.holdLease('host', 'me'), StoreFailure)
    assert.deepEqual(store.all(Node), ['a'])
  })
})
