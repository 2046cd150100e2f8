import type { Buffer } from 'node:buffer'
import type { Duplex } from 'node:stream'
import { XdrError } from '../../wire/xdr/error.ts'
import { readAll } from '../../wire/xdr/types.ts'
import type { XdrWriter } from '../../wire/xdr/writer.ts'
import { CallQueue } from './call-queue.ts'
import { RpcConnectionError, RpcError } from './error.ts'
import type { Handlers, RpcServerConnection, ServeOptions } from './handlers.ts'
import { KEEPALIVE_PROGRAM, KeepAlive, type KeepAliveOptions } from './keepalive.ts'
import { OPENING_MS, PACKET_BYTES_BEFORE_LOGIN_MAX, PACKET_BYTES_MAX, STREAMS_MAX } from './limits.ts'
import { PacketLink } from './link.ts'
import { encodePacket, type Packet, PacketStatus, PacketType, writeError } from './packet.ts'
import { isSparse, isWrite, type Procedure } from './procedure.ts'
import {
  brokenCall,
  brokenStream,
  internalError,
  loginFirst,
  readOnly,
  unknownProcedure,
  unknownProgram,
  unsupported,
} from './refusals.ts'
import { type ServerStreamPort, ServerStream, type StreamBody } from './server-stream.ts'
import {
  type ArgsOf,
  type EventName,
  type EventOf,
  events,
  type ProcedureName,
  procedureNamed,
  procedures,
  REMOTE_PROGRAM,
  REMOTE_VERSION,
} from './table/index.ts'
import { driverFunction } from './table/driver-programs.ts'
import { OTHER_FUNCTIONS } from './table/others.ts'

/** Serves libvirt's protocol on a duplex stream, which it takes over, until either side closes it. */
export function serve<C>(duplex: Duplex, handlers: Handlers<C>, options: ServeOptions<C>): RpcServerConnection {
  return new ServerConnection(duplex, handlers, options)
}

/** A call that was served, and is to be answered. */
interface Performed<N extends ProcedureName> {
  readonly name: N
  readonly args: ArgsOf<N>
  readonly reply: Buffer
  readonly body: StreamBody | undefined
  /** Passes the socket that goes with the answer, if one does. */
  readonly pass: (() => void) | undefined
}

const PROGRAM = { program: REMOTE_PROGRAM, version: REMOTE_VERSION }

/** How many go with an answer that brings any. */
const SOCKETS_PASSED = 1

/** Calls are worked on side by side and answered as they are done. */
class ServerConnection<C> implements RpcServerConnection {
  readonly #handlers: Handlers<C>
  readonly #options: ServeOptions<C>
  readonly #link: PacketLink
  readonly #keepAlive: KeepAlive
  readonly #calls: CallQueue
  readonly #streams = new Map<number, { readonly number: number; readonly stream: ServerStream }>()
  readonly #abort = new AbortController()
  readonly #openingTimer: NodeJS.Timeout
  #isLoggedIn: boolean
  #isReadOnly: boolean
  #isGreeted = false

  constructor(duplex: Duplex, handlers: Handlers<C>, options: ServeOptions<C>) {
    const { needsLogin = false, isReadOnly = false, packetStallMs, sendStallMs, openingMs = OPENING_MS } = options
    this.#handlers = handlers
    this.#options = options
    this.#isLoggedIn = !needsLogin
    this.#isReadOnly = isReadOnly
    this.#link = new PacketLink(duplex, {
      onPacket: packet => this.#receive(packet),
      onEnd: error => this.#finish(error),
      packetBytesMax: () => (this.#isLoggedIn ? PACKET_BYTES_MAX : PACKET_BYTES_BEFORE_LOGIN_MAX),
      ...(packetStallMs !== undefined && { packetStallMs }),
      ...(sendStallMs !== undefined && { sendStallMs }),
    })
    this.#calls = new CallQueue(this.#link, async packet => await this.#answer(packet))
    this.#keepAlive = new KeepAlive({
      send: packet => this.#link.send(packet),
      isDeaf: () => this.#link.isHeld,
      onDead: () => this.#link.fail(new RpcConnectionError('time-out', 'the client does not answer any more')),
    })
    const late = () => this.#link.fail(new RpcConnectionError('time-out', `nobody logged in within ${openingMs} ms`))
    this.#openingTimer = setTimeout(late, openingMs).unref()
  }

  get isOpen(): boolean {
    return this.#link.end === undefined
  }

  get isReadOnly(): boolean {
    return this.#isReadOnly
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  async carriesSockets(): Promise<boolean> {
    return (await this.#options.passing?.()) !== undefined
  }

  login(): void {
    this.#isLoggedIn = true
    this.#checkOpen()
  }

  restrict(): void {
    this.#isReadOnly = true
  }

  startKeepAlive(options?: KeepAliveOptions): void {
    if (this.isOpen) this.#keepAlive.start(options)
  }

  emit<N extends EventName>(name: N, event: EventOf<N>): void {
    const { number, body } = events[name]
    const header = { ...PROGRAM, procedure: number, type: PacketType.message, serial: 0, status: PacketStatus.ok }
    this.#link.send(encodePacket(header, writer => body.write(writer, event)))
  }

  finish(): void {
    this.#calls.finish(() => this.close())
  }

  close(): void {
    this.#link.close()
  }

  #receive(packet: Packet): void {
    this.#keepAlive.heard()
    this.#isGreeted = true
    this.#checkOpen()
    const { program, version, type } = packet
    const isCall = type === PacketType.call || type === PacketType.callWithDescriptors
    if (program === KEEPALIVE_PROGRAM) return this.#keepAlive.receive(packet)
    if (program !== REMOTE_PROGRAM || version !== REMOTE_VERSION) {
      if (isCall) this.#refuse(packet, this.#otherProgram(packet))
    } else if (type === PacketType.call) {
      this.#calls.push(packet)
    } else if (isCall) {
      this.#refuse(packet, this.#descriptorsRefused(packet))
    } else if (type === PacketType.stream || type === PacketType.hole) {
      const known = this.#streams.get(packet.serial)
      // What comes of a stream that has been closed is left, and so is whatever else a client does not send.
      if (known?.number === packet.procedure) known.stream.receive(packet)
    }
  }

  /** What is said of a call that comes with descriptors, which no function here takes. */
  #descriptorsRefused({ procedure, type }: Packet): RpcError {
    const name = OTHER_FUNCTIONS.get(procedure)
    return name !== undefined && this.#isLoggedIn ? unsupported(name) : brokenCall(`Unexpected message type ${type}`)
  }

  /** What is said of a call that is for another program than libvirt's own. */
  #otherProgram({ program, version, procedure }: Packet): RpcError {
    const name = driverFunction(program, version, procedure)
    if (name === undefined) return unknownProgram(program, version)
    return this.#isLoggedIn ? unsupported(name) : loginFirst()
  }

  async #answer(call: Packet): Promise<void> {
    const { procedure: number, status } = call
    const name = procedureNamed(number)
    try {
      if (status !== PacketStatus.ok) throw brokenCall(`Unexpected message status ${status}`)
      if (name !== undefined) return this.#reply(await this.#perform(name, call), call)
      const other = OTHER_FUNCTIONS.get(number)
      if (other === undefined) throw unknownProcedure(number)
      throw this.#isLoggedIn ? unsupported(other) : loginFirst()
    } catch (error) {
      this.#refuse(call, this.#describe(error, name))
    }
  }

  async #perform<N extends ProcedureName>(name: N, call: Packet): Promise<Performed<N>> {
    const procedure = procedures[name]
    const handler = this.#handlers[name]
    if (!this.#isLoggedIn && procedure.beforeLogin !== true) throw loginFirst()
    const args = decoding(() => readAll(procedure.args, call.body))
    if (this.#isReadOnly && isWrite(procedure, args)) throw readOnly(procedure.function)
    this.#options.check?.(name, args)
    if (handler === undefined) throw unsupported(procedure.function)

    let body: StreamBody | undefined
    const stream = (given: StreamBody) => {
      if (procedure.stream === undefined) throw new TypeError(`${name} has no stream`)
      this.#checkStream(call.serial)
      body = given
    }
    let pass: (() => void) | undefined
    const socket = async (take: (end: Duplex) => void) => {
      pass = await this.#passing(procedure, take)
    }
    const result = await handler(args, { context: this.#options.context, connection: this, stream, socket })
    if (procedure.stream !== undefined && body === undefined) throw new TypeError(`${name} opened no stream`)
    if (procedure.passesSocket === true && pass === undefined) throw new TypeError(`${name} passes no socket`)
    const write = (writer: XdrWriter) => {
      if (pass !== undefined) writer.uint(SOCKETS_PASSED)
      procedure.result.write(writer, result)
    }
    const answer = pass === undefined ? answerTo(call) : { ...answerTo(call), type: PacketType.replyWithDescriptors }
    return { name, args, body, pass, reply: encodePacket({ ...answer, status: PacketStatus.ok }, write) }
  }

  /** What passes a socket that goes with an answer. Rejects where the connection carries none. */
  async #passing(procedure: Procedure, take: (end: Duplex) => void): Promise<() => void> {
    if (procedure.passesSocket !== true) throw new TypeError(`${procedure.function} passes no socket`)
    const pass = await this.#options.passing?.()
    if (pass === undefined) throw unsupported(procedure.function)
    return () => take(pass())
  }

  #reply({ name, args, body, pass, reply }: Performed<ProcedureName>, { serial }: Packet): void {
    if (!this.isOpen) return
    // Before the answer: what the client sends next may be for the stream.
    const opened = body && this.#open(name, serial, isSparse(procedures[name], args))
    if (pass === undefined) this.#link.send(reply)
    else this.#link.sendFollowed(reply, pass)
    if (body !== undefined) void opened?.serve(body)
  }

  #checkStream(serial: number): void {
    if (this.#streams.has(serial)) throw brokenStream(`a stream of the serial ${serial} is open already`)
    if (this.#streams.size >= STREAMS_MAX) throw brokenStream(`${STREAMS_MAX} streams are open already`)
  }

  #open(name: ProcedureName, serial: number, holes: boolean): ServerStream {
    this.#checkStream(serial)
    const { number, stream: direction } = procedures[name]
    const { streamStallMs: stallMs } = this.#options
    const port: ServerStreamPort = {
      procedure: number,
      serial,
      isSparse: holes,
      isRead: direction === 'read',
      ...(stallMs !== undefined && { stallMs }),
      send: packet => this.#link.send(packet),
      drained: async () => await this.#link.drained(),
      hold: by => this.#link.hold(by),
      release: by => this.#link.release(by),
      describe: error => this.#describe(error, name),
      onClosed: () => this.#streams.delete(serial),
    }
    const stream = new ServerStream(port)
    this.#streams.set(serial, { number, stream })
    return stream
  }

  #refuse(call: Packet, error: RpcError): void {
    const write = (writer: XdrWriter) => writeError(writer, error)
    this.#link.send(encodePacket({ ...answerTo(call), status: PacketStatus.error }, write))
  }

  /** What a client is told of an error; of a fault of ours, no more than that there is one. */
  #describe(error: unknown, name: ProcedureName | undefined): RpcError {
    if (error instanceof RpcError) return error
    const known = this.#options.describe?.(error)
    if (known !== undefined || name === undefined) return known ?? internalError('the call')
    this.#options.onFault?.(error, name)
    if (error instanceof XdrError) return brokenCall(`Unable to encode message payload: ${error.message}`)
    return internalError(procedures[name].function)
  }

  #checkOpen(): void {
    if (this.#isGreeted && this.#isLoggedIn) clearTimeout(this.#openingTimer)
  }

  #finish(error: RpcConnectionError): void {
    clearTimeout(this.#openingTimer)
    this.#keepAlive.stop()
    this.#calls.clear()
    for (const { stream } of this.#streams.values()) stream.fail(error)
    this.#abort.abort(error)
    this.#options.onClose?.(error)
  }
}

function answerTo({ program, version, procedure, serial }: Packet) {
  return { program, version, procedure, serial, type: PacketType.reply }
}

function decoding<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof XdrError)) throw error
    throw brokenCall(`Unable to decode message payload: ${error.message}`, { cause: error })
  }
}
