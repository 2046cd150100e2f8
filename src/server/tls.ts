import { createServer, type Server, type ServerOptions } from 'node:https'
import { createServer as createTlsServer, type Server as TlsServer, type TlsOptions, type TLSSocket } from 'node:tls'

import { type Credentials, loadCredentials } from './certificate.ts'
import type { Log } from './request.ts'

/** The certificate of all listeners with TLS. */
export interface Tls {
  /** A server that shows the certificate, and the next one when it is renewed. */
  createServer(options: ServerOptions): Server
  /** The same for what is not HTTP; `accept` gets each client that has shaken hands. */
  createTlsServer(options: TlsOptions, accept: (socket: TLSSocket) => void): TlsServer
  /** Renews no more; resolves when nothing is being written. */
  stop(): Promise<void>
}

/** How often a running server looks whether its certificate is to be renewed, or was changed by the operator. */
const LOOK_MS = 12 * 60 * 60 * 1000

/** Loads or makes the certificate for listeners on `hosts`, and keeps it fresh. Rejects with ConfigurationError. */
export async function startTls(dataDir: string, hosts: readonly string[], log: Log, lookMs = LOOK_MS): Promise<Tls> {
  let current = await loadCredentials(dataDir, hosts, new Date())
  tell(current, log)
  const renewals: ((found: Credentials) => void)[] = []
  const look = async () => {
    try {
      const found = await loadCredentials(dataDir, hosts, new Date())
      if (found.fingerprint === current.fingerprint) return
      for (const renew of renewals) renew(found)
      current = found
      tell(current, log)
    } catch (error) {
      log.error({ err: error }, 'the TLS certificate could not be renewed; the old one stays')
    }
  }
  let looking: Promise<void> | undefined
  const timer = setInterval(() => void (looking ??= look().finally(() => (looking = undefined))), lookMs)
  timer.unref()
  return {
    createServer(options) {
      const server = createServer({ ...options, ...secrets(current) })
      renewals.push(found => server.setSecureContext(secrets(found)))
      return server
    },
    createTlsServer(options, accept) {
      const server = createTlsServer({ ...options, ...secrets(current) }, accept)
      const { ca } = options // Whose certificates clients may show stays as it was.
      renewals.push(found => server.setSecureContext({ ...secrets(found), ...(ca !== undefined && { ca }) }))
      return server
    },
    async stop() {
      clearInterval(timer)
      await looking
    },
  }
}

const secrets = ({ key, cert }: Credentials) => ({ key, cert, minVersion: 'TLSv1.2' as const })

function tell({ fingerprint, origin, expires }: Credentials, log: Log): void {
  const fields = { fingerprint, origin, expires: expires.toISOString() }
  if (expires.getTime() < Date.now()) log.warn(fields, 'the TLS certificate has expired')
  else log.info(fields, 'TLS certificate')
}
