import { dirname, parse, resolve } from 'node:path'
import { DriverError, type Volume } from '../driver.ts'
import { baseNamed } from './bases.ts'
import { formatOf } from './image-format.ts'
import { inspect, readImage, STAT_BLOCK_BYTES } from './volume.ts'

/** Images above each other that are looked through. */
const DEPTH_MAX = 1_000

/**
 * The images that an image builds on, the nearest first, also those that several share under a hidden name. What lies in
 * another folder or is no image is not looked at, whoever wrote the header that names it. Rejects as `readImage` does.
 */
export async function imagesBelow(location: string): Promise<readonly Volume[]> {
  const found: Volume[] = []
  let { backing } = await readImage(location)
  while (backing !== undefined && found.length < DEPTH_MAX) {
    const place = resolve(dirname(location), backing)
    const below = dirname(place) === dirname(location) ? await imageAt(place) : undefined
    if (below === undefined) break
    found.push(below.volume)
    backing = below.backing
  }
  return found
}

/** Undefined where there is none that could be told of. */
async function imageAt(location: string): Promise<{ volume: Volume; backing: string | undefined } | undefined> {
  const format = baseNamed(location)?.format ?? formatOf(location)
  if (format === undefined) return undefined
  try {
    const { stats, header } = await inspect(location, format)
    const { virtualBytes = stats.size, backing } = header ?? {}
    const physicalBytes = stats.blocks * STAT_BLOCK_BYTES
    return { volume: { location, name: parse(location).name, format, virtualBytes, physicalBytes }, backing }
  } catch (error) {
    if (error instanceof DriverError && error.kind !== 'unreachable') return undefined
    throw error
  }
}
