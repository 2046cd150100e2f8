import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Driver, NetworkConfig } from '../../src/drivers/driver.ts'
import { network, nic } from '../conformance/parts.ts'
import { domainConfig, type HypervHost, passwordFile, startHost } from './setting.ts'

/** A host through either namespace, its cards, and a connection to it. */
async function onHost(
  namespace: 'v1' | 'v2',
  run: (
    driver: Driver & { networks: NonNullable<Driver['networks']> },
    host: HypervHost,
    cards: string[],
  ) => Promise<void>,
  ...options: readonly string[]
): Promise<void> {
  const host = await startHost('--pace', '0', '--build', namespace === 'v1' ? '7601' : '20348', ...options)
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
    const run = async (
      { networks, domains }: Driver & { networks: NonNullable<Driver['networks']> },
      host: HypervHost,
      cards: string[],
    ) => {
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
