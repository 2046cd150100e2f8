import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** An answer, with its headers as they came. */
export interface RawReply {
  readonly statusLine: string
  readonly status: number
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  readonly body: Buffer
}

const ANSWER_MS = 20_000
const HEAD_END = Buffer.from('\r\n\r\n')

/** A client that sends just the bytes it is given, over one connection. */
export class RawClient implements Disposable {
  readonly socket: Socket
  /** What came in and was not read yet; a reply that came in one piece is one element. */
  readonly pieces: Buffer[] = []
  readonly #closed = Promise.withResolvers<void>()
  #isClosed = false
  #wake = Promise.withResolvers<void>()

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => undefined)
    socket.on('data', chunk => {
      this.pieces.push(Buffer.from(chunk))
      this.#stir()
    })
    socket.once('close', () => {
      this.#isClosed = true
      this.#closed.resolve()
      this.#stir()
    })
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1')
    const client = new RawClient(socket)
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return client
  }

  static async connectTls(
    port: number,
    options: { readonly cert?: string; readonly key?: string } = {},
  ): Promise<RawClient> {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
    const client = new RawClient(socket)
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
    return client
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get closed(): Promise<void> {
    return this.#closed.promise
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(bytes)
  }

  /** Posts and reads the answer; undefined where the connection ends without one. */
  async post(body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): Promise<RawReply | undefined> {
    this.send(postOf(body, headers))
    return this.reply()
  }

  /** The next answer; undefined where the connection ends without one. */
  async reply(): Promise<RawReply | undefined> {
    const until = Date.now() + ANSWER_MS
    for (;;) {
      const all = Buffer.concat(this.pieces)
      const read = readReply(all)
      if (read !== undefined) {
        this.pieces.splice(0, this.pieces.length, ...(read.rest.length > 0 ? [read.rest] : []))
        return read.reply
      }
      if (this.#isClosed) return undefined
      if (Date.now() > until) throw new Error(`no answer, but ${JSON.stringify(all.toString('latin1').slice(0, 200))}`)
      this.#wake = Promise.withResolvers<void>()
      const timer = setTimeout(() => this.#stir(), ANSWER_MS)
      await this.#wake.promise
      clearTimeout(timer)
    }
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }

  #stir(): void {
    this.#wake.resolve()
  }
}

/** A request as most clients write it. A header that is given takes the place of the usual one; empty, it is left out. */
export function postOf(body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): Buffer {
  const bytes = Buffer.from(body)
  const usual = {
    Host: 'localhost',
    'Content-Type': 'application/soap+xml;charset=UTF-8',
    'Content-Length': String(bytes.length),
  }
  const lines = Object.entries({ ...usual, ...headers }).flatMap(([name, value]) => {
    return value === '' ? [] : [`${name}: ${value}\r\n`]
  })
  return Buffer.concat([Buffer.from(`POST /wsman HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1'), bytes])
}

export function headersNamed(reply: RawReply | undefined, name: string): string[] {
  return reply?.headers.filter(([known]) => known.toLowerCase() === name.toLowerCase()).map(([, value]) => value) ?? []
}

function readReply(all: Buffer): { readonly reply: RawReply; readonly rest: Buffer } | undefined {
  const end = all.indexOf(HEAD_END)
  if (end < 0) return undefined
  const [statusLine = '', ...lines] = all.toString('latin1', 0, end).split('\r\n')
  const status = Number(statusLine.split(' ')[1])
  const start = end + HEAD_END.length
  if (status === 100) return readReply(all.subarray(start))
  const headers = lines.map(line => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const
  })
  const length = Number(headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1] ?? 0)
  if (all.length < start + length) return undefined
  const reply = { statusLine, status, headers, body: all.subarray(start, start + length) }
  return { reply, rest: all.subarray(start + length) }
}
