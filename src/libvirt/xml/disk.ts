import type { DiskConfig } from '../../drivers/driver.ts'
import type { XmlOutput } from '../../wire/xml/write.ts'
import { VIR_ERR_INTERNAL_ERROR, VIR_ERR_NO_SOURCE, VIR_ERR_NO_TARGET, VIR_ERR_XML_ERROR } from '../error-numbers.ts'
import { DISK_DRIVER, OF_DISK, OF_DISK_SOURCE } from './accepted.ts'
import type { HostKind } from './host-kind.ts'
import { derivedUuid } from './identity.ts'
import { readIoTune, writeIoTune } from './io-tune.ts'
import { lookup } from './lookup.ts'
import { readOwnAlias, writeOwnAlias } from './own-alias.ts'
import { formatName, formatNamed } from './image-format.ts'
import { windowsPath } from './path.ts'
import { placeOf, readPlace } from './place.ts'
import type { Reading } from './reading.ts'
import { element } from './writing.ts'

/** What is known where a disk is read. */
export interface DiskSurroundings {
  readonly domainId: string
  readonly kind: HostKind
  /** Whether a description without a source is enough: to pull a disk, its name is. */
  readonly isNameEnough?: boolean
  /** Images by the paths under which descriptions may speak of them, where these are not their own. */
  readonly images?: ReadonlyMap<string, Pick<DiskConfig, 'location' | 'format'>>
}

type Kind = NonNullable<DiskConfig['kind']>

/**
 * The kind of bus that each of libvirt's is: a host takes the one of the kind that it has, and says so in what it writes.
 * Those that are not here have no counterpart.
 */
const BUSES: Readonly<Record<string, DiskConfig['bus']>> = {
  ide: 'emulated',
  sata: 'emulated',
  fdc: 'emulated',
  scsi: 'paravirtualised',
  virtio: 'paravirtualised',
  xen: 'paravirtualised',
}
/** The bus of a drive that names none. Source: libvirt, virDomainDiskDefPostParse. */
const BUS_OF_PREFIX: Readonly<Record<string, string>> = { hd: 'ide', sd: 'scsi', fd: 'fdc', vd: 'virtio', xvd: 'xen' }
/** libvirt's own pattern. Source: libvirt, src/conf/schemas/domaincommon.rng, diskTargetDev. */
const DEVICE = /^(fd|hd|sd|vd|xvd)[a-zA-Z0-9_]{1,60}$/

/** Reads a `<disk>`. Its id is always that of its name within its domain, unless it was written here with another. */
export function readDisk(disk: Reading, surroundings: DiskSurroundings): DiskConfig {
  const { domainId, kind, isNameEnough = false, images } = surroundings
  const type = disk.attribute('type') ?? 'file'
  if (type !== 'file' && type !== 'block') disk.refuse('/@type', type)
  const what = readKind(disk)
  disk.word('snapshot', ['internal', 'external', 'no'])
  const { device, bus } = readTarget(disk, what)
  const location = readLocation(disk, type, kind)
  if (location === '' && what === 'disk' && !isNameEnough) disk.fail(VIR_ERR_NO_SOURCE, device)
  readPlace(disk, device, bus, kind)
  const { id = derivedUuid(domainId, `disk ${device}`), alias } = readOwnAlias(disk)
  const limits = readIoTune(disk)
  disk.acceptHarmless(OF_DISK)
  const isReadOnly = disk.child('readonly') !== undefined
  const isShared = disk.child('shareable') !== undefined
  return {
    id,
    ...(what !== 'disk' && { kind: what }),
    location,
    format: readFormat(disk, location, kind),
    ...images?.get(location),
    readOnly: isReadOnly || what === 'cdrom',
    device,
    bus: lookup(BUSES, bus) ?? disk.refuse('/target/@bus', bus),
    ...(isShared && { shared: true }),
    ...(limits !== undefined && { limits }),
    ...(alias !== undefined && { alias }),
  }
}

function readKind(disk: Reading): Kind {
  const device = disk.attribute('device') ?? 'disk'
  if (device === 'lun') disk.refuse('/@device', device)
  const kind = (['disk', 'cdrom', 'floppy'] as const).find(each => each === device)
  return kind ?? disk.invalid('/@device', device)
}

function readTarget(disk: Reading, what: Kind): { readonly device: string; readonly bus: string } {
  const target = disk.child('target')
  const device = target?.attribute('dev') ?? ''
  if (target === undefined || device === '') return disk.fail(VIR_ERR_NO_TARGET, disk.path)
  const prefix = DEVICE.exec(device)?.[1]
  if (prefix === undefined) return disk.fail(VIR_ERR_XML_ERROR, `Unknown disk name '${device.slice(0, 100)}'`)
  const isMisnamed = what === 'floppy' ? prefix !== 'fd' : what === 'disk' && prefix === 'fd'
  if (isMisnamed) disk.fail(VIR_ERR_INTERNAL_ERROR, `Invalid ${what} device name: ${device}`)
  target.word('tray', ['closed'])
  target.word('removable', ['off'])
  const bus = target.attribute('bus') ?? BUS_OF_PREFIX[prefix] ?? ''
  if (lookup(BUSES, bus) === undefined) target.refuse('/@bus', bus)
  return { device, bus }
}

/** Where the image is; empty for a drive without a medium. */
function readLocation(disk: Reading, type: 'file' | 'block', kind: HostKind): string {
  const source = disk.child('source')
  source?.acceptHarmless(OF_DISK_SOURCE)
  source?.word('startupPolicy', ['mandatory'])
  source?.attribute('index') // libvirt numbers the images of running domains.
  const location = source?.attribute(type === 'file' ? 'file' : 'dev') ?? ''
  return kind.hasWindowsPaths ? windowsPath(location) : location
}

function readFormat(disk: Reading, location: string, kind: HostKind): DiskConfig['format'] {
  const driver = disk.child('driver')
  if (driver === undefined) return kind.formatOf(location)
  for (const [name, words] of Object.entries(DISK_DRIVER)) driver.word(name, words)
  const type = driver.attribute('type')
  if (type === undefined) return kind.formatOf(location)
  const format = formatNamed(type) ?? driver.refuse('/@type', type)
  // There are no raw images there, and libvirt's tools write this of volumes whose format they have no name for.
  return format === 'raw' && kind.hasWindowsPaths ? kind.formatOf(location) : format
}

/** `<disk>` of a domain. */
export function writeDisk(disk: DiskConfig, { domainId, kind }: DiskSurroundings): XmlOutput {
  const { location, format, device, readOnly, shared = false, kind: what = 'disk' } = disk
  const isBlock = location.startsWith('/dev/')
  const bus = what === 'floppy' ? 'fdc' : disk.bus === 'emulated' ? 'ide' : kind.paravirtualisedBus
  const isTold = format !== kind.formatOf(location)
  const driver = element('driver', { name: kind.hasWindowsPaths ? undefined : 'qemu', type: formatName(format) })
  const place = placeOf(device, bus, kind)
  return element(
    'disk',
    { type: isBlock ? 'block' : 'file', device: what },
    (isTold || !kind.hasWindowsPaths) && driver,
    location !== '' && element('source', isBlock ? { dev: location } : { file: location }),
    element('target', { dev: device, bus }),
    writeIoTune(disk.limits),
    readOnly && element('readonly'),
    shared && element('shareable'),
    writeOwnAlias(disk, derivedUuid(domainId, `disk ${device}`)),
    place !== undefined &&
      element('address', { type: 'drive', controller: place.controller, bus: place.bus, target: 0, unit: place.unit }),
  )
}
