import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import type { Accounts } from '../engine/accounts.ts'
import { RateLimit } from '../engine/rate-limit.ts'
import { type LibvirtFace, OPERATOR, type Who } from '../libvirt/rpc/index.ts'
import { ConfigurationError } from './configuration-error.ts'
import type { Connections } from './connections.ts'
import type { LibvirtListener, LibvirtTcpListener, LibvirtTlsListener, LibvirtUnixListener } from './libvirt-place.ts'
import { loginBySasl } from './libvirt-users.ts'
import type { Limits } from './limits.ts'
import { urlOf } from './listener.ts'
import type { Opened } from './opened.ts'
import type { Log } from './request.ts'
import { socketPassing } from './socket-passing.ts'
import { listenOnTcp } from './tcp.ts'
import { textOf } from './text-file.ts'
import type { Tls } from './tls.ts'
import { listenOnUnixSocket } from './unix-socket.ts'

/** Who serves the clients of libvirt, and who they may be. */
export interface LibvirtService {
  readonly face: LibvirtFace
  readonly accounts: Accounts
}

/** What all listeners of libvirt's share. */
export interface LibvirtShared extends LibvirtService {
  readonly connections: Connections
  readonly limits: Limits
  readonly log: Log
  readonly dataDir: string
  /** There where one of them needs it. */
  readonly tls: Tls | undefined
}

/** Whose certificates clients may show, in PEM; the operator's. */
const CLIENT_CA = join('tls', 'client-ca.pem')

/**
 * What a server says once it accepts a client's certificate. Source: libvirt, src/rpc/virnetserverclient.c
 * (virNetServerClientDispatchHandshake), virnetclient.c (virNetClientSetTLSSession).
 */
const CERTIFICATE_ACCEPTED = Buffer.of(1)

/** So that a client whose machine is gone does not hold its connection for ever. */
const TCP = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 } as const

/** How many characters of a name the log has. */
const NAME_SHOWN = 100

/** How many lines of the log a client gets that does not get through TLS, and how soon it gets another. */
const TOLD_PER_ADDRESS = { burst: 5, refillMs: 60_000 }

/** Serves libvirt's clients that come to a listener. Rejects with ConfigurationError where it cannot be listened on. */
export async function openLibvirt(listener: LibvirtListener, shared: LibvirtShared): Promise<Opened> {
  const server = await serverOf(listener, shared)
  const listening = await listen(server, listener).catch((error: unknown) => {
    server.close() // It may have come as far as listening.
    throw error
  })
  const { url } = listening
  server.on('error', error => shared.log.error({ err: error, url }, 'a listener failed'))
  return {
    address: { url },
    async close() {
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      await listening.release()
      shared.face.close()
      await closed
    },
  }
}

/** What is left to do at the end, beside closing the server, is `release`. */
async function listen(server: Server, listener: LibvirtListener): Promise<{ url: string; release(): Promise<void> }> {
  if ('path' in listener) return { url: urlOf(listener), release: await listenOnUnixSocket(server, listener.path) }
  const port = await listenOnTcp(server, listener, urlOf(listener))
  return { url: urlOf({ ...listener, port }), release: async () => {} }
}

function serverOf(listener: LibvirtListener, shared: LibvirtShared): Server | Promise<Server> {
  switch (listener.transport) {
    case 'libvirt+unix':
      return unixServer(listener, shared)
    case 'libvirt+tcp':
      return tcpServer(listener, shared)
    default:
      return tlsServer(listener, shared)
  }
}

/** The mode of the socket lets in its owner alone. */
function unixServer({ isReadOnly }: LibvirtUnixListener, shared: LibvirtShared): Server {
  return createServer(socket => {
    if (!isAdmitted(socket, shared)) return
    shared.face.accept(socket, { who: { user: OPERATOR }, isReadOnly, passing: () => socketPassing(socket) })
  })
}

/** One too many is told so. */
function isAdmitted(socket: Socket, { connections, face, limits }: LibvirtShared): boolean {
  if (connections.admits(socket)) return true
  face.turnAway(socket, `Too many active clients (${limits.connections}), dropping connection`)
  return false
}

function tcpServer(listener: LibvirtTcpListener, shared: LibvirtShared): Server {
  const { face, accounts, log } = shared
  const isOpen = listener.auth === 'none'
  if (isOpen) {
    log.warn({ url: urlOf(listener) }, 'every user and program of this machine may manage every host by this listener')
  }
  return createServer(TCP, socket => {
    if (!isAdmitted(socket, shared)) return
    const who: Who = isOpen ? { user: OPERATOR } : { login: loginBySasl(accounts, addressOf(socket), log) }
    face.accept(socket, { who })
  })
}

async function tlsServer(listener: LibvirtTlsListener, shared: LibvirtShared): Promise<Server> {
  const { face, tls, dataDir, limits, log } = shared
  if (tls === undefined) throw new TypeError('there is no certificate')
  const ca = listener.needsCertificate ? await clientCa(dataDir, listener) : undefined
  const asking = ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: true }
  const server = tls.createTlsServer({ ...TCP, handshakeTimeout: limits.headersMs, ...asking }, socket => {
    if (socket.destroyed) return
    const who = whoIs(socket, listener, shared)
    if (who === undefined) {
      socket.destroySoon() // Also where the other side does not close its own.
      return
    }
    socket.write(CERTIFICATE_ACCEPTED)
    face.accept(socket, { who })
  })
  // Before the handshake: it would cost more than a word is worth.
  server.prependListener('connection', socket => {
    if (!shared.connections.admits(socket)) socket.destroy()
  })
  const told = new RateLimit({ ...TOLD_PER_ADDRESS, now: Date.now })
  server.on('tlsClientError', (error, socket) => {
    const address = addressOf(socket)
    if (told.waitMs(address) === 0) {
      told.failed(address)
      log.info({ address, reason: reasonOf(error) }, 'a client of libvirt did not get through TLS')
    }
    socket.destroy() // Which Node leaves to us where the time is over.
  })
  return server
}

/** Undefined for a client whose certificate names no user. */
function whoIs(socket: TLSSocket, { auth }: LibvirtTlsListener, { accounts, log }: LibvirtShared): Who | undefined {
  const address = addressOf(socket)
  if (auth === 'sasl') return { login: loginBySasl(accounts, address, log) }
  const name = commonName(socket)
  const user = name === undefined ? undefined : accounts.named(name)
  if (user !== undefined) return { user }
  log.warn({ address, name: name?.slice(0, NAME_SHOWN) }, 'the common name of a client’s certificate is no user’s name')
  return undefined
}

/** A certificate with several common names names nobody. */
function commonName(socket: TLSSocket): string | undefined {
  const name: unknown = socket.getPeerCertificate().subject?.CN
  return typeof name === 'string' ? name : undefined
}

/** OpenSSL's own words, without the places in its sources that Node puts around them. */
function reasonOf(error: Error): string {
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message
}

async function clientCa(dataDir: string, listener: LibvirtTlsListener): Promise<string> {
  const file = join(dataDir, CLIENT_CA)
  const ca = await textOf(file)
  if (ca !== undefined) return ca
  throw new ConfigurationError(
    `cannot listen on ${urlOf(listener)}: there is no ${file} with the authority that signs the certificates of clients; ` +
      'put it there, or let passwords do with ?clients=password',
  )
}

const addressOf = (socket: Socket | TLSSocket): string => socket.remoteAddress ?? ''
