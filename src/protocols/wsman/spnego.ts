import { AuthError } from './auth-error.ts'
import type { AuthMechanism, NegotiableMechanism, SealedMessage } from './auth-mechanism.ts'
import { readResponse, type SpnegoResponse, writeInit, writeMechanisms, writeResponse } from './spnego-tokens.ts'

/**
 * Carries one mechanism in SPNEGO. There is nothing to choose from: the list names that mechanism alone, which the peer
 * takes or leaves. Source: RFC 4178; [MS-SPNG].
 */
export class Spnego implements AuthMechanism {
  readonly #inner: NegotiableMechanism
  readonly #mechanisms: Uint8Array
  #hasSigned = false
  #isComplete = false

  constructor(inner: NegotiableMechanism) {
    this.#inner = inner
    this.#mechanisms = writeMechanisms(inner.oids)
  }

  get isComplete(): boolean {
    return this.#isComplete
  }

  async begin(): Promise<Uint8Array> {
    return writeInit(this.#mechanisms, await this.#inner.begin())
  }

  async next(token: Uint8Array): Promise<Uint8Array | undefined> {
    if (this.#isComplete) throw new AuthError('malformed', 'the host goes on where SPNEGO has ended')
    const response = readResponse(token)
    this.#checkTerms(response)
    const answer = await this.#answer(response.token)
    // Its own signature is over what both have said, so it comes once the mechanism is through.
    if (response.mic !== undefined) await this.#inner.verifyMechanisms(this.#mechanisms, response.mic)
    if (this.#isLast(response, answer)) return this.#complete(answer)
    const mic = await this.#sign(response)
    if (answer === undefined && mic === undefined) {
      throw new AuthError('malformed', 'the host waits for what SPNEGO has not to say')
    }
    return writeResponse({ token: answer, mic })
  }

  seal(message: Uint8Array): Promise<SealedMessage> {
    return this.#inner.seal(message)
  }

  unseal(sealed: SealedMessage): Promise<Uint8Array> {
    return this.#inner.unseal(sealed)
  }

  dispose(): void {
    this.#inner.dispose()
  }

  #checkTerms({ state, mechanism }: SpnegoResponse): void {
    if (state === 'reject') throw new AuthError('refused', 'the host rejects the credentials')
    if (mechanism !== undefined && !this.#inner.oids.includes(mechanism)) {
      throw new AuthError('refused', `the host wants the mechanism ${mechanism}, which was not offered`)
    }
  }

  /** What the mechanism says to the host's token; nothing where the host has none, or the mechanism is through. */
  async #answer(token: Uint8Array | undefined): Promise<Uint8Array | undefined> {
    if (token === undefined || token.length === 0) return undefined
    return this.#inner.next(token)
  }

  /** Only the first answer has to have a state; without one, the peer has said its last once nothing is left to say. */
  #isLast({ state }: SpnegoResponse, answer: Uint8Array | undefined): boolean {
    const isThrough =
      answer === undefined && this.#inner.isComplete && (this.#hasSigned || !this.#inner.signsMechanisms)
    return state === 'accept-completed' || (state === undefined && isThrough)
  }

  #complete(answer: Uint8Array | undefined): undefined {
    if (answer !== undefined || !this.#inner.isComplete) {
      throw new AuthError('malformed', 'the host ends SPNEGO before its mechanism has ended')
    }
    this.#isComplete = true
  }

  /** Once, and only where the host waits for it or has signed itself. */
  async #sign({ state, mic }: SpnegoResponse): Promise<Uint8Array | undefined> {
    const isDue = this.#inner.signsMechanisms || state === 'request-mic' || mic !== undefined
    if (!isDue || this.#hasSigned || !this.#inner.isComplete) return undefined
    this.#hasSigned = true
    return this.#inner.signMechanisms(this.#mechanisms)
  }
}
