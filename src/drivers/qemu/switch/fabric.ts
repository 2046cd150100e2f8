import { AddressTable } from './address-table.ts'
import { isForBridges, isForSeveral, originOf, targetOf } from './frames.ts'
import { type Lease, LeaseTable } from './leases.ts'
import type { PortWish } from './messages.ts'
import { Port } from './port.ts'

/** Ports that a switch has at most; each is a socket. */
export const PORTS_MAX = 16_384

/** The ports of the switch and the segments they are in; passes frames on among those of one segment. */
export class Fabric {
  readonly #ports = new Map<string, Port>()
  readonly #segments = new Map<string, Segment>()

  get ports(): readonly Port[] {
    return [...this.#ports.values()]
  }

  /** Plugs a port, or moves one that is there to another segment; its connection and counters stay. */
  put(wish: PortWish): void {
    const known = this.#ports.get(wish.id)
    if (known !== undefined && known.path === wish.path) {
      known.guard(wish.guarded)
      known.isOutside = wish.isOutside === true
      known.hurry()
      return this.#move(known, wish.segment)
    }
    if (known !== undefined) this.remove(wish.id)
    if (this.#ports.size >= PORTS_MAX) throw new RangeError(`there are ${PORTS_MAX} ports already`)
    const port = new Port(wish, (from, frame) => this.#forward(from, frame))
    port.isOutside = wish.isOutside === true
    this.#ports.set(wish.id, port)
    this.#enter(port)
  }

  /** Unplugs a port; harmless where there is none. */
  remove(id: string): void {
    const port = this.#ports.get(id)
    if (port === undefined) return
    this.#leave(port)
    port.close()
    this.#ports.delete(id)
  }

  /** Who of a segment was given which address; nobody of one that nothing is plugged into. */
  leases(segment: string): readonly Lease[] {
    return this.#segments.get(segment)?.leases.list() ?? []
  }

  #move(port: Port, segment: string | null): void {
    if (port.segment === segment) return
    this.#leave(port)
    port.segment = segment
    this.#enter(port)
  }

  #enter(port: Port): void {
    if (port.segment === null) return
    const segment = this.#segments.get(port.segment) ?? new Segment()
    this.#segments.set(port.segment, segment)
    segment.ports.add(port)
  }

  #leave(port: Port): void {
    if (port.segment === null) return
    const segment = this.#segments.get(port.segment)
    if (segment === undefined) return
    segment.ports.delete(port)
    segment.addresses.forget(port)
    if (segment.ports.size === 0) this.#segments.delete(port.segment)
  }

  #forward(from: Port, frame: Buffer): void {
    if (from.segment === null || isForBridges(frame)) return
    this.#segments.get(from.segment)?.forward(from, frame)
  }
}

class Segment {
  readonly ports = new Set<Port>()
  readonly addresses = new AddressTable<Port>(() => performance.now())
  readonly leases = new LeaseTable(() => Date.now())

  forward(from: Port, frame: Buffer): void {
    this.addresses.learn(originOf(frame), from)
    this.leases.see(frame, from.isOutside)
    const target = isForSeveral(frame) ? undefined : this.addresses.find(targetOf(frame))
    if (target === undefined) this.#flood(from, frame)
    else if (target !== from) target.send(frame)
  }

  #flood(from: Port, frame: Buffer): void {
    for (const port of this.ports) if (port !== from) port.send(frame)
  }
}
