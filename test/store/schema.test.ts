import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Class, defineClass, type Field, roIns, rw } from '../../src/model/kernel/define.ts'
import { t } from '../../src/model/kernel/types.ts'
import { MemoryLogContents, memoryLog } from '../../src/store/memory-log.ts'
import { openStore } from '../../src/store/open.ts'
import { StoreUnavailable } from '../../src/store/store.ts'

const uuid = roIns(t.string, 'Unique identifier.')

function declare<const N extends string, const F extends Readonly<Record<string, Field>>>(name: N, fields: F) {
  const test = { doc: 'For tests.', source: 'These tests.', objects: 'client', messages: {} } as const
  return defineClass({ ...test, name, fields: { uuid, ...fields } })
}

const open = (classes: readonly Class[], contents = new MemoryLogContents(), warn = (_message: string) => {}) =>
  openStore({ classes, log: memoryLog(contents), warn })

describe('a declaration is refused', () => {
  const car = declare('car', {})
  const refused: readonly (readonly [string, readonly Class[], RegExp])[] = [
    [
      'when the partner of a bound field is not declared',
      [car, declare('wheel', { car: rw(t.ref('car'), '', { boundTo: 'car.wheels' }) })],
      /wheel\.car: is bound to car\.wheels, which is not declared/,
    ],
    [
      'when the partner is bound to another',
      [
        declare('car', { wheels: rw(t.set(t.ref('wheel')), '') }),
        declare('wheel', { car: rw(t.ref('car'), '', { boundTo: 'car.wheels' }) }),
      ],
      /which is bound to nothing/,
    ],
    [
      'when the bound class is not the one referred to',
      [car, declare('wheel', { car: rw(t.ref('wheel'), '', { boundTo: 'car.wheels' }) })],
      /refers to wheel but is bound to car\.wheels/,
    ],
    [
      'when a bound field holds no references',
      [declare('car', { wheels: rw(t.int, '', { boundTo: 'car.wheels' }) })],
      /holds no references/,
    ],
    [
      'when a field refers to an undeclared class',
      [declare('car', { owner: rw(t.ref('person'), '') })],
      /the class person, which is not declared/,
    ],
    [
      'when a default has another type',
      [declare('car', { doors: rw(t.string, '', { default: 'x'.repeat(1) }), size: { ...rw(t.int, ''), default: 5 } })],
      /car\.size: number 5 is not a value/,
    ],
    ['when a class is declared twice', [car, car], /same name/],
    [
      'when a field has a type that only results have',
      [declare('car', { s: rw(t.struct('s', {}), '') })],
      /car\.s: no field may have the type s/,
    ],
  ]
  for (const [name, classes, reason] of refused) {
    it(name, async () => {
      await assert.rejects(open(classes), reason)
    })
  }

  it('when a class has no uuid', async () => {
    await assert.rejects(open([{ ...car, fields: {} }]), /car: needs a field uuid/)
  })
})

describe('a store under a newer declaration', () => {
  const first = declare('car', { 'name/label': rw(t.string, ''), doors: rw(t.int, '') })

  async function stored(): Promise<MemoryLogContents> {
    const contents = new MemoryLogContents()
    const store = await open([first], contents)
    await store.transact(tx => {
      tx.insert(first, { uuid: 'a', name_label: 'old', doors: 3n })
      tx.insert(first, { uuid: 'b', name_label: 'older', doors: 5n })
    })
    await store.close()
    return contents
  }

  it('has defaults for new fields, and says once which fields it leaves alone', async () => {
    const contents = await stored()
    const second = declare('car', {
      'name/label': rw(t.string, ''),
      seats: rw(t.int, '', { default: 4n }),
      tags: rw(t.set(t.ref('car')), ''),
    })
    const warnings: string[] = []

    const store = await open([second], contents, message => warnings.push(message))
    await store.transact(tx => tx.patch(second, 'b', { tags: ['a'] }))
    await store.close()

    const again = await open([second], contents)
    assert.deepEqual(again.get(second, 'a'), { uuid: 'a', name_label: 'old', seats: 4n, tags: [] })
    assert.deepEqual(again.get(second, 'b'), { uuid: 'b', name_label: 'older', seats: 4n, tags: ['a'] })
    assert.deepEqual(warnings, ['the store holds fields of car that are no longer declared: doors'])
  })

  it('leaves classes alone that are no longer declared', async () => {
    const contents = await stored()
    const warnings: string[] = []

    await (await open([declare('boat', {})], contents, message => warnings.push(message))).close()

    assert.deepEqual(warnings, ['the store holds 2 objects of the class car, which is no longer declared'])
    assert.deepEqual((await open([first], contents)).all(first), ['a', 'b'])
  })

  it('is refused when a value is no longer of its field’s type', async () => {
    const contents = await stored()

    const opening = open([declare('car', { 'name/label': rw(t.string, ''), doors: rw(t.bool, '') })], contents)

    await assert.rejects(opening, (error: Error) => {
      assert.ok(error instanceof StoreUnavailable)
      assert.match(error.message, /store in memory cannot be used: car 'a'\.doors: .*restore it from a backup/)
      return true
    })
    await (await open([first], contents)).close()
  })

  it('has both ends of a pair that was bound since, and no reference to what is not there', async () => {
    const contents = new MemoryLogContents()
    const loose = {
      car: declare('car', { driver: rw(t.ref('person'), ''), owner: rw(t.ref('person'), '') }),
      person: declare('person', { name: rw(t.string, '') }),
    }
    const old = await open([loose.car, loose.person], contents)
    await old.transact(tx => {
      tx.insert(loose.person, { uuid: 'p', name: 'Pat' })
      tx.insert(loose.car, { uuid: 'a', driver: 'p', owner: 'p' })
      tx.insert(loose.car, { uuid: 'b', driver: 'p', owner: '' })
    })
    await old.close()

    const car = declare('car', {
      driver: rw(t.ref('person'), '', { boundTo: 'person.drives' }),
      owner: rw(t.ref('person'), '', { boundTo: 'person.owns' }),
      keys: rw(t.set(t.ref('person')), ''),
    })
    const person = declare('person', {
      drives: rw(t.set(t.ref('car')), '', { boundTo: 'car.driver' }),
      owns: rw(t.ref('car'), '', { boundTo: 'car.owner' }),
    })
    const bound = await open([car, person], contents)
    await bound.transact(tx => tx.patch(person, 'p', { drives: ['b', 'a'] }))
    await bound.close()
    const again = await open([car, person], contents)
    assert.deepEqual(again.get(person, 'p'), { uuid: 'p', drives: ['b', 'a'], owns: 'a' })
    await again.close()

    // Cars alone cannot be opened: who they name would be nobody.
    const lonely = await open([car, person], withoutClass(contents, 'person'))
    assert.deepEqual(lonely.get(car, 'a'), { uuid: 'a', driver: '', owner: '', keys: [] })
  })
})

/** The contents as if the objects of one class had been lost. */
function withoutClass(contents: MemoryLogContents, lost: string): MemoryLogContents {
  const rest = new MemoryLogContents()
  rest.generation = contents.generation
  rest.deltas = contents.deltas.map(({ generation, changes }) => {
    const kept: unknown[] = JSON.parse(changes)
    return { generation, changes: JSON.stringify(kept.filter(change => Array.isArray(change) && change[1] !== lost)) }
  })
  return rest
}
