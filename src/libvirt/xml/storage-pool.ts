import type { FileFacts, ImageFormat } from '../../drivers/driver.ts'
import { VIR_ERR_INTERNAL_ERROR, VIR_ERR_XML_DETAIL, VIR_ERR_XML_ERROR, VIR_FROM_STORAGE } from '../error-numbers.ts'
import { OF_POOL, OF_TARGET } from './accepted-elsewhere.ts'
import type { HostKind } from './host-kind.ts'
import { derivedUuid, parseUuid } from './identity.ts'
import { formatName } from './image-format.ts'
import { isOnDrive, windowsPath } from './path.ts'
import { readDocument, type Reading } from './reading.ts'
import { writePermissions } from './permissions.ts'
import { element, write } from './writing.ts'

/** Tools on other systems take a path of Windows for one in the folder that they are in, and make that a pool. */
const FOLDERS_OF_WINDOWS =
  'folders of the host are on a drive, such as C:\\Images; ' +
  'who names an image by its path there, makes its folder a pool first'

/** The types of pools that libvirt has. Source: libvirt 9.0, src/conf/storage_conf.c, virStoragePool. */
export const POOL_TYPES: readonly string[] = [
  'dir',
  'fs',
  'netfs',
  'logical',
  'disk',
  'iscsi',
  'iscsi-direct',
  'scsi',
  'mpath',
  'rbd',
  'sheepdog',
  'gluster',
  'zfs',
  'vstorage',
]
/** How much of what is no type, or no name, an error repeats. */
const [TYPE_SHOWN_MAX, NAME_SHOWN_MAX] = [100, 100]

/** A folder of images, as it is described. */
export interface PoolDescription {
  readonly name: string
  readonly uuid: string
  /** The folder. */
  readonly path: string
}

/** What a pool has, in bytes; all 0 of one that is not active. */
export interface PoolSizes {
  readonly capacityBytes: number
  readonly allocationBytes: number
  readonly availableBytes: number
}

/** The UUID of a pool that was given none: always that of its name on its host. */
export const poolUuid = (hostId: string, name: string): string => derivedUuid(hostId, `pool ${name}`)

/**
 * Reads the description of a pool of type `dir`; `uuid` is as `poolUuid` gives it where it says none. Throws LibvirtError
 * as `readDomain` does. Source: libvirt, formatstorage, "Storage pool XML".
 */
export function readPool(text: string, { hostId, kind }: { hostId: string; kind: HostKind }): PoolDescription {
  const pool = readDocument(text, 'pool', VIR_FROM_STORAGE)
  const type = pool.attribute('type') ?? ''
  if (!POOL_TYPES.includes(type)) {
    const text = `Invalid value for attribute 'type' in element 'pool': '${type.slice(0, TYPE_SHOWN_MAX)}'.`
    pool.fail(VIR_ERR_XML_ERROR, text)
  }
  if (type !== 'dir') pool.refuse('/@type', type, 'pools here are folders, of type dir')
  const name = readPoolName(pool)
  const said = pool.child('uuid')
  const uuid = said && (parseUuid(said.text()) ?? said.fail(VIR_ERR_INTERNAL_ERROR, 'malformed uuid element'))
  const target = pool.child('target')
  const given = target?.child('path')?.text() ?? ''
  if (given === '') pool.fail(VIR_ERR_XML_ERROR, 'missing storage pool target path')
  const path = kind.hasWindowsPaths ? windowsPath(given) : given
  if (kind.hasWindowsPaths && !isOnDrive(path)) {
    target?.refuse('/path', path, FOLDERS_OF_WINDOWS)
  }
  target?.acceptHarmless(OF_TARGET)
  pool.acceptHarmless(OF_POOL)
  pool.finish()
  return { name, uuid: uuid ?? poolUuid(hostId, name), path }
}

function readPoolName(pool: Reading): string {
  const name = pool.child('name')?.rawText() ?? ''
  if (name === '') return pool.fail(VIR_ERR_XML_ERROR, 'missing pool source name element')
  if (name.includes('/'))
    return pool.fail(VIR_ERR_XML_ERROR, `name ${name.slice(0, NAME_SHOWN_MAX)} cannot contain '/'`)
  return name.includes('\n') ? pool.fail(VIR_ERR_XML_DETAIL, 'invalid char in name: 0x0a') : name
}

/** Describes a pool as libvirt does. */
export function writePool({ name, uuid, path }: PoolDescription, sizes: PoolSizes, folder?: FileFacts): string {
  const bytes = (element_: string, count: number) => element(element_, { unit: 'bytes' }, `${count}`)
  const pool = element(
    'pool',
    { type: 'dir' },
    element('name', {}, name),
    element('uuid', {}, uuid),
    bytes('capacity', sizes.capacityBytes),
    bytes('allocation', sizes.allocationBytes),
    bytes('available', sizes.availableBytes),
    element('source'),
    element('target', {}, element('path', {}, path), folder && writePermissions(folder)),
  )
  return write(pool, VIR_FROM_STORAGE)
}

/** What pools there can be, and of which formats their volumes. Source: libvirt, formatstoragecaps. */
export function writePoolCapabilities(formats: readonly ImageFormat[]): string {
  const [first = 'raw'] = formats
  const values = formats.map(format => element('value', {}, formatName(format)))
  const options = element(
    'volOptions',
    {},
    element('defaultFormat', { type: formatName(first) }),
    element('enum', { name: 'targetFormatType' }, ...values),
  )
  const pools = POOL_TYPES.map(type =>
    type === 'dir' ? element('pool', { type, supported: 'yes' }, options) : element('pool', { type, supported: 'no' }),
  )
  return write(element('storagepoolCapabilities', {}, pools), VIR_FROM_STORAGE)
}
