import { DriverError } from '../../driver.ts'
import { openExt } from './ext.ts'
import { openFat } from './fat.ts'
import { follow, type Found, type GuestFileSystem, type GuestNode, readWhole } from './file-system.ts'
import type { GrubDisk, SearchKey } from './grub-shell.ts'
import { type Partition, partitionsOf } from './partitions.ts'
import type { BlockReader } from './reader.ts'

/** A partition whose file system can be read. */
export interface GuestVolume {
  /** As GRUB names it, such as `hd0,gpt1`. */
  readonly device: string
  readonly fileSystem: GuestFileSystem
}

/** A file that was found, and where. */
export interface FoundFile {
  readonly volume: GuestVolume
  readonly node: GuestNode
}

/** Paths that links lead to from one partition to another. */
const PATHS_MAX = 64
/** Configuration files of GRUB are some KiB long. */
const TEXT_BYTES_MAX = 2 * 1_048_576

/** A guest's disk: its partitions with a file system that is known. */
export class GuestDisk implements GrubDisk {
  readonly volumes: readonly GuestVolume[]
  /** Each partition and what is on it, for messages. */
  readonly description: string

  private constructor(volumes: readonly GuestVolume[], description: string) {
    this.volumes = volumes
    this.description = description
  }

  static async open(disk: BlockReader): Promise<GuestDisk> {
    const volumes: GuestVolume[] = []
    const seen: string[] = []
    for (const partition of await partitionsOf(disk)) {
      const device = deviceOf(partition)
      const fileSystem = await openFileSystem(partition.disk)
      if (typeof fileSystem === 'object') volumes.push({ device, fileSystem })
      seen.push(`${device} ${typeof fileSystem === 'object' ? fileSystem.type : fileSystem}`)
    }
    return new GuestDisk(volumes, seen.length === 0 ? 'no partitions' : seen.join(', '))
  }

  /**
   * A file by its path in the running guest, whose `/boot` may be a partition of its own: the path is looked for on every
   * partition, then without `/boot`. So are paths to which symbolic links lead and which are not on their partition.
   */
  async find(path: string): Promise<FoundFile | undefined> {
    const wanted = new Set([path])
    for (const each of wanted) {
      for (const volume of this.volumes) {
        const found = await follow(volume.fileSystem, each)
        if (found.node?.kind === 'file') return { volume, node: found.node }
        if (found.node === undefined && wanted.size < PATHS_MAX) wanted.add(found.path)
      }
    }
    for (const each of wanted) {
      if (!each.startsWith(BOOT)) continue
      for (const volume of this.volumes) {
        const { node } = await follow(volume.fileSystem, each.slice(BOOT.length - 1))
        if (node?.kind === 'file') return { volume, node }
      }
    }
    return undefined
  }

  async readText(device: string, path: string): Promise<string | undefined> {
    const node = (await this.at(device, path))?.node
    if (node?.kind !== 'file') return undefined
    return (await readWhole(node, TEXT_BYTES_MAX)).toString('utf8')
  }

  async look(
    device: string,
    path: string,
  ): Promise<{ readonly isFolder: boolean; readonly bytes: number } | undefined> {
    const node = (await this.at(device, path))?.node
    return node === undefined ? undefined : { isFolder: node.kind === 'folder', bytes: node.bytes }
  }

  async search(by: SearchKey, value: string): Promise<string | undefined> {
    for (const { device, fileSystem } of this.volumes) {
      if (by === 'uuid' && fileSystem.uuid.toLowerCase() === value.toLowerCase()) return device
      if (by === 'label' && fileSystem.label === value) return device
      if (by === 'file' && (await follow(fileSystem, value)).node !== undefined) return device
    }
    return undefined
  }

  /** What a path on a device leads to. `hd0,1` is the first partition whatever the table. */
  async at(device: string, path: string): Promise<Found | undefined> {
    const plain = plainDevice(device)
    const volume = this.volumes.find(each => plainDevice(each.device) === plain)
    return volume === undefined ? undefined : follow(volume.fileSystem, path)
  }
}

/** A file system, or why there is none: one that cannot be read does not hinder a boot from another. */
async function openFileSystem(disk: BlockReader): Promise<GuestFileSystem | string> {
  try {
    return (await openExt(disk)) ?? (await openFat(disk)) ?? 'unknown'
  } catch (error) {
    if (!(error instanceof DriverError)) throw error
    return `unreadable: ${error.message}`
  }
}

const BOOT = '/boot/'

const plainDevice = (device: string): string => device.replace(/,(?:msdos|gpt)/, ',')

const deviceOf = ({ number, table }: Partition): string => (table === 'none' ? 'hd0' : `hd0,${table}${number}`)
