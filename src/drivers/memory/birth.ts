import type { DomainConfig } from '../driver.ts'
import { behaviourOf, type Ending } from './fixtures.ts'
import type { MemoryDomain, MemoryHost } from './host.ts'
import { end } from './life.ts'
import { Machine } from './machine.ts'

/** Gives a halted domain a machine by this definition; its guest does not run yet. */
export function giveMachine(host: MemoryHost, domain: MemoryDomain, config: DomainConfig): Machine {
  const onEnd = (ending: Ending) => end(host, domain, ending)
  const machine = new Machine(config, behaviourOf(domain.config.name), host.agenda, domain.serial, onEnd)
  domain.active = machine
  host.active.add(domain)
  return machine
}
