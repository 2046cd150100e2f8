import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Feed } from '../../src/store/feed.ts'
import { memoryLog } from '../../src/store/memory-log.ts'
import { openStore } from '../../src/store/open.ts'
import type { Change } from '../../src/store/store.ts'
import { classes, Group, Node, node } from './classes.ts'
import { faultyLog } from './faulty-log.ts'

const change = (generation: number): Change => ({ generation, class: 'node', ref: 'a', kind: 'mod', fields: [] })

describe('the change feed', () => {
  it('tells what changed, by class, object and field, partners included', async () => {
    const store = await openStore({ classes, log: memoryLog() })
    await store.transact(tx => tx.insert(Node, node('a')))
    const heard: (readonly Change[])[] = []
    const end = store.onChange(changes => heard.push(changes))

    await store.transact(tx => tx.insert(Group, { uuid: 'g', nodes: ['a'] }))
    await store.transact(tx => tx.remove(Group, 'g'))
    end()
    await store.transact(tx => tx.patch(Node, 'a', { name_label: 'x' }))

    const expected = [
      [
        { generation: 2, class: 'group', ref: 'g', kind: 'add', fields: ['uuid', 'nodes'] },
        { generation: 2, class: 'node', ref: 'a', kind: 'mod', fields: ['groups'] },
      ],
      [
        { generation: 3, class: 'node', ref: 'a', kind: 'mod', fields: ['groups'] },
        { generation: 3, class: 'group', ref: 'g', kind: 'del', fields: [] },
      ],
    ]
    const byRef = (changes: readonly Change[]) => changes.toSorted((a, b) => a.ref.localeCompare(b.ref))
    assert.deepEqual(
      heard.map(byRef),
      expected.map(changes => changes.toSorted((a, b) => a.ref.localeCompare(b.ref))),
    )
    assert.deepEqual(store.changesSince(1), [...heard.flat(), ...(store.changesSince(3) ?? [])])
    assert.deepEqual(store.changesSince(4), [])
  })

  it('tells only what is durable', async () => {
    const log = faultyLog(memoryLog())
    const store = await openStore({ classes, log })
    const release = log.hold()
    let heard = 0
    store.onChange(() => heard++)

    const durable = store.transact(tx => tx.insert(Node, node('a')))
    await new Promise(resolve => setImmediate(resolve))
    const early = [store.generation, store.durableGeneration, store.changesSince(0), heard]
    release()
    await durable

    assert.deepEqual(early, [1, 0, [], 0])
    assert.deepEqual([store.durableGeneration, store.changesSince(0)?.length, heard], [1, 1, 1])
  })

  it('calls the other listeners when one fails, and says so', async () => {
    const warnings: string[] = []
    const store = await openStore({ classes, log: memoryLog(), warn: message => warnings.push(message) })
    let heard = 0
    store.onChange(() => {
      throw new RangeError('a bug')
    })
    store.onChange(() => heard++)

    await store.transact(tx => tx.insert(Node, node('a')))

    assert.equal(heard, 1)
    assert.match(warnings.join(), /listener of the change feed failed: RangeError: a bug/)
  })

  it('lets a listener change the store, in order', async () => {
    const store = await openStore({ classes, log: memoryLog() })
    const generations: number[] = []
    let follow: Promise<void> | undefined
    store.onChange(changes => {
      generations.push(...changes.map(({ generation }) => generation))
      follow ??= store.transact(tx => tx.patch(Node, 'a', { name_label: 'seen' }))
    })

    await Promise.all(['a', 'b', 'c'].map(ref => store.transact(tx => tx.insert(Node, node(ref)))))
    await follow

    assert.deepEqual(generations, [1, 2, 3, 4])
  })

  it('reaches back a bounded number of changes, and admits it', () => {
    const feed = new Feed(10, () => {}, 3)

    for (const generation of [11, 12, 15, 16, 17]) feed.push(generation, [change(generation)])

    assert.equal(feed.since(11), undefined)
    assert.deepEqual(
      feed.since(12)?.map(({ generation }) => generation),
      [15, 16, 17],
    )
    assert.deepEqual(
      feed.since(14)?.map(({ generation }) => generation),
      [15, 16, 17],
    )
    assert.deepEqual(feed.since(17), [])
    assert.equal(feed.since(18), undefined, 'a generation that is still to come is of another life')
  })

  it('stays small and right over many thousand changes', () => {
    const feed = new Feed(0, () => {}, 100)

    for (let generation = 1; generation <= 20_000; generation++) feed.push(generation, [change(generation)])

    assert.equal(feed.since(19_899), undefined)
    assert.equal(feed.since(19_900)?.length, 100)
    assert.equal(feed.since(19_950)?.[0]?.generation, 19_951)
  })
})
