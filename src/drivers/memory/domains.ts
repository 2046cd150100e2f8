import { type DomainConfig, type DomainInfo, type DomainOps, DriverError } from '../driver.ts'
import { giveMachine } from './birth.ts'
import type { Connection } from './connection.ts'
import { assertStartable } from './demands.ts'
import { behaviourOf } from './fixtures.ts'
import type { MemoryDomain, MemoryHost } from './host.ts'
import { activeOf, assertState, enter, guestOf, halt } from './life.ts'

/** The domains of a memory host. */
export function domainOps(host: MemoryHost, connection: Connection): DomainOps {
  return {
    list: () => connection.call('domains.list', () => Array.from(host.domains.values(), domain => domain.now)),
    get: id => connection.call('domains.get', () => host.domain(id).now),
    info: id => connection.call('domains.info', () => infoOf(host.domain(id))),
    config: id => connection.call('domains.config', () => host.domain(id).config),
    living: id => connection.call('domains.living', () => livingOf(host.domain(id))),
    configs: (ids, { isLiving = false } = {}) =>
      connection.call('domains.configs', () =>
        ids.flatMap(id => {
          const domain = host.domains.get(id)
          if (domain === undefined) return []
          return [isLiving ? livingOf(domain) : domain.config]
        }),
      ),
    define(config) {
      const kept = structuredClone(config)
      return connection.call('domains.define', () => define(host, kept))
    },
    undefine: id => connection.call('domains.undefine', () => undefine(host, host.domain(id))),

    start(id, { paused = false, ...options } = {}) {
      const name = host.domains.get(id)?.config.name ?? ''
      const effect = () => start(host, host.domain(id), paused)
      return connection.call('domains.start', effect, { ...options, takesMs: behaviourOf(name).workMs })
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
        guestOf(domain, 'cut the power of', ['running', 'paused', 'crashed', 'suspended']).cut()
        halt(host, domain)
      }),

    reset: (id, { keepsPaused = false } = {}) =>
      connection.call('domains.reset', () => {
        const domain = host.domain(id)
        const machine = activeOf(domain, 'reset', ['running', 'paused', 'crashed'])
        const stays = keepsPaused && domain.now.state === 'paused'
        machine.reset()
        if (stays) machine.guest.pause()
        enter(host, domain, stays ? 'paused' : 'running')
      }),

    injectNmi: id =>
      connection.call('domains.injectNmi', () => {
        guestOf(host.domain(id), 'interrupt', ['running', 'paused']).interrupt()
      }),
  }
}

const livingOf = ({ config, now, active }: MemoryDomain): DomainConfig =>
  active === null || now.state === 'halted' || now.state === 'suspended' ? config : active.config

function infoOf({ config, now, active }: MemoryDomain): DomainInfo {
  const { memoryBytes, memoryTargetBytes = memoryBytes, vcpus } = active?.config ?? config
  const machine = now.state === 'halted' || now.state === 'suspended' ? null : active
  if (machine === null) return { ...now, memoryBytes, memoryNowBytes: memoryTargetBytes, vcpus, cpuMs: 0 }
  const { lifeMs } = machine.guest
  const cpuMs = machine.usage.vcpuMs(lifeMs).reduce((sum, ms) => sum + ms, 0)
  return { ...now, memoryBytes, memoryNowBytes: machine.balloon.bytes(lifeMs), vcpus, cpuMs }
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
  const { startRefusal } = behaviourOf(domain.config.name)
  if (startRefusal !== null) throw new DriverError('refused', startRefusal)
  assertStartable(host, domain)

  const machine = giveMachine(host, domain, domain.config)
  if (!isPaused) machine.guest.run()
  enter(host, domain, isPaused ? 'paused' : 'running')
}
