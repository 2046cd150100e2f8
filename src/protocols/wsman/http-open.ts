import { connect as connectPlain, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, TLSSocket } from 'node:tls'
import type { Patience } from './http-patience.ts'
import { distrust } from './tls.ts'
import { TransportError } from './transport.ts'

/** How long a host may take to accept a connection and agree on its encryption. */
const CONNECT_MS = 15_000

/**
 * Connects to the URL's host; with `tls` the connection is encrypted, and the host's certificate accepted, when it
 * resolves. Rejects with TransportError.
 */
export async function openSocket(url: URL, tls: ConnectionOptions | undefined, patience: Patience): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const socket = connect(url, tls, patience)
  const timer = setTimeout(() => reject(unreachable(url, `no connection within ${CONNECT_MS / 1000} s`)), CONNECT_MS)
  const stop = patience.onEnd(() => reject(patience.error(false)))
  const fail = (error: Error) => reject(describe(url, socket, error))
  const close = () => reject(unreachable(url, 'it closed the connection'))
  socket.once('error', fail)
  socket.once('close', close)
  socket.once(tls === undefined ? 'connect' : 'secureConnect', () => resolve(socket))
  try {
    return await promise
  } catch (error) {
    // Whatever it still has to say, nobody waits for it.
    socket.on('error', () => undefined)
    socket.destroy()
    throw error
  } finally {
    clearTimeout(timer)
    stop()
    socket.off('error', fail)
    socket.off('close', close)
  }
}

function connect(url: URL, tls: ConnectionOptions | undefined, patience: Patience): Socket {
  patience.check(false)
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  const address = { host: url.hostname.replace(/^\[|\]$/g, ''), port, noDelay: true }
  return tls === undefined ? connectPlain(address) : connectTls({ ...tls, ...address })
}

function describe(url: URL, socket: Socket, error: Error): TransportError {
  const why = socket instanceof TLSSocket ? distrust(socket, error) : undefined
  if (why === undefined) return unreachable(url, reason(error), error)
  const text = `the certificate of ${url.host} is not trusted: ${why}, or accept any certificate by no_verify=1`
  return new TransportError('untrusted', text, { wasSent: false, cause: error })
}

/** Several addresses may each have failed for their own reason; OpenSSL's own texts are for its authors. */
function reason(error: Error): string {
  if (error instanceof AggregateError) return error.errors.map(one => reason(asError(one))).join('; ')
  if ('code' in error && error.code === 'ERR_SSL_WRONG_VERSION_NUMBER') return 'what answers there speaks no TLS'
  return 'reason' in error && typeof error.reason === 'string' ? `TLS fails with "${error.reason}"` : error.message
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

function unreachable(url: URL, why: string, cause?: unknown): TransportError {
  return new TransportError('unreachable', `cannot reach ${url.host}: ${why}`, { wasSent: false, cause })
}
