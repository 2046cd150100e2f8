import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { make, startWorld } from './world.ts'

const { root } = await startWorld()

const running = async (values: Readonly<Record<string, string | boolean>> = {}) => {
  const vm = await make(root, 'VM', values)
  await root.ok('VM.start', vm, false)
  return vm
}

describe('devices of a VM that runs', () => {
  // Proves: VBD.VM, VBD.VDI, VM.VBDs
  // Proves: VBD.currently_attached
  test('a block device is plugged in when it is made and pulled out when it is deleted', async () => {
    const [VM, VDI] = [await running(), await make(root, 'VDI')]

    const vbd = await make(root, 'VBD', { VM, VDI, driver: 'paravirtualised' })
    assert.equal(await root.ok('VBD.get_currently_attached', vbd), true)
    assert.deepEqual(await root.list('VM.get_VBDs', VM), [vbd])

    await root.ok('VBD.delete', vbd)
    assert.deepEqual(await root.list('VM.get_VBDs', VM), [])
    assert.deepEqual(await root.list('VDI.get_VBDs', VDI), [])
    await root.ok('VDI.delete', VDI)
  })

  // Proves: VBD.driver
  test('a disk is paravirtualised where it comes to a VM that runs, for emulated hardware takes none then', async () => {
    const [VM, VDI] = [await running(), await make(root, 'VDI')]

    const vbd = await make(root, 'VBD', { VM, VDI, driver: 'ioemu' })

    assert.equal(await root.text('VBD.get_driver', vbd), 'paravirtualised')
    assert.equal(await root.text('VBD.get_device', vbd), 'xvda')
    const other = await make(root, 'VBD', { VM: await make(root, 'VM'), VDI })
    assert.equal(await root.text('VBD.get_driver', other), 'ioemu')
  })

  test('a block device moves from one VM to another', async () => {
    const [one, other] = [await running(), await running()]
    const vbd = await make(root, 'VBD', { VM: one, VDI: await make(root, 'VDI') })

    await root.ok('VBD.set_VM', vbd, other)

    assert.deepEqual([await root.list('VM.get_VBDs', one), await root.list('VM.get_VBDs', other)], [[], [vbd]])
    await root.ok('VM.set_VBDs', other, [])
    assert.equal(await root.ok('VBD.get_currently_attached', vbd), false)
    await root.ok('VM.add_to_VBDs', one, vbd)
    assert.equal(await root.ok('VBD.get_currently_attached', vbd), true)
  })

  test('a guest that does not let go keeps its device, and the record says so', async () => {
    const VM = await running({ name_label: 'vm-that-clings' })
    const vbd = await make(root, 'VBD', { VM, VDI: await make(root, 'VDI') })

    assert.equal((await root.fails('VBD.delete', vbd))[0], 'DRIVER_FAILED')

    assert.equal(await root.ok('VBD.get_currently_attached', vbd), true)
    await root.ok('VM.hard_shutdown', VM)
    assert.equal(await root.ok('VBD.get_currently_attached', vbd), false)
    await root.ok('VBD.delete', vbd)
  })

  // Proves: VDI.sharable
  test('the lock on an image holds for devices that are plugged in, unless it is sharable', async () => {
    const [one, other, VDI] = [await running(), await running(), await make(root, 'VDI')]
    const vbd = await make(root, 'VBD', { VM: one, VDI })

    assert.deepEqual(await root.fails('VBD.create', { VM: other, VDI }), ['VDI_IN_USE', VDI, 'VBD.plug'])
    assert.equal((await root.list('VDI.get_VBDs', VDI)).length, 1)

    assert.deepEqual(await root.fails('VDI.set_sharable', VDI, true), ['VDI_IN_USE', VDI, 'VDI.set_sharable'])
    await root.ok('VBD.delete', vbd)
    await root.ok('VDI.set_sharable', VDI, true)
    for (const VM of [one, other]) await make(root, 'VBD', { VM, VDI })
    assert.deepEqual(await root.fails('VDI.set_sharable', VDI, false), ['VDI_IN_USE', VDI, 'VDI.set_sharable'])
  })

  // Proves: VDI.read_only
  test('an image that somebody writes cannot become read-only, and one that is cannot be mounted for writing', async () => {
    const [VM, VDI] = [await running(), await make(root, 'VDI')]
    const vbd = await make(root, 'VBD', { VM, VDI })
    assert.deepEqual(await root.fails('VDI.set_read_only', VDI, true), ['VDI_IN_USE', VDI, 'VDI.set_read_only'])

    await root.ok('VBD.delete', vbd)
    await root.ok('VDI.set_read_only', VDI, true)

    assert.deepEqual(await root.fails('VBD.create', { VM, VDI, mode: 'RW' }), ['INVALID_VALUE', 'mode', 'RW'])
    await make(root, 'VBD', { VM, VDI, mode: 'RO', driver: 'paravirtualised' })
  })

  // Proves: VBD.insert, VBD.eject, VBD.type
  test('a medium is put into a CD drive and taken out, and a disk has none', async () => {
    const [VM, VDI] = [await make(root, 'VM'), await make(root, 'VDI', { read_only: true })]
    const drive = await make(root, 'VBD', { VM, type: 'CD', mode: 'RO' })
    assert.equal(await root.text('VBD.get_device', drive), 'hdc')
    await root.ok('VM.start', VM, false)

    await root.ok('VBD.insert', drive, VDI)
    assert.equal(await root.text('VBD.get_VDI', drive), VDI)
    await root.ok('VBD.eject', drive)
    assert.equal(await root.text('VBD.get_VDI', drive), '')
    assert.equal(await root.ok('VBD.get_currently_attached', drive), true)

    const disk = await make(root, 'VBD', { VM, VDI: await make(root, 'VDI') })
    assert.equal((await root.fails('VBD.eject', disk))[0], 'OPERATION_NOT_ALLOWED')
  })

  // Proves: VIF.VM, VIF.network, VM.VIFs, network.VIFs, VIF.device
  // Proves: VIF.currently_attached
  test('an interface is plugged in, its cable moves, and it is pulled out', async () => {
    const [VM, here, there] = [await running(), await make(root, 'network'), await make(root, 'network')]

    const vif = await make(root, 'VIF', { VM, network: here })
    assert.equal(await root.ok('VIF.get_currently_attached', vif), true)
    assert.equal(await root.text('VIF.get_device', vif), 'eth0')

    await root.ok('VIF.set_network', vif, there)
    assert.deepEqual(
      [await root.list('network.get_VIFs', here), await root.list('network.get_VIFs', there)],
      [[], [vif]],
    )
    await root.ok('network.set_VIFs', there, [])
    assert.equal(await root.text('VIF.get_network', vif), '')

    await root.ok('VIF.delete', vif)
    assert.deepEqual(await root.list('VM.get_VIFs', VM), [])
    await root.ok('network.delete', there)
  })

  test('nothing is plugged into a VM that is Suspended', async () => {
    const [VM, VDI] = [await running(), await make(root, 'VDI')]
    await root.ok('VM.suspend', VM, false)

    assert.deepEqual(await root.fails('VBD.create', { VM, VDI }), [
      'VM_BAD_POWER_STATE',
      VM,
      'Halted, Running, Paused',
      'Suspended',
    ])
  })
})

describe('networks', () => {
  // Proves: network.VLAN, network.default_gateway, network.default_netmask
  for (const [field, value] of [
    ['VLAN', '4095'],
    ['VLAN', 'ten'],
    ['default_gateway', '300.0.0.1'],
    ['default_netmask', 'wide'],
  ] as const) {
    test(`a ${field} of ${value} is refused when a VM is to use it, and at once where one does`, async () => {
      const network = await make(root, 'network', { [field]: value })
      const vm = await make(root, 'VM')
      await make(root, 'VIF', { VM: vm, network })
      assert.deepEqual(await root.fails('VM.start', vm, false), ['INVALID_VALUE', field, value])

      await root.ok(`network.set_${field}`, network, '')
      await root.ok('VM.start', vm, false)

      assert.deepEqual(await root.fails(`network.set_${field}`, network, value), ['INVALID_VALUE', field, value])
      assert.equal(await root.text(`network.get_${field}`, network), '')
    })
  }
})
