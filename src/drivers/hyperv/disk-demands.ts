import { faultOfLimits } from '../disk-limits.ts'
import type { DiskConfig } from '../driver.ts'
import { formatOf, hostDiskNumber, isAbsolutePath } from './images.ts'
import { isSamePath } from './windows-path.ts'

/** Source: Microsoft Learn, "What's new in Hyper-V for Windows Server 2012". */
const VHDX_FROM_BUILD = 9_200

/**
 * What a disk demands that no Hyper-V host has, or none of this build of Windows, as a sentence; undefined where there is
 * nothing of the kind.
 */
export function unmetOfDisk(disk: DiskConfig, build: number): string | undefined {
  const { kind = 'disk', device, shared = false } = disk
  if (shared) return `the ${kind} ${device} is shared, and Hyper-V gives an image to one machine at a time`
  const unmet = unmetOfLimits(disk, build)
  if (unmet !== undefined) return unmet
  return kind === 'disk' ? unmetOfHardDisk(disk, build) : unmetOfDrive(disk, kind)
}

/** Source: the MOF of real hosts, which has IOPSLimit from this build on; of images alone, for it is a setting of these. */
const LIMITS_FROM_BUILD = 9_600

function unmetOfLimits({ kind = 'disk', device, location, limits }: DiskConfig, build: number): string | undefined {
  if (limits === undefined) return undefined
  const { requests, ...others } = limits
  if (build < LIMITS_FROM_BUILD) return `the ${kind} ${device} is limited, which came with Windows Server 2012 R2`
  if (kind !== 'disk' || hostDiskNumber(location) !== undefined) {
    return `${device} is limited, and Hyper-V limits images of disks alone`
  }
  const [other] = Object.keys(others)
  if (other !== undefined) return `${device} has a limit of ${other}, and Hyper-V limits the requests of a disk alone`
  if (requests?.burst !== undefined) return `${device} has a limit with bursts, and those of Hyper-V have none`
  return faultOfLimits(limits)
}

function unmetOfHardDisk({ device, location, format, readOnly }: DiskConfig, build: number): string | undefined {
  if (readOnly) return `the disk ${device} is read-only, and guests write to all disks of Hyper-V`
  if (location === '') return `the disk ${device} has no volume`
  if (hostDiskNumber(location) !== undefined) {
    return format === 'raw' ? undefined : `${location} is a disk of the host, whose format is raw, not ${format}`
  }
  if (format !== 'vhd' && format !== 'vhdx') return `the disk ${device} is ${format}, and Hyper-V has vhd and vhdx`
  if (format === 'vhdx' && build < VHDX_FROM_BUILD)
    return `the disk ${device} is vhdx, which came with Windows Server 2012`
  if (!isAbsolutePath(location)) return `${location} is no path of a Windows host`
  const named = formatOf(location)
  return named === format ? undefined : `${location} is to be ${format}, and Hyper-V goes by the name of the file`
}

/** Optical discs and diskettes are files as they are. */
function unmetOfDrive({ device, location, format, readOnly }: DiskConfig, kind: string): string | undefined {
  if (kind === 'floppy' && readOnly)
    return `the floppy ${device} is read-only, and guests write to all diskettes of Hyper-V`
  if (location === '') return undefined
  if (format !== 'raw') return `the medium of ${device} is ${format}, and Hyper-V reads discs and diskettes as raw`
  if (!isAbsolutePath(location)) return `${location} is no path of a Windows host`
  const isDiskette = /\.vfd$/i.test(location)
  return kind === 'floppy' && !isDiskette ? `${location} is no diskette: Hyper-V goes by the ending .vfd` : undefined
}

/** How many IDE places a machine of the first generation has. */
const IDE_MAX = 4

/** What all disks of a machine together demand. */
export function unmetOfDisks(disks: readonly DiskConfig[], build: number): string | undefined {
  for (const disk of disks) {
    const unmet = unmetOfDisk(disk, build)
    if (unmet !== undefined) return unmet
  }
  const floppies = disks.filter(({ kind }) => kind === 'floppy').length
  if (floppies > 1) return 'a machine of Hyper-V has one diskette drive'
  const twin = disks.find((disk, index) => disks.findIndex(({ id }) => id === disk.id) !== index)
  if (twin !== undefined) return `two disks have the id ${twin.id}`
  const images = disks.filter(({ kind = 'disk', location }) => kind === 'disk' && location !== '')
  const shared = images.find(({ location }, index) =>
    images.slice(0, index).some(other => isSamePath(other.location, location)),
  )
  if (shared !== undefined) return `two disks have the image ${shared.location}`
  const onIde = disks.filter(({ kind = 'disk', bus }) => kind === 'cdrom' || (kind === 'disk' && bus === 'emulated'))
  return onIde.length > IDE_MAX ? `a machine of Hyper-V has ${IDE_MAX} places for emulated disks and discs` : undefined
}
