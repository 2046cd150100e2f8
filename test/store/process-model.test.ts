import assert from 'node:assert/strict'
import { it } from 'node:test'
import * as fc from 'fast-check'
import { parseChanges } from '../../src/store/delta.ts'
import type { Batch, Log, LogReader } from '../../src/store/log.ts'
import { memoryLog } from '../../src/store/memory-log.ts'
import { openStore } from '../../src/store/open.ts'
import type { Transaction } from '../../src/store/store.ts'
import { classes, Group, Node, node, Port } from './classes.ts'
import { assertBoundFieldsAgree, dump } from './dump.ts'

/** A disk that remembers every moment at which the power could have failed. */
class Disk {
  content = ''
  readonly moments: string[] = ['']

  write(text: string): void {
    // A write may be torn: half of it is there.
    this.moments.push(this.content + text.slice(0, text.length / 2))
    this.content += text
    this.moments.push(this.content)
  }
}

/** A log of lines on that disk. A batch counts once its last line, `commit`, is there whole. */
function diskLog(disk: Disk): Log {
  const rest = memoryLog()
  return {
    place: 'the store on a fake disk',
    async load(reader: LogReader) {
      let generation = 0
      let pending: string[] = []
      for (const line of disk.content.split('\n').slice(0, -1)) {
        if (line !== 'commit') {
          pending.push(line)
          continue
        }
        for (const delta of pending) {
          const [number = '', ...changes] = delta.split(' ')
          generation = Number(number)
          for (const change of parseChanges(changes.join(' '))) reader.change(generation, change)
        }
        pending = []
      }
      return generation
    },
    async append({ deltas }: Batch) {
      for (const { generation, changes } of deltas) {
        disk.write(`${generation} ${changes}\n`)
        await new Promise(resolve => setImmediate(resolve))
      }
      disk.write('commit\n')
      await new Promise(resolve => setImmediate(resolve))
    },
    acquireLease: (name, owner, ttlMs) => rest.acquireLease(name, owner, ttlMs),
    renewLease: (lease, ttlMs) => rest.renewLease(lease, ttlMs),
    releaseLease: lease => rest.releaseLease(lease),
    close: async () => {},
  }
}

/** A transaction that changes several objects, by number. */
function change(tx: Transaction, number: number): void {
  const refs = tx.all(Node)
  const pick = refs[number % Math.max(1, refs.length)]
  const [kind, uuid] = [number % 4, `object-${tx.all(Node).length}-${tx.all(Port).length}-${number}`]
  if (pick === undefined || kind === 0) {
    if (tx.get(Node, uuid) === undefined) tx.insert(Node, node(uuid, { friends: pick === undefined ? [] : [pick] }))
  } else if (kind === 1) {
    if (tx.get(Port, uuid) === undefined) tx.insert(Port, { uuid, node: pick })
  } else if (kind === 2) {
    if (tx.get(Group, uuid) === undefined) tx.insert(Group, { uuid, nodes: refs.slice(0, 3) })
    tx.patch(Node, pick, { name_label: uuid, ports: tx.all(Port).slice(0, 2) })
  } else {
    tx.remove(Node, pick)
  }
}

it('whenever the process dies, the reopened store holds whole transactions, and every one that was acknowledged', async () => {
  const rounds = fc.array(fc.array(fc.nat(99), { minLength: 1, maxLength: 5 }), { maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(rounds, async numbers => {
      const disk = new Disk()
      const store = await openStore({ classes, log: diskLog(disk) })
      const states = new Map([[0, dump(store)]])
      /** The generation that had been acknowledged when the disk was at this moment. */
      const acknowledged: { moment: number; generation: number }[] = []
      for (const round of numbers) {
        await Promise.all(
          round.map(async number => {
            const durable = store.transact(tx => change(tx, number))
            const { generation } = store
            states.set(generation, dump(store))
            await durable
            acknowledged.push({ moment: disk.moments.length - 1, generation })
          }),
        )
      }

      for (const [moment, content] of disk.moments.entries()) {
        const after = new Disk()
        after.content = content
        const reopened = await openStore({ classes, log: diskLog(after) })
        assert.deepEqual(dump(reopened), states.get(reopened.generation))
        assertBoundFieldsAgree(reopened)
        const promised = acknowledged.filter(each => each.moment < moment).map(({ generation }) => generation)
        assert.ok(reopened.generation >= Math.max(0, ...promised))
      }
    }),
    { numRuns: 25 },
  )
})
