import { datetimeOf } from '../cim/datetime.ts'
import { writeEmbedded } from '../cim/embedded.ts'
import type { CimValue, Schema } from '../cim/model.ts'
import type { Host } from '../host/host.ts'
import { OperationError, Return } from '../host/operation-error.ts'
import type { ImageFormat, ImageType } from '../storage/disk-image.ts'
import type { NewImage } from '../storage/image-creation.ts'
import type { ImageInfo } from '../storage/image-reading.ts'
import { fileTrouble } from '../storage/trouble.ts'
import { instanceGiven } from './given.ts'
import { rowOf } from './rows.ts'

// What v2 says of virtual hard disks, in embedded instances both ways.

const SETTINGS = 'Msvm_VirtualHardDiskSettingData'
const STATE = 'Msvm_VirtualHardDiskState'

/** Source: the ValueMaps of the MOF. */
const TYPES: ReadonlyMap<number, ImageType> = new Map([
  [2, 'fixed'],
  [3, 'dynamic'],
  [4, 'differencing'],
])
const FORMATS: ReadonlyMap<number, ImageFormat> = new Map([
  [2, 'vhd'],
  [3, 'vhdx'],
])
const VHD_SET = 4
/** The build that brought sets of virtual hard disks. */
const VHD_SET_BUILD = 10240
/** PmemAddressAbstractionType of a disk that is no persistent memory. */
const NO_ABSTRACTION = 65535

const numberOf = <T>(names: ReadonlyMap<number, T>, wanted: T): number =>
  [...names].find(([, name]) => name === wanted)?.[0] ?? 0

/** Msvm_VirtualHardDiskSettingData as text. */
export function settingsText(schema: Schema, { path, shape, parentPath }: ImageInfo): string {
  const { parent } = shape
  return writeEmbedded(
    rowOf(schema, SETTINGS, {
      BlockSize: shape.blockBytes,
      DataAlignment: 0n,
      Format: numberOf(FORMATS, shape.format),
      IsPmemCompatible: false,
      LogicalSectorSize: shape.logicalSectorBytes,
      MaxInternalSize: BigInt(shape.bytes),
      ParentIdentifier: parent?.linkage,
      ParentPath: parentPath,
      ParentTimestamp: parent?.timestamp === undefined ? undefined : datetimeOf(parent.timestamp),
      Path: path,
      PhysicalSectorSize: shape.physicalSectorBytes,
      PmemAddressAbstractionType: NO_ABSTRACTION,
      Type: numberOf(TYPES, shape.type),
      VirtualDiskId: shape.id,
    }),
  )
}

/** Msvm_VirtualHardDiskState as text. Source: read on Server 2025; a disk without partitions has no least size. */
export function stateText(schema: Schema, { shape, fileBytes, modifiedAt }: ImageInfo, isInUse: boolean): string {
  return writeEmbedded(
    rowOf(schema, STATE, {
      Alignment: 1,
      FileSize: BigInt(fileBytes),
      FragmentationPercentage: 0,
      InUse: isInUse,
      PhysicalSectorSize: shape.physicalSectorBytes,
      Timestamp: datetimeOf(Math.floor(modifiedAt)),
    }),
  )
}

/** What was given of an image, as it came. */
export type SettingsGiven = ReadonlyMap<string, CimValue>

/** Reads Msvm_VirtualHardDiskSettingData. Throws an immediate OperationError where it cannot be read. */
export function settingsGiven(host: Host, schema: Schema, text: string | undefined): SettingsGiven {
  return instanceGiven(host, schema, text, SETTINGS).values
}

/**
 * The image that settings ask for. Throws an immediate OperationError for a type or format that there is none of, and
 * another for a set of disks, which this host does not make.
 */
export function imageWanted(host: Host, given: SettingsGiven): NewImage {
  const path = textOf(given, 'Path') ?? ''
  const [type, format] = [TYPES.get(numberIn(given, 'Type') ?? 0), FORMATS.get(numberIn(given, 'Format') ?? 0)]
  const isSet = numberIn(given, 'Format') === VHD_SET && host.state.build >= VHD_SET_BUILD
  if (type !== undefined && isSet) throw fileTrouble(host, 'create', path, 'notSupported')
  if (type === undefined || format === undefined) {
    // Source: a type or format that is none was seen to be refused in the answer itself.
    const name = type === undefined ? 'Type' : 'Format'
    throw new OperationError(Return.invalidParameter, host.texts.invalidValue(name), { isImmediate: true })
  }
  const parentPath = textOf(given, 'ParentPath')
  const id = idIn(host, given)
  return {
    path,
    format,
    type,
    ...presentNumbers(given),
    ...(parentPath === undefined ? {} : { parentPath }),
    ...(id === undefined ? {} : { id }),
  }
}

function presentNumbers(given: SettingsGiven) {
  const bytes = numberIn(given, 'MaxInternalSize')
  const blockBytes = numberIn(given, 'BlockSize')
  const logicalSectorBytes = numberIn(given, 'LogicalSectorSize')
  const physicalSectorBytes = numberIn(given, 'PhysicalSectorSize')
  return {
    ...(bytes === undefined ? {} : { bytes }),
    ...(blockBytes === undefined ? {} : { blockBytes }),
    ...(logicalSectorBytes === undefined ? {} : { logicalSectorBytes }),
    ...(physicalSectorBytes === undefined ? {} : { physicalSectorBytes }),
  }
}

/** VirtualDiskId in upper case without braces; undefined where it was not given. */
export function idIn(host: Host, given: SettingsGiven): string | undefined {
  const text = textOf(given, 'VirtualDiskId')
  if (text === undefined) return undefined
  const id = /^\{?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}?$/i.exec(text)?.[1]
  if (id !== undefined) return id.toUpperCase()
  throw new OperationError(Return.invalidParameter, host.texts.invalidValue('VirtualDiskId'))
}

/** An empty text is as good as none. */
export function textOf(given: SettingsGiven, name: string): string | undefined {
  const value = given.get(name)
  return typeof value === 'string' && value !== '' ? value : undefined
}

export function numberIn(given: SettingsGiven, name: string): number | undefined {
  const value = given.get(name)
  return typeof value === 'number' ? value : typeof value === 'bigint' ? Number(value) : undefined
}
