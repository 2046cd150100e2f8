import { RpcError } from '../../protocols/libvirt-rpc/index.ts'

/** How clients say who they are: by one of the mechanisms of SASL. */
export interface LoginWay<U> {
  /** By their names in SASL. */
  readonly mechanisms: readonly string[]
  /** Begins a login by one of them. */
  readonly begin: (mechanism: string) => LoginExchange<U>
}

/** One login. */
export interface LoginExchange<U> {
  /**
   * Answers what the client says; `user` comes with the last answer. Undefined where the client is refused. Rejects with
   * LoginLater where it has to wait.
   */
  readonly step: (data: Uint8Array) => Promise<{ readonly data: Uint8Array; readonly user?: U } | undefined>
}

/** Too many logins have failed; the message says how long to wait. */
export class LoginLater extends Error {
  override readonly name = 'LoginLater'
}

/** What a client is answered. */
export interface SaslAnswer {
  /** The client has logged in. */
  readonly isComplete: boolean
  readonly data: Uint8Array
}

/** A client's login, as its calls see it. */
export interface Login {
  /** Whether the client still has to log in. */
  readonly isOpen: boolean
  /** Begins: the names of the mechanisms. Throws RpcError where a login has begun. */
  init(): string
  /** Chooses a mechanism, and says the first thing, or nothing, which is not the same as no bytes. Rejects with RpcError where the client is refused. */
  start(mechanism: string, data: Uint8Array | undefined): Promise<SaslAnswer>
  /** Says the next thing. Rejects with RpcError where the client is refused. */
  step(data: Uint8Array | undefined): Promise<SaslAnswer>
}

/** Source: libvirt, include/libvirt/virterror.h. */
const VIR_ERR_AUTH_FAILED = 45
const VIR_FROM_RPC = 7

/** Logins of one connection that may fail; a client asks for a password once, and a guesser takes another connection. */
const FAILURES_MAX = 3

const NOTHING = new Uint8Array(0)

/**
 * A login by SASL, as libvirtd has it: one at a time, begun anew after it has failed. Source: libvirt 9.0,
 * src/remote/remote_daemon_dispatch.c (remoteDispatchAuthSaslInit, remoteDispatchAuthSaslStart, remoteDispatchAuthSaslStep).
 */
export class SaslLogin<U> implements Login {
  readonly #way: LoginWay<U>
  readonly #enter: (user: U) => void
  #state: 'none' | 'begun' | 'busy' | 'done' = 'none'
  #exchange: LoginExchange<U> | undefined
  #failures = 0

  /** `enter` is told who has logged in. */
  constructor(way: LoginWay<U>, enter: (user: U) => void) {
    this.#way = way
    this.#enter = enter
  }

  get isOpen(): boolean {
    return this.#state !== 'done'
  }

  init(): string {
    if (this.#state !== 'none' || this.#failures >= FAILURES_MAX) throw loginRefusal()
    this.#state = 'begun'
    return this.#way.mechanisms.join(',')
  }

  async start(mechanism: string, data: Uint8Array | undefined): Promise<SaslAnswer> {
    this.#assertAlone()
    const isKnown = this.#way.mechanisms.includes(mechanism)
    if (this.#state !== 'begun' || this.#exchange !== undefined || !isKnown) throw this.#failed()
    this.#exchange = this.#way.begin(mechanism)
    // A client that says nothing at first is asked to.
    return data === undefined ? { isComplete: false, data: NOTHING } : this.step(data)
  }

  async step(data: Uint8Array | undefined): Promise<SaslAnswer> {
    this.#assertAlone()
    const exchange = this.#exchange
    if (this.#state !== 'begun' || exchange === undefined) throw this.#failed()
    this.#state = 'busy'
    try {
      const answer = await exchange.step(data ?? NOTHING)
      if (answer === undefined) throw this.#failed()
      if (answer.user === undefined) this.#state = 'begun'
      else this.#finish(answer.user)
      return { isComplete: answer.user !== undefined, data: answer.data }
    } catch (error) {
      throw error instanceof RpcError ? error : this.#failed(error)
    }
  }

  /** What comes while another step is being answered is no login, and must not begin one beside it. */
  #assertAlone(): void {
    if (this.#state === 'busy') throw loginRefusal()
  }

  #finish(user: U): void {
    this.#state = 'done'
    this.#exchange = undefined
    this.#enter(user)
  }

  /** The login is over, and another may begin; of one that is done, nothing changes. */
  #failed(cause?: unknown): RpcError {
    if (this.#state === 'done') return loginRefusal()
    this.#state = 'none'
    this.#exchange = undefined
    this.#failures++
    return loginRefusal(cause)
  }
}

/** What a client is told that cannot log in. */
export function loginRefusal(cause?: unknown): RpcError {
  const reason = cause instanceof LoginLater ? cause.message : 'authentication failed'
  const details = { domain: VIR_FROM_RPC, str1: 'authentication failed: %s', str2: reason }
  return new RpcError(VIR_ERR_AUTH_FAILED, `authentication failed: ${reason}`, details, { cause })
}
