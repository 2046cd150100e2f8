import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Value } from '../support/value.ts'
import { make, startWorld } from './world.ts'

const { client, root, server } = await startWorld()

const running = async (values: Readonly<Record<string, Value>> = {}) => {
  const vm = await make(root, 'VM', values)
  await root.ok('VM.start', vm, false)
  return vm
}

const codes = async (calls: readonly (readonly [string, ...Value[]])[]) => {
  const answers = await Promise.all(calls.map(([method, ...params]) => client.call(method, root.ref, ...params)))
  return answers
    .map(answer => (answer.status === 'Success' ? 'Success' : (answer.error[0] ?? '')))
    .toSorted((a, b) => (a < b ? -1 : 1))
}

describe('devices that are taken over from a VM that runs', () => {
  // Proves: VBD.currently_attached, VIF.currently_attached
  test('a VM that is made with the disk and interface of a running one has them pulled out there', async () => {
    const [VM, network] = [await running(), await make(root, 'network')]
    const vbd = await make(root, 'VBD', { VM, VDI: await make(root, 'VDI') })
    const vif = await make(root, 'VIF', { VM, network })

    const other = await make(root, 'VM', { VBDs: [vbd], VIFs: [vif] })

    assert.deepEqual([await root.list('VM.get_VBDs', other), await root.list('VM.get_VIFs', other)], [[vbd], [vif]])
    assert.equal(await root.ok('VBD.get_currently_attached', vbd), false)
    assert.equal(await root.ok('VIF.get_currently_attached', vif), false)
    await root.ok('VM.start', other, false)
    assert.equal(await root.ok('VBD.get_currently_attached', vbd), true)
  })

  test('a VM is not made with a disk that a guest does not let go, nor with one of a suspended VM', async () => {
    const clinging = await running({ name_label: 'vm-that-clings' })
    const suspended = await running()
    const free = await make(root, 'VBD', { VDI: await make(root, 'VDI'), device: 'hdb' })
    const held = await make(root, 'VBD', { VM: clinging, VDI: await make(root, 'VDI') })
    const asleep = await make(root, 'VBD', { VM: suspended, VDI: await make(root, 'VDI') })
    await root.ok('VM.suspend', suspended, false)
    const before = await root.list('VM.list')

    assert.equal((await root.fails('VM.create', { VBDs: [free, held] }))[0], 'DRIVER_FAILED')
    assert.equal((await root.fails('VM.create', { VBDs: [free, asleep] }))[0], 'VM_BAD_POWER_STATE')

    assert.deepEqual(await root.list('VM.list'), before)
    assert.equal(await root.text('VBD.get_VM', held), clinging)
    assert.equal(await root.text('VBD.get_VM', asleep), suspended)
    assert.equal(await root.text('VBD.get_VM', free), '')
  })

  // Proves: VDI.VBDs
  test('an image that is made for the block device of a running VM is plugged in there', async () => {
    const [VM, VDI] = [await running(), await make(root, 'VDI')]
    const vbd = await make(root, 'VBD', { VM, VDI })
    const asleep = await running()
    const kept = await make(root, 'VBD', { VM: asleep, VDI: await make(root, 'VDI') })
    await root.ok('VM.suspend', asleep, false)
    const images = await root.list('VDI.get_all')

    const made = await make(root, 'VDI', { VBDs: [vbd] })
    assert.equal(await root.text('VBD.get_VDI', vbd), made)
    // What the machine has no more, another may write to; what it has now, not.
    await make(root, 'VBD', { VM: await running(), VDI })
    assert.equal((await root.fails('VBD.create', { VM: await running(), VDI: made }))[0], 'VDI_IN_USE')

    assert.equal((await root.fails('VDI.create', { virtual_size: '2048', VBDs: [kept] }))[0], 'VM_BAD_POWER_STATE')
    assert.equal((await root.fails('VDI.create', { parent: made, VBDs: [kept] }))[0], 'VM_BAD_POWER_STATE')
    assert.deepEqual((await root.list('VDI.get_all')).toSorted(), [...images, made].toSorted())
  })

  // Proves: network.VIFs
  test('a network that is made for the interface of a running VM has its cable plugged in', async () => {
    const [VM, here] = [await running(), await make(root, 'network')]
    const vif = await make(root, 'VIF', { VM, network: here })

    const there = await make(root, 'network', { VIFs: [vif] })

    assert.equal(await root.text('VIF.get_network', vif), there)
    await root.ok('network.delete', here) // Which its host refuses while a cable is plugged in.
  })

  test('of two devices of one name that are made or moved at once, a VM gets one', async () => {
    const VM = await make(root, 'VM')
    const create = ['VBD.create', { VM, device: 'xvda' }] as const
    assert.deepEqual(await codes([create, create, create]), ['Success', ...Array(2).fill('VM_DUPLICATE_VBD_DEVICE')])

    const other = await make(root, 'VBD', { device: 'xvda' })
    assert.equal((await root.fails('VM.add_to_VBDs', VM, other))[0], 'VM_DUPLICATE_VBD_DEVICE')
    assert.equal(
      (await root.fails('VM.create', { VBDs: [other, ...(await root.list('VM.get_VBDs', VM))] }))[0],
      'VM_DUPLICATE_VBD_DEVICE',
    )
    assert.equal(await root.text('VBD.get_VM', other), '')
    assert.equal((await root.list('VM.get_VBDs', VM)).length, 1)
  })

  // Proves: VBD.device, VIF.device
  test('a device without a name is given one by the VM that it comes into', async () => {
    const VM = await make(root, 'VM')
    const [vbd, vif] = [await make(root, 'VBD', { VDI: await make(root, 'VDI') }), await make(root, 'VIF')]
    assert.deepEqual([await root.text('VBD.get_device', vbd), await root.text('VIF.get_device', vif)], ['', ''])

    await root.ok('VBD.set_VM', vbd, VM)
    await root.ok('VM.add_to_VIFs', VM, vif)

    assert.deepEqual([await root.text('VBD.get_device', vbd), await root.text('VIF.get_device', vif)], ['hda', 'eth0'])
  })

  test('devices that change places between VMs at once end in one of them, and nobody waits for ever', async () => {
    const [one, other] = [await running(), await running()]
    const vbds = [
      await make(root, 'VBD', { VM: one, VDI: await make(root, 'VDI'), device: 'xvdb' }),
      await make(root, 'VBD', { VM: other, VDI: await make(root, 'VDI'), device: 'xvdc' }),
    ]

    const ends = await codes([
      ['VM.set_VBDs', one, [vbds[1] ?? '']],
      ['VM.set_VBDs', other, [vbds[0] ?? '']],
      ['VBD.set_VM', vbds[0] ?? '', other],
      ['VBD.set_VM', vbds[1] ?? '', one],
      ['VM.add_to_VBDs', one, vbds[0] ?? ''],
    ])
    assert.deepEqual(ends, Array(5).fill('Success'))

    for (const vbd of vbds) {
      const VM = await root.text('VBD.get_VM', vbd)
      assert.equal(await root.ok('VBD.get_currently_attached', vbd), VM !== '')
      if (VM !== '') assert.equal((await root.list('VM.get_VBDs', VM)).includes(vbd), true)
    }
  })

  test('a set of devices that cannot be had whole is as it was', async () => {
    const [VM, clinging] = [await running(), await running({ name_label: 'vm-that-clings' })]
    const mine = await make(root, 'VBD', { VM, VDI: await make(root, 'VDI'), device: 'xvdb' })
    const free = await make(root, 'VBD', { VDI: await make(root, 'VDI'), device: 'xvdc' })
    const held = await make(root, 'VBD', { VM: clinging, VDI: await make(root, 'VDI'), device: 'xvdd' })

    assert.equal((await root.fails('VM.set_VBDs', VM, [free, held]))[0], 'DRIVER_FAILED')

    assert.deepEqual(await root.list('VM.get_VBDs', VM), [mine])
    assert.deepEqual(await root.list('VM.get_VBDs', clinging), [held])
    assert.equal(await root.ok('VBD.get_currently_attached', mine), true)
    assert.equal(await root.ok('VBD.get_currently_attached', free), false)
  })
})

describe('the drive of bios/cdrom', () => {
  // Proves: VM.bios/cdrom
  test('its medium is changed while the VM runs, and chosen for the next start where the machine has no drive', async () => {
    const { data } = server
    const images = ['one', 'other'].map(name => `${data}/boot/${name}.iso`)
    const VM = await running()

    for (const image of [...images, '', ...images]) await root.ok('VM.set_bios_cdrom', VM, image)
    await root.ok('VM.hard_shutdown', VM)
    assert.equal(await root.text('VM.get_bios_cdrom', VM), images[1])

    await root.ok('VM.set_bios_cdrom', VM, '')
  })
})
