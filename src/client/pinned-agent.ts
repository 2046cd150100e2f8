import { Agent, type AgentOptions } from 'node:https'
import type { Duplex } from 'node:stream'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { TransportError } from './transport-error.ts'

const SHA256_HEX = /^[0-9a-f]{64}$/

/**
 * Connects to a server that shows one certificate and no other. A connection is handed out only after the
 * certificate was looked at, so nothing is sent to a stranger.
 */
export class PinnedAgent extends Agent {
  readonly #fingerprint: string

  /** Throws TypeError where the fingerprint is not SHA-256 in hexadecimal. */
  constructor(fingerprint: string, options: AgentOptions) {
    const wanted = plain(fingerprint)
    if (!SHA256_HEX.test(wanted))
      throw new TypeError('a fingerprint is SHA-256 in hexadecimal: 64 digits, colons or none')
    // A resumed TLS session shows no certificate.
    super({ ...options, maxCachedSessions: 0 })
    this.#fingerprint = wanted
  }

  override createConnection(
    options: ConnectionOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    // The fingerprint takes the place of the chain of trust.
    const socket = connect({ ...options, rejectUnauthorized: false })
    const fail = (error: Error) => callback?.(error, socket)
    socket.once('error', fail)
    socket.once('secureConnect', () => {
      socket.off('error', fail)
      const found = plain(certificateOf(socket))
      if (found === this.#fingerprint) return callback?.(null, socket)
      socket.destroy()
      const where = `https://${options.host}:${options.port}`
      return fail(new TransportError('certificate', where, `${where} shows another certificate: SHA-256 ${found}`))
    })
    return undefined
  }
}

const plain = (fingerprint: string): string => fingerprint.replaceAll(':', '').trim().toLowerCase()

const certificateOf = (socket: TLSSocket): string => socket.getPeerX509Certificate()?.fingerprint256 ?? ''
