import type { FileFacts, ImageFormat, StorageRoot, Volume } from '../../drivers/driver.ts'
import type { XmlOutput } from '../../wire/xml/write.ts'
import {
  VIR_ERR_CONFIG_UNSUPPORTED,
  VIR_ERR_XML_DETAIL,
  VIR_ERR_XML_ERROR,
  VIR_FROM_STORAGE,
} from '../error-numbers.ts'
import { OF_VOLUME, OF_VOLUME_TARGET } from './accepted-elsewhere.ts'
import { formatName, formatNamed } from './image-format.ts'
import { writePermissions } from './permissions.ts'
import { readDocument, type Reading } from './reading.ts'
import { readBytes } from './units.ts'
import { element, write } from './writing.ts'

/** An image that is to be made. */
export interface VolumeDescription {
  readonly name: string
  readonly capacityBytes: number
  /**
   * What of it is to have its place from the beginning. Images of hosts here grow as they are written; it is a wish, which
   * libvirt makes of a whole image where nothing is said.
   */
  readonly allocationBytes?: number
  /** Absent: what the host makes that is asked for none. */
  readonly format?: ImageFormat
}

/**
 * Reads the description of a volume that is to be made. One that builds on another, or is encrypted, is refused. Throws
 * LibvirtError as `readDomain` does. Source: libvirt, formatstorage, "Storage volume XML".
 */
export function readVolume(text: string): VolumeDescription {
  const volume = readDocument(text, 'volume', VIR_FROM_STORAGE)
  volume.word('type', ['file'])
  const name = readName(volume)
  const capacity = volume.child('capacity')
  if (capacity === undefined) return volume.fail(VIR_ERR_XML_ERROR, 'missing capacity element')
  const allocation = volume.child('allocation')
  const target = volume.child('target')
  const format = target && readFormat(target)
  const description = {
    name,
    capacityBytes: readBytes(capacity, 'bytes'),
    ...(allocation !== undefined && { allocationBytes: readBytes(allocation, 'bytes') }),
    ...(format !== undefined && { format }),
  }
  target?.acceptHarmless(OF_VOLUME_TARGET)
  volume.acceptHarmless(OF_VOLUME)
  volume.finish()
  return description
}

function readName(volume: Reading): string {
  const name = volume.child('name')?.rawText() ?? ''
  if (name === '') return volume.fail(VIR_ERR_XML_ERROR, 'missing volume name element')
  return name.includes('\n') ? volume.fail(VIR_ERR_XML_DETAIL, 'invalid char in name: 0x0a') : name
}

function readFormat(target: Reading): ImageFormat | undefined {
  const type = target.child('format')?.attribute('type')
  if (type === undefined) return undefined
  const format = formatNamed(type)
  if (format !== undefined) return format
  return target.fail(VIR_ERR_CONFIG_UNSUPPORTED, `unknown volume format type ${type.slice(0, 100)}`)
}

/** Describes a volume as libvirt does; `name` is what its pool calls it. VHDX, of which libvirt knows nothing, goes by that name. */
export function writeVolume(name: string, volume: Volume, file?: FileFacts): string {
  const { location, format, virtualBytes, physicalBytes } = volume
  const target = [element('path', {}, location), element('format', { type: formatName(format) })]
  const described = element(
    'volume',
    { type: 'file' },
    element('name', {}, name),
    element('key', {}, location),
    element('capacity', { unit: 'bytes' }, `${virtualBytes}`),
    element('allocation', { unit: 'bytes' }, `${physicalBytes}`),
    file && element('physical', { unit: 'bytes' }, `${file.bytes}`),
    element('target', {}, target, file && [writePermissions(file), writeTimestamps(file)]),
  )
  return write(described, VIR_FROM_STORAGE)
}

function writeTimestamps({ accessedNs, modifiedNs, changedNs }: FileFacts): XmlOutput {
  const moments = { atime: accessedNs, mtime: modifiedNs, ctime: changedNs }
  return element(
    'timestamps',
    {},
    Object.entries(moments).map(([name, ns]) => element(name, {}, moment(ns))),
  )
}

const NS_PER_S = 1_000_000_000n

/** Source: libvirt, src/conf/storage_conf.c, virStorageVolTimestampFormat. */
function moment(ns: bigint): string {
  const rest = ns % NS_PER_S
  return `${ns / NS_PER_S}${rest === 0n ? '' : `.${String(rest).padStart(9, '0')}`}`
}

/** Describes a file system of a host as a volume: a folder that is all of it. */
export function writeFileSystem({ location, capacityBytes, freeBytes }: StorageRoot): string {
  const volume = element(
    'volume',
    { type: 'dir' },
    element('name', {}, location),
    element('key', {}, location),
    element('capacity', { unit: 'bytes' }, `${capacityBytes}`),
    element('allocation', { unit: 'bytes' }, `${capacityBytes - freeBytes}`),
    element('target', {}, element('path', {}, location), element('format', { type: 'dir' })),
  )
  return write(volume, VIR_FROM_STORAGE)
}
