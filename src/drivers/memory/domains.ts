import { type DomainConfig, type DomainOps, type DomainState, DriverError } from '../driver.ts'
import type { Connection } from './connection.ts'
import { behaviourOf } from './fixtures.ts'
import { type Ending, Guest } from './guest.ts'
import type { MemoryDomain, MemoryHost } from './host.ts'

/** The domains of a memory host. */
export function domainOps(host: MemoryHost, connection: Connection): DomainOps {
  return {
    list: () => connection.call('domains.list', () => Array.from(host.domains.values(), domain => domain.now)),
    get: id => connection.call('domains.get', () => host.domain(id).now),
    config: id => connection.call('domains.config', () => host.domain(id).config),
    define: config => connection.call('domains.define', () => define(host, structuredClone(config))),
    undefine: id => connection.call('domains.undefine', () => undefine(host, host.domain(id))),

    start(id, { paused = false, ...options } = {}) {
      const name = host.domains.get(id)?.config.name ?? ''
      const effect = () => start(host, host.domain(id), paused)
      return connection.call('domains.start', effect, { ...options, takesMs: behaviourOf(name).startMs })
    },

    pause: id =>
      connection.call('domains.pause', () => {
        const domain = host.domain(id)
        guestOf(domain, 'pause', ['running']).pause()
        enter(host, domain, 'paused')
      }),

    unpause: id =>
      connection.call('domains.unpause', () => {
        const domain = host.domain(id)
        guestOf(domain, 'unpause', ['paused']).run()
        enter(host, domain, 'running')
      }),

    requestShutdown: id =>
      connection.call('domains.requestShutdown', () => {
        guestOf(host.domain(id), 'shut down', ['running']).requestShutdown()
      }),

    powerOff: id =>
      connection.call('domains.powerOff', () => {
        const domain = host.domain(id)
        guestOf(domain, 'cut the power of', ['running', 'paused']).cut()
        halt(host, domain)
      }),

    reset: id =>
      connection.call('domains.reset', () => {
        const domain = host.domain(id)
        guestOf(domain, 'reset', ['running', 'paused']).reset()
        enter(host, domain, 'running')
      }),
  }
}

function define(host: MemoryHost, config: DomainConfig): void {
  const domain = host.domains.get(config.id)
  if (domain === undefined) {
    host.add(config)
  } else {
    domain.config = config
    domain.now = { ...domain.now, name: config.name }
  }
  host.emit(config.id, 'defined')
}

function undefine(host: MemoryHost, domain: MemoryDomain): void {
  assertState(domain, 'undefine', ['halted'])
  host.domains.delete(domain.now.id)
  host.emit(domain.now.id, 'undefined')
}

function start(host: MemoryHost, domain: MemoryDomain, isPaused: boolean): void {
  assertState(domain, 'start', ['halted'])
  const { config } = domain
  const behaviour = behaviourOf(config.name)
  if (behaviour.startRefusal !== null) throw new DriverError('refused', behaviour.startRefusal)
  const missing = config.disks.find(disk => !host.volumes.has(disk.location))
  if (missing !== undefined) throw new DriverError('refused', `there is no volume at ${missing.location}`)

  const guest = new Guest(behaviour, host.agenda, domain.serial, ending => end(host, domain, ending))
  domain.active = { config, guest }
  host.active.add(domain)
  if (!isPaused) guest.run()
  enter(host, domain, isPaused ? 'paused' : 'running')
}

/** What follows when a guest ends by itself. */
function end(host: MemoryHost, domain: MemoryDomain, ending: Ending): void {
  host.emit(domain.now.id, ending === 'crash' ? 'crashed' : 'guest-shutdown')
  halt(host, domain)
}

function halt(host: MemoryHost, domain: MemoryDomain): void {
  domain.active = null
  host.active.delete(domain)
  enter(host, domain, 'halted')
}

function enter(host: MemoryHost, domain: MemoryDomain, state: DomainState): void {
  domain.now = { ...domain.now, state }
  host.emit(domain.now.id, 'changed')
}

function guestOf(domain: MemoryDomain, deed: string, allowed: readonly DomainState[]): Guest {
  assertState(domain, deed, allowed)
  if (domain.active === null) throw new Error(`domain ${domain.now.id} is ${domain.now.state} without a guest`)
  return domain.active.guest
}

function assertState({ now }: MemoryDomain, deed: string, allowed: readonly DomainState[]): void {
  if (allowed.includes(now.state)) return
  throw new DriverError('bad-state', `cannot ${deed} ${now.name}: it is ${now.state}, not ${allowed.join(' or ')}`)
}
