import { renameSync } from 'node:fs'
import { dirname } from 'node:path'
import { DriverError, type OpenVolume, type OperationOptions } from '../driver.ts'
import { syncFolder } from './files.ts'
import type { Gate } from './gate.ts'
import { openVolume } from './open-volume.ts'
import type { StorageTools } from './storage-tools.ts'
import { type Image, readImage } from './volume.ts'

/** How much is overwritten at once. */
const PIECE_BYTES = 1_048_576
/** What stands of a qcow2 image in front of its data: it is known by that until the end. */
const HEADER_BYTES = 65_536
/** What file systems give to a file, most of them. */
const BLOCK_BYTES = 4_096
const ZEROS = Buffer.alloc(PIECE_BYTES)

/**
 * Overwrites what the file of an image holds with zeros; see `StorageOps.wipeVolume`. What is zeros already, as holes are,
 * is left alone, so that the file weighs no more than before. An image that is more than its content becomes an empty one
 * of its size and name: in one go when all else is overwritten, so that it is an image at every moment.
 */
export async function wipeVolume(
  tools: StorageTools,
  gate: Gate,
  location: string,
  options: OperationOptions = {},
): Promise<void> {
  await readImage(location)
  const file = await openVolume(tools, gate, location, 'write')
  try {
    const image = await readImage(location)
    assertAlone(image)
    if (image.volume.format === 'raw') return await overwrite(file, 0, location, options)
    await overwrite(file, HEADER_BYTES, location, options)
    await exchange(tools, image)
    await file.write(0, ZEROS.subarray(0, Math.min(HEADER_BYTES, file.bytes)))
  } finally {
    await file.close()
  }
}

/** What lies in the images below would stay, and be shown no more: that is no wiping. */
function assertAlone({ volume: { location }, backing }: Image): void {
  if (backing === undefined) return
  throw new DriverError('refused', `${location} builds on another image, ${backing}, which would keep what it shows`)
}

async function overwrite(
  file: OpenVolume,
  from: number,
  location: string,
  { signal, onProgress }: OperationOptions,
): Promise<void> {
  for (let position = from; position < file.bytes; position += PIECE_BYTES) {
    if (signal?.aborted === true) {
      const left = `from byte ${position} on ${location} holds what it held, before that it is wiped`
      throw new DriverError('refused', `wiping was aborted: ${left}`)
    }
    const piece = await file.read(position, Math.min(PIECE_BYTES, file.bytes - position))
    for (const { start, end } of written(piece)) {
      await file.write(position + start, ZEROS.subarray(0, end - start))
    }
    onProgress?.(Math.min(1, (position + piece.length) / file.bytes))
  }
}

/** The parts of a piece in which there is anything but zeros, in whole blocks. */
function* written(piece: Uint8Array) {
  let start: number | undefined
  for (let block = 0; block < piece.length; block += BLOCK_BYTES) {
    const bytes = piece.subarray(block, block + BLOCK_BYTES)
    const isEmpty = ZEROS.subarray(0, bytes.length).equals(bytes)
    if (isEmpty && start !== undefined) yield { start, end: block }
    if (isEmpty) start = undefined
    else start ??= block
  }
  if (start !== undefined) yield { start, end: piece.length }
}

/** Puts an empty image in the place of one, whose file nobody finds any more then. */
async function exchange({ qemuImg, folders }: StorageTools, { volume, key }: Image): Promise<void> {
  const { location, virtualBytes } = volume
  const folder = dirname(location)
  await folders.partials.with(folder, async partial => {
    await qemuImg.create(partial, virtualBytes)
    await folders.inOrder(folder, async () => {
      if ((await readImage(location)).key !== key) {
        throw new DriverError('refused', `${location} was exchanged just now; what it was before is overwritten`)
      }
      renameSync(partial, location)
      await syncFolder(folder)
    })
  })
}
