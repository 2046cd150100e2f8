import { DriverError, type StorageOps } from '../driver.ts'
import type { Connection } from './connection.ts'
import type { MemoryHost } from './host.ts'
import { openVolume } from './open-volume.ts'
import { FORMATS, REPOSITORY_TYPE } from './volume-store.ts'

/** The repositories of a memory host. */
export function storageOps(host: MemoryHost, connection: Connection): StorageOps {
  const { volumes } = host
  const { assertUnused, seen } = guards(host)

  return {
    types: [REPOSITORY_TYPE],
    formats: FORMATS,
    repositories: () => connection.call('storage.repositories', () => volumes.opened()),
    // Encoded, so that a name with a slash is not taken for a place within another repository.
    defaultLocation: name => `/repositories/${encodeURIComponent(name).replaceAll('.', '%2E')}`,
    openRepository: repository => connection.call('storage.openRepository', () => seen(() => volumes.open(repository))),
    removeRepository: repository => connection.call('storage.removeRepository', () => volumes.remove(repository)),
    createVolume: (repository, volume, options) =>
      connection.call('storage.createVolume', () => volumes.create(repository, volume), options),
    ...looks(host, connection),

    ...changeOps(host, connection),

    moveVolume: (location, repository, options) =>
      connection.call(
        'storage.moveVolume',
        () => {
          assertUnused(location)
          return volumes.move(location, repository)
        },
        options,
      ),

    copyVolume: (location, repository, copy, options) =>
      connection.call(
        'storage.copyVolume',
        () => {
          volumes.get(location)
          host.openFiles.assertClosed(location)
          if (host.isWritten(location))
            throw new DriverError('bad-state', `a domain writes to the volume at ${location}`)
          return seen(() => volumes.copy(location, repository, copy))
        },
        options,
      ),

    deleteVolume: location =>
      connection.call('storage.deleteVolume', () => {
        assertUnused(location)
        volumes.delete(location)
      }),
    openVolume: (location, mode) =>
      connection.call('storage.openVolume', () => openVolume(host, connection, location, mode)),
  }
}

/** What becomes of the size and the content of volumes. */
function changeOps(
  host: MemoryHost,
  connection: Connection,
): Required<Pick<StorageOps, 'resizeVolume' | 'shrinkVolume' | 'allocateVolume' | 'wipeVolume'>> {
  const { volumes } = host
  const { assertUnused, assertNotKept, assertGrowable } = guards(host)

  return {
    resizeVolume: (location, virtualBytes) =>
      connection.call('storage.resizeVolume', () => {
        assertGrowable(location)
        return volumes.resize(location, virtualBytes)
      }),

    shrinkVolume: (location, virtualBytes) =>
      connection.call('storage.shrinkVolume', () => {
        assertUnused(location)
        assertNotKept(location)
        return volumes.shrink(location, virtualBytes)
      }),
    allocateVolume: (location, bytes) =>
      connection.call('storage.allocateVolume', () => volumes.allocate(location, bytes)),
    wipeVolume: (location, options) =>
      connection.call(
        'storage.wipeVolume',
        () => {
          assertUnused(location)
          assertNotKept(location)
          volumes.wipe(location)
        },
        options,
      ),
  }
}

/** What tells of volumes, by then with all that guests have written to them. */
function looks(host: MemoryHost, connection: Connection): Pick<StorageOps, 'listVolumes' | 'getVolume' | 'getVolumes'> {
  const { volumes } = host
  const { seen } = guards(host)
  const those = (locations: readonly string[]) => locations.flatMap(location => volumes.find(location) ?? [])
  return {
    listVolumes: repository => connection.call('storage.listVolumes', () => seen(() => volumes.list(repository))),
    getVolume: location => connection.call('storage.getVolume', () => seen(() => volumes.get(location))),
    getVolumes: locations =>
      connection.call('storage.getVolumes', () =>
        seen(() => new Map(those(locations).map(volume => [volume.location, volume]))),
      ),
  }
}

/** Which volumes guests keep from being changed. */
function guards(host: MemoryHost) {
  const { volumes } = host

  function assertUnused(location: string): void {
    volumes.get(location)
    host.openFiles.assertClosed(location)
    if (host.isInUse(location)) throw new DriverError('bad-state', `a running domain uses the volume at ${location}`)
  }

  function assertNotKept(location: string): void {
    if (host.isKept(location)) throw new DriverError('bad-state', `a snapshot keeps the volume at ${location}`)
  }

  /** A domain that runs with the volume grows it, if it is alone and may write to it. */
  function assertGrowable(location: string): void {
    volumes.get(location)
    host.openFiles.assertClosed(location)
    const users = [...host.active].filter(({ active }) => active?.config.disks.some(disk => disk.location === location))
    const isSuspended = users.some(({ now }) => now.state === 'suspended')
    if (isSuspended || users.length > 1 || (users.length === 1 && !host.isWritten(location))) {
      throw new DriverError('bad-state', `domains that use the volume at ${location} keep it from growing`)
    }
  }

  /** What is read once the writes of all guests have arrived. */
  function seen<T>(read: () => T): T {
    host.writeBackAll()
    return read()
  }

  return { assertUnused, assertNotKept, assertGrowable, seen }
}
