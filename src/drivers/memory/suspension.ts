import { type DomainId, DriverError, type SuspensionOps } from '../driver.ts'
import type { Connection } from './connection.ts'
import { behaviourOf } from './fixtures.ts'
import type { MemoryDomain, MemoryHost } from './host.ts'
import { enter, guestOf } from './life.ts'
import { savedFileOps } from './saved-files.ts'

/** Suspended domains of a memory host: their guests are kept as they were, and stand still. */
export function suspensionOps(host: MemoryHost, connection: Connection): SuspensionOps {
  const takesMs = (id: DomainId) => behaviourOf(host.domains.get(id)?.config.name ?? '').workMs
  return {
    // Whether live or not, the state is taken at one moment, the last one of the call: until then the guest goes on.
    suspend: (id, options = {}) =>
      connection.call('suspension.suspend', () => suspend(host, host.domain(id)), { ...options, takesMs: takesMs(id) }),

    resume: (id, { paused = false, ...options } = {}) =>
      connection.call('suspension.resume', () => resume(host, host.domain(id), paused), {
        ...options,
        takesMs: takesMs(id),
      }),

    files: savedFileOps(host, connection),
  }
}

function suspend(host: MemoryHost, domain: MemoryDomain): void {
  const guest = guestOf(domain, 'suspend', ['running', 'paused'])
  const { suspendRefusal } = behaviourOf(domain.config.name)
  if (suspendRefusal !== null) throw new DriverError('refused', suspendRefusal)
  if (domain.now.state === 'running') guest.pause()
  enter(host, domain, 'suspended')
}

function resume(host: MemoryHost, domain: MemoryDomain, isPaused: boolean): void {
  const guest = guestOf(domain, 'resume', ['suspended'])
  if (!isPaused) guest.run()
  enter(host, domain, isPaused ? 'paused' : 'running')
}
