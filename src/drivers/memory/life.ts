import { type DomainEvent, type DomainState, DriverError, type ExitActions } from '../driver.ts'
import type { Ending } from './fixtures.ts'
import type { Guest } from './guest.ts'
import type { MemoryDomain, MemoryHost } from './host.ts'
import type { Machine } from './machine.ts'

/** What becomes of a domain that says nothing about it. */
const EXITS: ExitActions = { shutdown: 'halt', reboot: 'restart', suspend: 'halt', crash: 'halt' }

const ENDING_EVENTS = {
  shutdown: 'guest-shutdown',
  reboot: 'guest-reset',
  suspend: 'guest-suspended',
  crash: 'crashed',
} as const satisfies Readonly<Record<Ending, DomainEvent['kind']>>

/** What follows when a guest ends by itself: what the stored definition says of it now. */
export function end(host: MemoryHost, domain: MemoryDomain, ending: Ending): void {
  host.emit(domain.now.id, ENDING_EVENTS[ending])
  const action = (domain.config.exits ?? EXITS)[ending]
  if (action === 'halt') halt(host, domain)
  else if (action === 'hold') enter(host, domain, 'crashed')
  else {
    domain.active?.reset()
    enter(host, domain, 'running')
  }
}

/** Puts out a domain whose guest has no power any more. */
export function halt(host: MemoryHost, domain: MemoryDomain): void {
  if (domain.active !== null) {
    host.writeBack(domain.active)
    host.cpuMeter.retire(domain.active)
  }
  domain.active = null
  host.active.delete(domain)
  enter(host, domain, 'halted')
}

export function enter(host: MemoryHost, domain: MemoryDomain, state: DomainState): void {
  domain.now = { ...domain.now, state }
  host.emit(domain.now.id, 'changed')
}

/** The guest of a domain in one of the `allowed` states; `deed` is what it is wanted for. */
export function guestOf(domain: MemoryDomain, deed: string, allowed: readonly DomainState[]): Guest {
  return activeOf(domain, deed, allowed).guest
}

/** As `guestOf`, with the machine round the guest. */
export function activeOf(domain: MemoryDomain, deed: string, allowed: readonly DomainState[]): Machine {
  assertState(domain, deed, allowed)
  if (domain.active === null) throw new Error(`domain ${domain.now.id} is ${domain.now.state} without a guest`)
  return domain.active
}

export function assertState({ now }: MemoryDomain, deed: string, allowed: readonly DomainState[]): void {
  if (allowed.includes(now.state)) return
  throw new DriverError('bad-state', `cannot ${deed} ${now.name}: it is ${now.state}, not ${allowed.join(' or ')}`)
}
