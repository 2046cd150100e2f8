import { type DomainId, DriverError, type SavedDomain, type SuspensionOps } from '../driver.ts'
import { fitToSaved } from '../saved-fit.ts'
import type { Connection } from './connection.ts'
import { behaviourOf } from './fixtures.ts'
import type { MemoryDomain, MemoryHost } from './host.ts'
import { activeOf, enter, guestOf } from './life.ts'
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

    saved: id => connection.call('suspension.saved', () => savedOf(host.domain(id))),

    changeSaved: (id, changes) =>
      connection.call('suspension.changeSaved', () => {
        const domain = host.domain(id)
        const machine = activeOf(domain, 'change what was saved of', ['suspended'])
        if (changes.config !== undefined) machine.change(fitToSaved(machine.config, structuredClone(changes.config)))
        domain.isSavedPaused = changes.paused ?? domain.isSavedPaused
      }),

    files: savedFileOps(host, connection),
  }
}

function savedOf(domain: MemoryDomain): SavedDomain {
  const { config } = activeOf(domain, 'read what was saved of', ['suspended'])
  return { config, paused: domain.isSavedPaused }
}

function suspend(host: MemoryHost, domain: MemoryDomain): void {
  const guest = guestOf(domain, 'suspend', ['running', 'paused'])
  const { suspendRefusal } = behaviourOf(domain.config.name)
  if (suspendRefusal !== null) throw new DriverError('refused', suspendRefusal)
  domain.isSavedPaused = domain.now.state === 'paused'
  if (domain.now.state === 'running') guest.pause()
  enter(host, domain, 'suspended')
}

function resume(host: MemoryHost, domain: MemoryDomain, isPaused: boolean): void {
  const guest = guestOf(domain, 'resume', ['suspended'])
  if (!isPaused) guest.run()
  enter(host, domain, isPaused ? 'paused' : 'running')
}
