import type { Dump, DumpOps } from '../driver.ts'
import type { Connection } from './connection.ts'
import { behaviourOf } from './fixtures.ts'
import type { MemoryHost } from './host.ts'
import { activeOf } from './life.ts'
import { assertPlace } from './place.ts'

/** How many dumps of a domain are kept. */
const KEPT_MAX = 3

/** What an ELF core file holds beside the memory. */
const HEADER_BYTES = 4096

/** The dumps of a memory host: it keeps their places and sizes, not the zeros in them. */
export function dumpOps(host: MemoryHost, connection: Connection): DumpOps {
  return {
    dump(id, { location: place, ...options } = {}) {
      const effect = (): Dump => {
        const domain = host.domain(id)
        const { config } = activeOf(domain, 'dump', ['paused', 'crashed'])
        if (place !== undefined) return dumpTo(host, place, config.memoryBytes)
        domain.dumpCount += 1
        const location = `/dumps/${id}/${domain.dumpCount}.core`
        const dump = { location, bytes: HEADER_BYTES + config.memoryBytes }
        domain.dumps = [...domain.dumps, dump].slice(-KEPT_MAX)
        return dump
      }
      const takesMs = behaviourOf(host.domains.get(id)?.config.name ?? '').workMs
      return connection.call('dumps.dump', effect, { ...options, takesMs })
    },
    list: id => connection.call('dumps.list', () => host.domain(id).dumps),
  }
}

function dumpTo(host: MemoryHost, location: string, memoryBytes: number): Dump {
  assertPlace(host, location)
  // What is there is replaced.
  host.savedFiles.delete(location)
  return { location, bytes: HEADER_BYTES + memoryBytes }
}
