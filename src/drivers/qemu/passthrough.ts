import { accessSync, constants, readlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { DriverError } from '../driver.ts'

/** Where Linux tells of its devices and offers them; another place in tests. */
export interface HostDevices {
  readonly sysfs: string
  readonly dev: string
}

export const HOST_DEVICES: HostDevices = { sysfs: '/sys', dev: '/dev' }

/** Source: Linux Documentation/PCI/sysfs-pci.rst: domain, bus, device, function. */
const ADDRESS = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/

/**
 * Looks whether PCI devices of the host can be handed to a guest. Throws as `refused`, naming the first that cannot and
 * what is wrong with it. Source: Linux Documentation/driver-api/vfio.rst.
 */
export function assertPassable(addresses: readonly string[], { sysfs, dev }: HostDevices = HOST_DEVICES): void {
  for (const address of addresses) {
    const refuse = (why: string) => new DriverError('refused', `PCI device ${JSON.stringify(address)} ${why}`)
    if (!ADDRESS.test(address)) throw refuse('is no address such as 0000:03:00.0')
    const folder = join(sysfs, 'bus', 'pci', 'devices', address)
    if (!isThere(folder)) throw refuse('is not in this host')
    const driver = linkedName(join(folder, 'driver'))
    if (driver !== 'vfio-pci') throw refuse(`is bound to ${driver ?? 'no driver'}, and must be to vfio-pci`)
    const group = linkedName(join(folder, 'iommu_group'))
    if (group === undefined) throw refuse('is in no IOMMU group: this host has no IOMMU, or it is turned off')
    const node = join(dev, 'vfio', group)
    if (!isThere(node, constants.R_OK | constants.W_OK)) throw refuse(`cannot be used: no access to ${node}`)
  }
}

function isThere(path: string, mode: number = constants.F_OK): boolean {
  try {
    accessSync(path, mode)
    return true
  } catch {
    // Absent or not ours to use: the sentence that follows says what is needed.
    return false
  }
}

function linkedName(path: string): string | undefined {
  try {
    return basename(readlinkSync(path))
  } catch {
    // No such link: the device has no driver, or no group.
    return undefined
  }
}
