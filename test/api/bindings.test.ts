import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BINDINGS, FIELDS } from '../draft/table.ts'
import { elementOf, wire } from '../draft/operations.ts'
import { accessor } from './samples.ts'
import { make, type Snapshot, snapshot, startWorld } from './world.ts'

const { root } = await startWorld()

/** A pair that clients may write at both ends: the scalar end, and the set that lists it. */
interface Pair {
  readonly owned: string
  readonly scalar: string
  readonly owner: string
  readonly set: string
}

const typeOf = (of: string, path: string) =>
  FIELDS[of]?.find(row => row[1] === path)?.[2] ?? assert.fail(`${of}.${path}`)

/** The pairs of §2.2, each with its scalar end first. */
const PAIRS: readonly Pair[] = BINDINGS.map(([a, b]) => {
  const [first, second] = [a, b].map(name => name.split('.'))
  const isSet = (end: readonly string[] | undefined) => elementOf(typeOf(end?.[0] ?? '', end?.[1] ?? '')) !== undefined
  const [[owned = '', scalar = ''] = [], [owner = '', set = ''] = []] = isSet(first) ? [second, first] : [first, second]
  return { owned, scalar, owner, set }
})

/** What the two ends say of each other, as `owned owner` lines. */
function links(all: Snapshot, { owned, scalar, owner, set }: Pair): { readonly up: string[]; readonly down: string[] } {
  const up = Object.entries(all[owned] ?? {}).flatMap(([ref, fields]) => {
    const target = fields[wire(scalar)] ?? ''
    return target === '' ? [] : [`${ref} ${target}`]
  })
  const down = Object.entries(all[owner] ?? {}).flatMap(([ref, fields]) => {
    const listed = fields[wire(set)] ?? ''
    return listed === '' ? [] : listed.split(', ').map(element => `${element} ${ref}`)
  })
  return { up: up.toSorted(), down: down.toSorted() }
}

const WRITABLE = PAIRS.filter(({ owned, scalar }) =>
  ['VBD.VDI', 'VBD.VM', 'VIF.VM', 'VIF.network'].includes(`${owned}.${scalar}`),
)

// Proves: VDI.VBDs, VBD.VDI, VBD.VM, VM.VBDs, VIF.VM, VM.VIFs, VIF.network, network.VIFs
describe('writing either end of a bound pair updates the other', () => {
  for (const pair of WRITABLE) {
    const { owned, scalar, owner, set } = pair
    const name = `${owned}.${scalar} and ${owner}.${set}`
    const scalarOf = (ref: string) => root.text(accessor('get', owned, scalar), ref)
    const setOf = (ref: string) => root.list(accessor('get', owner, set), ref)

    test(`${name}: the scalar end moves the object from one set to the other, and out of both`, async () => {
      const [one, first, second] = [await make(root, owned), await make(root, owner), await make(root, owner)]

      for (const target of [first, second, second, '']) {
        await root.ok(accessor('set', owned, scalar), one, target)

        assert.equal(await scalarOf(one), target)
        assert.deepEqual(await setOf(first), target === first ? [one] : [])
        assert.deepEqual(await setOf(second), target === second ? [one] : [])
      }
    })

    test(`${name}: adding to one set takes the object out of the other`, async () => {
      const [one, other, first, second] = [
        await make(root, owned),
        await make(root, owned),
        await make(root, owner),
        await make(root, owner),
      ]

      for (const ref of [one, other, one]) await root.ok(accessor('add_to', owner, set), first, ref)
      assert.deepEqual(await setOf(first), [one, other])
      assert.equal(await scalarOf(one), first)

      await root.ok(accessor('add_to', owner, set), second, one)
      assert.deepEqual(await setOf(first), [other])
      assert.deepEqual(await setOf(second), [one])
      assert.equal(await scalarOf(one), second)
    })

    test(`${name}: removing from the set makes the scalar end null, and removing a stranger is harmless`, async () => {
      const [one, first, second] = [await make(root, owned), await make(root, owner), await make(root, owner)]
      await root.ok(accessor('set', owned, scalar), one, first)

      await root.ok(accessor('remove_from', owner, set), second, one)
      assert.equal(await scalarOf(one), first)

      await root.ok(accessor('remove_from', owner, set), first, one)
      assert.equal(await scalarOf(one), '')
      assert.deepEqual(await setOf(first), [])
    })

    test(`${name}: setting the set is adding and removing`, async () => {
      const [one, other, first] = [await make(root, owned), await make(root, owned), await make(root, owner)]
      await root.ok(accessor('set', owned, scalar), one, first)

      await root.ok(accessor('set', owner, set), first, [other])

      assert.equal(await scalarOf(one), '')
      assert.equal(await scalarOf(other), first)
      assert.deepEqual(await setOf(first), [other])
    })

    test(`${name}: both ends may be chosen when the object is made`, async () => {
      const first = await make(root, owner)
      const one = await make(root, owned, { [scalar]: first })
      assert.deepEqual(await setOf(first), [one])

      const second = await root.text(`${owner}.create`, { ...leastOf(owner), [set]: [one] })
      assert.equal(await scalarOf(one), second)
      assert.deepEqual(await setOf(first), [])
    })
  }
})

const leastOf = (of: string): Readonly<Record<string, string>> => (of === 'VDI' ? { virtual_size: '8' } : {})

test('deleting the object that a set lists takes it out of the set', async () => {
  const vm = await make(root, 'VM')
  const [vbd, vif] = [await make(root, 'VBD', { VM: vm }), await make(root, 'VIF', { VM: vm })]

  await root.ok('VBD.delete', vbd)
  await root.ok('VIF.delete', vif)

  assert.deepEqual(await root.list('VM.get_VBDs', vm), [])
  assert.deepEqual(await root.list('VM.get_VIFs', vm), [])
})

test('an object that another cannot do without is not deleted, and the error names the other', async () => {
  const [network, vdi] = [await make(root, 'network'), await make(root, 'VDI')]
  const vif = await make(root, 'VIF', { network })
  const vbd = await make(root, 'VBD', { VDI: vdi })

  assert.deepEqual(await root.fails('network.delete', network), ['OBJECT_IN_USE', 'network', network, `VIF:${vif}`])
  assert.deepEqual(await root.fails('VDI.delete', vdi), ['OBJECT_IN_USE', 'VDI', vdi, `VBD:${vbd}`])
  const sr = await root.text('VDI.get_SR', vdi)
  const [code, of, ref, users] = await root.fails('SR.delete', sr)
  assert.deepEqual([code, of, ref], ['OBJECT_IN_USE', 'SR', sr])
  assert.ok(users?.includes(`VDI:${vdi}`))
})

test('a VM takes its VBDs and VIFs along when it is deleted, and leaves the images and networks', async () => {
  const [vm, network, vdi] = [await make(root, 'VM'), await make(root, 'network'), await make(root, 'VDI')]
  const vif = await make(root, 'VIF', { VM: vm, network })
  const vbd = await make(root, 'VBD', { VM: vm, VDI: vdi })

  await root.ok('VM.delete', vm)

  assert.deepEqual(await root.fails('VIF.get_VM', vif), ['HANDLE_INVALID', 'VIF', vif])
  assert.deepEqual(await root.fails('VBD.get_VM', vbd), ['HANDLE_INVALID', 'VBD', vbd])
  assert.deepEqual(await root.list('network.get_VIFs', network), [])
  assert.deepEqual(await root.list('VDI.get_VBDs', vdi), [])
})

// Proves: SR.VDIs, VDI.SR
test('SR.VDIs and VDI.SR: an image moves by either end, and is always in one repository', async () => {
  const [from, to] = [await make(root, 'SR'), await make(root, 'SR')]
  const vdi = await make(root, 'VDI', { SR: from })
  assert.deepEqual(await root.list('SR.get_VDIs', from), [vdi])

  await root.ok('VDI.set_SR', vdi, to)
  assert.deepEqual(await root.list('SR.get_VDIs', from), [])
  assert.deepEqual(await root.list('SR.get_VDIs', to), [vdi])

  await root.ok('SR.add_to_VDIs', from, vdi)
  assert.equal(await root.text('VDI.get_SR', vdi), from)
  assert.deepEqual(await root.list('SR.get_VDIs', to), [])

  assert.equal((await root.fails('SR.remove_from_VDIs', from, vdi))[0], 'OPERATION_NOT_ALLOWED')
  assert.equal(await root.text('VDI.get_SR', vdi), from)
  await root.ok('SR.remove_from_VDIs', to, vdi)
  assert.equal(await root.text('VDI.get_SR', vdi), from)
})

// Proves: host.resident_VMs, VM.resident_on
test('host.resident_VMs and VM.resident_on follow the VM as it starts and stops', async () => {
  const [vm, [host = '']] = [await make(root, 'VM'), await root.list('host.get_all')]

  await root.ok('VM.start', vm, true)
  assert.equal(await root.text('VM.get_resident_on', vm), host)
  assert.ok((await root.list('host.get_resident_VMs', host)).includes(vm))

  await root.ok('VM.hard_shutdown', vm)
  assert.equal(await root.text('VM.get_resident_on', vm), '')
  assert.ok(!(await root.list('host.get_resident_VMs', host)).includes(vm))
})

// Proves: host.host_CPUs, host_cpu.host
test('after all of that the two ends of every pair of §2.2 say the same', async () => {
  await make(root, 'VDI')
  const all = await snapshot(root)

  for (const pair of PAIRS) {
    const { up, down } = links(all, pair)
    assert.deepEqual(up, down, `${pair.owned}.${pair.scalar}`)
  }
  const cpus = PAIRS.find(({ owned }) => owned === 'host_cpu') ?? assert.fail()
  assert.equal(links(all, cpus).up.length, Object.keys(all['host_cpu'] ?? {}).length)
})
