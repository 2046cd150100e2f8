import { accessSync, constants, readdirSync, readFileSync, type Stats, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type DiskConfig, type DomainConfig, DriverError } from '../driver.ts'
import { assertSelfContained } from './backing.ts'
import { systemCode } from './files.ts'
import { formatOf } from './image-format.ts'

/** A file, by whatever path it is named: device and inode. */
export type ImageKey = string

/** The key of an image that was looked at. */
export const keyOf = ({ dev, ino }: Stats): ImageKey => `${dev}:${ino}`

/** The keys of images by their paths; of those that are still there. */
export function keysOf(paths: readonly string[]): ReadonlySet<ImageKey> {
  const keys = paths.map(path => statSync(path, { throwIfNoEntry: false })).filter(stats => stats !== undefined)
  return new Set(keys.map(keyOf))
}

/** The files that a process has open. */
export const filesOpenIn = (pid: number): ReadonlySet<ImageKey> => filesIn(pid, () => true)

/** The files that a process has open for writing. */
export const filesWrittenBy = (pid: number): ReadonlySet<ImageKey> => filesIn(pid, isForWriting)

function filesIn(pid: number, isMeant: (pid: number, descriptor: string) => boolean): ReadonlySet<ImageKey> {
  const folder = `/proc/${pid}/fd`
  try {
    const descriptors = readdirSync(folder).filter(descriptor => isMeant(pid, descriptor))
    return keysOf(descriptors.map(descriptor => `${folder}/${descriptor}`))
  } catch (error) {
    // It is gone, and has nothing open any more.
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ESRCH') return new Set()
    throw error
  }
}

const ACCESS_MODES = 0o3

/** Source: proc(5), /proc/PID/fdinfo: `flags`, in octal. */
function isForWriting(pid: number, descriptor: string): boolean {
  try {
    const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${descriptor}`, 'utf8'))?.[1] ?? '0'
    return (Number.parseInt(flags, 8) & ACCESS_MODES) !== constants.O_RDONLY
  } catch (error) {
    // It was closed just now.
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}

/** A disk that names `place` where it named this image; by the path it had to the folder. */
export function relocated(disk: DiskConfig, image: ImageKey, place: string): DiskConfig {
  if (!keysOf([disk.location]).has(image)) return disk
  const format = formatOf(place) ?? disk.format
  return { ...disk, location: join(dirname(disk.location), basename(place)), format }
}

/**
 * Looks whether all files are there that a start needs, and gives the keys of the disks. Rejects as `refused`, naming
 * the first that is missing. Done without letting go of the thread: a volume cannot be deleted meanwhile.
 */
export function lookAtFiles({ boot, disks }: DomainConfig): ReadonlySet<ImageKey> {
  if (boot.kind === 'kernel') {
    lookAt('kernel', boot.kernel, constants.R_OK)
    if (boot.initrd !== null) lookAt('initrd', boot.initrd, constants.R_OK)
  }
  return new Set(disks.filter(({ kind = 'disk', location }) => kind === 'disk' || location !== '').map(lookAtDisk))
}

/** Looks whether the image of a disk is there, as `lookAtFiles` does. */
export function lookAtDisk({ device, kind, location, readOnly, format }: DiskConfig): ImageKey {
  if (location === '') throw new DriverError('refused', `disk ${device} has no image`)
  const mode = readOnly || kind === 'cdrom' ? constants.R_OK : constants.R_OK | constants.W_OK
  const stats = lookAt(`image of disk ${device}`, location, mode)
  assertSelfContained(location, format)
  return keyOf(stats)
}

function lookAt(what: string, path: string, mode: number): Stats {
  try {
    const stats = statSync(path)
    if (stats.isDirectory()) throw new DriverError('refused', `the ${what}, ${path}, is a folder`)
    accessSync(path, mode)
    return stats
  } catch (error) {
    if (error instanceof DriverError) throw error
    const isAbsent = systemCode(error) === 'ENOENT'
    const why = isAbsent ? 'does not exist' : `cannot be used: ${String(error)}`
    throw new DriverError('refused', `the ${what}, ${path}, ${why}`, { cause: error })
  }
}
