import type { DiskConfig, DomainConfig, NicConfig } from '../../drivers/driver.ts'
import { VIR_ERR_DEVICE_MISSING, VIR_ERR_OPERATION_FAILED, VIR_FROM_DOMAIN } from '../error-numbers.ts'
import { type DiskSurroundings, readDisk } from './disk.ts'
import { assertGroups } from './io-tune.ts'
import type { HostKind } from './host-kind.ts'
import { type KnownNetwork, readInterface, readMac } from './interface.ts'
import { assertAliases, type Known } from './own-alias.ts'
import { readAnyDocument, type Reading } from './reading.ts'

/** A device that can be plugged into a domain. */
export type DeviceConfig =
  | { readonly kind: 'disk'; readonly disk: DiskConfig }
  | { readonly kind: 'interface'; readonly nic: NicConfig }

/** A device of a domain, and what a description makes of it. */
export type DeviceChange =
  | { readonly kind: 'disk'; readonly present: DiskConfig; readonly wanted: DiskConfig }
  | { readonly kind: 'interface'; readonly present: NicConfig; readonly wanted: NicConfig }

/** What is known where a device is described. */
export interface DeviceSurroundings {
  readonly kind: HostKind
  readonly networks: readonly KnownNetwork[]
  /** As where a disk is read. */
  readonly images?: DiskSurroundings['images']
}

/**
 * Reads the description of a device that a domain is to get: a `<disk>` or an `<interface>`, with an id as `readDomain`
 * would give it. Throws LibvirtError as `readDomain` does; as VIR_ERR_OPERATION_FAILED for a disk whose name is taken.
 */
export function readDevice(text: string, domain: DomainConfig, surroundings: DeviceSurroundings): DeviceConfig {
  const device = readAnyDocument(text, VIR_FROM_DOMAIN)
  const config = readNew(device, domain, surroundings)
  device.finish()
  return config
}

function readNew(device: Reading, domain: DomainConfig, { kind, networks, images }: DeviceSurroundings): DeviceConfig {
  const { id: domainId, disks, nics: before = [] } = domain
  if (device.name === 'interface') {
    const nic = readInterface(device, { domainId, kind, networks, before })
    assertAliases(device, [...disks, ...before, nic])
    return { kind: 'interface', nic }
  }
  if (device.name !== 'disk') return device.refuse('', undefined, 'only disks and interfaces are plugged')
  const disk = readDisk(device, { domainId, kind, ...(images && { images }) })
  if (disks.some(each => each.device === disk.device)) {
    device.fail(VIR_ERR_OPERATION_FAILED, `target ${disk.device} already exists`)
  }
  assertAliases(device, [...disks, ...before, disk])
  assertGroups(device, [...disks, disk])
  return { kind: 'disk', disk }
}

/**
 * Reads the description of a device that a domain has: a disk by the name of its target, an interface by its address, or
 * the only one. `wanted` has the id of the one that is present; what the description of an interface does not say is as it
 * was. Throws LibvirtError as `readDomain` does; as VIR_ERR_DEVICE_MISSING where the domain has no such device, as
 * VIR_ERR_OPERATION_FAILED where it has several.
 */
export function readChange(text: string, domain: DomainConfig, surroundings: DeviceSurroundings): DeviceChange {
  const device = readAnyDocument(text, VIR_FROM_DOMAIN)
  const change = readPresent(device, domain, surroundings)
  device.finish()
  return change
}

function readPresent(device: Reading, domain: DomainConfig, surroundings: DeviceSurroundings): DeviceChange {
  if (device.name === 'disk') return diskChange(device, domain, surroundings)
  if (device.name === 'interface') return interfaceChange(device, domain, surroundings)
  return device.refuse('', undefined, 'only disks and interfaces are plugged')
}

function diskChange(device: Reading, { id, disks }: DomainConfig, { kind, images }: DeviceSurroundings): DeviceChange {
  const disk = readDisk(device, { domainId: id, kind, isNameEnough: true, ...(images && { images }) })
  const present = disks.find(each => each.device === disk.device)
  if (present === undefined) return device.fail(VIR_ERR_DEVICE_MISSING, `no target device ${disk.device}`)
  return { kind: 'disk', present, wanted: kept(present, disk) }
}

function interfaceChange(device: Reading, domain: DomainConfig, surroundings: DeviceSurroundings): DeviceChange {
  const { id: domainId, nics = [] } = domain
  const mac = readMac(device)
  const [present, second] = nics.filter(nic => mac === undefined || nic.mac === mac)
  const what = mac === undefined ? 'device' : `device matching MAC address ${mac}`
  if (present === undefined) return device.fail(VIR_ERR_DEVICE_MISSING, `no ${what} found`)
  if (second !== undefined) return device.fail(VIR_ERR_OPERATION_FAILED, `more than one ${what} found`)
  const before = nics.filter(nic => nic !== present)
  const wanted = readInterface(device, { domainId, ...surroundings, before, present }, present.mac)
  return { kind: 'interface', present, wanted: kept(present, wanted) }
}

/** The device known as the one that is present; what its user calls it stays where the description does not say. */
function kept<D extends Known>({ id, alias }: D, wanted: D): D {
  return { ...wanted, id, ...(wanted.alias === undefined && alias !== undefined && { alias }) }
}
