import { createServer, type Server, type ServerOptions as HttpOptions } from 'node:http'

import type { OpenConsoleOf } from '../engine/terminals.ts'
import { ConfigurationError } from './configuration-error.ts'
import { Connections } from './connections.ts'
import { Consoles } from './consoles.ts'
import type { Shared } from './exchange.ts'
import { DEFAULT_LIMITS, type Limits } from './limits.ts'
import type { LibvirtFace } from '../libvirt/rpc/index.ts'
import { openLibvirt } from './libvirt-listener.ts'
import { type ApiListener, type Listener, urlOf } from './listener.ts'
import type { Address, Opened } from './opened.ts'
import type { Handle, Log } from './request.ts'
import { type Tls, startTls } from './tls.ts'
import { listenOnUnixSocket } from './unix-socket.ts'

export interface ServerOptions {
  readonly listeners: readonly Listener[]
  readonly handle: Handle
  /** Opens the consoles of VMs; without it there are none. */
  readonly openConsole?: OpenConsoleOf
  /** Serves libvirt's clients; needed where a listener is for them. */
  readonly libvirt?: LibvirtFace
  readonly log: Log
  /** Holds the certificate, in `tls/`, when there is an https listener. */
  readonly dataDir: string
  /** Those of DEFAULT_LIMITS that are to be others. */
  readonly limits?: Partial<Limits>
}

/** A server that listens. */
export interface RunningServer {
  /** In the order of the listeners, with the ports that were free. */
  readonly addresses: readonly Address[]
  /**
   * Stops listening, closes what is idle, and resolves when the requests that are running have been answered or
   * `graceMs` are over: then they are cut off. Calling it again is harmless; the shortest grace counts.
   */
  close(graceMs: number): Promise<void>
}

/** Listens on all `listeners`, or rejects with ConfigurationError and listens on none. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { handle, log, listeners } = options
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const shared: Shared = { handle, log, limits, heldBodies: { bytes: 0 }, handled: 0, isClosing: false }
  const consoles = new Consoles(options.openConsole, limits, log)
  const connections = new Connections(shared, consoles)
  const opened: Opened[] = []
  const hosts = listeners.flatMap(listener => (listener.transport === 'https' ? [listener.host] : []))
  const tls = hosts.length === 0 ? undefined : await startTls(options.dataDir, hosts, log)
  const end = () => {
    shared.isClosing = true
    tls?.stop()
    const ends = Promise.all(opened.map(listener => listener.close()))
    connections.closeIdle()
    consoles.close()
    return ends
  }
  try {
    for (const listener of listeners) {
      const opening = 'dialect' in listener ? open(listener, shared, connections, tls) : openLibvirt(listener, options)
      opened.push(await opening)
    }
  } catch (error) {
    await end()
    throw error
  }
  let ended: Promise<unknown> | undefined
  return {
    addresses: opened.map(({ address }) => address),
    async close(graceMs) {
      ended ??= end()
      const timer = setTimeout(() => connections.destroyAll(), graceMs)
      await ended
      clearTimeout(timer)
    },
  }
}

async function open(
  listener: ApiListener,
  shared: Shared,
  connections: Connections,
  tls: Tls | undefined,
): Promise<Opened> {
  const server = createFor(listener, shared.limits, tls)
  connections.attach(server, { transport: listener.transport, dialect: listener.dialect })
  const listening = await listen(server, listener).catch((error: unknown) => {
    server.close() // It may have come as far as listening.
    throw error
  })
  server.on('error', error => shared.log.error({ err: error, url: listening.url }, 'a listener failed'))
  return {
    address: { url: listening.url, dialect: listener.dialect },
    async close() {
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      await listening.release()
      await closed
    },
  }
}

function createFor(listener: ApiListener, limits: Limits, tls: Tls | undefined): Server {
  const options: HttpOptions = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    connectionsCheckingInterval: limits.checkMs,
    keepAliveTimeout: limits.keepAliveMs,
    keepAlive: true, // So that a client whose machine is gone does not hold a long call's connection for ever.
    keepAliveInitialDelay: 60_000,
    // Other offers, such as that of HTTP/2, are passed over, as HTTP has it; Node before 24.9 cannot.
    shouldUpgradeCallback: ({ headers }) => /^websocket$/i.test(headers.upgrade ?? ''),
  }
  const isSecure = listener.transport === 'https' && tls !== undefined
  return isSecure ? tls.createServer({ ...options, handshakeTimeout: limits.headersMs }) : createServer(options)
}

/** What is left to do at the end, beside closing the server, is `release`. */
async function listen(server: Server, listener: ApiListener): Promise<{ url: string; release(): Promise<void> }> {
  if (listener.transport === 'unix') {
    const release = await listenOnUnixSocket(server, listener.path)
    return { url: urlOf(listener), release }
  }
  await new Promise<void>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => reject(explained(urlOf(listener), error))
    server.once('error', fail)
    server.listen({ host: listener.host, port: listener.port }, () => {
      server.off('error', fail)
      resolve()
    })
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : listener.port
  return { url: urlOf({ ...listener, port }), release: async () => {} }
}

/** Source: listen(2), bind(2), getaddrinfo(3). */
const WAYS_OUT: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is taken; stop the program that has it, or choose another port',
  EADDRNOTAVAIL: 'this machine has no such address; choose one that it has, or 0.0.0.0 for all',
  EACCES: 'this user may not take that port; choose one from 1024 on',
  ENOTFOUND: 'the name is unknown; choose an address of this machine',
}

function explained(url: string, error: NodeJS.ErrnoException): ConfigurationError {
  const wayOut = WAYS_OUT[error.code ?? ''] ?? String(error)
  return new ConfigurationError(`cannot listen on ${url}: ${wayOut}`, { cause: error })
}
