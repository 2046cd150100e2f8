import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

import { ntHash } from './ntlm/keys.ts'

/** Somebody who may log on to the host. */
export interface Account {
  /** `user` for an account of the host itself; `DOM\user` or `user@domain` for one of a domain. */
  readonly name: string
  /** Without one, the account is for Kerberos and certificates alone. */
  readonly password?: string
  /** True unless said otherwise. */
  readonly isAdministrator?: boolean
}

/** Somebody who has proved to be who they say. */
export interface Principal {
  /** As Windows prints it: `HOST\Administrator`. */
  readonly user: string
  readonly isAdministrator: boolean
}

/** An account as a handshake needs it. */
export interface KnownAccount extends Principal {
  /** Undefined where there is no password. */
  readonly ntHash: Buffer | undefined
}

interface Entry extends KnownAccount {
  readonly name: string
  /** Undefined for an account of the host itself. */
  readonly domain: string | undefined
  readonly passwordDigest: Buffer | undefined
}

/** A user as a client names one; the domain is empty where none is named. */
export interface UserName {
  readonly name: string
  readonly domain: string
}

/** The accounts that a host knows. */
export class Accounts {
  readonly #hostNames: ReadonlySet<string>
  readonly #entries: readonly Entry[]
  readonly #digestKey = randomBytes(32)
  /** Compared with where there is no such account, so that its absence does not show in the time taken. */
  readonly #nobody: KnownAccount = { user: '', isAdministrator: false, ntHash: ntHash(randomBytes(16).toString('hex')) }

  constructor(accounts: readonly Account[], hostName: string, dnsName: string) {
    this.#hostNames = new Set(['', '.', hostName, dnsName].map(name => name.toLowerCase()))
    this.#entries = accounts.map(account => this.#enter(account, hostName))
  }

  /** Nobody's account, for the work that is done in vain. */
  get nobody(): KnownAccount {
    return this.#nobody
  }

  /**
   * The account that is meant. A domain that no account is of counts as the host's own, as on a host that is in no
   * domain and therefore trusts none.
   */
  find({ name, domain }: UserName): KnownAccount | undefined {
    return this.#find(name, domain)
  }

  /** The account, if this is its password. */
  authenticate({ name, domain }: UserName, password: string): Principal | undefined {
    const entry = this.#find(name, domain)
    const wanted = entry?.passwordDigest ?? this.#digest(randomBytes(16).toString('hex'))
    const isRight = timingSafeEqual(wanted, this.#digest(password))
    return isRight ? entry : undefined
  }

  #find(name: string, domain: string): Entry | undefined {
    const wanted = name.toLowerCase()
    const named = this.#entries.filter(entry => entry.name.toLowerCase() === wanted)
    const isLocal = this.#hostNames.has(domain.toLowerCase()) || !this.#entries.some(entry => isOf(entry, domain))
    return named.find(entry => (isLocal ? entry.domain === undefined : isOf(entry, domain)))
  }

  #enter(account: Account, hostName: string): Entry {
    const { name, domain } = splitUser(account.name)
    const isLocal = this.#hostNames.has(domain.toLowerCase())
    const printed = isLocal ? hostName : domain
    return {
      name,
      domain: isLocal ? undefined : domain,
      user: `${(printed.split('.')[0] ?? '').toUpperCase()}\\${name}`,
      isAdministrator: account.isAdministrator ?? true,
      ntHash: account.password === undefined ? undefined : ntHash(account.password),
      passwordDigest: account.password === undefined ? undefined : this.#digest(account.password),
    }
  }

  #digest(password: string): Buffer {
    return createHmac('sha256', this.#digestKey).update(password).digest()
  }
}

/** Reads `DOM\user`, `user@domain`, `.\user` and `user`. */
export function splitUser(text: string): UserName {
  const slash = text.indexOf('\\')
  if (slash >= 0) return { domain: text.slice(0, slash), name: text.slice(slash + 1) }
  const at = text.lastIndexOf('@')
  if (at >= 0) return { name: text.slice(0, at), domain: text.slice(at + 1) }
  return { name: text, domain: '' }
}

/** Domains have a long name and its first label, and either will do. */
function isOf(entry: Entry, domain: string): boolean {
  if (entry.domain === undefined) return false
  const [known, wanted] = [entry.domain.toLowerCase(), domain.toLowerCase()]
  return known === wanted || known === wanted.split('.')[0] || known.split('.')[0] === wanted
}
