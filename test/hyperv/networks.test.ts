import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Driver, NetworkConfig } from '../../src/drivers/driver.ts'
import { connect } from '../../src/drivers/hyperv/index.ts'
import { systemOf } from '../../src/drivers/hyperv/v1/classes.ts'
import { ADD_RESOURCES } from '../../src/drivers/hyperv/v1/methods.ts'
import { V1 } from '../../src/drivers/hyperv/v1/names.ts'
import {
  ADAPTER_SUB_TYPES,
  ADAPTER_TYPE,
  CREATE_PORT,
  SWITCH_SERVICE,
  SYNTHETIC,
} from '../../src/drivers/hyperv/v1/network-classes.ts'
import { switchOf } from '../../src/drivers/hyperv/v1/switches.ts'
import { httpTransport, instanceOf, objectPath, parseTargetUri, WsmanClient } from '../../src/protocols/wsman/index.ts'
import { HYPERV_ADMIN } from '../support/sim-hyperv.ts'
import { network, nic } from '../conformance/parts.ts'
import { domainConfig, type HypervHost, passwordFile, startHost } from './setting.ts'

type HasNetworks = Driver & { networks: NonNullable<Driver['networks']> }

/** A host through either namespace, its cards, and a connection to it. */
async function onHost(
  namespace: 'v1' | 'v2',
  run: (driver: HasNetworks, host: HypervHost, cards: string[]) => Promise<void>,
  ...options: readonly string[]
): Promise<void> {
  const build = options.includes('--build') ? [] : ['--build', namespace === 'v1' ? '7601' : '20348']
  const host = await startHost('--pace', '0', ...build, ...options)
  host.uri.searchParams.set('namespace', namespace)
  const driver = await host.connect()
  const { networks } = driver
  assert(networks !== undefined)
  try {
    await run({ ...driver, networks }, host, host.sim.host?.state.externalPorts.map(({ name }) => name) ?? [])
    assert.deepEqual(host.complaints, [])
  } finally {
    await driver.close()
    await host.sim.close()
  }
}

/** The tags of the ports that machines are plugged into, as the host has them. */
function tagsOn({ sim }: HypervHost): unknown[] {
  const resources = sim.host?.state.vms.flatMap(vm => vm.configuration.resources) ?? []
  return resources
    .filter(({ className }) => className === 'Msvm_EthernetSwitchPortVlanSettingData')
    .map(({ values }) => values['AccessVlanId'])
}

for (const namespace of ['v1', 'v2'] as const) {
  test(`a network reaches the outside through a card, then through another, then through none, through ${namespace}`, async () => {
    await onHost(namespace, async ({ networks }, _host, cards) => {
      const [first = '', second = ''] = cards
      const lab = network({ nic: first })
      for (const card of [first, second, '', first]) {
        await networks.define({ ...lab, nic: card })

        assert.deepEqual(await networks.list(), [{ ...lab, nic: card }])
      }
    })
  })

  test(`a card that another network has is refused, and nothing is changed, through ${namespace}`, async () => {
    await onHost(namespace, async ({ networks }, _host, cards) => {
      const [card = ''] = cards
      const [has, wants] = [network({ nic: card }), network()]
      await networks.define(has)
      await networks.define(wants)

      await assert.rejects(networks.define({ ...wants, nic: card, name: 'renamed' }), { kind: 'refused' })
      await assert.rejects(networks.define(network({ nic: card })), { kind: 'refused' })
      const byId = (a: NetworkConfig, b: NetworkConfig) => (a.id < b.id ? -1 : 1)
      assert.deepEqual((await networks.list()).toSorted(byId), [has, wants].toSorted(byId))
    })
  })

  test(`the tag of a network is on the ports that machines are plugged into, and changes with it, through ${namespace}`, async () => {
    await onHost(namespace, async ({ networks, domains }, host) => {
      const lab = network({ vlan: 7 })
      await networks.define(lab)
      const config = { ...domainConfig(), nics: [nic(lab.id)] }
      await domains.define(config)
      assert.deepEqual(tagsOn(host), [7])
      await domains.start(config.id)

      for (const vlan of [8, null, 9]) {
        await networks.define({ ...lab, vlan })
        assert.deepEqual(tagsOn(host), vlan === null ? [] : [vlan])
      }
    })
  })

  test(`a network that cannot be changed to its end stays as it was, through ${namespace}`, async () => {
    const plan = `${passwordFile}-networks`
    const requests = [
      { method: 'ModifySystemSettings', class: 'Msvm_VirtualEthernet*', fault: 'access-denied' },
      // In v1: what holds the note, which comes after what led to the card before.
      { method: 'DeleteSwitchPort', nth: 2, fault: 'access-denied' },
    ]
    writeFileSync(plan, JSON.stringify({ requests }))
    const run = async ({ networks, domains }: HasNetworks, host: HypervHost, cards: string[]) => {
      const [first = '', second = ''] = cards
      const lab = network({ vlan: 7, nic: first })
      await networks.define(lab)
      await domains.define({ ...domainConfig(), nics: [nic(lab.id)] })
      await assert.rejects(networks.define({ ...lab, vlan: 8, nic: second }), { kind: 'refused' })

      assert.deepEqual(await networks.list(), [lab])
      assert.deepEqual(tagsOn(host), [7])
    }
    await onHost(namespace, run, '--faults', plan)
  })

  test(`interfaces that a definition no longer has are gone from the machine, and those of others stay, through ${namespace}`, async () => {
    await onHost(namespace, async ({ networks, domains }, host) => {
      const lab = network()
      await networks.define(lab)
      const config = domainConfig()
      const [one, two] = [nic(lab.id), nic(null, { device: 'eth1', model: 'emulated' })]
      const labels = () =>
        host.sim.host?.state.vms
          .flatMap(vm => vm.configuration.resources)
          .filter(({ className }) => /^Msvm_(Synthetic|Emulated)EthernetPortSettingData$/.test(className))
          .map(({ values }) => values['ElementName'])
          .toSorted()

      for (const nics of [[one, two], [two], [one], []]) {
        await domains.define({ ...config, nics })
        assert.deepEqual(labels(), nics.map(({ device, id }) => `${device} ${id}`).toSorted())
      }
    })
  })
}

/** A host of v1 on which this goes wrong. */
function planned(name: string, requests: readonly unknown[]): readonly string[] {
  const file = `${passwordFile}-${name}`
  writeFileSync(file, JSON.stringify({ requests }))
  return ['--faults', file]
}

test('a network that cannot be made to its end is taken back, its switch, its ports and its card', async () => {
  const requests = [
    { method: 'SetupSwitch', nth: 1, fault: 'access-denied' },
    { method: 'CreateSwitchPort', nth: 3, fault: 'access-denied' },
    { method: 'CreateSwitch', nth: 3, fault: 'lost-after' },
  ]
  const run = async ({ networks }: HasNetworks, { sim }: HypervHost, [card = '']: readonly string[]) => {
    const lab = network({ nic: card })
    for (let round = 0; round < 2; round++) {
      await assert.rejects(networks.define(lab), { kind: 'refused' })
      assert.deepEqual([sim.host?.state.switches, sim.host?.state.boundPorts ?? []], [[], []])
    }
    await networks.define(lab)
    assert.deepEqual(await networks.list(), [lab])
  }
  await onHost('v1', run, ...planned('taken-back', requests))
})

test('a cable that cannot be plugged in leaves no port behind, and a machine that goes takes its ports along', async () => {
  const requests = [{ operation: 'Put', nth: 1, fault: 'access-denied' }]
  const run = async ({ networks, domains }: HasNetworks, { sim }: HypervHost) => {
    const ports = () => sim.host?.state.switches.flatMap(one => one.ports).length
    const lab = network({ vlan: 7 })
    await networks.define(lab)
    const bare = ports()
    const config = { ...domainConfig(), nics: [nic(lab.id)] }
    await assert.rejects(domains.define(config), { kind: 'refused' })
    assert.equal(ports(), bare)

    await domains.define(config)
    assert.equal(ports(), (bare ?? 0) + 1)
    await domains.undefine(config.id)
    assert.equal(ports(), bare)
  }
  await onHost('v1', run, ...planned('no-port', requests))
})

test('a network has one id in both namespaces of a host, and in v2 what of it v2 can tell', async () => {
  const run = async ({ networks }: HasNetworks, { uri }: HypervHost) => {
    const lab = network({ vlan: 7, gateway: '10.9.0.1', netmask: '255.255.255.0' })
    await networks.define(lab)
    const other = new URL(uri)
    other.searchParams.set('namespace', 'v2')
    const driver = await connect({ uri: other, warn: message => assert.fail(message) })
    try {
      assert.deepEqual(await driver.networks?.list(), [{ ...lab, vlan: null, gateway: '', netmask: '' }])
    } finally {
      await driver.close()
    }
  }
  await onHost('v1', run, '--build', '9200')
})

test('a port that somebody else made, under a title that many have, gets the tag of its network too', async () => {
  const run = async ({ networks, domains }: HasNetworks, host: HypervHost) => {
    const lab = network()
    await networks.define(lab)
    const config = domainConfig()
    await domains.define(config)
    await plugByHand(host, lab.id, host.sim.host?.state.vms[0]?.id ?? '')
    await plugByHand(host, lab.id, host.sim.host?.state.vms[0]?.id ?? '')

    await networks.define({ ...lab, vlan: 9 })
    assert.deepEqual(tagsOn(host), [9, 9])
  }
  await onHost('v1', run)
})

/** Gives a machine an adapter at a port of a switch, as Hyper-V's own tools do. */
async function plugByHand({ uri, sim }: HypervHost, switchId: string, machine: string): Promise<void> {
  const target = parseTargetUri(
    `hyperv://${HYPERV_ADMIN.name}@${uri.host}/?transport=http`,
    () => HYPERV_ADMIN.password,
  )
  const client = new WsmanClient(httpTransport(target), { namespace: V1 })
  const service = async (className: string) => (await client.queryReferences(className))[0] ?? assert.fail(className)
  try {
    const lan = { VirtualSwitch: switchOf(switchId.toUpperCase()), Name: '', ScopeOfResidence: '' }
    const input = { ...lan, FriendlyName: 'Dynamic Ethernet Switch Port' }
    const { values } = await client.call(await service(SWITCH_SERVICE), CREATE_PORT, input)
    const Connection = [values.CreatedSwitchPort && objectPath(values.CreatedSwitchPort, sim.host?.state.name ?? '')]
    const adapter = instanceOf(SYNTHETIC, {
      ResourceType: ADAPTER_TYPE,
      ResourceSubType: ADAPTER_SUB_TYPES.paravirtualised,
      VirtualSystemIdentifiers: [`{${crypto.randomUUID()}}`],
      Connection: Connection.filter(path => path !== undefined),
    })
    const machines = await service('Msvm_VirtualSystemManagementService')
    const added = { TargetSystem: systemOf(machine), ResourceSettingData: [adapter] }
    assert.equal((await client.call(machines, ADD_RESOURCES, added)).returnValue, 0)
  } finally {
    await client.close()
  }
}
