import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DriverError, type NetworkConfig } from '../../src/drivers/driver.ts'
import { bridgeOf, type HostView, planBridge } from '../../src/drivers/qemu/networks/bridge-plan.ts'
import type { HostDevice } from '../../src/drivers/qemu/networks/host-devices.ts'

const network = (changes: Partial<NetworkConfig>): NetworkConfig => ({
  id: '3c1f8317-cb95-43ea-b5d2-e33d834a7432',
  name: 'lab',
  nic: 'eth0',
  vlan: null,
  gateway: '',
  netmask: '',
  ...changes,
})

const plain = { mtu: 1400, filtersVlans: false, defaultVlan: '0' } as const
const DEVICES: readonly HostDevice[] = [
  { ...plain, name: 'eth0', kind: 'ethernet' },
  { ...plain, name: 'eth1', kind: 'ethernet' },
  { ...plain, name: 'eth2', kind: 'ethernet', master: 'bond0' },
  { ...plain, name: 'wlan0', kind: 'other' },
  { ...plain, name: 'br0', kind: 'bridge' },
  { ...plain, name: 'br1', kind: 'bridge', filtersVlans: true, defaultVlan: '1' },
]

const host = (missing: readonly string[] = [], hasVlans = true): HostView => ({
  find: wanted => DEVICES.find(({ name }) => name === wanted),
  powers: () => ({ missing, hasVlans }),
  addresses: async name => (name === 'eth1' ? ['192.0.2.1'] : []),
})

const lines = (calls: readonly (readonly string[])[]): string[] => calls.map(call => call.join(' '))

describe('the plan of a bridge', () => {
  it('puts a device into a bridge of the network’s own', async () => {
    const { tap, before, after, made } = await planBridge(network({}), host())
    const bridge = bridgeOf(network({}).id)

    assert(bridge.length <= 15 && tap.length <= 15 && bridge !== tap)
    assert.deepEqual(lines(before), [
      `ip link add name ${bridge} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
      `ip link set dev ${bridge} addrgenmode none`,
      'ip link set dev eth0 up',
      'ip link set dev eth0 mtu 1400',
      `ip link set dev eth0 master ${bridge} up`,
      `ip link set dev ${bridge} mtu 1400 up`,
    ])
    assert.deepEqual(lines(after), [`ip link set dev ${tap} mtu 1400`, `ip link set dev ${tap} master ${bridge} up`])
    assert.equal(made[0], bridge)
  })

  // Proves: network.VLAN
  it('puts the VLAN of a device into it, and leaves the device alone', async () => {
    const { before, made } = await planBridge(network({ nic: 'eth1', vlan: 4094 }), host())
    const [, vlan = ''] = made

    assert(vlan.length <= 15)
    assert.equal(lines(before)[0], `ip link add link eth1 name ${vlan} type vlan id 4094`)
    assert(lines(before).includes(`ip link set dev ${vlan} master ${made[0]} up`))
    assert(!lines(before).some(line => line.startsWith('ip link set dev eth1 master')))
  })

  it('puts a tap into a bridge that is there, in its VLAN where there is one', async () => {
    const untagged = await planBridge(network({ nic: 'br0' }), host())
    const tagged = await planBridge(network({ nic: 'br1', vlan: 7 }), host())

    assert.deepEqual([untagged.before, untagged.made], [[], []])
    assert.deepEqual(lines(untagged.after).at(-1), `ip link set dev ${untagged.tap} master br0 up`)
    assert.deepEqual(lines(tagged.after).slice(-2), [
      `bridge vlan del dev ${tagged.tap} vid 1`,
      `bridge vlan add dev ${tagged.tap} vid 7 pvid untagged`,
    ])
  })

  const refusals = [
    ['a device that is not there', { nic: 'eth9' }, host(), /no device eth9/],
    ['what is no ethernet', { nic: 'wlan0' }, host(), /neither a bridge nor/],
    ['a device through which the host is reached', { nic: 'eth1' }, host(), /192\.0\.2\.1/],
    ['a device that is part of another', { nic: 'eth2' }, host(), /part of bond0/],
    ['a VLAN in a bridge that tells none apart', { nic: 'br0', vlan: 7 }, host(), /vlan_filtering/],
    ['a VLAN where the kernel has none', { vlan: 7 }, host([], false), /8021q/],
    ['any device where the server may not', {}, host(['the capability CAP_NET_ADMIN']), /CAP_NET_ADMIN/],
  ] as const
  for (const [what, changes, view, words] of refusals) {
    it(`refuses ${what}, and says so`, async () => {
      await assert.rejects(
        planBridge(network(changes), view),
        error => error instanceof DriverError && error.kind === 'refused' && words.test(error.message),
      )
    })
  }
})
