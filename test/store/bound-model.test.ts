import assert from 'node:assert/strict'
import { it } from 'node:test'
import * as fc from 'fast-check'
import type { Class } from '../../src/model/kernel/define.ts'
import { memoryLog, MemoryLogContents } from '../../src/store/memory-log.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store, Transaction } from '../../src/store/store.ts'
import { Console, classes, Group, Node, node, Port } from './classes.ts'
import { assertBoundFieldsAgree, dump } from './dump.ts'
import { faultyLog } from './faulty-log.ts'

/** A relation as naively as can be: the pairs that are related, and at which ends there may be only one. */
interface Relation {
  readonly left: readonly [of: Class, field: string, one: boolean]
  readonly right: readonly [of: Class, field: string, one: boolean]
}

const RELATIONS: readonly Relation[] = [
  { left: [Port, 'node', true], right: [Node, 'ports', false] },
  { left: [Group, 'nodes', false], right: [Node, 'groups', false] },
  { left: [Console, 'node', true], right: [Node, 'console', true] },
  { left: [Node, 'parent', true], right: [Node, 'children', false] },
  { left: [Node, 'friends', false], right: [Node, 'friends', false] },
  { left: [Node, 'spouse', true], right: [Node, 'spouse', true] },
]
const TYPES: readonly Class[] = [Node, Port, Group, Console]
const NAMES = ['a', 'b', 'c', 'd']

type Pairs = ReadonlySet<string>
interface Model {
  readonly objects: ReadonlySet<string>
  readonly related: readonly Pairs[]
}

const EMPTY: Model = { objects: new Set(), related: RELATIONS.map(() => new Set()) }
const pairOf = (left: string, right: string) => `${left}>${right}`
const isSelf = ({ left, right }: Relation) => left[0] === right[0] && left[1] === right[1]

/** Whom an object names by a field, sorted. */
function named(model: Model, of: Class, ref: string, field: string): string[] {
  return RELATIONS.flatMap((relation, index) =>
    [...(model.related[index] ?? [])].flatMap(pair => {
      const [left = '', right = ''] = pair.split('>')
      const found = []
      if (relation.left[0] === of && relation.left[1] === field && left === ref) found.push(right)
      if (relation.right[0] === of && relation.right[1] === field && right === ref) found.push(left)
      return found
    }),
  )
    .filter((other, index, all) => all.indexOf(other) === index)
    .sort()
}

/** The model once the object names exactly `wanted` by the field. */
function relate(model: Model, of: Class, ref: string, field: string, wanted: readonly string[]): Model {
  const related = model.related.map((pairs, index) => {
    const relation = RELATIONS[index]
    assert.ok(relation)
    const isLeft = relation.left[0] === of && relation.left[1] === field
    const isRight = relation.right[0] === of && relation.right[1] === field
    if (!isLeft && !isRight) return pairs
    const [ownOne, otherOne] = isLeft ? [relation.left[2], relation.right[2]] : [relation.right[2], relation.left[2]]
    const orient = (pair: string) => (isLeft ? pair.split('>') : pair.split('>').reverse())
    let kept = [...pairs].filter(pair => {
      const [own = '', other = ''] = orient(pair)
      if (isSelf(relation) && other === ref) return wanted.includes(own)
      return own !== ref || wanted.includes(other)
    })
    for (const other of wanted) {
      const has = kept.some(pair => {
        const [left, right] = orient(pair)
        return (left === ref && right === other) || (isSelf(relation) && left === other && right === ref)
      })
      if (has) continue
      kept = kept.filter(pair => {
        const [left, right] = orient(pair)
        if (isSelf(relation) && ownOne) return ![left, right].some(end => end === ref || end === other)
        return !(ownOne && left === ref) && !(otherOne && right === other)
      })
      kept.push(isLeft ? pairOf(ref, other) : pairOf(other, ref))
    }
    return new Set(kept)
  })
  return { ...model, related }
}

const exists = (model: Model, of: Class, ref: string) => model.objects.has(`${of.name}:${ref}`)

type Step =
  | { readonly kind: 'insert' | 'remove'; readonly type: number; readonly ref: string }
  | { readonly kind: 'relate'; readonly end: number; readonly ref: string; readonly others: readonly string[] }

const ENDS = RELATIONS.flatMap(({ left, right }) => [
  { of: left[0], field: left[1], one: left[2], other: right[0] },
  { of: right[0], field: right[1], one: right[2], other: left[0] },
])

function insertBare(tx: Transaction, of: Class, uuid: string): void {
  if (of === Node) tx.insert(Node, node(uuid))
  else if (of === Port) tx.insert(Port, { uuid, node: '' })
  else if (of === Group) tx.insert(Group, { uuid, nodes: [] })
  else tx.insert(Console, { uuid, node: '' })
}

/** Does a step to the store and to the model alike; a step that makes no sense in the model's state is left out. */
function apply(tx: Transaction, model: Model, step: Step): Model {
  if (step.kind === 'relate') {
    const { of, field, one, other } = ENDS[step.end] ?? ENDS[0] ?? assert.fail()
    const others = step.others.filter(ref => exists(model, other, ref)).slice(0, one ? 1 : undefined)
    if (!exists(model, of, step.ref)) return model
    tx.patch(of, step.ref, { [field]: one ? (others[0] ?? '') : others })
    return relate(model, of, step.ref, field, [...new Set(others)])
  }
  const of = TYPES[step.type] ?? Node
  const id = `${of.name}:${step.ref}`
  if (step.kind === 'insert') {
    if (model.objects.has(id)) return model
    insertBare(tx, of, step.ref)
    return { ...model, objects: new Set([...model.objects, id]) }
  }
  tx.remove(of, step.ref)
  const without = ENDS.filter(end => end.of === of).reduce((m, end) => relate(m, of, step.ref, end.field, []), model)
  return { ...without, objects: new Set([...model.objects].filter(object => object !== id)) }
}

function assertLikeModel(store: Store, model: Model): void {
  const ids = TYPES.flatMap(of => store.all(of).map(ref => `${of.name}:${ref}`))
  assert.deepEqual(ids.sort(), [...model.objects].sort())
  for (const { of, field } of ENDS) {
    for (const ref of store.all(of)) {
      const record: Readonly<Record<string, unknown>> | undefined = store.get(of, ref)
      const held = record?.[field]
      const refs: unknown[] = Array.isArray(held) ? [...held] : held === '' ? [] : [held]
      refs.sort((a, b) => String(a).localeCompare(String(b)))
      assert.deepEqual(refs, named(model, of, ref, field), `${of.name} ${ref}.${field}`)
    }
  }
}

const name = fc.constantFrom(...NAMES)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('insert' as const), type: fc.nat(3), ref: name }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), type: fc.nat(3), ref: name }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('relate' as const),
      end: fc.nat(ENDS.length - 1),
      ref: name,
      others: fc.array(name, { maxLength: 4 }),
    }),
  },
)
/** A transaction, and how it ends. */
const transaction = fc.record({
  steps: fc.array(step, { maxLength: 6 }),
  end: fc.constantFrom('commits', 'commits', 'commits', 'throws', 'is not written'),
})

it('bound fields are what a naive model of related pairs says, whatever fails, and after reopening', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(transaction, { maxLength: 30 }), async transactions => {
      const contents = new MemoryLogContents()
      const log = faultyLog(memoryLog(contents))
      const store = await openStore({ classes, log })
      let model = EMPTY
      for (const { steps, end } of transactions) {
        const before = { model, objects: dump(store), appends: log.batches.length }
        if (end === 'is not written') log.failAppend(log.batches.length + 1)
        const outcome = await store
          .transact(tx => {
            for (const each of steps) model = apply(tx, model, each)
            if (end === 'throws') throw new RangeError('on purpose')
          })
          .catch(() => 'taken back')
        if (outcome === 'taken back') {
          model = before.model
          assert.deepEqual(dump(store), before.objects)
        }
        assertLikeModel(store, model)
      }
      assertBoundFieldsAgree(store)

      const objects = dump(store)
      await store.close()
      const reopened = await openStore({ classes, log: memoryLog(contents) })
      assert.deepEqual(dump(reopened), objects)
    }),
    { numRuns: 200 },
  )
})
