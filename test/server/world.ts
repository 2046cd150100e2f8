import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

import type { OpenConsoleOf } from '../../src/engine/terminals.ts'
import type { LibvirtService } from '../../src/server/libvirt-listener.ts'
import type { Limits } from '../../src/server/limits.ts'
import { parseListener } from '../../src/server/listener.ts'
import type { ApiReply, ApiRequest, Handle } from '../../src/server/request.ts'
import { type RunningServer, startServer } from '../../src/server/server.ts'
import { atEnd } from '../support/at-end.ts'

/** A line of the log. */
export interface Line {
  readonly level: 'info' | 'warn' | 'error'
  readonly fields: Readonly<Record<string, unknown>>
  readonly message: string
}

/** A server on loopback that ends with the test, and what it logged. */
export interface World extends RunningServer {
  readonly port: number
  readonly dataDir: string
  readonly lines: readonly Line[]
}

export interface WorldOptions {
  readonly handle?: Handle
  readonly openConsole?: OpenConsoleOf
  readonly libvirt?: LibvirtService
  readonly limits?: Partial<Limits>
  /** Without any, one on plain HTTP. */
  readonly urls?: readonly string[]
  readonly dataDir?: string
}

export const text = (body: string, more: Partial<ApiReply> = {}): ApiReply => ({
  status: 200,
  contentType: 'text/plain',
  body,
  ...more,
})

/** Answers with what it was sent. */
export const echo = async (request: ApiRequest): Promise<ApiReply> => text(request.body.toString())

/** A folder that goes with the test. */
export async function folder(context: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'polyvisor-'))
  atEnd(context, () => rm(path, { recursive: true, force: true }))
  return path
}

export async function start(context: TestContext, options: WorldOptions = {}): Promise<World> {
  const { handle = echo, limits = {}, urls = ['http://127.0.0.1:0'] } = options
  const dataDir = options.dataDir ?? (await folder(context))
  const lines: Line[] = []
  const at = (level: Line['level']) => (fields: object, message: string) => {
    lines.push({ level, fields: { ...fields }, message })
  }
  const server = await startServer({
    listeners: urls.map(url => parseListener(url, { allowPlainHttp: false })),
    handle,
    ...(options.openConsole && { openConsole: options.openConsole }),
    ...(options.libvirt && { libvirt: options.libvirt }),
    log: { info: at('info'), warn: at('warn'), error: at('error') },
    dataDir,
    limits: { checkMs: 20, lingerMs: 100, ...limits },
  })
  atEnd(context, () => server.close(0))
  const port = Number(URL.parse(server.addresses[0]?.url ?? '')?.port)
  return { ...server, port, dataDir, lines }
}

/** A client's end of a connection. */
export interface RawClient {
  readonly socket: Socket
  send(data: string | Buffer): void
  /** What the server has said, as soon as that matches; rejects when the connection ends before. */
  until(pattern: RegExp): Promise<string>
  /** All that the server said, once the connection is closed. */
  readonly closed: Promise<string>
}

/** A client that says exactly what it is told to; a stubborn one goes on when the server has said its last word. */
export function client(context: TestContext, where: number | string, isStubborn = false): RawClient {
  const target = typeof where === 'number' ? { port: where, host: '127.0.0.1' } : { path: where }
  const socket = connect({ ...target, allowHalfOpen: isStubborn })
  atEnd(context, () => socket.destroy())
  let said = ''
  let check = () => {}
  socket.setEncoding('latin1')
  socket.on('data', chunk => {
    said += String(chunk)
    check()
  })
  socket.on('error', () => {}) // A reset is an end like others; what was said before it counts.
  const closed = new Promise<string>(resolve => socket.once('close', () => resolve(said)))
  return {
    socket,
    closed,
    send: data => void socket.write(data),
    until: pattern =>
      new Promise((resolve, reject) => {
        check = () => pattern.test(said) && resolve(said)
        check()
        socket.once('close', () => reject(new Error(`closed before ${pattern}: ${said}`)))
      }),
  }
}

export const post = (body: string, path = '/', more = ''): string =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\n${more}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

export const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])

/** Something that a test waits for and something else brings about. */
export const signal = () => Promise.withResolvers<void>()
