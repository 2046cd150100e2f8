import { type ProcedureName, procedures, RpcError } from '../../protocols/libvirt-rpc/index.ts'
import { isForAdministrators, rightsOf } from './rights.ts'
import { type Login, type LoginWay, SaslLogin } from './sasl-login.ts'

/** Somebody who is served. */
export interface User {
  readonly name: string
  /** Whether everything may be done; asked at each call, for it may change. */
  readonly isAdministrator: () => boolean
  /** Aborted when this is nobody any more who may be served. */
  readonly signal?: AbortSignal
  /** Called once when the client is gone. */
  readonly release?: () => void
}

/** The administrator, whom the way by which a client came has proven. */
export const OPERATOR: User = { name: 'the operator', isAdministrator: () => true }

/** Who a client is: somebody who is known by the way that it came, or whoever it says that it is. */
export type Who = { readonly user: User } | { readonly login: LoginWay<User> }

/** Source: libvirt, include/libvirt/virterror.h. */
const VIR_ERR_ACCESS_DENIED = 88
const VIR_FROM_ACCESS = 55

/** Who a client is, and what it may do. */
export class Access {
  /** Undefined for a client that is known by the way it came. */
  readonly login: Login | undefined
  readonly #isEnded = new AbortController()
  #user: User | undefined
  #isGone = false

  constructor(who: Who) {
    if ('user' in who) this.#enter(who.user)
    this.login = 'login' in who ? new SaslLogin(who.login, user => this.#enter(user)) : undefined
  }

  /** Whether the client has to say who it is before it may call anything else. */
  get needsLogin(): boolean {
    return this.#user === undefined
  }

  /** Aborted when the client may not be served any more. */
  get signal(): AbortSignal {
    return this.#isEnded.signal
  }

  /** Throws RpcError where the client may not call a procedure with these arguments. */
  check(name: ProcedureName, args: unknown): void {
    if (this.#user?.isAdministrator() === true) return
    const denied = rightsOf(name, args).find(isForAdministrators)
    if (denied === undefined) return
    const reason = `${procedures[name].function} is for administrators (${denied})`
    const details = { domain: VIR_FROM_ACCESS, str1: 'access denied: %s', str2: reason }
    throw new RpcError(VIR_ERR_ACCESS_DENIED, `access denied: ${reason}`, details)
  }

  /** The client is gone. Calling it twice is harmless. */
  leave(): void {
    const user = this.#user
    this.#isGone = true
    this.#user = undefined
    user?.release?.()
  }

  #enter(user: User): void {
    if (this.#isGone) {
      user.release?.() // The client left while its last word was looked at.
      return
    }
    this.#user = user
    const end = () => this.#isEnded.abort()
    if (user.signal?.aborted === true) end()
    user.signal?.addEventListener('abort', end, { once: true })
  }
}
