import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { until } from '../support/machine.ts'
import { ApiClient } from '../support/client.ts'
import { ADMIN, startServer } from '../support/server.ts'
import { startHost } from './setting.ts'

// A Hyper-V host behind the API that clients speak: everything below goes through the same handlers as on any host.

const MEMORY = String(64 * 1_048_576)

const host = await startHost('--pace', '0.02', '--vms', '2')
const server = await startServer({ hosts: [host.uri.href] })
const client = new ApiClient(server.http)
const root = await client.login(ADMIN.name, ADMIN.password)

after(async () => {
  client.close()
  await server.stop()
  await host.sim.close()
})

const powerState = (vm: string) => root.text('VM.get_power_state', vm)

test('the host and the machines that somebody else made on it are objects', async () => {
  const [ref = ''] = await root.list('host.get_all')
  const names = await Promise.all((await root.list('VM.get_all')).map(vm => root.text('VM.get_name_label', vm)))

  assert.notEqual(await root.text('host.get_name_label', ref), '')
  assert.deepEqual(new Set(names), new Set(['vm-0001', 'vm-0002']))
})

test('a VM lives its life on the host, and is gone from it when it is deleted', async () => {
  const vm = await root.text('VM.create', { name_label: 'web', memory_static_max: MEMORY })
  for (const [message, params, state] of [
    ['start', [true], 'Paused'],
    ['unpause', [], 'Running'],
    ['suspend', [false], 'Suspended'],
    ['resume', [false], 'Running'],
    ['hard_reboot', [], 'Running'],
    ['hard_shutdown', [], 'Halted'],
    ['start', [false], 'Running'],
  ] as const) {
    await root.ok(`VM.${message}`, vm, ...params)
    assert.equal(await powerState(vm), state, message)
  }
  await root.ok('VM.clean_shutdown', vm)
  await until('the guest has shut down', async () => ((await powerState(vm)) === 'Halted' ? true : undefined))
  await root.ok('VM.delete', vm)

  assert.deepEqual(host.sim.host?.state.vms.length, 2)
})

test('a VM with an interface is plugged into a switch of the host', async () => {
  const network = await root.text('network.create', { name_label: 'lab' })
  const vm = await root.text('VM.create', { name_label: 'plugged', memory_static_max: MEMORY })
  await root.ok('VIF.create', { VM: vm, network, device: 'eth0', type: 'paravirtualised' })
  await root.ok('VM.start', vm, false)

  const machine = host.sim.host?.state.vms.find(one => one.configuration.system.values['ElementName'] === 'plugged')
  const classes = machine?.configuration.resources.map(({ className }) => className) ?? []
  assert(classes.includes('Msvm_SyntheticEthernetPortSettingData'))
  assert(classes.includes('Msvm_EthernetPortAllocationSettingData'))
  assert.equal(host.sim.host?.state.switches.length, 1)
})

test('what Hyper-V cannot do is refused by name, and leaves the VM halted', async () => {
  const vm = await root.text('VM.create', {
    name_label: 'loud',
    memory_static_max: MEMORY,
    platform_enable_audio: true,
  })
  const error = await root.fails('VM.start', vm, false)

  assert.match(error.join(' '), /Hyper-V has no sound card/)
  assert.equal(await powerState(vm), 'Halted')
})
