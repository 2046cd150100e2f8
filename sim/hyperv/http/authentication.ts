import type { Accounts, Principal } from './accounts.ts'
import { readBasic } from './basic.ts'
import type { Channel } from './channel-bindings.ts'
import type { Handshake, Mechanism, Step } from './handshake.ts'
import { KerberosAcceptor, type KerberosService } from './kerberos.ts'
import { MessageError } from './message-error.ts'
import type { SealProtocol } from './multipart.ts'
import { NtlmAcceptor, type NtlmHost } from './ntlm/acceptor.ts'
import { isNegotiate, isNtlm } from './ntlm/messages.ts'
import type { WinrmPolicy } from './options.ts'
import type { Sealing } from './sealing.ts'
import { SpnegoAcceptor } from './spnego.ts'
import { mechanismOf, OID, readInit } from './spnego-tokens.ts'

/** What all connections of a listener authenticate by. */
export interface Authority {
  readonly policy: WinrmPolicy
  readonly accounts: Accounts
  readonly ntlmHost: NtlmHost
  /** Undefined where the host has no keys of a service. */
  readonly kerberos: KerberosService | undefined
  readonly isEncrypted: boolean
  readonly channel: Channel
  readonly handshakeMs: number
  now(): number
}

/** Somebody who has logged on, and how. */
export interface Session {
  readonly principal: Principal
  readonly mechanism: Mechanism | 'basic' | 'certificate'
  readonly protocol: SealProtocol
  readonly sealing: Sealing | undefined
}

/** What a request is let in as. `anonymous`: it does not say, and nobody has logged on over its connection. */
export type Admission =
  | { readonly kind: 'granted'; readonly session: Session; readonly answer: string | undefined }
  | { readonly kind: 'challenge'; readonly answer: string }
  | { readonly kind: 'refused' }
  | { readonly kind: 'anonymous' }

/** What a client sends that means the certificate it has shown. Source: MS-WSMV, §2.2.9. */
const MUTUAL = 'http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual'
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/
const REFUSED = { kind: 'refused' } as const satisfies Admission

/** A handshake that goes on, and under which scheme. */
interface Pending {
  readonly scheme: Scheme
  readonly handshake: Handshake
  readonly until: number
}

const SCHEMES = { negotiate: 'Negotiate', kerberos: 'Kerberos' } as const
type Scheme = keyof typeof SCHEMES

/**
 * Who speaks on a connection. Negotiate and Kerberos hold for all requests that follow on it, Basic and certificates
 * for the one. Before anybody has logged on it holds one handshake, for a while, and nothing else.
 */
export class Authentication {
  readonly #authority: Authority
  /** Whose certificate the client has shown; undefined for one that is nobody's. */
  readonly #certified: () => Principal | undefined
  #pending: Pending | undefined
  #session: Session | undefined
  #hasLoggedOn = false

  constructor(authority: Authority, certified: () => Principal | undefined) {
    this.#authority = authority
    this.#certified = certified
  }

  /** Whether anybody has ever logged on. */
  get hasLoggedOn(): boolean {
    return this.#hasLoggedOn
  }

  /** Looks at the Authorization header of a request. */
  admit(authorization: string | undefined): Admission {
    if (authorization === undefined) return this.#admitKnown()
    const [scheme = '', ...rest] = authorization.trim().split(/\s+/)
    const admission = this.#admitBy(scheme, rest.join(''))
    if (admission.kind === 'granted') this.#hasLoggedOn = true
    return admission
  }

  /** Ends what was begun and what was granted. Calling it twice is harmless. */
  end(): void {
    this.#pending?.handshake.end()
    this.#pending = undefined
    this.#session?.sealing?.end()
    this.#session = undefined
  }

  #admitKnown(): Admission {
    if (this.#session === undefined) return { kind: 'anonymous' }
    return { kind: 'granted', session: this.#session, answer: undefined }
  }

  #admitBy(scheme: string, credentials: string): Admission {
    const { policy, isEncrypted } = this.#authority
    switch (scheme.toLowerCase()) {
      case 'basic':
        return policy.basic && (isEncrypted || policy.allowUnencrypted) ? this.#admitBasic(credentials) : REFUSED
      case 'negotiate':
        return policy.negotiate ? this.#shakeHands('negotiate', credentials) : REFUSED
      case 'kerberos':
        return policy.kerberos ? this.#shakeHands('kerberos', credentials) : REFUSED
      case MUTUAL:
        return policy.certificate && isEncrypted ? grantOnce('certificate', this.#certified()) : REFUSED
      default:
        return REFUSED
    }
  }

  #admitBasic(credentials: string): Admission {
    const given = readBasic(credentials)
    if (given === undefined) return REFUSED
    return grantOnce('basic', this.#authority.accounts.authenticate(given.user, given.password))
  }

  #shakeHands(scheme: Scheme, credentials: string): Admission {
    try {
      if (!BASE64.test(credentials)) throw new MessageError('not Base64')
      const token = Buffer.from(credentials, 'base64')
      const handshake = this.#take(scheme, token)
      return handshake === undefined ? REFUSED : this.#proceed(scheme, handshake, handshake.step(token))
    } catch (error) {
      this.end()
      if (error instanceof MessageError) return REFUSED
      throw error
    }
  }

  /** The handshake that goes on with this token, taken out of its place; or a new one. */
  #take(scheme: Scheme, token: Buffer): Handshake | undefined {
    const pending = this.#pending
    this.#pending = undefined
    if (pending !== undefined && pending.scheme === scheme && !isOpening(token, pending.handshake)) {
      if (this.#authority.now() < pending.until) return pending.handshake
    }
    pending?.handshake.end()
    this.end()
    return this.#open(scheme, token)
  }

  #open(scheme: Scheme, token: Buffer): Handshake | undefined {
    const { kerberos, channel, ntlmHost } = this.#authority
    const named = isNtlm(token) ? OID.ntlm : mechanismOf(token)
    const chosen = named === OID.spnego ? this.#choose(readInit(token).mechanisms) : named
    if (chosen === OID.kerberos || chosen === OID.kerberosOfWindows)
      return kerberos && new KerberosAcceptor(kerberos, channel)
    if (chosen !== OID.ntlm || scheme === 'kerberos') return undefined
    const ntlm = new NtlmAcceptor(ntlmHost, channel)
    return named === OID.spnego ? new SpnegoAcceptor(ntlm) : ntlm
  }

  /** The client's favourite, if it is NTLM; else Kerberos where that is possible; else NTLM after all. */
  #choose(mechanisms: readonly string[]): string | undefined {
    const offersKerberos = mechanisms.includes(OID.kerberos) || mechanisms.includes(OID.kerberosOfWindows)
    const takesKerberos = offersKerberos && this.#authority.kerberos !== undefined
    if (mechanisms[0] !== OID.ntlm && takesKerberos) return OID.kerberos
    return mechanisms.find(mechanism => mechanism === OID.ntlm)
  }

  #proceed(scheme: Scheme, handshake: Handshake, step: Step): Admission {
    const answer = (token: Buffer) => `${SCHEMES[scheme]} ${token.toString('base64')}`
    if (step.kind === 'continue') {
      const until = this.#authority.now() + this.#authority.handshakeMs
      this.#pending = { scheme, handshake, until }
      return { kind: 'challenge', answer: answer(step.token) }
    }
    handshake.end()
    if (step.kind === 'refused') return REFUSED
    const { principal, mechanism, sealing, token } = step
    this.#session = { principal, mechanism, protocol: scheme === 'kerberos' ? 'Kerberos' : 'SPNEGO', sealing }
    return { kind: 'granted', session: this.#session, answer: token && answer(token) }
  }
}

function grantOnce(mechanism: 'basic' | 'certificate', principal: Principal | undefined): Admission {
  if (principal === undefined) return REFUSED
  return {
    kind: 'granted',
    session: { principal, mechanism, protocol: 'SPNEGO', sealing: undefined },
    answer: undefined,
  }
}

/** Whether a client begins anew; Kerberos by itself frames every token like its first. */
function isOpening(token: Buffer, handshake: Handshake): boolean {
  return isNegotiate(token) || (mechanismOf(token) !== undefined && !(handshake instanceof KerberosAcceptor))
}

/** What a 401 offers, in the order in which WinRM does. */
export function offersOf({ policy, isEncrypted }: Authority): string[] {
  const offers: string[] = []
  if (policy.negotiate) offers.push('Negotiate')
  if (policy.kerberos) offers.push('Kerberos')
  if (policy.basic && (isEncrypted || policy.allowUnencrypted)) offers.push('Basic realm="WSMAN"')
  return offers
}
