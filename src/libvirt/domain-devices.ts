import { isDeepStrictEqual } from 'node:util'
import type { DeviceOps, DiskConfig, Domain as DriverDomain, DomainConfig, NicConfig } from '../drivers/driver.ts'
import { DomainWithMetadata } from './domain-metadata.ts'
import { VIR_ERR_DEVICE_MISSING, VIR_ERR_OPERATION_DENIED, VIR_ERR_OPERATION_UNSUPPORTED } from './error-numbers.ts'
import type { Told } from './domain-watch.ts'
import { hubOf } from './event-hub.ts'
import { checkFlags, type FunctionName } from './flag-check.ts'
import {
  VIR_DOMAIN_DEVICE_MODIFY_CONFIG,
  VIR_DOMAIN_DEVICE_MODIFY_FORCE,
  VIR_DOMAIN_DEVICE_MODIFY_LIVE,
} from './flags/index.ts'
import type { Host } from './host.ts'
import { impactOf } from './impact.ts'
import { type DeviceChange, type DeviceConfig, readChange, readDevice } from './xml/device.ts'
import type { HostKind } from './xml/host-kind.ts'
import { imagesFor } from './known-images.ts'
import { plugging } from './starting.ts'
import { type Known, ownAlias } from './xml/own-alias.ts'

const PLUG = { known: VIR_DOMAIN_DEVICE_MODIFY_LIVE | VIR_DOMAIN_DEVICE_MODIFY_CONFIG }
// A tray that a guest has locked is opened in any case.
const UPDATE = { known: PLUG.known | VIR_DOMAIN_DEVICE_MODIFY_FORCE }

/** What is done with a device: to a domain as it runs, or to its definition. */
export interface Deed {
  readonly live: (devices: DeviceOps) => Promise<void>
  readonly config: (config: DomainConfig) => DomainConfig
  /** The interface that is plugged in by it. */
  readonly nic?: NicConfig
  /** What is told of it once it is done to a domain as it runs. */
  readonly told?: Told
}

type Surroundings = Parameters<typeof readDevice>[2]

/**
 * Plugging disks and interfaces. What is plugged into a domain that is active stays in its definition, whether or not
 * `VIR_DOMAIN_DEVICE_MODIFY_CONFIG` says so; with that flag alone it is plugged at the next start.
 */
export class DomainWithDevices extends DomainWithMetadata {
  /** Plugs in the device that is described (virDomainAttachDevice). */
  async attachDevice(xml: string): Promise<void> {
    return this.change('virDomainAttachDevice', () => this.#described('virDomainAttachDevice', xml, 0, attach))
  }

  /** As `attachDevice`, with `VIR_DOMAIN_DEVICE_MODIFY_` flags (virDomainAttachDeviceFlags). */
  async attachDeviceFlags(xml: string, flags = 0): Promise<void> {
    return this.change('virDomainAttachDeviceFlags', async () => {
      checkFlags('virDomainAttachDeviceFlags', flags, PLUG)
      await this.#described('virDomainAttachDeviceFlags', xml, flags, attach)
    })
  }

  /** Pulls the disk of the target, or the interface of the address, that is described (virDomainDetachDevice). */
  async detachDevice(xml: string): Promise<void> {
    return this.change('virDomainDetachDevice', () => this.#described('virDomainDetachDevice', xml, 0, detach))
  }

  /** As `detachDevice`, with `VIR_DOMAIN_DEVICE_MODIFY_` flags (virDomainDetachDeviceFlags). */
  async detachDeviceFlags(xml: string, flags = 0): Promise<void> {
    return this.change('virDomainDetachDeviceFlags', async () => {
      checkFlags('virDomainDetachDeviceFlags', flags, PLUG)
      await this.#described('virDomainDetachDeviceFlags', xml, flags, detach)
    })
  }

  /**
   * Makes the device what is described: of a domain that is active the medium of a drive and the network of an interface,
   * else all of it (virDomainUpdateDeviceFlags).
   */
  async updateDeviceFlags(xml: string, flags = 0): Promise<void> {
    return this.change('virDomainUpdateDeviceFlags', async () => {
      checkFlags('virDomainUpdateDeviceFlags', flags, UPDATE)
      await this.#described('virDomainUpdateDeviceFlags', xml, flags & PLUG.known, update)
    })
  }

  /** Pulls the disk or interface of this alias: `ua-` and its id (virDomainDetachDeviceAlias). */
  async detachDeviceAlias(alias: string, flags = 0): Promise<void> {
    const name = 'virDomainDetachDeviceAlias'
    return this.change(name, async () => {
      checkFlags(name, flags, PLUG)
      await this.alter(name, flags, config => {
        const present = pluggable(config).find(
          ({ device }) => ownAlias(device) === alias || ownAlias({ id: device.id }) === alias,
        )
        if (present !== undefined) return pull(present, this.id)
        throw this.host.error(VIR_ERR_DEVICE_MISSING, `no device found with alias ${alias}`)
      })
    })
  }

  async #described(
    name: FunctionName,
    xml: string,
    flags: number,
    read: (xml: string, config: DomainConfig, surroundings: Surroundings, host: Host, id: string) => Deed,
  ): Promise<void> {
    const [networks, images] = await Promise.all([this.host.networksFor(xml), imagesFor(this.host, xml)])
    const surroundings = { kind: this.host.kind, networks, images }
    const among = read === attach ? together : undefined
    await this.alter(name, flags, config => read(xml, config, surroundings, this.host, this.id), among)
  }

  /**
   * Changes the domain as it runs, or its definition, as the flags say. `among` says which devices count where it changes as
   * it runs; those that it has then unless said.
   */
  protected async alter(
    name: FunctionName,
    flags: number,
    read: (config: DomainConfig) => Deed,
    among = (living: DomainConfig, _defined: DomainConfig): DomainConfig => living,
  ): Promise<void> {
    const found: { readonly domain: DriverDomain; readonly config: DomainConfig }[] = []
    const plugged: NicConfig[] = []
    const deedOf = (config: DomainConfig): Deed => {
      const deed = read(config)
      if (deed.nic !== undefined) plugged.push(deed.nic)
      return deed
    }
    let told: DomainConfig | undefined
    const amend = async () => {
      told = await this.amend((config, domain) => {
        const { isLive } = impactOf(this.host, flags, domain)
        if (!isLive) return deedOf(config).config(config)
        found.push({ domain, config })
        return undefined
      })
    }
    await plugging(this.host, () => plugged, amend)
    for (const { domain, config } of found) {
      const devices = this.host.group(name, 'devices')
      await this.host.remembered.turns.run(this.id, async () => {
        const deed = deedOf(among(await this.living(domain, config, told), config))
        await plugging(
          this.host,
          () => plugged,
          () => deed.live(devices),
        )
        if (deed.told !== undefined) hubOf(this.host.driver).note(this.id, deed.told)
      })
    }
  }
}

/** What a domain has as it runs, and what it is to have from its next start: a new device is to be beside all of it. */
function together(living: DomainConfig, defined: DomainConfig): DomainConfig {
  const [nics, later] = [living.nics ?? [], defined.nics ?? []]
  return {
    ...living,
    disks: [...living.disks, ...defined.disks.filter(({ id }) => !living.disks.some(disk => disk.id === id))],
    nics: [...nics, ...later.filter(({ id }) => !nics.some(nic => nic.id === id))],
  }
}

function attach(xml: string, config: DomainConfig, surroundings: Surroundings, _host: Host, id: string): Deed {
  const device: DeviceConfig = readDevice(xml, config, surroundings)
  if (device.kind === 'disk') {
    const { disk } = device
    return {
      live: devices => devices.attachDisk(id, disk),
      told: { kind: 'device-added', alias: ownAlias(disk) },
      config: before => ({ ...before, disks: [...before.disks, disk] }),
    }
  }
  const { nic } = device
  return {
    live: devices => devices.attachNic(id, nic),
    told: { kind: 'device-added', alias: ownAlias(nic) },
    config: before => ({ ...before, nics: [...(before.nics ?? []), nic] }),
    nic,
  }
}

function detach(xml: string, config: DomainConfig, surroundings: Surroundings, _host: Host, id: string): Deed {
  const { kind, present } = readChange(xml, config, surroundings)
  return pull({ kind, device: present }, id)
}

/** A device that can be pulled. */
interface Pluggable {
  readonly kind: 'disk' | 'interface'
  readonly device: Known
}

const pluggable = ({ disks, nics = [] }: DomainConfig): readonly Pluggable[] => [
  ...disks.map(device => ({ kind: 'disk', device }) as const),
  ...nics.map(device => ({ kind: 'interface', device }) as const),
]

function pull({ kind, device }: Pluggable, id: string): Deed {
  const told = { kind: 'device-removed', alias: ownAlias(device) } as const
  if (kind === 'disk') {
    return {
      live: devices => devices.detachDisk(id, device.id),
      told,
      config: before => ({ ...before, disks: before.disks.filter(disk => disk.id !== device.id) }),
    }
  }
  return {
    live: devices => devices.detachNic(id, device.id),
    told,
    config: before => ({ ...before, nics: (before.nics ?? []).filter(nic => nic.id !== device.id) }),
  }
}

function update(xml: string, config: DomainConfig, surroundings: Surroundings, host: Host, id: string): Deed {
  const change: DeviceChange = readChange(xml, config, surroundings)
  if (change.kind === 'disk') {
    const { present, wanted } = change
    return {
      live: devices => changeMedium(devices, host, id, present, wanted),
      config: before => ({ ...before, disks: before.disks.map(disk => (disk.id === present.id ? wanted : disk)) }),
    }
  }
  const { present, wanted } = change
  return {
    live: devices => connect(devices, host, id, present, wanted),
    config: before => ({ ...before, nics: (before.nics ?? []).map(nic => (nic.id === present.id ? wanted : nic)) }),
    nic: wanted,
  }
}

/** Source of the texts: libvirt, src/qemu/qemu_domain.c, qemuDomainDiskChangeSupported. Limits that are not said stay as they are. */
async function changeMedium(devices: DeviceOps, host: Host, id: string, present: DiskConfig, wanted: DiskConfig) {
  const { location, format, limits = present.limits } = wanted
  if (wanted.alias !== present.alias) throw host.error(VIR_ERR_OPERATION_DENIED, 'changing device alias is not allowed')
  const fixed = Object.entries(FIXED_OF_DISK).find(([, valueOf]) => valueOf(present) !== valueOf(wanted))?.[0]
  const field = fixed ?? (isDeepStrictEqual(limits, present.limits) ? undefined : 'blkdeviotune')
  if (field !== undefined) {
    throw host.error(VIR_ERR_OPERATION_UNSUPPORTED, `cannot modify field '${field}' of the disk`)
  }
  if (location === present.location && format === present.format) return
  if ((present.kind ?? 'disk') === 'disk') {
    const text = `cannot modify the image of ${present.device}, which is no drive for media, while the domain is active`
    throw host.error(VIR_ERR_OPERATION_UNSUPPORTED, text)
  }
  await devices.changeMedium(id, present.id, location === '' ? null : { location, format })
}

/** What stays as it is of a disk while its domain is active, by libvirt's names. */
const FIXED_OF_DISK: Readonly<Record<string, (disk: DiskConfig) => unknown>> = {
  device: ({ kind = 'disk' }) => kind,
  bus: ({ bus }) => bus,
  target: ({ device }) => device,
  readonly: ({ readOnly }) => readOnly,
  shared: ({ shared = false }) => shared,
}

/** Source of the texts, and of what can be another: libvirt, src/qemu/qemu_hotplug.c, qemuDomainChangeNet. */
async function connect(devices: DeviceOps, host: Host, id: string, present: NicConfig, wanted: NicConfig) {
  if (wanted.alias !== present.alias) throw host.error(VIR_ERR_OPERATION_DENIED, 'changing device alias is not allowed')
  const fixed = FIXED_OF_NIC.find(({ field }) => present[field] !== wanted[field])
  if (fixed !== undefined) throw host.error(VIR_ERR_OPERATION_UNSUPPORTED, fixed.refusal(present, wanted, host.kind))
  if (wanted.network !== present.network) await devices.connectNic(id, present.id, wanted.network)
  const isUp = wanted.linkDown !== true
  if (isUp !== (present.linkDown !== true)) await devices.setLink(id, present.id, isUp)
}

/** What stays as it is of an interface while its domain is active, and how that is said. */
const FIXED_OF_NIC: readonly {
  readonly field: keyof NicConfig
  readonly refusal: (present: NicConfig, wanted: NicConfig, kind: HostKind) => string
}[] = [
  {
    field: 'mac',
    refusal: (present, wanted) => `cannot change network interface mac address from ${present.mac} to ${wanted.mac}`,
  },
  {
    field: 'model',
    refusal: (present, wanted, { emulatedNic, paravirtualisedNic }) => {
      const [before, after] = [present, wanted].map(({ model }) =>
        model === 'emulated' ? emulatedNic : paravirtualisedNic,
      )
      return `cannot modify network device model from ${before} to ${after}`
    },
  },
  { field: 'device', refusal: () => 'cannot modify network device tap name' },
  { field: 'mtu', refusal: () => 'cannot modify MTU' },
]
