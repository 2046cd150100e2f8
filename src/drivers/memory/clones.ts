import { type CloneOps, DriverError, type Volume } from '../driver.ts'
import type { Connection } from './connection.ts'
import type { MemoryHost } from './host.ts'

/** How long a copy of a volume takes, latency apart. */
const COPY_MS = 1

/** Clones of volumes and copies of repositories of a memory host. */
export function cloneOps(host: MemoryHost, connection: Connection): CloneOps {
  const { volumes } = host
  return {
    cloneVolume: (location, clone, options) =>
      connection.call(
        'clones.cloneVolume',
        () => {
          host.writeBackAll()
          host.openFiles.assertClosed(location)
          const made = volumes.clone(location, clone)
          if (made.original.location !== location) rename(host, location, made.original)
          return made
        },
        options,
      ),

    copyRepository: (repository, target, nameOf, options) =>
      connection.call(
        'clones.copyRepository',
        () => {
          const written = volumes.list(repository).find(volume => host.isWritten(volume.location))
          if (written !== undefined) {
            throw new DriverError('bad-state', `a running domain writes to the volume at ${written.location}`)
          }
          return volumes.copyAll(repository, target, nameOf)
        },
        { ...options, takesMs: COPY_MS * volumes.count(repository) },
      ),
  }
}

/** Tells all definitions where an image is now, those of running guests too. */
function rename(host: MemoryHost, from: string, { location, format }: Volume): void {
  for (const domain of host.domains.values()) {
    const { config, active } = domain
    const isIn = (disks: typeof config.disks) => disks.some(disk => disk.location === from)
    const renamed = (disks: typeof config.disks) =>
      disks.map(disk => (disk.location === from ? { ...disk, location, format } : disk))
    if (active !== null && isIn(active.config.disks)) {
      active.change({ ...active.config, disks: renamed(active.config.disks) })
    }
    if (!isIn(config.disks)) continue
    domain.config = { ...config, disks: renamed(config.disks) }
    host.emit(domain.now.id, 'defined')
  }
}
