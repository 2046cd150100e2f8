import type { DiskConfig, DomainConfig, NetworkConfig, NicConfig, Volume } from '../../src/drivers/driver.ts'
import type { Guest } from './setting.ts'
import type { Stage } from './stage.ts'

/** What volumes of tests have; some hosts make none below 3 MiB. */
export const VOLUME_BYTES = 4_194_304
/** Of a disk of 1.44 MB. */
const FLOPPY_BYTES = 1_474_560

/** A new volume in the repository of the setting, in the first of its formats where none is said. */
export async function volume(stage: Stage, name: string, format = stage.format): Promise<Volume> {
  await stage.storage.openRepository(stage.repository)
  return stage.storage.createVolume(stage.repository, { name, format, virtualBytes: VOLUME_BYTES })
}

/** A medium for drives of this kind in the repository of the setting. */
export async function medium(stage: Stage, kind: 'cdrom' | 'floppy', name = 'medium'): Promise<Volume> {
  await stage.storage.openRepository(stage.repository)
  if (stage.setup.medium === undefined) {
    return stage.storage.createVolume(stage.repository, { name, format: 'raw', virtualBytes: FLOPPY_BYTES })
  }
  return stage.storage.getVolume(await stage.setup.medium(kind, name))
}

/** A disk with this volume that may be written; guests do not boot from it. */
export function disk({ location, format }: Pick<Volume, 'location' | 'format'>, change: Partial<DiskConfig> = {}) {
  const plain = { readOnly: false, device: 'hdd', bus: 'paravirtualised' } as const
  return { id: crypto.randomUUID(), location, format, ...plain, ...change } satisfies DiskConfig
}

/** A drive without a medium. */
export function drive(kind: 'cdrom' | 'floppy'): DiskConfig {
  const device = kind === 'cdrom' ? 'hdc' : 'fda'
  return disk({ location: '', format: 'raw' }, { kind, readOnly: kind === 'cdrom', device, bus: 'emulated' })
}

/** An interface whose cable is plugged nowhere, or into a network. */
export function nic(network: string | null = null, change: Partial<NicConfig> = {}): NicConfig {
  const mac = `02:${crypto.randomUUID().slice(0, 10).replaceAll('-', '').match(/../g)?.slice(0, 4).join(':')}:01`
  const plain = { mtu: 1500, model: 'paravirtualised', device: 'eth0' } as const
  return { id: crypto.randomUUID(), mac, ...plain, network, ...change }
}

/** A network that needs no device of the host. */
export function network(change: Partial<NetworkConfig> = {}): NetworkConfig {
  const plain = { name: 'lab', nic: '', vlan: null, gateway: '', netmask: '' }
  return { id: crypto.randomUUID(), ...plain, ...change }
}

/** A definition with more disks and interfaces. */
export function withDevices(
  stage: Stage,
  { disks = [], nics = [] }: { readonly disks?: readonly DiskConfig[]; readonly nics?: readonly NicConfig[] },
  guest: Guest = 'obedient',
): DomainConfig {
  const config = stage.config(guest)
  const withDisks = { ...config, disks: [...config.disks, ...disks] }
  return nics.length === 0 ? withDisks : { ...withDisks, nics: [...(config.nics ?? []), ...nics] }
}

/** Defines and starts a domain. */
export async function run(stage: Stage, config: DomainConfig): Promise<string> {
  await stage.driver.domains.define(config)
  await stage.driver.domains.start(config.id)
  return config.id
}

/** The stored definition. */
export function configOf(stage: Stage, id: string): Promise<DomainConfig> {
  return stage.driver.domains.config(id)
}

/** As `run`, and waits until the guest has booted, where the driver can tell, so that it can react. */
export async function booted(stage: Stage, config: DomainConfig): Promise<string> {
  await run(stage, config)
  if (stage.driver.consoles !== undefined) await stage.untilBooted(config.id)
  return config.id
}
