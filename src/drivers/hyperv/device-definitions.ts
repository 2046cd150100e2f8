import { isDeepStrictEqual } from 'node:util'
import type { DiskConfig, DomainConfig, NicConfig } from '../driver.ts'
import { adapterOf } from './adapters.ts'
import type { Hardware } from './back-end.ts'
import { describeAdapter, describeDrive, limitsOf, macOf } from './described-devices.ts'
import type { Drive } from './drive-back-end.ts'
import { driveOf, isEmptyFloppy } from './drives.ts'
import { formatOf, type Images } from './images.ts'
import { withLink } from '../link.ts'
import type { Networks } from './networks.ts'
import type { Places } from './places.ts'
import { isSamePath } from './windows-path.ts'

/** Where the devices of a machine are told from. */
export interface DeviceSources {
  readonly images: Images
  readonly networks: Networks
}

/**
 * The disks that a machine has: those of its definition as far as they are there, with what somebody else has changed,
 * and behind them those that somebody else has added.
 */
export async function disksOf(
  { images }: DeviceSources,
  { storage }: Hardware,
  kept: readonly DiskConfig[],
  places: Places,
): Promise<DiskConfig[]> {
  const found = kept.flatMap(disk => {
    const drive = driveOf(disk, storage, places)
    return drive === undefined ? [] : [{ disk, drive }]
  })
  const own = new Set(found.map(({ drive }) => drive))
  const others = storage.drives.filter(drive => !own.has(drive) && !isEmptyFloppy(drive))
  const [ours, theirs] = await Promise.all([
    Promise.all(found.map(({ disk, drive }) => withMedium(images, disk, drive))),
    Promise.all(others.map(async drive => describeDrive(drive, storage, await volumeIn(images, drive)))),
  ])
  return [...ours, ...theirs]
}

async function volumeIn(images: Images, { kind, medium }: Drive): Promise<string> {
  const path = medium?.path ?? ''
  return kind === 'disk' ? images.volumeOf(path) : path
}

/** What lies in the drive counts, but for how its path is spelled and for what snapshots have put before it; and so do its limits. */
async function withMedium(images: Images, kept: DiskConfig, drive: Drive): Promise<DiskConfig> {
  const { limits: _kept, ...free } = kept
  const limits = limitsOf(drive.medium)
  const disk = isDeepStrictEqual(limits, kept.limits) ? kept : { ...free, ...(limits !== undefined && { limits }) }
  if (isSamePath(drive.medium?.path ?? '', disk.location)) return disk
  const location = await volumeIn(images, drive)
  if (isSamePath(location, disk.location)) return disk
  return { ...disk, location, format: drive.kind === 'disk' ? formatOf(location) : 'raw' }
}

/** As `disksOf`, of interfaces; undefined where there are none and none were kept. */
export async function nicsOf(
  { networks }: DeviceSources,
  { adapters }: Hardware,
  kept: DomainConfig['nics'],
): Promise<DomainConfig['nics']> {
  const ids = await networks.idsOf(adapters.flatMap(({ cable }) => cable?.switchGuid ?? []))
  const networkOf = (guid: string | undefined) => (guid === undefined ? null : (ids.get(guid) ?? null))
  const found = (kept ?? []).flatMap(nic => {
    const adapter = adapterOf(nic, adapters)
    return adapter === undefined ? [] : [{ nic, adapter }]
  })
  const own = new Set(found.map(({ adapter }) => adapter))
  const ours: NicConfig[] = []
  for (const { nic: described, adapter } of found) {
    const network = networkOf(adapter.cable?.switchGuid)
    // Without a carrier the cable is out, and the definition alone says where it leads; somebody may have plugged it in.
    const isDown = described.linkDown === true && network === null
    const nic = described.linkDown === undefined || isDown ? described : withLink(described, true)
    const isLost = isDown || (network === null && nic.network !== null && !(await networks.has(nic.network)))
    const mac = macOf(adapter.mac)
    // A cable into a network that is no more leads nowhere; the definition says where it should.
    const changed = { ...(mac !== nic.mac.toLowerCase() && { mac }), model: adapter.kind }
    ours.push({ ...nic, ...changed, network: isLost ? nic.network : network })
  }
  const names = new Set(ours.map(({ device }) => device))
  const free = Array.from({ length: names.size + adapters.length }, (_, number) => number).filter(
    number => !names.has(`eth${number}`),
  )
  const theirs = adapters
    .filter(adapter => !own.has(adapter))
    .map((adapter, index) => describeAdapter(adapter, free[index] ?? index, networkOf(adapter.cable?.switchGuid)))
  return ours.length + theirs.length === 0 && kept === undefined ? undefined : [...ours, ...theirs]
}
