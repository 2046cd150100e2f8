import { join } from 'node:path'
import { DriverError, type NicConfig } from '../driver.ts'
import type { DomainFiles } from './layout.ts'
import type { Cable } from './networks/networks.ts'
import { nicName, placeOf, type Slots } from './slots.ts'

/** What a guest's interface may carry in one packet, in octets. Source: RFC 791; virtio 1.1, 5.1.4.1. */
const MTU_MIN = 68
const MTU_MAX = 65_535

/** Throws as `refused` an interface that no machine could have. */
export function assertNic({ device, mac, mtu }: NicConfig): void {
  const first = /^([0-9a-f]{2})(:[0-9a-f]{2}){5}$/.exec(mac)?.[1]
  if (first === undefined) throw new DriverError('refused', `interface ${device}: ${mac} is no hardware address`)
  if (Number.parseInt(first, 16) % 2 === 1) throw new DriverError('refused', `interface ${device}: ${mac} is a group's`)
  if (!Number.isInteger(mtu) || mtu < MTU_MIN || mtu > MTU_MAX) {
    throw new DriverError('refused', `interface ${device}: the MTU is ${mtu}, and may be ${MTU_MIN} to ${MTU_MAX}`)
  }
}

/** The socket of an interface, by its place on the bus: an id would be too long for the path of a socket. */
const socketName = (slot: number): string => `nic${slot}.sock`

/** Whether a file of this name in a domain's folder is the socket of an interface. */
export const isNicSocket = (name: string): boolean => /^nic\d+\.sock$/.test(name)

/** The name of the end of an interface's cable that is in QEMU. */
export const cableName = (nicId: string): string => `cable-${nicName(nicId)}`

/** The cable of an interface; `slots` has its place. */
export const cableOf = ({ folder }: DomainFiles, { id, network }: NicConfig, slots: Slots): Cable => ({
  nic: id,
  path: join(folder, socketName(slots[nicName(id)] ?? 0)),
  network,
})

/**
 * The properties of the QEMU end of a cable: QEMU listens, so that the switch may be another one any time.
 * Source: QEMU qapi/net.json, NetdevStreamOptions.
 */
export const cableProperties = ({ nic, path }: Cable) => ({
  type: 'stream',
  id: cableName(nic),
  server: true,
  addr: { type: 'unix', path },
})

/** Before all disks; see `disks.ts`. */
const BOOT_FIRST = 0

/** The properties of the device. One that its machine does not boot from is without the ROM for that. */
export function nicProperties({ id, mac, mtu, model }: NicConfig, slots: Slots, { isBooted = false } = {}) {
  const booting = isBooted ? { bootindex: BOOT_FIRST } : { romfile: '' }
  const place = { id: nicName(id), netdev: cableName(id), mac, ...booting, ...placeOf(slots, nicName(id)) }
  if (model === 'emulated') return { driver: 'e1000', ...place }
  return { driver: 'virtio-net-pci', ...place, host_mtu: mtu }
}
