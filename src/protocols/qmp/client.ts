import {
  decodeAnswer,
  decodeEvent,
  decodeGreeting,
  type QmpCommand,
  type QmpCommands,
  type QmpEvent,
  type QmpGreeting,
} from './commands.ts'
import { QmpConnectionError, QmpError } from './error.ts'
import { type JsonObject, JsonShapeError, stringMember, toJsonObject } from './json.ts'
import { LineSplitter } from './lines.ts'
import { ReadingSocket } from './socket.ts'

/** The longest line that is accepted; the longest that QEMU sends, its schema, has some 200 KB. */
export const LINE_BYTES_MAX = 1_048_576
/** Commands sent and not answered. Source: QMP_REQ_QUEUE_LEN_MAX in QEMU monitor/monitor-internal.h. */
export const IN_FLIGHT_MAX = 8
/** Commands that wait until they may be sent. */
export const WAITING_MAX = 64
/** How long a connection or an answer may take where the caller says nothing. */
export const ANSWER_TIMEOUT_MS = 10_000
/** How long the end may take to be read once nothing can be sent any more. */
export const END_MS = 2_000

/** How to connect, and who is told what QEMU says unasked. */
export interface QmpOptions {
  /** Told of each event, in order. Must not throw. */
  readonly onEvent: (event: QmpEvent) => void
  /** Told once when the connection ends, unless `close` was called. Must not throw. */
  readonly onClose: (error: QmpConnectionError) => void
  /** How long greeting and negotiation may take together. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** How long an answer may take, and who may stop waiting for it. QEMU may still do what it was told. */
export interface ExecuteOptions {
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/**
 * Connects to a QMP server on a Unix socket and negotiates. Rejects with QmpConnectionError: `absent` where nobody
 * listens, `time-out` where something accepts but does not greet, `garbage` where it speaks no QMP.
 * Source: QEMU docs/interop/qmp-spec, "Capabilities Negotiation".
 */
export async function connectQmp(path: string, options: QmpOptions): Promise<QmpClient> {
  const client = new QmpClient(path, options)
  try {
    await client.negotiate()
    return client
  } catch (error) {
    client.close()
    throw error
  }
}

interface Pending {
  readonly command: QmpCommand
  readonly line: string
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
}

/** A connection to one QEMU. Commands are answered in the order in which they are given. */
export class QmpClient {
  readonly #path: string
  readonly #greeting = Promise.withResolvers<QmpGreeting>()
  readonly #socket: ReadingSocket
  readonly #lines = new LineSplitter(LINE_BYTES_MAX)
  readonly #options: QmpOptions
  readonly #pending = new Map<number, Pending>()
  readonly #waiting: number[] = []
  #inFlight = 0
  #nextId = 1
  #isGreeted = false
  #isReady = false
  #endTimer: NodeJS.Timeout | undefined
  #end: QmpConnectionError | undefined

  /** Use `connectQmp`, which waits until commands may be given. */
  constructor(path: string, options: QmpOptions) {
    this.#path = path
    this.#options = options
    // Nobody may be waiting for the greeting any more when the connection ends.
    this.#greeting.promise.catch(() => undefined)
    this.#socket = new ReadingSocket(error => this.#cannotSend(error))
    this.#socket.connect({ path })
    this.#socket.on('data', chunk => this.#receive(chunk))
    this.#socket.on('error', error => this.#finish(connectionError(path, error)))
    this.#socket.on('close', () => this.#finish(new QmpConnectionError('closed', `QEMU closed ${path}`)))
  }

  /** Waits for the greeting and leaves negotiation, within the time that the options allow. For `connectQmp`. */
  async negotiate(): Promise<QmpGreeting> {
    const { timeoutMs = ANSWER_TIMEOUT_MS, signal } = this.#options
    const deadline = performance.now() + timeoutMs
    const what = `greeting from ${this.#path}`
    const greeting = await within(this.#greeting.promise, { timeoutMs, what, ...(signal && { signal }) })
    const timeLeftMs = Math.max(1, deadline - performance.now())
    await this.execute('qmp_capabilities', {}, { timeoutMs: timeLeftMs, ...(signal && { signal }) })
    this.#isReady = true
    return greeting
  }

  /** Whether the connection stands; while it does, QEMU lives. */
  get isOpen(): boolean {
    return this.#end === undefined
  }

  /**
   * Gives a command and resolves with its answer. Rejects with QmpError where QEMU refuses, and with
   * QmpConnectionError where no answer comes.
   */
  async execute<C extends QmpCommand>(
    command: C,
    argument: QmpCommands[C]['arguments'] = {},
    options: ExecuteOptions = {},
  ): Promise<QmpCommands[C]['returns']> {
    const { timeoutMs = ANSWER_TIMEOUT_MS, signal } = options
    if (this.#end !== undefined) throw this.#end
    if (signal?.aborted === true) throw aborted(command, signal)
    if (this.#waiting.length >= WAITING_MAX) {
      throw new QmpConnectionError('overflow', `${command}: ${WAITING_MAX} commands are waiting already`)
    }
    const id = this.#nextId++
    const line = `${JSON.stringify({ execute: command, arguments: argument, id })}\n`
    const answered = new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { command, line, resolve, reject })
    })
    this.#waiting.push(id)
    this.#send()
    try {
      return read(command, await within(answered, { timeoutMs, what: command, ...(signal && { signal }) }))
    } finally {
      this.#forget(id)
    }
  }

  /** Ends the connection; QEMU goes on. What waits rejects as `closed`. Calling it twice is harmless. */
  close(): void {
    if (this.#end !== undefined) return
    this.#fail(new QmpConnectionError('closed', 'the connection was closed'))
  }

  #send(): void {
    while (this.#inFlight < IN_FLIGHT_MAX) {
      const id = this.#waiting.shift()
      if (id === undefined) return
      const line = this.#pending.get(id)?.line
      if (line === undefined) continue
      this.#inFlight++
      this.#socket.write(line)
    }
  }

  /** A command that was given up before it was sent is never sent; one that was sent still gets its answer. */
  #forget(id: number): void {
    this.#pending.delete(id)
    const position = this.#waiting.indexOf(id)
    if (position >= 0) this.#waiting.splice(position, 1)
  }

  #receive(chunk: Buffer): void {
    try {
      for (const line of this.#lines.push(chunk)) {
        if (this.#end !== undefined) return
        this.#understand(line)
      }
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof RangeError || error instanceof JsonShapeError)) throw error
      this.#finish(new QmpConnectionError('garbage', `what came is not QMP: ${error.message}`, { cause: error }))
    }
  }

  #understand(line: string): void {
    const message = toJsonObject(JSON.parse(line), 'the message')
    if (!this.#isGreeted) {
      this.#greeting.resolve(decodeGreeting(message))
      this.#isGreeted = true
    } else if ('event' in message) {
      this.#options.onEvent(decodeEvent(message))
    } else {
      this.#answer(message)
    }
  }

  #answer(message: JsonObject): void {
    const { id } = message
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 1 || id >= this.#nextId || this.#inFlight === 0) {
      throw new JsonShapeError(`an answer to nothing that was asked (id ${JSON.stringify(id)})`)
    }
    this.#inFlight--
    // Absent where the caller has given up waiting.
    const pending = this.#pending.get(id)
    if ('error' in message) {
      const error = toJsonObject(message['error'], 'error')
      const [errorClass, desc] = [stringMember(error, 'class'), stringMember(error, 'desc')]
      pending?.reject(new QmpError(pending.command, errorClass, desc))
    } else if ('return' in message) {
      pending?.resolve(message['return'])
    } else {
      throw new JsonShapeError('the message is neither answer nor event')
    }
    this.#send()
  }

  /** What QEMU said last is still to be read; only if that has no end, the connection is given up. */
  #cannotSend(error: Error): void {
    if (this.#end !== undefined) return
    this.#endTimer ??= setTimeout(() => this.#finish(connectionError(this.#path, error)), END_MS)
  }

  #finish(error: QmpConnectionError): void {
    if (this.#end !== undefined) return
    this.#fail(error)
    if (this.#isReady) this.#options.onClose(error)
  }

  #fail(error: QmpConnectionError): void {
    this.#end = error
    clearTimeout(this.#endTimer)
    this.#socket.destroy()
    this.#greeting.reject(error)
    for (const { reject } of this.#pending.values()) reject(error)
    this.#waiting.length = 0
  }
}

function read<C extends QmpCommand>(command: C, answer: unknown): QmpCommands[C]['returns'] {
  try {
    return decodeAnswer[command](answer)
  } catch (error) {
    if (!(error instanceof JsonShapeError)) throw error
    throw new QmpConnectionError('garbage', `${command}: ${error.message}`, { cause: error })
  }
}

/** Socket errors that mean that no QEMU listens: no such file, a file left by a dead one, no socket at all. */
const ABSENT_CODES: ReadonlySet<unknown> = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTSOCK'])

function connectionError(path: string, error: Error): QmpConnectionError {
  const code = 'code' in error ? error.code : undefined
  return ABSENT_CODES.has(code)
    ? new QmpConnectionError('absent', `nobody listens on ${path}`, { cause: error })
    : new QmpConnectionError('closed', `the connection to ${path} broke: ${error.message}`, { cause: error })
}

function aborted(what: string, signal: AbortSignal | undefined): QmpConnectionError {
  return new QmpConnectionError('aborted', `${what}: aborted`, { cause: signal?.reason })
}

interface Patience extends ExecuteOptions {
  readonly timeoutMs: number
  readonly what: string
}

/** The promise's outcome, unless time runs out or the caller stops waiting first. */
async function within<T>(promise: Promise<T>, { timeoutMs, what, signal }: Patience): Promise<T> {
  const { promise: givenUp, reject } = Promise.withResolvers<never>()
  const abort = () => reject(aborted(what, signal))
  const timer = setTimeout(
    () => reject(new QmpConnectionError('time-out', `${what}: no answer within ${Math.round(timeoutMs)} ms`)),
    timeoutMs,
  )
  if (signal?.aborted === true) abort()
  signal?.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([promise, givenUp])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}
