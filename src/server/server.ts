import { createServer, type Server, type ServerOptions as HttpOptions } from 'node:http'

import type { OpenConsoleOf } from '../engine/terminals.ts'
import { Connections } from './connections.ts'
import { Consoles } from './consoles.ts'
import type { Shared } from './exchange.ts'
import { DEFAULT_LIMITS, type Limits } from './limits.ts'
import { type LibvirtService, openLibvirt } from './libvirt-listener.ts'
import { type ApiListener, type Listener, urlOf } from './listener.ts'
import type { Address, Opened } from './opened.ts'
import type { Handle, Log } from './request.ts'
import { listenOnTcp } from './tcp.ts'
import { type Tls, startTls } from './tls.ts'
import { listenOnUnixSocket } from './unix-socket.ts'

export interface ServerOptions {
  readonly listeners: readonly Listener[]
  readonly handle: Handle
  /** Opens the consoles of VMs; without it there are none. */
  readonly openConsole?: OpenConsoleOf
  /** Serves libvirt's clients; needed where a listener is for them. */
  readonly libvirt?: LibvirtService
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
  const { handle, log, listeners, dataDir } = options
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const shared: Shared = { handle, log, limits, heldBodies: { bytes: 0 }, handled: 0, isClosing: false }
  const consoles = new Consoles(options.openConsole, limits, log)
  const connections = new Connections(shared, consoles)
  const opened: Opened[] = []
  const hosts = listeners.flatMap(hostWithTls)
  const tls = hosts.length === 0 ? undefined : await startTls(dataDir, hosts, log)
  const end = () => {
    shared.isClosing = true
    const ends = Promise.all([tls?.stop(), ...opened.map(listener => listener.close())])
    connections.closeIdle()
    consoles.close()
    return ends
  }
  try {
    for (const listener of listeners) {
      const opening =
        'dialect' in listener
          ? open(listener, shared, connections, tls)
          : openLibvirt(listener, { ...libvirtOf(options), connections, limits, log, dataDir, tls })
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

/** Where a certificate is shown, it has to name the address. */
const hostWithTls = (listener: Listener): readonly string[] =>
  listener.transport === 'https' || listener.transport === 'libvirt+tls' ? [listener.host] : []

function libvirtOf({ libvirt }: ServerOptions): LibvirtService {
  if (libvirt === undefined) throw new TypeError('nobody serves the clients of libvirt')
  return libvirt
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
  const port = await listenOnTcp(server, listener, urlOf(listener))
  return { url: urlOf({ ...listener, port }), release: async () => {} }
}
