import { X509Certificate } from 'node:crypto'
import { TLSSocket } from 'node:tls'

import { type Accounts, type Principal, splitUser } from './accounts.ts'
import type { CertificateMapping } from './options.ts'

/**
 * Whose certificate a client has shown. That it holds the key is proved by the handshake of TLS; which certificates
 * count is in the mapping alone, and their days are looked at.
 */
export class Certificates {
  readonly #principals = new Map<string, Principal>()
  readonly #now: () => number

  /** Throws where a certificate cannot be read, or is mapped to nobody. */
  constructor(mappings: readonly CertificateMapping[], accounts: Accounts, now: () => number) {
    this.#now = now
    for (const { certificate, account } of mappings) {
      const known = accounts.find(splitUser(account))
      if (known === undefined) throw new Error(`a certificate is mapped to ${account}, and there is no such account`)
      const { fingerprint256 } = new X509Certificate(certificate)
      this.#principals.set(fingerprint256, { user: known.user, isAdministrator: known.isAdministrator })
    }
  }

  /** Whether any certificate is asked for. */
  get isEmpty(): boolean {
    return this.#principals.size === 0
  }

  find(socket: object): Principal | undefined {
    const shown = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
    if (shown === undefined) return undefined
    const now = this.#now()
    if (now < shown.validFromDate.getTime() || now > shown.validToDate.getTime()) return undefined
    return this.#principals.get(shown.fingerprint256)
  }
}
