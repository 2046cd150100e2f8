import { type DomainConfig, type DomainId, DriverError, type SavedDomain, type SavedFileOps } from '../driver.ts'
import { fitToSaved } from '../saved-fit.ts'
import { giveMachine } from './birth.ts'
import type { Connection } from './connection.ts'
import { assertStartable } from './demands.ts'
import { behaviourOf } from './fixtures.ts'
import type { MemoryDomain, MemoryHost } from './host.ts'
import type { SavedFile } from './kept-state.ts'
import { activeOf, assertState, enter, halt } from './life.ts'
import { assertPlace } from './place.ts'

/** How many files of saved domains a host has room for. */
const FILES_MAX = 10_000

/** Files of the group `suspension`. */
export function savedFileOps(host: MemoryHost, connection: Connection): SavedFileOps {
  const takesMs = (name = '') => behaviourOf(name).workMs
  return {
    save(id, location, { config, paused, ...options } = {}) {
      const effect = () => save(host, host.domain(id), location, { ...(config && { config }), ...said(paused) })
      const slow = takesMs(host.domains.get(id)?.config.name)
      return connection.call('savedFiles.save', effect, { ...options, takesMs: slow })
    },
    read: location =>
      connection.call('savedFiles.read', () => {
        const { config, paused } = fileAt(host, location)
        return { config, paused }
      }),
    change: (location, changes) =>
      connection.call('savedFiles.change', () => {
        const file = fileAt(host, location)
        const config = fitted(file.config, changes.config)
        host.savedFiles.set(location, { ...file, config, paused: changes.paused ?? file.paused })
      }),
    restore(location, { config, paused, ...options } = {}) {
      const effect = () => restore(host, fileAt(host, location), { ...(config && { config }), ...said(paused) })
      const slow = takesMs(host.savedFiles.get(location)?.config.name)
      return connection.call('savedFiles.restore', effect, { ...options, takesMs: slow })
    },
  }
}

const said = (paused: boolean | undefined) => (paused === undefined ? {} : { paused })

const fitted = (saved: DomainConfig, wanted: DomainConfig | undefined): DomainConfig =>
  wanted === undefined ? saved : fitToSaved(saved, structuredClone(wanted))

function fileAt(host: MemoryHost, location: string): SavedFile {
  const file = host.savedFiles.get(location)
  if (file === undefined) throw new DriverError('refused', `no domain was saved to ${location}`)
  return file
}

function save(host: MemoryHost, domain: MemoryDomain, location: string, wish: Partial<SavedDomain>): void {
  const { guest, config } = activeOf(domain, 'save', ['running', 'paused'])
  const { suspendRefusal } = behaviourOf(domain.config.name)
  if (suspendRefusal !== null) throw new DriverError('refused', suspendRefusal)
  assertPlace(host, location)
  assertRoom(host, location)
  const { paused = domain.now.state === 'paused' } = wish
  const told = fitted(config, wish.config)
  guest.cut()
  host.savedFiles.set(location, { config: told, paused, uptimeMs: guest.uptimeMs })
  halt(host, domain)
}

function assertRoom({ savedFiles }: MemoryHost, location: string): void {
  if (savedFiles.has(location) || savedFiles.size < FILES_MAX) return
  throw new DriverError('refused', `${FILES_MAX} domains are saved already`)
}

function restore(host: MemoryHost, file: SavedFile, wish: Partial<SavedDomain>): DomainId {
  const config = fitted(file.config, wish.config)
  const known = host.domains.get(config.id)
  if (known !== undefined) assertState(known, 'restore', ['halted'])
  else host.add(config)
  const domain = host.domain(config.id)
  try {
    assertStartable(host, domain, config)
  } catch (error) {
    if (known === undefined) host.domains.delete(config.id)
    throw error
  }
  if (known === undefined) host.emit(config.id, 'defined')
  const { guest } = revive(host, domain, { ...file, config })
  const { paused = file.paused } = wish
  if (!paused) guest.run()
  enter(host, domain, paused ? 'paused' : 'running')
  return config.id
}

function revive(host: MemoryHost, domain: MemoryDomain, { config, uptimeMs }: SavedFile) {
  const machine = giveMachine(host, domain, config)
  machine.age(uptimeMs)
  return machine
}
