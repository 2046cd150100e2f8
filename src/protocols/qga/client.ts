import { createConnection, type Socket } from 'node:net'
import { isJsonObject, type JsonObject } from '../qmp/json.ts'
import { LineSplitter } from '../qmp/lines.ts'
import { QgaError } from './error.ts'

/** The longest line that is accepted. A guest with a thousand interfaces writes half of it about them. */
export const LINE_BYTES_MAX = 1_048_576
/** What a guest may send in all on one connection. */
export const RECEIVED_BYTES_MAX = 2 * LINE_BYTES_MAX
/** How long an answer may take where the caller says nothing. */
export const ANSWER_TIMEOUT_MS = 5_000

/**
 * No UTF-8 text holds this byte: who receives it drops what it has of a line, so that both sides begin anew.
 * Source: QEMU qga/qapi-schema.json, guest-sync-delimited.
 */
const DELIMITER = 0xff
const COMMAND_LENGTH_MAX = 65_536
const SYNC_ID_MAX = 0x7fff_ffff

interface Pending {
  readonly command: string
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: QgaError) => void
}

/**
 * Connects to the Unix socket behind a guest's port `org.qemu.guest_agent.0` and waits until the agent is heard. What
 * answers is the guest: nothing it says is to be believed further than it is checked. Rejects with QgaError.
 * Source: QEMU qga/qapi-schema.json and docs/interop/qemu-ga.
 */
export async function connectQga(path: string, timeoutMs: number = ANSWER_TIMEOUT_MS): Promise<QgaClient> {
  const client = new QgaClient(path)
  await client.synchronise(timeoutMs)
  return client
}

/** A connection to the agent in one guest. One command at a time; any failure but `refused` and `unable` ends it. */
export class QgaClient {
  readonly #path: string
  readonly #socket: Socket
  #lines = new LineSplitter(LINE_BYTES_MAX)
  #receivedBytes = 0
  /** The number that the agent is to answer before anything else counts. */
  #awaited: number | undefined
  #pending: Pending | undefined
  #end: QgaError | undefined

  /** Use `connectQga`, which waits for the agent. */
  constructor(path: string) {
    this.#path = path
    this.#socket = createConnection({ path })
    this.#socket.on('data', chunk => this.#receive(chunk))
    this.#socket.on('error', error => this.#fail(connectionError(path, error)))
    this.#socket.on('close', () => this.#fail(new QgaError('closed', `${path} was closed`)))
  }

  /** Drops what an earlier conversation left on either side. For `connectQga`. */
  async synchronise(timeoutMs: number): Promise<void> {
    const id = Math.floor(Math.random() * SYNC_ID_MAX)
    this.#awaited = id
    await this.#ask('guest-sync-delimited', { id }, timeoutMs, Buffer.of(DELIMITER))
  }

  /**
   * Gives a command and resolves with what the agent returned, which may be anything. Rejects with QgaError; as
   * `closed` while another command is being answered.
   */
  async execute(command: string, argument: JsonObject = {}, timeoutMs: number = ANSWER_TIMEOUT_MS): Promise<unknown> {
    return this.#ask(command, argument, timeoutMs, Buffer.of())
  }

  /** Ends the connection. Calling it twice is harmless. */
  close(): void {
    this.#fail(new QgaError('closed', 'the connection was closed'))
  }

  async #ask(command: string, argument: JsonObject, timeoutMs: number, before: Buffer): Promise<unknown> {
    if (this.#end !== undefined) throw this.#end
    if (this.#pending !== undefined) throw new QgaError('closed', `${command}: another command is under way`)
    const text = JSON.stringify({ execute: command, arguments: argument })
    if (text.length > COMMAND_LENGTH_MAX) throw new QgaError('refused', `${command}: the command is too long`)
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#pending = { command, resolve, reject }
    // An answer that comes late would be taken for the next one's.
    const timer = setTimeout(() => {
      this.#fail(new QgaError('time-out', `${command}: no answer within ${timeoutMs} ms`))
    }, timeoutMs)
    this.#socket.write(Buffer.concat([before, Buffer.from(`${text}\n`)]))
    try {
      return await promise
    } finally {
      clearTimeout(timer)
    }
  }

  #receive(chunk: Buffer): void {
    this.#receivedBytes += chunk.length
    if (this.#receivedBytes > RECEIVED_BYTES_MAX) {
      return this.#fail(new QgaError('garbage', `${this.#path}: more than ${RECEIVED_BYTES_MAX} bytes`))
    }
    try {
      for (const [index, piece] of splitAtDelimiters(chunk).entries()) {
        if (index > 0) this.#lines = new LineSplitter(LINE_BYTES_MAX)
        for (const line of this.#lines.push(piece)) this.#hear(line)
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.#fail(new QgaError('garbage', `${this.#path}: ${error.message}`, { cause: error }))
    }
  }

  #hear(line: string): void {
    if (this.#end !== undefined || line === '') return
    const message = parse(line)
    if (this.#awaited !== undefined) {
      // Until it is in step, the agent may still answer what was asked by someone before.
      if (message?.['return'] !== this.#awaited) return
      this.#awaited = undefined
    }
    const pending = this.#pending
    this.#pending = undefined
    if (message === undefined || pending === undefined) {
      pending?.reject(new QgaError('garbage', `${this.#path}: what came is no answer`))
      return this.#fail(new QgaError('garbage', `${this.#path}: what came is no answer`))
    }
    if ('return' in message) return pending.resolve(message['return'])
    pending.reject(refusalOf(pending.command, message['error']))
  }

  #fail(error: QgaError): void {
    this.#end ??= error
    this.#socket.destroy()
    this.#pending?.reject(this.#end)
    this.#pending = undefined
  }
}

/** The pieces between the delimiters; at least one. */
function splitAtDelimiters(chunk: Buffer): Buffer[] {
  const pieces: Buffer[] = []
  let start = 0
  for (let end = chunk.indexOf(DELIMITER); end >= 0; end = chunk.indexOf(DELIMITER, start)) {
    pieces.push(chunk.subarray(start, end))
    start = end + 1
  }
  return [...pieces, chunk.subarray(start)]
}

/** An answer, with or without success; undefined for anything else. */
function parse(line: string): JsonObject | undefined {
  try {
    const message: unknown = JSON.parse(line)
    return isJsonObject(message) && ('return' in message || 'error' in message) ? message : undefined
  } catch {
    return undefined
  }
}

/** Source: QEMU qapi/error.json, and qga/main.c; the words are libvirt's, src/qemu/qemu_agent.c. */
const INABILITIES: ReadonlySet<unknown> = new Set(['CommandNotFound', 'CommandDisabled'])

function refusalOf(command: string, error: unknown): QgaError {
  const isUnable = isJsonObject(error) && INABILITIES.has(error['class'])
  const message = `unable to execute QEMU agent command '${command}': ${describe(error)}`
  return new QgaError(isUnable ? 'unable' : 'refused', message)
}

const DESCRIPTION_LENGTH_MAX = 200

function describe(error: unknown): string {
  const text = isJsonObject(error) ? error['desc'] : undefined
  return typeof text === 'string' ? printable(text).slice(0, DESCRIPTION_LENGTH_MAX) : 'without a word'
}

const printable = (text: string): string => text.replaceAll(/[^\u0020-\u007e]/g, '?')

const ABSENT_CODES: ReadonlySet<unknown> = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTSOCK'])

function connectionError(path: string, error: Error): QgaError {
  const code = 'code' in error ? error.code : undefined
  return ABSENT_CODES.has(code)
    ? new QgaError('absent', `nobody listens on ${path}`, { cause: error })
    : new QgaError('closed', `the connection to ${path} broke: ${error.message}`, { cause: error })
}
