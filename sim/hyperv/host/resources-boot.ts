import { parsePath } from '../cim/path.ts'
import type { Host } from './host.ts'
import type { Configuration, Settings } from './model.ts'
import { sameId, settingsPath } from './resources-ids.ts'
import type { KindName } from './resources-kinds.ts'
import { elementNameOf, idOf, kindOf, withValues } from './resources-settings.ts'
import { generationOf, textsIn } from './settings.ts'

// What a machine of generation 2 can boot from: made of its devices, and ordered by its settings.

/** Msvm_BootSourceSettingData.BootSourceType. Source: the ValueMap of the MOF. */
const BootSource = { drive: 1, network: 2 } as const

/** Something to boot from. */
export interface BootEntry {
  /** InstanceID of the Msvm_BootSourceSettingData. Source: that of the device and B, as observed. */
  readonly id: string
  readonly type: number
  readonly description: string
  readonly name: string
  readonly device: Settings
}

const BOOTABLE: ReadonlySet<KindName> = new Set(['diskDrive', 'physicalDrive', 'dvdDrive', 'syntheticPort'])

/** What a configuration can boot from, in the order in which the devices came. */
export function bootEntriesOf(host: Pick<Host, 'state' | 'locale'>, configuration: Configuration): BootEntry[] {
  if (generationOf(configuration) === 1 || host.state.build < 9600) return []
  return configuration.resources.flatMap(device => {
    const kind = kindOf(device, host.state.build)
    if (kind === undefined || !BOOTABLE.has(kind)) return []
    const isNetwork = kind === 'syntheticPort'
    return [
      {
        id: `${idOf(device)}\\B`,
        type: isNetwork ? BootSource.network : BootSource.drive,
        description: isNetwork ? 'EFI Network' : 'EFI SCSI Device',
        name: elementNameOf(kind, host.locale),
        device,
      },
    ]
  })
}

/** System settings whose BootSourceOrder has what can be booted from and nothing else; what is new comes last. */
export function withBootSources(host: Host, configuration: Configuration): Settings {
  const { system } = configuration
  if (generationOf(configuration) === 1 || host.state.build < 9600) return system
  const present = bootEntriesOf(host, configuration).map(({ id }) => id)
  const before = textsIn(system, 'BootSourceOrder').flatMap(path => parsePath(path)?.keys.get('InstanceID') ?? [])
  const kept = before.filter(id => present.some(other => sameId(id, other)))
  const added = present.filter(id => !kept.some(other => sameId(id, other)))
  if (added.length === 0 && kept.length === before.length) return system
  const paths = [...kept, ...added].map(id => settingsPath(host.state.name, 'Msvm_BootSourceSettingData', id))
  return withValues(system, { BootSourceOrder: paths })
}
