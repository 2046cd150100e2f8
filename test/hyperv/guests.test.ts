import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { makeSettings } from '../../sim/hyperv/host/resources-settings.ts'
import type { Vm } from '../../sim/hyperv/host/model.ts'
import { network, nic } from '../conformance/parts.ts'
import { domainConfig, type HypervHost, startHost } from './setting.ts'

/** A guest is up after some timers of no time at all, one after another: each has had a turn by then, however busy it is. */
const TURNS = 20

/** Writes what a guest has made of its first adapter where the host shows it. */
function configure(vm: Vm, values: Readonly<Record<string, readonly string[]>>): void {
  const { configuration } = vm
  const CLASS = 'Msvm_GuestNetworkAdapterConfiguration'
  const port = configuration.resources.find(one => one.className === 'Msvm_SyntheticEthernetPortSettingData')
  const id = port?.values['InstanceID']
  assert(typeof id === 'string')
  const told = { DHCPEnabled: false, ProtocolIFType: 4098, InstanceID: `${id}\\G`, ...values }
  configuration.resources = [
    ...configuration.resources.filter(({ className }) => className !== CLASS),
    makeSettings(CLASS, told),
  ]
}

/** A machine that runs with an interface on a network, on a host with guests of this kind. */
async function running(guest: 'windows' | 'linux' | 'none') {
  const host: HypervHost = await startHost('--pace', '0', '--guest', guest)
  const driver = await host.connect()
  const lab = network()
  await driver.networks?.define(lab)
  const [port, spare] = [nic(lab.id), nic(lab.id, { device: 'eth1', model: 'emulated' })]
  const config = { ...domainConfig(), nics: [port, spare] }
  await driver.domains.define(config)
  await driver.domains.start(config.id)
  for (let turn = 0; turn < TURNS; turn++) await pause(1)
  const [vm] = host.sim.host?.state.vms ?? []
  assert(vm !== undefined && driver.guest !== undefined)
  const close = async () => {
    await driver.close()
    await host.sim.close()
    assert.deepEqual(host.complaints, [])
  }
  return { driver, guest: driver.guest, id: config.id, port, vm, close }
}

test('addresses of both families are told with their prefixes, and what is no address is not', async () => {
  const { guest, id, port, vm, close } = await running('linux')
  try {
    configure(vm, {
      IPAddresses: ['192.0.2.5', 'FE80::1', '192.0.2.6', '192.0.2.7', 'nonsense', 'fe80::2%4', '192.0.2.8'],
      Subnets: ['255.255.255.0', '/64', '/25', '255.0.255.0', '255.0.0.0', '64'],
    })

    assert.deepEqual(await guest.addresses(id, 'agent'), [
      {
        name: 'eth0',
        mac: port.mac,
        addresses: [
          { family: 'ipv4', address: '192.0.2.5', prefix: 24 },
          { family: 'ipv6', address: 'fe80::1', prefix: 64 },
          { family: 'ipv4', address: '192.0.2.6', prefix: 25 },
          { family: 'ipv4', address: '192.0.2.7', prefix: 0 },
          { family: 'ipv4', address: '192.0.2.8', prefix: 0 },
        ],
      },
    ])
    assert.deepEqual(guest.addressSources, ['agent'])
    await assert.rejects(guest.addresses(id, 'arp'), { kind: 'refused' })
  } finally {
    await close()
  }
})

test('systems are told in the words of each', async () => {
  for (const [kind, id, release] of [
    ['windows', 'mswindows', '20348'],
    ['linux', undefined, '6.1.0'],
  ] as const) {
    const world = await running(kind)
    try {
      const os = await world.guest.os(world.id)
      assert.deepEqual([os.id, os.kernelRelease, os.machine], [id, release, 'x86_64'])
      assert.match(os.prettyName ?? '', kind === 'windows' ? /^Windows Server/ : /^Debian/)
    } finally {
      await world.close()
    }
  }
})

test('a guest in which nobody answers tells nothing, whatever it was once told to be', async () => {
  const { guest, id, vm, close } = await running('none')
  try {
    configure(vm, { IPAddresses: ['192.0.2.5'], Subnets: ['255.255.255.0'] })
    const silent = { kind: 'refused', guest: 'silent', message: /integration services of the guest do not answer/ }

    await assert.rejects(guest.addresses(id, 'agent'), silent)
    await assert.rejects(guest.hostName(id), silent)
    await assert.rejects(guest.os(id), silent)
  } finally {
    await close()
  }
})
