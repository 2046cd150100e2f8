import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { pipeline } from 'node:stream'
import type { DomainId } from '../../drivers/driver.ts'
import type { HostUse } from '../host.ts'
import type { ManagedHost } from './managed-host.ts'
import { ownerOfPeer } from './peer-owner.ts'
import { RefusedViewers } from './refused-viewers.ts'

type Warn = HostUse['warn']

/** Where the ports of VNC begin. Source: RFC 6143, section 2. */
const PORT_FIRST = 5_900
const PORTS_MAX = 2_000
/** How many domains of all hosts are relayed at once. */
const RELAYS_MAX = 1_000
/** How many look at a domain at once. */
const VIEWERS_MAX = 32

/**
 * What domains show, on ports of the loopback interface, for clients that only know how to look at a port: one for each
 * domain that somebody has described, from then until it shows nothing any more. Ports are open to all who have a process
 * here, so whose process it is that comes is looked up: only the user of this server and root may look.
 */
export class GraphicsRelays {
  readonly #warn: Warn
  readonly #hosts = new Map<AbortSignal, HostRelays>()
  #isClosed = false

  constructor(warn: Warn) {
    this.#warn = warn
  }

  /** The port on which a domain can be looked at; undefined where it shows nothing now, or none can be had. */
  async portOf(managed: ManagedHost, id: DomainId): Promise<number | undefined> {
    if (this.#isClosed || managed.signal.aborted || process.platform !== 'linux') return undefined
    const relays = this.#hosts.get(managed.signal) ?? this.#begin(managed)
    return relays.portOf(id, this.#count() < RELAYS_MAX)
  }

  /** Ends them all, with whoever is looking. Calling it twice is harmless. */
  close(): void {
    this.#isClosed = true
    for (const relays of this.#hosts.values()) relays.close()
    this.#hosts.clear()
  }

  #begin(managed: ManagedHost): HostRelays {
    const relays = new HostRelays(managed, this.#warn)
    this.#hosts.set(managed.signal, relays)
    const end = () => {
      relays.close()
      this.#hosts.delete(managed.signal)
    }
    managed.signal.addEventListener('abort', end, { once: true })
    return relays
  }

  #count(): number {
    return [...this.#hosts.values()].reduce((sum, { count }) => sum + count, 0)
  }
}

/** The relays of one host. */
class HostRelays {
  readonly #managed: ManagedHost
  readonly #warn: Warn
  readonly #relays = new Map<DomainId, Promise<Relay | undefined>>()
  readonly #unsubscribe: (() => void) | undefined
  #isClosed = false

  constructor(managed: ManagedHost, warn: Warn) {
    this.#managed = managed
    this.#warn = warn
    this.#unsubscribe = managed.driver.events?.subscribe(({ id }) => void this.#look(id))
  }

  get count(): number {
    return this.#relays.size
  }

  /** Opens one where there is none yet, and `mayOpen`. */
  async portOf(id: DomainId, mayOpen: boolean): Promise<number | undefined> {
    if (!(await this.#shows(id))) {
      this.#end(id)
      return undefined
    }
    const known = this.#relays.get(id) ?? (mayOpen && !this.#isClosed ? this.#open(id) : undefined)
    return (await known)?.port
  }

  close(): void {
    this.#isClosed = true
    this.#unsubscribe?.()
    for (const id of this.#relays.keys()) this.#end(id)
  }

  #open(id: DomainId): Promise<Relay | undefined> {
    const relay = this.#listen(id)
    this.#relays.set(id, relay)
    return relay
  }

  async #listen(id: DomainId): Promise<Relay | undefined> {
    const { driver } = this.#managed
    const refused = new RefusedViewers(id, this.#warn)
    const relay = new Relay(socket => this.#serve(id, socket, refused), refused)
    if (driver.terminals !== undefined && (await relay.listen())) return relay
    this.#relays.delete(id)
    this.#warn('no port is free on which a domain could be looked at', { domain: id })
    return undefined
  }

  /** Carries what a domain shows to a viewer, and what the viewer does to the domain. */
  async #serve(id: DomainId, socket: Socket, refused: RefusedViewers): Promise<void> {
    const owner = await ownerOfPeer(socket)
    if (owner !== 0 && owner !== process.getuid?.()) {
      socket.destroy()
      refused.add(owner)
      return
    }
    try {
      const display = await this.#managed.driver.terminals?.open(id, 'vnc')
      if (display === undefined) socket.destroy()
      else pipeline(display, socket, display, () => socket.destroy())
    } catch {
      socket.destroy() // It has just halted.
    }
  }

  async #look(id: DomainId): Promise<void> {
    if (this.#relays.has(id) && !(await this.#shows(id))) this.#end(id)
  }

  /** Not where there is no telling. */
  async #shows(id: DomainId): Promise<boolean> {
    try {
      return (await this.#managed.driver.terminals?.kinds(id))?.includes('vnc') === true
    } catch {
      return false
    }
  }

  #end(id: DomainId): void {
    const relay = this.#relays.get(id)
    this.#relays.delete(id)
    void relay?.then(opened => opened?.close())
  }
}

/** A port, and who is at it. */
class Relay {
  readonly #server: Server
  readonly #viewers = new Set<Socket>()
  readonly #refused: RefusedViewers
  port = 0

  constructor(serve: (socket: Socket) => Promise<void>, refused: RefusedViewers) {
    this.#refused = refused
    this.#server = createServer(socket => {
      this.#viewers.add(socket)
      socket.on('close', () => this.#viewers.delete(socket))
      socket.on('error', () => undefined) // And closes.
      void serve(socket)
    })
    this.#server.maxConnections = VIEWERS_MAX
    this.#server.on('error', () => undefined) // Whom there is no room for now may come again; of a taken port `listen` hears.
  }

  /** Takes the first port that is free; whether there was one. */
  async listen(): Promise<boolean> {
    for (let port = PORT_FIRST; port < PORT_FIRST + PORTS_MAX; port++) {
      try {
        this.#server.listen(port, '127.0.0.1')
        await once(this.#server, 'listening')
        this.port = port
        return true
      } catch {
        // Somebody else has it.
      }
    }
    return false
  }

  close(): void {
    this.#server.close()
    for (const viewer of this.#viewers) viewer.destroy()
    this.#refused.end()
  }
}
