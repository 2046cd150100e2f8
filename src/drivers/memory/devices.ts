import { faultOfLimits, withLimits } from '../disk-limits.ts'
import {
  type DeviceOps,
  type DiskConfig,
  type DiskLimits,
  type DomainConfig,
  DriverError,
  type NicConfig,
} from '../driver.ts'
import { withLink } from '../link.ts'
import { assertMemoryPeriod } from '../memory-period.ts'
import type { Connection } from './connection.ts'
import { assertDisk, assertMemoryTarget, assertNetwork } from './demands.ts'
import { behaviourOf } from './fixtures.ts'
import type { MemoryDomain, MemoryHost } from './host.ts'
import { activeOf } from './life.ts'
import type { Machine } from './machine.ts'

/** How long the host waits for a guest that does not let go. */
const PATIENCE_MS = 500

type DeviceOperation = keyof DeviceOps
type Change = (config: DomainConfig) => DomainConfig

/** Devices of domains of a memory host that are not halted. */
export function deviceOps(host: MemoryHost, connection: Connection): DeviceOps {
  /** Changes the living machine and the stored definition, once `assertFit` has nothing against it. */
  function alter(operation: DeviceOperation, id: string, assertFit: Check, change: Change): Promise<void> {
    const name = host.domains.get(id)?.config.name ?? ''
    const isUnplug = operation === 'detachDisk' || operation === 'detachNic'
    const takesMs = isUnplug && !behaviourOf(name).isYielding ? PATIENCE_MS : 0
    const effect = () => {
      const domain = host.domain(id)
      const machine = activeOf(domain, 'change the devices of', ['running', 'paused'])
      assertFit(machine, domain)
      host.writeBack(machine)
      machine.change(change(machine.config))
      domain.config = change(domain.config)
      host.emit(id, 'changed')
    }
    return connection.call(`devices.${operation}`, effect, { takesMs })
  }

  return {
    attachDisk: (id, disk) =>
      alter('attachDisk', id, newDisk(host, disk), config => ({ ...config, disks: put(config.disks, disk) })),
    detachDisk: (id, disk) =>
      alter('detachDisk', id, yieldedDisk(disk), config => ({ ...config, disks: without(config.disks, disk) })),
    changeMedium: (id, drive, medium) =>
      alter('changeMedium', id, fitMedium(host, drive, medium), config => ({
        ...config,
        disks: patch(config.disks, drive, medium ?? { location: '' }),
      })),
    attachNic: (id, nic) =>
      alter('attachNic', id, newNic(host, nic), config => ({ ...config, nics: put(config.nics ?? [], nic) })),
    detachNic: (id, nic) =>
      alter('detachNic', id, yieldedNic(nic), config => ({ ...config, nics: without(config.nics ?? [], nic) })),
    connectNic: (id, nic, network) =>
      alter('connectNic', id, fitCable(host, nic, network), config => ({
        ...config,
        nics: patch(config.nics ?? [], nic, { network }),
      })),
    setLink: (id, nic, isUp) =>
      alter('setLink', id, presentNic(nic), config => ({
        ...config,
        nics: (config.nics ?? []).map(each => (each.id === nic ? withLink(each, isUp) : each)),
      })),
    limitDisk: (id, disk, limits) =>
      alter('limitDisk', id, fitLimits(disk, limits), config => ({
        ...config,
        disks: withLimits(config.disks, disk, limits),
      })),
    setMemoryStatsPeriod: (id, seconds) =>
      alter('setMemoryStatsPeriod', id, () => assertMemoryPeriod(seconds), withMemoryStats(seconds)),
    setMemoryTarget: (id, bytes) =>
      alter(
        'setMemoryTarget',
        id,
        machine => assertMemoryTarget(machine.config, bytes),
        config => ({ ...config, memoryTargetBytes: bytes }),
      ),
  }
}

const withMemoryStats =
  (seconds: number | null): Change =>
  ({ platform = {}, ...config }) => {
    const { memoryStatsSeconds: _, ...rest } = platform
    return { ...config, platform: { ...rest, ...(seconds !== null && { memoryStatsSeconds: seconds }) } }
  }

type Check = (machine: Machine, domain: MemoryDomain) => void

function newDisk(host: MemoryHost, disk: DiskConfig): Check {
  return ({ config }, domain) => {
    assertNew(config.disks, disk.id)
    assertDisk(host, domain, disk)
  }
}

function newNic(host: MemoryHost, nic: NicConfig): Check {
  return ({ config }) => {
    assertNew(config.nics ?? [], nic.id)
    assertNetwork(host, nic.network)
  }
}

function yieldedDisk(id: string): Check {
  return (machine, domain) => {
    find(machine.config.disks, id)
    assertYielding(machine, domain)
  }
}

function yieldedNic(id: string): Check {
  return (machine, domain) => {
    find(machine.config.nics ?? [], id)
    assertYielding(machine, domain)
  }
}

function fitMedium(host: MemoryHost, id: string, medium: Parameters<DeviceOps['changeMedium']>[2]): Check {
  return ({ config }, domain) => {
    const drive = find(config.disks, id)
    if ((drive.kind ?? 'disk') === 'disk') throw new DriverError('refused', `${drive.device} is no drive for media`)
    if (medium !== null) assertDisk(host, domain, { ...drive, ...medium })
  }
}

function presentNic(id: string): Check {
  return ({ config }) => void find(config.nics ?? [], id)
}

function fitLimits(id: string, limits: DiskLimits | null): Check {
  return ({ config }) => {
    find(config.disks, id)
    const fault = limits === null ? undefined : faultOfLimits(limits)
    if (fault !== undefined) throw new DriverError('refused', fault)
  }
}

function fitCable(host: MemoryHost, id: string, network: string | null): Check {
  return ({ config }) => {
    find(config.nics ?? [], id)
    assertNetwork(host, network)
  }
}

/** A guest that stands still lets go of nothing. */
function assertYielding({ guest }: Machine, { now }: MemoryDomain): void {
  if (guest.isYielding && now.state === 'running') return
  throw new DriverError('refused', `the guest of ${now.name} does not let go of the device`)
}

function assertNew(devices: readonly { readonly id: string }[], id: string): void {
  if (devices.some(device => device.id === id))
    throw new DriverError('refused', `the domain has a device ${id} already`)
}

function find<D extends { readonly id: string }>(devices: readonly D[], id: string): D {
  const found = devices.find(device => device.id === id)
  if (found === undefined) throw new DriverError('not-found', `the domain has no device ${id}`)
  return found
}

/** With this device, in the place of one of its id. */
function put<D extends { readonly id: string }>(devices: readonly D[], device: D): D[] {
  return [...without(devices, device.id), structuredClone(device)]
}

function without<D extends { readonly id: string }>(devices: readonly D[], id: string): D[] {
  return devices.filter(device => device.id !== id)
}

function patch<D extends { readonly id: string }>(devices: readonly D[], id: string, change: Partial<D>): D[] {
  return devices.map(device => (device.id === id ? { ...device, ...change } : device))
}
