import type { Buffer } from 'node:buffer'
import type { Duplex } from 'node:stream'
import { XdrError } from '../../wire/xdr/error.ts'
import { readAll } from '../../wire/xdr/types.ts'
import { RpcClientStream } from './client-stream.ts'
import { RpcConnectionError, RpcError } from './error.ts'
import { KEEPALIVE_PROGRAM, KeepAlive, type KeepAliveOptions } from './keepalive.ts'
import { ANSWER_TIMEOUT_MS, CALLS_PENDING_MAX, PACKET_BYTES_MAX, STREAMS_MAX } from './limits.ts'
import { PacketLink } from './link.ts'
import { encodePacket, type Packet, PacketStatus, PacketType, readError } from './packet.ts'
import { isSparse, type Procedure } from './procedure.ts'
import {
  type ArgsOf,
  type EventName,
  type EventOf,
  eventNamed,
  events,
  type ProcedureName,
  procedures,
  REMOTE_PROGRAM,
  REMOTE_VERSION,
  type ResultOf,
  type StreamName,
} from './table/index.ts'
import { unsupported } from './refusals.ts'
import { within } from './waiting.ts'

const SERIALS = 2 ** 32

/** How a client behaves. */
export interface RpcClientOptions {
  /** Told once when the connection ends, unless `close` was called. Must not throw. */
  readonly onClose?: (error: RpcConnectionError) => void
  /** How long an answer may take where the call says nothing. */
  readonly answerTimeoutMs?: number
  /** How long a stream may go unread while it holds up the connection. */
  readonly streamStallMs?: number
}

/** How long an answer may take, and who may stop waiting for it. The server still does what it was told. */
export interface CallOptions {
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** What follows the name of a procedure: its arguments where it has any, and how to wait. */
export type CallRest<N extends ProcedureName> =
  ArgsOf<N> extends void ? [args?: undefined, options?: CallOptions] : [args: ArgsOf<N>, options?: CallOptions]

/** A call that opened a stream. */
export interface Opened<N extends StreamName> {
  readonly result: ResultOf<N>
  readonly stream: RpcClientStream
}

interface OpenedUntyped {
  readonly result: unknown
  readonly stream: RpcClientStream
}

interface Pending {
  readonly name: ProcedureName
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

/** A connection to a libvirtd, over a duplex stream that it takes over. Calls run side by side. */
export class RpcClient {
  readonly #options: RpcClientOptions
  readonly #link: PacketLink
  readonly #keepAlive: KeepAlive
  readonly #pending = new Map<number, Pending>()
  readonly #streams = new Map<number, { readonly number: number; readonly stream: RpcClientStream }>()
  readonly #listeners = new Map<EventName, Set<(body: Buffer) => void>>()
  #lastSerial = 0
  #isClosed = false

  constructor(duplex: Duplex, options: RpcClientOptions = {}) {
    this.#options = options
    this.#link = new PacketLink(duplex, {
      onPacket: packet => this.#receive(packet),
      onEnd: error => this.#finish(error),
      packetBytesMax: () => PACKET_BYTES_MAX,
    })
    this.#keepAlive = new KeepAlive({
      send: packet => this.#link.send(packet),
      isDeaf: () => this.#link.isHeld,
      onDead: () => this.#link.fail(new RpcConnectionError('time-out', 'the server does not answer any more')),
    })
  }

  /** Whether the connection stands. */
  get isOpen(): boolean {
    return this.#link.end === undefined
  }

  /**
   * Calls a procedure. Rejects with RpcError where the server refuses, with RpcConnectionError where no answer comes,
   * and with XdrError for arguments that are none of the procedure's.
   */
  async call<N extends ProcedureName>(name: N, ...rest: CallRest<N>): Promise<ResultOf<N>>
  async call(name: ProcedureName, args?: unknown, options?: CallOptions): Promise<unknown> {
    return await this.#wait(name, this.#start(name, this.#nextSerial(), args, options), options)
  }

  /** Calls a procedure that opens a stream. Rejects like `call`. */
  async open<N extends StreamName>(name: N, ...rest: CallRest<N>): Promise<Opened<N>>
  async open(name: StreamName, args?: unknown, options?: CallOptions): Promise<OpenedUntyped> {
    if (this.#streams.size >= STREAMS_MAX) {
      throw new RpcConnectionError('overflow', `${name}: ${STREAMS_MAX} streams are open already`)
    }
    const serial = this.#nextSerial()
    const answered = this.#start(name, serial, args, options)
    // Before the answer: the stream's first packet may come along with it.
    const stream = this.#newStream(name, serial, args)
    try {
      return { result: await this.#wait(name, answered, options), stream }
    } catch (error) {
      const forget = () => this.#streams.delete(serial)
      // Nobody waits for the stream any more, which the server may still open.
      if (error instanceof RpcConnectionError) void answered.then(() => stream.abort()).catch(forget)
      else forget()
      throw error
    }
  }

  /** Has a listener told of each event of a kind, until what is returned is called. It must not throw. */
  on<N extends EventName>(name: N, listener: (event: EventOf<N>) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set()
    const tell = (body: Buffer) => listener(readAll(events[name].body, body))
    this.#listeners.set(name, listeners.add(tell))
    return () => listeners.delete(tell)
  }

  /** Ends the connection when the server stays silent. It must have said that it answers (CONNECT_SUPPORTS_FEATURE). */
  startKeepAlive(options?: KeepAliveOptions): void {
    if (this.isOpen) this.#keepAlive.start(options)
  }

  /** Ends the connection. What waits rejects as `closed`. Calling it twice is harmless. */
  close(): void {
    this.#isClosed = true
    this.#link.close()
  }

  /** Sends a call. The promise is the answer's, and never left alone: who stops waiting may do so. */
  #start(name: ProcedureName, serial: number, args: unknown, options: CallOptions = {}): Promise<unknown> {
    if (this.#link.end !== undefined) throw this.#link.end
    if (options.signal?.aborted === true) throw new RpcConnectionError('aborted', `${name}: aborted`)
    if (this.#pending.size >= CALLS_PENDING_MAX) {
      throw new RpcConnectionError('overflow', `${name}: ${CALLS_PENDING_MAX} calls wait for an answer already`)
    }
    const procedure: Procedure = procedures[name]
    // Node cannot receive them, and the byte that comes with one would be taken for a packet.
    if (procedure.passesSocket === true) throw unsupported(procedure.function)
    const header = { ...PROGRAM, procedure: procedure.number, type: PacketType.call, serial, status: PacketStatus.ok }
    const packet = encodePacket(header, writer => procedure.args.write(writer, args))
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    promise.catch(() => undefined)
    this.#pending.set(serial, { name, resolve, reject })
    this.#link.send(packet)
    return promise
  }

  async #wait(what: string, answered: Promise<unknown>, { timeoutMs, signal }: CallOptions = {}): Promise<unknown> {
    const patienceMs = timeoutMs ?? this.#options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS
    return await within(answered, { timeoutMs: patienceMs, what, signal })
  }

  #newStream(name: ProcedureName, serial: number, args: unknown): RpcClientStream {
    const { number } = procedures[name]
    const { streamStallMs: stallMs } = this.#options
    const stream = new RpcClientStream({
      procedure: number,
      serial,
      isSparse: isSparse(procedures[name], args),
      ...(stallMs !== undefined && { stallMs }),
      send: packet => this.#link.send(packet),
      drained: async () => await this.#link.drained(),
      hold: by => this.#link.hold(by),
      release: by => this.#link.release(by),
      onClosed: () => this.#streams.delete(serial),
    })
    this.#streams.set(serial, { number, stream })
    return stream
  }

  /** The serials of calls that nobody waits for any more are not used again either, until they are answered. */
  #nextSerial(): number {
    do {
      this.#lastSerial = (this.#lastSerial + 1) % SERIALS
    } while (this.#pending.has(this.#lastSerial) || this.#streams.has(this.#lastSerial))
    return this.#lastSerial
  }

  #receive(packet: Packet): void {
    this.#keepAlive.heard()
    if (packet.program === KEEPALIVE_PROGRAM) return this.#keepAlive.receive(packet)
    if (packet.program !== REMOTE_PROGRAM || packet.version !== REMOTE_VERSION) return
    try {
      this.#understand(packet)
    } catch (error) {
      if (!(error instanceof XdrError)) throw error
      throw garbage(`procedure ${packet.procedure}: ${error.message}`, { cause: error })
    }
  }

  #understand(packet: Packet): void {
    switch (packet.type) {
      case PacketType.reply:
        return this.#settle(packet)
      case PacketType.message: {
        const name = eventNamed(packet.procedure)
        if (name !== undefined) for (const tell of this.#listeners.get(name) ?? []) tell(packet.body)
        return
      }
      case PacketType.stream:
      case PacketType.hole:
        return this.#feed(packet)
      default:
        throw garbage(`a packet of type ${packet.type} from a server`)
    }
  }

  #settle({ serial, procedure, status, body }: Packet): void {
    const pending = this.#pending.get(serial)
    const called: Procedure | undefined = pending && procedures[pending.name]
    if (pending === undefined || called?.number !== procedure) {
      throw garbage(`an answer to nothing that was asked (serial ${serial}, procedure ${procedure})`)
    }
    this.#pending.delete(serial)
    try {
      if (status === PacketStatus.error) pending.reject(readError(body))
      else pending.resolve(readAll(called.result, body))
    } catch (error) {
      if (!(error instanceof XdrError)) throw error
      pending.reject(garbage(`${pending.name}: ${error.message}`, { cause: error }))
    }
  }

  /** What comes of a stream that has been closed is left. */
  #feed(packet: Packet): void {
    const known = this.#streams.get(packet.serial)
    if (known === undefined || known.number !== packet.procedure) return
    try {
      known.stream.receive(packet)
    } catch (error) {
      if (!(error instanceof RpcError)) throw error
      known.stream.fail(error)
    }
  }

  #finish(error: RpcConnectionError): void {
    this.#keepAlive.stop()
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
    for (const { stream } of this.#streams.values()) stream.fail(error)
    if (!this.#isClosed) this.#options.onClose?.(error)
  }
}

const PROGRAM = { program: REMOTE_PROGRAM, version: REMOTE_VERSION }

const garbage = (message: string, options?: ErrorOptions) => new RpcConnectionError('garbage', message, options)
