import { createHash } from 'node:crypto'
import { DriverError, type NetworkConfig } from '../../driver.ts'
import type { HostDevice, HostPowers, Tool } from './host-devices.ts'

/** A call of `ip` or `bridge`. */
export type ToolCall = readonly [Tool, ...string[]]

/** How a network reaches a device of the host: by a tap, which is the end of our cable, in a bridge. */
export interface BridgePlan {
  readonly tap: string
  /** What is done before the tap is there, in this order. */
  readonly before: readonly ToolCall[]
  /** What is done with the tap. */
  readonly after: readonly ToolCall[]
  /** The devices that are made, in the order in which they are taken away. The tap goes with its QEMU. */
  readonly made: readonly string[]
}

/** All devices of ours begin so: `pvb` bridges, `pvt` taps, `pvv` VLANs. Source: IFNAMSIZ, names have 15 bytes. */
const DIGITS = 12
const nameOf = (kind: 'pvb' | 'pvt' | 'pvv', id: string): string =>
  `${kind}${createHash('sha256').update(id).digest('hex').slice(0, DIGITS)}`

/** The bridge that a network has of its own. */
export const bridgeOf = (networkId: string): string => nameOf('pvb', networkId)

/** The devices that a network may have left, in the order in which they are taken away. */
export const leftoversOf = (networkId: string): string[] => [bridgeOf(networkId), nameOf('pvv', networkId)]

/** The host as a plan must know it. */
export interface HostView {
  readonly find: (name: string) => HostDevice | undefined
  readonly powers: () => HostPowers
  /** The addresses that the host itself has on a device. */
  readonly addresses: (name: string) => Promise<readonly string[]>
}

/**
 * What is to be done so that a network reaches the device it names. An existing bridge gets a tap; an ethernet device,
 * or its VLAN, is put into a bridge of the network's own. Rejects as `refused`, naming what is missing.
 */
export async function planBridge(network: NetworkConfig, host: HostView): Promise<BridgePlan> {
  const device = host.find(network.nic)
  if (device === undefined) throw refused(network, `the host has no device ${network.nic}`)
  const { missing, hasVlans } = host.powers()
  if (missing.length > 0) throw refused(network, `the server lacks ${missing.join(', ')}`)
  const tap = nameOf('pvt', network.id)
  if (device.kind === 'bridge') return planTap(network, device, tap)
  if (device.kind === 'other') throw refused(network, `${device.name} is neither a bridge nor an ethernet device`)
  if (network.vlan !== null && !hasVlans) {
    throw refused(network, 'the kernel of the host has no VLANs (module 8021q)')
  }
  const ownBridge = bridgeOf(network.id)
  if (network.vlan === null && device.master !== undefined && device.master !== ownBridge) {
    throw refused(network, `${device.name} is part of ${device.master} already; name that, if it is a bridge`)
  }
  const [address] = network.vlan === null ? await host.addresses(device.name) : []
  if (address !== undefined) {
    throw refused(network, `the host itself is reached through ${device.name} (${address}); make it part of a bridge`)
  }
  return planOwnBridge(network, device, tap)
}

const refused = ({ name }: NetworkConfig, why: string) => new DriverError('refused', `network ${name}: ${why}`)

function planTap(network: NetworkConfig, bridge: HostDevice, tap: string): BridgePlan {
  const tag = network.vlan
  if (tag !== null && !bridge.filtersVlans) {
    throw refused(network, `the bridge ${bridge.name} does not tell VLANs apart (vlan_filtering is off)`)
  }
  const { defaultVlan } = bridge
  const leaving: ToolCall[] = defaultVlan === '0' ? [] : [['bridge', 'vlan', 'del', 'dev', tap, 'vid', defaultVlan]]
  const tagging: ToolCall[] =
    tag === null ? [] : [...leaving, ['bridge', 'vlan', 'add', 'dev', tap, 'vid', String(tag), 'pvid', 'untagged']]
  return { tap, before: [], after: [...enter(tap, bridge.name, bridge.mtu), ...tagging], made: [] }
}

function planOwnBridge({ id, vlan }: NetworkConfig, device: HostDevice, tap: string): BridgePlan {
  const bridge = bridgeOf(id)
  const member = vlan === null ? device.name : nameOf('pvv', id)
  const tagging: ToolCall[] =
    vlan === null
      ? []
      : [['ip', 'link', 'add', 'link', device.name, 'name', member, 'type', 'vlan', 'id', String(vlan)]]
  return {
    tap,
    before: [
      ...tagging,
      // Without waiting for what a spanning tree might say, and passing on every multicast.
      [
        'ip',
        'link',
        'add',
        'name',
        bridge,
        'type',
        'bridge',
        'stp_state',
        '0',
        'forward_delay',
        '0',
        'mcast_snooping',
        '0',
      ],
      // The host itself is no part of the network: no addresses for its bridge.
      ['ip', 'link', 'set', 'dev', bridge, 'addrgenmode', 'none'],
      ['ip', 'link', 'set', 'dev', device.name, 'up'],
      ...enter(member, bridge, device.mtu),
      ['ip', 'link', 'set', 'dev', bridge, 'mtu', String(device.mtu), 'up'],
    ],
    after: enter(tap, bridge, device.mtu),
    made: leftoversOf(id),
  }
}

/** Puts a device into a bridge. */
const enter = (device: string, bridge: string, mtu: number): ToolCall[] => [
  ['ip', 'link', 'set', 'dev', device, 'mtu', String(mtu)],
  ['ip', 'link', 'set', 'dev', device, 'master', bridge, 'up'],
]
