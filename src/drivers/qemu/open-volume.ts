import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DriverError, type OpenVolume } from '../driver.ts'
import type { Gate } from './gate.ts'
import { assertHoldsNoSnapshots } from './held-snapshots.ts'
import { keyOf } from './images.ts'
import { noteOpen, type OpenMode } from './open-images.ts'
import type { StorageTools } from './storage-tools.ts'
import { assertWritable, inUse, readImage } from './volume.ts'

/** Opens the file of an image; see `StorageOps.openVolume`. */
export async function openVolume(
  { inventory, folders }: StorageTools,
  gate: Gate,
  location: string,
  mode: OpenMode,
): Promise<OpenVolume> {
  await readImage(location)
  return folders.inOrder(dirname(location), async () => {
    const { volume, key } = await readImage(location)
    if (mode === 'write') assertWritable(volume, 'written')
    const release = noteOpen(key, location, mode)
    try {
      // From here on no domain opens it.
      if (inventory.users(key).length > 0) throw inUse(location)
      if (mode === 'write') assertHoldsNoSnapshots(inventory, key, location)
      const file = await open(
        location,
        (mode === 'write' ? constants.O_RDWR : constants.O_RDONLY) | constants.O_NOFOLLOW,
      )
      return await opened(file, { key, location, mode, gate, release })
    } catch (error) {
      release()
      throw error
    }
  })
}

/** What an open file is known by. */
interface Opening {
  readonly key: string
  readonly location: string
  readonly mode: OpenMode
  readonly gate: Gate
  readonly release: () => void
}

async function opened(file: FileHandle, { key, location, mode, gate, release }: Opening): Promise<OpenVolume> {
  let closing: Promise<void> | undefined
  const stats = await file.stat()
  if (keyOf(stats) !== key) {
    await file.close()
    throw new DriverError('refused', `${location} was exchanged just now`)
  }
  const close = async () => {
    try {
      if (mode === 'write') await file.sync()
    } finally {
      await file.close().finally(release)
    }
  }
  return {
    bytes: stats.size,
    read: (position, length) =>
      gate.pass(async () => {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position)
        return buffer.subarray(0, bytesRead)
      }),
    write: (position, bytes) =>
      gate.pass(async () => {
        for (let written = 0; written < bytes.length; ) {
          const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written)
          written += bytesWritten
        }
      }),
    close: async () => {
      const done = (closing ??= close())
      // Also when the driver is closed: files are this machine's, and stay open for it.
      await (gate.isClosed ? done : gate.pass(() => done))
    },
  }
}
