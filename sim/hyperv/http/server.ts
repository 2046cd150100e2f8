import { randomBytes, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createPlainServer, type RequestListener, type Server, type ServerOptions } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { isIPv6 } from 'node:net'

import { Accounts } from './accounts.ts'
import type { Authority } from './authentication.ts'
import { HeldBytes } from './body.ts'
import { Certificates } from './certificates.ts'
import { serverEndPoint } from './channel-bindings.ts'
import { Connections } from './connections.ts'
import { refuseBroken, serve } from './exchange.ts'
import type { Front } from './front.ts'
import { openKerberos } from './kerberos.ts'
import { type FrontLimits, limitsOf } from './limits.ts'
import { DEFAULT_POLICY, type ListenOptions } from './options.ts'

/** A listener that is open. */
export interface Listening {
  /** The address of the service, `http://127.0.0.1:5985/wsman`. */
  readonly url: string
  readonly port: number
  /** What is held at the moment. */
  readonly load: { readonly connections: number; readonly bodyBytes: number }
  /** Cuts all connections. Calling it twice is harmless. */
  close(): Promise<void>
}

const LOOPBACK = '127.0.0.1'
/** Headers of one request; browsers send a dozen. */
const HEADERS_MAX = 100

/** Speaks HTTP as HTTP.sys and WinRM do. Rejects where the address, the keys or the certificates are not to be had. */
export async function listen(options: ListenOptions): Promise<Listening> {
  const limits = { ...limitsOf(options.osVersion.build), ...options.limits }
  const authority = await authorityOf(options, limits)
  const certificates = new Certificates(options.certificates ?? [], authority.accounts, options.now ?? Date.now)
  const { service, onFailure = () => undefined } = options
  const front: Front = { authority, limits, service, held: new HeldBytes(limits.heldBytes), handled: 0, onFailure }
  const server = createServer(options, limits, certificates)
  const connections = new Connections(front, certificates)
  attach(server, front, connections)
  server.listen(options.port ?? 0, options.address ?? LOOPBACK)
  await once(server, 'listening')
  return handleOf(server, front, connections)
}

async function authorityOf(options: ListenOptions, limits: FrontLimits): Promise<Authority> {
  const { hostName, dnsName = hostName, osVersion, tls, keytab, now = Date.now } = options
  const policy = { ...DEFAULT_POLICY, ...options.policy }
  const accounts = new Accounts(options.accounts, hostName, dnsName)
  const bindings = tls && serverEndPoint(new X509Certificate(tls.cert).raw)
  return {
    policy,
    accounts,
    ntlmHost: { name: hostName.toUpperCase(), dnsName, osVersion, accounts, now, random: randomBytes },
    kerberos: keytab === undefined ? undefined : await openKerberos(keytab, accounts),
    isEncrypted: tls !== undefined,
    channel: { bindings, hardening: policy.cbtHardening },
    handshakeMs: limits.handshakeMs,
    now,
  }
}

function createServer({ tls }: ListenOptions, limits: FrontLimits, certificates: Certificates): Server {
  const shared: ServerOptions = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    connectionsCheckingInterval: limits.checkMs,
    keepAliveTimeout: limits.idleMs,
    keepAlive: true,
    noDelay: true,
    requireHostHeader: false, // What lacks one is refused as HTTP.sys does it.
  }
  const server = tls === undefined ? createPlainServer(shared) : createTls(tls, shared, limits, certificates)
  server.maxHeadersCount = HEADERS_MAX
  return server
}

function createTls(
  tls: NonNullable<ListenOptions['tls']>,
  shared: ServerOptions,
  limits: FrontLimits,
  certificates: Certificates,
): Server {
  // Certificates of clients are looked at by the mapping, and there is no authority over them.
  const asksForCertificates = { requestCert: !certificates.isEmpty, rejectUnauthorized: false }
  const { key, cert } = tls
  return createTlsServer({ ...shared, ...asksForCertificates, key, cert, handshakeTimeout: limits.headersMs })
}

function attach(server: Server, front: Front, connections: Connections): void {
  const { isEncrypted } = front.authority
  server.prependListener('connection', socket => {
    connections.accept(socket)
    if (!isEncrypted) connections.open(socket)
  })
  if (isEncrypted) server.prependListener('secureConnection', socket => connections.open(socket))
  const take =
    (isExpecting: boolean): RequestListener =>
    (message, response) => {
      const connection = connections.find(message.socket)
      if (connection !== undefined) void serve(front, { connection, message, response, isExpecting })
    }
  server.on('request', take(false))
  server.on('checkContinue', take(true))
  server.on('checkExpectation', take(false))
  server.on('clientError', (error, socket) => {
    const connection = connections.find(socket)
    if (connection === undefined) socket.destroy()
    else refuseBroken(connection, 'code' in error ? String(error.code) : undefined)
  })
}

function handleOf(server: Server, front: Front, connections: Connections): Listening {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a listener without a port')
  const host = isIPv6(address.address) ? `[${address.address}]` : address.address
  let closed: Promise<void> | undefined
  return {
    url: `${front.authority.isEncrypted ? 'https' : 'http'}://${host}:${address.port}/wsman`,
    port: address.port,
    get load() {
      return { connections: connections.count, bodyBytes: front.held.count }
    },
    close: () => (closed ??= closeAll(server, front, connections)),
  }
}

async function closeAll(server: Server, front: Front, connections: Connections): Promise<void> {
  const isClosed = once(server, 'close')
  server.close()
  connections.destroyAll()
  await isClosed
  const { kerberos } = front.authority
  if (kerberos !== undefined) kerberos.gssapi.releaseCredential(kerberos.credential)
}
