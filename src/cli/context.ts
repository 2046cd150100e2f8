import type { XenApiClient } from '../client/index.ts'
import { type Connection, connect, type ConnectOptions } from './connect.ts'
import { explained } from './explain.ts'
import type { Io } from './io.ts'
import { jsonText } from './json.ts'
import { formatTable, safeText } from './table.ts'

/** Starts a server; resolves when it has stopped. */
export type Serve = (options: ServeOptions) => Promise<void>

/** What `polyvisor serve` hands to the server. */
export interface ServeOptions {
  readonly data?: string
  readonly config?: string
  readonly listen: readonly string[]
  readonly host: readonly string[]
  readonly allowPlainHttp: boolean
  readonly allowPath: readonly string[]
  readonly logLevel?: string
}

/** The options that every command has that talks to a server. */
export interface GlobalOptions extends ConnectOptions {
  readonly json: boolean
  /** Whether to wait for the end of long operations. */
  readonly wait: boolean
}

/** What a command is run with. */
export class Context {
  readonly io: Io
  readonly options: GlobalOptions
  readonly serve: Serve
  #connection: Promise<Connection> | undefined

  constructor(io: Io, options: GlobalOptions, serve: Serve) {
    this.io = io
    this.options = options
    this.serve = serve
  }

  /** The client, logged in. */
  async connect(): Promise<XenApiClient> {
    return (await this.#connect()).client
  }

  /** Who is logged in. */
  async user(): Promise<string> {
    return (await this.#connect()).user
  }

  /** What to tell of a failure: names for UUIDs, where the server still tells them. */
  async explained(failure: unknown): Promise<unknown> {
    const connection = await this.#connection?.catch(() => undefined) // Then it is that which failed.
    return connection === undefined ? failure : await explained(failure, connection.client)
  }

  /** Logs out where `connect` logged in. */
  async end(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined) // Whoever asked for it was told.
    await connection?.end()
  }

  /** Tells the result: a sentence for people, `value` with `--json`. */
  tell(sentence: string, value: unknown): void {
    this.print(this.options.json ? jsonText(value) : safeText(sentence))
  }

  /** Tells a list: as a table for people, whole `values` with `--json`. */
  list(headings: readonly string[], rows: ReadonlyArray<readonly string[]>, values: unknown): void {
    this.print(this.options.json ? jsonText(values) : formatTable(headings, rows))
  }

  /** Writes a line to standard output. */
  print(text: string): void {
    this.io.stdout.write(`${text}\n`)
  }

  #connect(): Promise<Connection> {
    this.#connection ??= connect(this.options, this.io)
    return this.#connection
  }
}
