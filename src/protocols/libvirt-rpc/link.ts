import type { Buffer } from 'node:buffer'
import type { Duplex } from 'node:stream'
import { RpcConnectionError } from './error.ts'
import { FrameReader } from './frames.ts'
import { END_MS, PACKET_STALL_MS, SEND_STALL_MS, UNSENT_BYTES_MAX } from './limits.ts'
import { bytesBehind, decodePacket, type Packet } from './packet.ts'

/** Who is told what happens on a link, and how long a peer may be slow. */
export interface LinkOptions {
  /** Told of each packet, in order. Must not throw but RpcConnectionError, which ends the link. */
  readonly onPacket: (packet: Packet) => void
  /** Told once when the link ends, whoever ended it. Must not throw. */
  readonly onEnd: (error: RpcConnectionError) => void
  /** The longest packet that is taken now, its length word included. */
  readonly packetBytesMax: () => number
  readonly packetStallMs?: number
  readonly sendStallMs?: number
}

/** Packets over a duplex stream, which it takes over: both directions, bounded, one end. */
export class PacketLink {
  readonly #duplex: Duplex
  readonly #options: LinkOptions
  readonly #frames = new FrameReader()
  readonly #holds = new Set<object>()
  #end: RpcConnectionError | undefined
  #partialTimer: NodeJS.Timeout | undefined
  #sendTimer: NodeJS.Timeout | undefined
  #givenBytes = 0
  /** What is to be done once what is under way has left; undefined while there is nothing to wait for. */
  #waiting: (() => void)[] | undefined
  #waitingBytes = 0
  #drained: PromiseWithResolvers<void> | undefined

  constructor(duplex: Duplex, options: LinkOptions) {
    this.#duplex = duplex
    this.#options = options
    duplex.on('data', (chunk: Buffer) => this.#receive(chunk))
    duplex.on('drain', () => this.#drain())
    duplex.on('error', error => this.fail(new RpcConnectionError('closed', `the connection broke: ${error.message}`)))
    duplex.on('end', () => this.fail(new RpcConnectionError('closed', 'the peer closed the connection')))
    duplex.on('close', () => this.fail(new RpcConnectionError('closed', 'the connection was closed')))
  }

  /** Why the link ended, or undefined while it stands. */
  get end(): RpcConnectionError | undefined {
    return this.#end
  }

  /** Whether nothing is read for now. */
  get isHeld(): boolean {
    return this.#holds.size > 0
  }

  /** How many bytes wait to be sent. */
  get unsentBytes(): number {
    return this.#duplex.writableLength + this.#waitingBytes
  }

  /** Sends a packet, after those that were sent before. A peer that reads nothing at all ends the link. */
  send(packet: Buffer): void {
    if (this.#end !== undefined) return
    if (this.unsentBytes + packet.length > UNSENT_BYTES_MAX) {
      this.fail(new RpcConnectionError('overflow', `the peer leaves ${this.unsentBytes} bytes unread`))
      return
    }
    if (this.#waiting === undefined) return this.#write(packet)
    this.#waitingBytes += packet.length
    this.#waiting.push(() => this.#write(packet))
  }

  /**
   * Sends a packet that is followed by what is none: `follow` is called when the packet has left, and nothing leaves before
   * that has returned. What it throws ends the link.
   */
  sendFollowed(packet: Buffer, follow: () => void): void {
    if (this.#end !== undefined) return
    if (this.#waiting !== undefined) {
      this.#waiting.push(() => this.sendFollowed(packet, follow))
      return
    }
    this.#waiting = []
    this.#write(packet, () => this.#goOn(follow))
  }

  #goOn(follow: () => void): void {
    try {
      follow()
    } catch (error) {
      this.fail(new RpcConnectionError('closed', `the connection could not carry on: ${String(error)}`))
    }
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    this.#waitingBytes = 0
    // One of them may be followed itself, and then the others wait again.
    for (const act of waiting) this.#inTurn(act)
  }

  #inTurn(act: () => void): void {
    if (this.#waiting === undefined) act()
    else this.#waiting.push(act)
  }

  #write(packet: Buffer, written?: () => void): void {
    this.#givenBytes += packet.length
    const isTaken = this.#duplex.write(packet, error => {
      if (error === undefined || error === null) written?.()
    })
    if (!isTaken) this.#watchSending()
  }

  /** Resolves when more may be sent without piling up. Rejects with RpcConnectionError when the link ends. */
  async drained(): Promise<void> {
    if (this.#end !== undefined) throw this.#end
    if (!this.#duplex.writableNeedDrain) return
    this.#drained ??= Promise.withResolvers()
    await this.#drained.promise
    if (this.#end !== undefined) throw this.#end
  }

  /** Reads nothing more until every `by` that holds the link has released it. */
  hold(by: object): void {
    this.#holds.add(by)
    this.#duplex.pause()
    clearTimeout(this.#partialTimer)
  }

  /** Takes a hold away. Packets that have been received meanwhile come at once, but not before this returns. */
  release(by: object): void {
    if (!this.#holds.delete(by) || this.#holds.size > 0) return
    setImmediate(() => {
      if (this.#holds.size > 0 || this.#end !== undefined) return
      this.#deliver()
      if (this.#holds.size === 0) this.#duplex.resume()
    })
  }

  /** Ends the link once what was sent has gone out. Calling it twice is harmless. */
  close(): void {
    if (this.#end !== undefined) return
    this.#finish(new RpcConnectionError('closed', 'the connection was closed'))
    const timer = setTimeout(() => this.#duplex.destroy(), END_MS).unref()
    this.#duplex.once('close', () => clearTimeout(timer))
    this.#inTurn(() => this.#duplex.end(() => this.#duplex.destroy()))
    this.#duplex.resume()
  }

  /** Ends the link at once. */
  fail(error: RpcConnectionError): void {
    if (this.#end !== undefined) return
    this.#duplex.destroy()
    this.#finish(error)
  }

  #finish(error: RpcConnectionError): void {
    this.#end = error
    clearTimeout(this.#partialTimer)
    clearTimeout(this.#sendTimer)
    this.#drained?.resolve()
    this.#holds.clear()
    this.#options.onEnd(error)
  }

  #receive(chunk: Buffer): void {
    if (this.#end !== undefined) return
    this.#frames.push(chunk)
    this.#deliver()
  }

  #deliver(): void {
    try {
      while (this.#end === undefined && this.#holds.size === 0) {
        const frame = this.#frames.next(this.#options.packetBytesMax())
        if (frame === undefined) break
        const packet = decodePacket(frame)
        this.#frames.skip(bytesBehind(packet))
        this.#options.onPacket(packet)
      }
    } catch (error) {
      if (!(error instanceof RpcConnectionError)) throw error
      this.fail(error)
    }
    this.#watchPartial()
  }

  #watchPartial(): void {
    clearTimeout(this.#partialTimer)
    if (!this.#frames.isPartial || this.#end !== undefined || this.#holds.size > 0) return
    const stallMs = this.#options.packetStallMs ?? PACKET_STALL_MS
    const give = () => this.fail(new RpcConnectionError('time-out', `a packet stands still for ${stallMs} ms`))
    this.#partialTimer = setTimeout(give, stallMs).unref()
  }

  #drain(): void {
    clearTimeout(this.#sendTimer)
    this.#sendTimer = undefined
    this.#drained?.resolve()
    this.#drained = undefined
  }

  /** Gives the peer up once it has taken nothing for too long; what it takes slowly, it may. */
  #watchSending(): void {
    if (this.#sendTimer !== undefined) return
    const stallMs = this.#options.sendStallMs ?? SEND_STALL_MS
    let before = this.#takenBytes()
    const look = () => {
      const now = this.#takenBytes()
      if (now === before) this.fail(new RpcConnectionError('overflow', `the peer reads nothing for ${stallMs} ms`))
      before = now
    }
    this.#sendTimer = setInterval(look, stallMs).unref()
  }

  /** What has left for the peer since the link began. */
  #takenBytes(): number {
    return this.#givenBytes - this.#duplex.writableLength
  }
}
