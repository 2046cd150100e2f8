import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, test } from 'node:test'
import { POWER_STATES } from '../draft/table.ts'
import type { Session } from '../support/client.ts'
import type { Value } from '../support/value.ts'
import { changesNothing, make, startWorld } from './world.ts'

const { root } = await startWorld({ isCutOff: true }) // One guest never obeys its shutdown.
const powerState = (vm: string) => root.text('VM.get_power_state', vm)

/** How to bring a halted VM into a state that the memory host has. */
const WAYS: Readonly<Record<string, (session: Session, vm: string) => Promise<void>>> = {
  Halted: async () => {},
  Running: async (session, vm) => void (await session.ok('VM.start', vm, false)),
  Paused: async (session, vm) => void (await session.ok('VM.start', vm, true)),
}

async function vmIn(state: string): Promise<string> {
  const vm = await make(root, 'VM')
  await WAYS[state]?.(root, vm)
  assert.equal(await powerState(vm), state)
  return vm
}

/** The arguments of a message after the VM. */
const REST: Readonly<Record<string, readonly Value[]>> = {
  clone: ['copy'],
  start: [false],
  suspend: [false],
  resume: [false],
}

describe('a message that the power state does not allow is VM_BAD_POWER_STATE with expected and actual, and changes nothing', () => {
  for (const state of Object.keys(WAYS)) {
    test(`in ${state}`, async () => {
      const vm = await vmIn(state)
      const refused = Object.entries(POWER_STATES).filter(([, allowed]) => !allowed.includes(state))
      assert.ok(refused.length > 0)

      await changesNothing(root, async () => {
        for (const [message, allowed] of refused) {
          const error = await root.fails(`VM.${message}`, vm, ...(REST[message] ?? []))
          assert.deepEqual(error, ['VM_BAD_POWER_STATE', vm, allowed.join(', '), state], message)
        }
        assert.deepEqual(
          await root.fails('VM.install', vm, 'copy'),
          state === 'Halted'
            ? ['OPERATION_NOT_ALLOWED', `VM ${vm} is not a template; VM.clone copies a VM`]
            : ['VM_BAD_POWER_STATE', vm, 'Halted', state],
        )
        if (state !== 'Halted')
          assert.deepEqual(await root.fails('VM.delete', vm), ['VM_BAD_POWER_STATE', vm, 'Halted', state])
      })
    })
  }
})

/** The moves of Figure 1.1 that the memory host makes: from, message, to. */
const MOVES: readonly (readonly [from: string, message: string, params: readonly Value[], to: string])[] = [
  ['Halted', 'start', [false], 'Running'],
  ['Halted', 'start', [true], 'Paused'],
  ['Running', 'pause', [], 'Paused'],
  ['Paused', 'unpause', [], 'Running'],
  ['Running', 'clean_shutdown', [], 'Halted'],
  ['Running', 'clean_reboot', [], 'Running'],
  ['Running', 'hard_shutdown', [], 'Halted'],
  ['Paused', 'hard_shutdown', [], 'Halted'],
  ['Running', 'hard_reboot', [], 'Running'],
  ['Paused', 'hard_reboot', [], 'Running'],
]

// Proves: VM.power_state, VM.start, VM.pause, VM.unpause
describe('a VM moves between its states as Figure 1.1 draws them', () => {
  for (const [from, message, params, to] of MOVES) {
    test(`${from}: ${message}(${JSON.stringify(params).slice(1, -1)}) leads to ${to}`, async () => {
      const vm = await vmIn(from)

      assert.equal(await root.ok(`VM.${message}`, vm, ...params), '')

      assert.equal(await powerState(vm), to)
      const isResident = to === 'Running' || to === 'Paused'
      assert.equal((await root.text('VM.get_resident_on', vm)) !== '', isResident)
    })
  }
})

test('a template never starts, is cloned to an ordinary VM, and is deleted', async () => {
  const template = await make(root, 'VM', { is_a_template: true, name_label: 'template' })
  assert.deepEqual(await root.fails('VM.start', template, false), ['VM_IS_TEMPLATE', template])

  for (const message of ['clone', 'install']) {
    const vm = await root.text(`VM.${message}`, template, `from ${message}`)

    assert.notEqual(vm, template)
    assert.equal(await root.text('VM.get_name_label', vm), `from ${message}`)
    assert.equal(await root.ok('VM.get_is_a_template', vm), false)
    await root.ok('VM.start', vm, false)
    assert.equal(await powerState(vm), 'Running')
  }
  await root.ok('VM.delete', template)
})

test('a clone has every field of the original but its name, and interfaces and disks of its own', async () => {
  const vm = await make(root, 'VM', {
    name_description: 'the original',
    memory_static_max: '134217728',
    kernel_args: 'quiet',
  })
  const [network, vdi] = [await make(root, 'network'), await make(root, 'VDI', { sharable: true })]
  await make(root, 'VIF', { VM: vm, network, device: 'eth0' })
  await make(root, 'VBD', { VM: vm, VDI: vdi, mode: 'RO' })

  const copy = await root.text('VM.clone', vm, 'the copy')

  for (const field of ['name_description', 'memory_static_max', 'kernel_args', 'boot_method', 'affinity']) {
    assert.deepEqual(await root.ok(`VM.get_${field}`, copy), await root.ok(`VM.get_${field}`, vm), field)
  }
  const [[vif = '', ...moreVifs], [vbd = '', ...moreVbds]] = [
    await root.list('VM.get_VIFs', copy),
    await root.list('VM.get_VBDs', copy),
  ]
  assert.deepEqual([moreVifs, moreVbds], [[], []])
  assert.equal(await root.text('VIF.get_network', vif), network)
  assert.equal(await root.text('VBD.get_VDI', vbd), vdi)
  const [original = ''] = await root.list('VM.get_VIFs', vm)
  assert.notEqual(await root.text('VIF.get_MAC', vif), await root.text('VIF.get_MAC', original))
})

test('while a guest takes its time to shut down the VM is ShuttingDown, and nothing else is allowed on it', async () => {
  const vm = await make(root, 'VM', { name_label: 'vm-that-ignores-shutdown' })
  await root.ok('VM.start', vm, false)
  await root.ok('Async.VM.clean_shutdown', vm)

  for (let look = 0; look < 1_000 && (await powerState(vm)) !== 'ShuttingDown'; look++) await sleep(10)

  for (const [message, allowed] of Object.entries(POWER_STATES)) {
    const error = await root.fails(`VM.${message}`, vm, ...(REST[message] ?? []))
    assert.deepEqual(error, ['VM_BAD_POWER_STATE', vm, allowed.join(', '), 'ShuttingDown'], message)
  }
})

test('a guest that crashes leaves its VM Halted', async () => {
  const vm = await make(root, 'VM', { name_label: 'vm-that-crashes' })
  await root.ok('VM.start', vm, false)

  for (let look = 0; look < 2_000 && (await powerState(vm)) !== 'Halted'; look++) await sleep(10)

  assert.equal(await powerState(vm), 'Halted')
  assert.equal(await root.text('VM.get_resident_on', vm), '')
})

test('a start that the host refuses is DRIVER_FAILED with the host’s reason, and the VM stays Halted', async () => {
  const vm = await make(root, 'VM', { name_label: 'vm-that-fails-to-start' })

  const [code, driver, operation, reason] = await root.fails('VM.start', vm, false)

  assert.deepEqual([code, driver, operation], ['DRIVER_FAILED', 'memory', 'VM.start'])
  assert.match(reason ?? '', /refuses to start/)
  assert.equal(await powerState(vm), 'Halted')
})

test('what cannot boot is refused before the host is asked', async () => {
  const noKernel = await make(root, 'VM', { boot_method: 'kernel_external' })
  assert.deepEqual(await root.fails('VM.start', noKernel, false), ['INVALID_VALUE', 'kernel_kernel', ''])

  const grub = await make(root, 'VM', { boot_method: 'grub' })
  assert.deepEqual((await root.fails('VM.start', grub, false)).slice(0, 3), [
    'VALUE_NOT_SUPPORTED',
    'boot_method',
    'grub',
  ])
})

test('an image that a running VM writes is not given to a second VM, nor moved or deleted, but grows', async () => {
  const [vdi, one, other] = [await make(root, 'VDI'), await make(root, 'VM'), await make(root, 'VM')]
  const vbd = await make(root, 'VBD', { VM: one, VDI: vdi })
  await make(root, 'VBD', { VM: other, VDI: vdi })
  await root.ok('VM.start', one, false)

  assert.deepEqual(await root.fails('VM.start', other, false), ['VDI_IN_USE', vdi, 'VM.start'])
  await root.ok('VDI.set_virtual_size', vdi, '65536')
  assert.equal(await root.text('VDI.get_virtual_size', vdi), '65536')
  await root.ok('VM.suspend', one, false)
  assert.deepEqual(await root.fails('VDI.set_virtual_size', vdi, '65537'), ['VDI_IN_USE', vdi, 'VDI.set_virtual_size'])
  await root.ok('VM.resume', one, false)
  assert.deepEqual(await root.fails('VDI.set_SR', vdi, await make(root, 'SR')), ['VDI_IN_USE', vdi, 'VDI.set_SR'])
  assert.equal((await root.fails('VDI.delete', vdi))[0], 'OBJECT_IN_USE')

  await root.ok('VM.hard_shutdown', one)
  await root.ok('VBD.delete', vbd)
  await root.ok('VM.start', other, false)
})

// Proves: VDI.virtual_size, VDI.sector_size, SR.virtual_allocation
test('an image is counted in sectors, grows and does not shrink', async () => {
  const sr = await make(root, 'SR')
  const vdi = await root.text('VDI.create', { SR: sr, virtual_size: '8', sector_size: '4096' })
  assert.equal(await root.text('SR.get_virtual_allocation', sr), String(8 * 4096))

  await root.ok('VDI.set_virtual_size', vdi, '16')
  assert.equal(await root.text('VDI.get_virtual_size', vdi), '16')
  assert.equal(await root.text('SR.get_virtual_allocation', sr), String(16 * 4096))

  assert.deepEqual(await root.fails('VDI.set_virtual_size', vdi, '15'), ['VDI_TOO_SMALL', vdi, String(16 * 4096)])
})

// Proves: host.disable, host.enable, host.enabled, host.shutdown, host.reboot
test('a disabled host starts no VM and leaves those that run alone; it is not shut down without the operator’s leave', async () => {
  const [[host = ''], running, halted] = [await root.list('host.list'), await vmIn('Running'), await vmIn('Halted')]
  assert.deepEqual(await root.fails('host.shutdown', host), ['HOST_NOT_DISABLED'])

  await root.ok('host.disable', host)
  assert.equal(await root.ok('host.get_enabled', host), false)
  assert.deepEqual(await root.fails('VM.start', halted, false), ['HOST_DISABLED', host])
  assert.equal(await powerState(running), 'Running')
  for (const message of ['shutdown', 'reboot']) {
    assert.deepEqual(await root.fails(`host.${message}`, host), ['HOST_HAS_RESIDENT_VMS', host])
  }

  await root.ok('host.enable', host)
  await root.ok('VM.start', halted, false)
})

// Proves: VM.read_serial
test('the serial port is read on from where the last answer ended', async () => {
  const vm = await vmIn('Running')
  const read = async (position: string) => {
    const { data, next } = Object.assign({ data: '', next: '' }, await root.ok('VM.read_serial', vm, position))
    return { data, next }
  }
  const first = await read('0')
  assert.match(first.data, /^BOOT-OK\r\n/)
  assert.equal(first.next, String(first.data.length))

  assert.deepEqual((await read('99999999')).data, '')
  assert.deepEqual(await root.fails('VM.read_serial', vm, '-1'), ['INVALID_VALUE', 'position', '-1'])
})

// Proves: VM.affinity
test('a VM is moved to another host while it is halted', async () => {
  const other = await root.text('host.add', 'memory:///annex?vms=2')
  assert.equal(await root.text('host.add', 'memory:///annex?vms=2'), other)
  const vm = await make(root, 'VM')

  await root.ok('VM.set_affinity', vm, other)
  await root.ok('VM.start', vm, false)

  assert.equal(await root.text('VM.get_resident_on', vm), other)
  assert.deepEqual(await root.fails('VM.set_affinity', vm, ''), ['VM_BAD_POWER_STATE', vm, 'Halted', 'Running'])
  assert.deepEqual(await root.fails('host.remove', other), ['HOST_HAS_RESIDENT_VMS', other])
})

// Proves: host.add, host.remove, host.uri
test('a host that is connected brings its VMs, CPUs and a repository, and one that is removed takes them along', async () => {
  const before = await root.list('VM.get_all')
  const host = await root.text('host.add', 'memory:///shed?vms=2')
  const brought = (await root.list('VM.get_all')).filter(vm => !before.includes(vm))
  assert.equal(brought.length, 2)
  const cpus = await root.list('host.get_host_CPUs', host)
  assert.equal(cpus.length, 16)

  assert.equal((await root.fails('host.remove', host))[0], 'OBJECT_IN_USE')
  for (const vm of brought) await root.ok('VM.delete', vm)
  await root.ok('host.remove', host)

  assert.deepEqual(await root.fails('host.get_uri', host), ['HANDLE_INVALID', 'host', host])
  const left = await root.list('host_cpu.get_all')
  assert.ok(!cpus.some(cpu => left.includes(cpu)))
})
