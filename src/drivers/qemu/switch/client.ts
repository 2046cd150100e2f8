import { createConnection, type Socket } from 'node:net'
import { arrayMember, JsonShapeError, toJsonObject } from '../../../protocols/qmp/json.ts'
import { LineSplitter } from '../../../protocols/qmp/lines.ts'
import { DriverError } from '../../driver.ts'
import type { Lease } from './leases.ts'
import {
  type Command,
  type Greeting,
  LINE_BYTES_MAX,
  type PortStatus,
  type PortWish,
  readGreeting,
  readLease,
  readPortStatus,
} from './messages.ts'

/** How long the switch may take for an answer, on a machine that is busy with guests. */
const ANSWER_MS = 30_000
/** Commands that may wait for their answers. */
const WAITING_MAX = 65_536

/** Connects to a switch and waits for its greeting. Rejects with DriverError as `unreachable`. */
export async function connectSwitch(path: string, onClose: () => void, timeoutMs = ANSWER_MS): Promise<SwitchClient> {
  const client = new SwitchClient(path, onClose)
  const timer = setTimeout(() => client.close(), timeoutMs)
  try {
    await client.greeting
    return client
  } finally {
    clearTimeout(timer)
  }
}

interface Pending {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

/** A connection to the control socket of a switch. */
export class SwitchClient {
  readonly greeting: Promise<Greeting>
  readonly #path: string
  readonly #socket: Socket
  readonly #greeted = Promise.withResolvers<Greeting>()
  readonly #lines = new LineSplitter(LINE_BYTES_MAX)
  readonly #pending = new Map<number, Pending>()
  #nextId = 1
  #isGreeted = false
  #isClosed = false

  /** Use `connectSwitch`, which waits for the greeting. `onClose` is called once, when the connection has ended. */
  constructor(path: string, onClose: () => void) {
    this.#path = path
    this.greeting = this.#greeted.promise
    // Nobody may be waiting for it any more.
    this.greeting.catch(() => undefined)
    this.#socket = createConnection({ path })
    this.#socket.on('data', chunk => this.#receive(chunk))
    this.#socket.on('error', error => this.#fail(this.#gone(error)))
    this.#socket.on('close', () => {
      this.#fail(this.#gone())
      onClose()
    })
  }

  get isOpen(): boolean {
    return !this.#isClosed
  }

  /** Plugs a port or moves it. */
  async put(port: PortWish): Promise<void> {
    await this.#ask({ command: 'put', port })
  }

  /** Unplugs a port; harmless where there is none. */
  async remove(port: string): Promise<void> {
    await this.#ask({ command: 'remove', port })
  }

  /** The ports whose ids begin so, with their counters. */
  async status(prefix = ''): Promise<readonly PortStatus[]> {
    const result = toJsonObject(await this.#ask({ command: 'status', prefix }), 'the status')
    return arrayMember(result, 'ports').map(port => readPortStatus(toJsonObject(port, 'the port')))
  }

  /** Who of a network was given which address by DHCP. */
  async leases(segment: string): Promise<readonly Lease[]> {
    const result = toJsonObject(await this.#ask({ command: 'leases', segment }), 'the leases')
    return arrayMember(result, 'leases').map(lease => readLease(toJsonObject(lease, 'the lease')))
  }

  /** Ends the connection; the switch goes on while it has ports. Calling it twice is harmless. */
  close(): void {
    this.#fail(this.#gone())
  }

  #ask(command: Command): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(this.#gone())
    if (this.#pending.size >= WAITING_MAX) {
      return Promise.reject(new DriverError('refused', `${WAITING_MAX} commands wait for the switch already`))
    }
    const id = this.#nextId++
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const timer = setTimeout(() => this.#fail(this.#gone(new Error('no answer in time'))), ANSWER_MS)
    this.#pending.set(id, { resolve, reject, timer })
    this.#socket.write(`${JSON.stringify({ id, ...command })}\n`)
    return promise
  }

  #receive(chunk: Buffer): void {
    try {
      for (const line of this.#lines.push(chunk)) this.#understand(line)
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof RangeError || error instanceof JsonShapeError)) throw error
      this.#fail(this.#gone(error))
    }
  }

  #understand(line: string): void {
    const message = toJsonObject(JSON.parse(line), 'the message')
    if (!this.#isGreeted) {
      this.#isGreeted = true
      return this.#greeted.resolve(readGreeting(message))
    }
    const id = Number(message['id'])
    const pending = this.#pending.get(id)
    if (pending === undefined) throw new JsonShapeError(`an answer to nothing that was asked: ${line.slice(0, 80)}`)
    this.#pending.delete(id)
    clearTimeout(pending.timer)
    if ('error' in message) pending.reject(new DriverError('refused', `the switch: ${String(message['error'])}`))
    else pending.resolve(message['result'])
  }

  #fail(error: DriverError): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#socket.destroy()
    this.#greeted.reject(error)
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer)
      reject(error)
    }
    this.#pending.clear()
  }

  #gone(cause?: unknown): DriverError {
    const why = cause instanceof Error ? `: ${cause.message}` : ''
    return new DriverError('unreachable', `the switch at ${this.#path} does not answer${why}`, { cause })
  }
}
