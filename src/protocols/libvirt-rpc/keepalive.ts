import type { Buffer } from 'node:buffer'
import { KEEPALIVE_COUNT, KEEPALIVE_INTERVAL_MS } from './limits.ts'
import { encodePacket, type Packet, PacketStatus, PacketType } from './packet.ts'

/** The program that keeps connections alive. Source: libvirt, src/rpc/virkeepaliveprotocol.x. */
export const KEEPALIVE_PROGRAM = 0x6b656570
const VERSION = 1
const PING = 1
const PONG = 2

/** How long a peer may be silent, and how often it is then asked. */
export interface KeepAliveOptions {
  readonly intervalMs?: number
  readonly count?: number
}

/** What keepalive does to a link. */
export interface KeepAlivePort {
  readonly send: (packet: Buffer) => void
  /** Whether nothing is read for now, so that the peer cannot be heard. */
  readonly isDeaf: () => boolean
  /** The peer is dead. */
  readonly onDead: () => void
}

/** Answers a peer that asks whether we live, and once started asks it the same when it is silent. */
export class KeepAlive {
  readonly #port: KeepAlivePort
  #timer: NodeJS.Timeout | undefined
  #wasHeard = false
  #asked = 0

  constructor(port: KeepAlivePort) {
    this.#port = port
  }

  /**
   * Begins to ask. A peer that stays silent through one interval and `count` more, each with a question, is dead.
   * Calling it again changes nothing. Source: libvirt, src/rpc/virkeepalive.c.
   */
  start({ intervalMs = KEEPALIVE_INTERVAL_MS, count = KEEPALIVE_COUNT }: KeepAliveOptions = {}): void {
    if (this.#timer !== undefined) return
    this.#wasHeard = true
    this.#timer = setInterval(() => this.#look(count), intervalMs).unref()
  }

  /** Something came from the peer. */
  heard(): void {
    this.#wasHeard = true
  }

  /** Takes a packet of this program; what it does not know, it ignores. */
  receive({ version, procedure, type }: Packet): void {
    if (version === VERSION && type === PacketType.message && procedure === PING) this.#send(PONG)
  }

  /** Asks no more. */
  stop(): void {
    clearInterval(this.#timer)
  }

  #look(count: number): void {
    const isSilent = !this.#wasHeard && !this.#port.isDeaf()
    this.#wasHeard = false
    if (!isSilent) {
      this.#asked = 0
    } else if (this.#asked < count) {
      this.#asked++
      this.#send(PING)
    } else {
      this.#port.onDead()
    }
  }

  #send(procedure: number): void {
    const header = { program: KEEPALIVE_PROGRAM, version: VERSION, procedure, type: PacketType.message }
    this.#port.send(encodePacket({ ...header, serial: 0, status: PacketStatus.ok }))
  }
}
