import { type DiskConfig, DriverError } from '../drivers/driver.ts'
import { VIR_FROM_DOMAIN } from './error-numbers.ts'
import { LibvirtError } from './errors.ts'
import type { Host } from './host.ts'
import { askEach } from './side-by-side.ts'
import { windowsPath } from './xml/path.ts'
import { readElement } from './xml/reading.ts'

/** Images by the paths under which descriptions may speak of them. */
export type KnownImages = ReadonlyMap<string, Pick<DiskConfig, 'location' | 'format'>>

const NONE: KnownImages = new Map()
const FILE = /\bfile\s*=\s*('[^'<]+'|"[^"<]+")/g
/** Endings that images have there by which their format is known. */
const KNOWN_ENDING = /\.(a?vhdx?|iso|vfd)$/i
/** More disks than a machine has. */
const FILES_MAX = 300

/**
 * The images that a description speaks of by a name that no file has: where a host has no raw images, one that libvirt's
 * tools have asked for raw has the ending of its format behind the name that they gave it, and they go on calling it by
 * that name. Other hosts, and other descriptions, cost no question.
 */
export async function imagesFor({ driver, kind }: Pick<Host, 'driver' | 'kind'>, xml: string): Promise<KnownImages> {
  const { storage } = driver
  if (storage === undefined || storage.formats.includes('raw') || !kind.hasWindowsPaths) return NONE
  const named = [...xml.matchAll(FILE)].map(([, quoted = '']) => windowsPath(valueOf(quoted)))
  const unknown = [...new Set(named)].filter(path => !KNOWN_ENDING.test(path) && /[\\/]/.test(path)).slice(0, FILES_MAX)
  const guesses = unknown.flatMap(path => storage.formats.map(format => ({ path, location: `${path}.${format}` })))
  const found = await askEach(guesses, async ({ path, location }) => {
    try {
      const volume = await storage.getVolume(location)
      return [path, { location: volume.location, format: volume.format }] as const
    } catch (error) {
      if (error instanceof DriverError && error.kind !== 'unreachable') return undefined
      throw error
    }
  })
  return new Map(found.filter(each => each !== undefined))
}

/** What an attribute says between its quotes: tools write letters beyond ASCII as references. Empty where that is no XML. */
function valueOf(quoted: string): string {
  try {
    return readElement(`<disk file=${quoted}/>`, VIR_FROM_DOMAIN).attribute('file') ?? ''
  } catch (error) {
    if (!(error instanceof LibvirtError)) throw error
    return '' // Whoever reads all of the description says so.
  }
}
