import { DriverError, type OpenVolume } from '../driver.ts'
import type { Connection } from './connection.ts'
import type { MemoryHost } from './host.ts'

/** Opens a volume as a file; see `StorageOps.openVolume`. Of other images than raw ones the host has no file. */
export function openVolume(
  host: MemoryHost,
  connection: Connection,
  location: string,
  mode: 'read' | 'write',
): OpenVolume {
  const { volumes, openFiles } = host
  const { format, virtualBytes } = volumes.get(location)
  if (format !== 'raw') {
    throw new DriverError('refused', `a memory host has the bytes of raw volumes alone, and ${location} is ${format}`)
  }
  if (host.isInUse(location)) throw new DriverError('bad-state', `a running domain uses the volume at ${location}`)
  if (mode === 'write' && host.isKept(location)) {
    throw new DriverError('bad-state', `a snapshot keeps the volume at ${location}`)
  }
  let release: (() => void) | undefined = openFiles.open(location, mode)
  return {
    bytes: virtualBytes,
    read: (position, length) =>
      connection.call('storage.openVolume', () => volumes.readBytes(location, position, length)),
    write: (position, bytes) =>
      connection.call('storage.openVolume', () => volumes.writeBytes(location, position, bytes)),
    async close() {
      release?.()
      release = undefined
    },
  }
}
