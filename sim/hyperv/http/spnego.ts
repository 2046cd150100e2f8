import { type Handshake, REFUSED, type Step } from './handshake.ts'
import { MessageError } from './message-error.ts'
import type { NtlmAcceptor } from './ntlm/acceptor.ts'
import { isNegotiate } from './ntlm/messages.ts'
import { SealError } from './sealing.ts'
import { OID, readInit, readResponse, type ResponseToken, STATE, writeResponse } from './spnego-tokens.ts'

/** Eight mechanisms of the longest kind fill less. */
const LIST_BYTES_MAX = 512

/**
 * The server's side of SPNEGO around NTLM. A client whose favourite is another mechanism is asked for NTLM, and must
 * then sign the list of its mechanisms in the end: somebody in between could have taken the favourite out.
 * Source: RFC 4178, §3.2, §5; MS-SPNG.
 */
export class SpnegoAcceptor implements Handshake {
  readonly #ntlm: NtlmAcceptor
  #mechanismList: Buffer | undefined
  #needsMic = false

  constructor(ntlm: NtlmAcceptor) {
    this.#ntlm = ntlm
  }

  step(token: Buffer): Step {
    return this.#mechanismList === undefined ? this.#open(token) : this.#continue(this.#mechanismList, token)
  }

  end(): void {
    this.#mechanismList = undefined
    this.#ntlm.end()
  }

  #open(token: Buffer): Step {
    const init = readInit(token)
    if (!init.mechanisms.includes(OID.ntlm)) return REFUSED
    if (init.mechanismList.length > LIST_BYTES_MAX) throw new MessageError('too long a list of mechanisms')
    this.#mechanismList = Buffer.from(init.mechanismList)
    this.#needsMic = init.mechanisms[0] !== OID.ntlm
    // The first token is of the favourite, and of no use where that is not chosen.
    const isTaken = !this.#needsMic && init.token !== undefined && isNegotiate(init.token)
    const state = this.#needsMic ? STATE.requestMic : STATE.incomplete
    if (!isTaken) return goOn({ state, mechanism: OID.ntlm })
    return this.#wrap(this.#ntlm.step(init.token), { state, mechanism: OID.ntlm })
  }

  #continue(mechanismList: Buffer, token: Buffer): Step {
    const response = readResponse(token)
    if (response.token === undefined) throw new MessageError('no token of NTLM')
    const step = this.#ntlm.step(response.token)
    if (step.kind !== 'granted') return this.#wrap(step, { state: STATE.incomplete })
    return this.#complete(step, mechanismList, response.mic)
  }

  /** Exchanges the signatures of the list where the client sent one. */
  #complete(step: Step & { readonly kind: 'granted' }, mechanismList: Buffer, mic: Buffer | undefined): Step {
    const { signing } = this.#ntlm
    if (mic === undefined) {
      return this.#needsMic ? REFUSED : { ...step, token: writeResponse({ state: STATE.completed }) }
    }
    if (signing === undefined || !isSigned(() => signing.verify(mechanismList, mic))) return REFUSED
    const own = signing.sign(mechanismList)
    signing.restartStreams()
    return { ...step, token: writeResponse({ state: STATE.completed, mic: own }) }
  }

  #wrap(step: Step, around: ResponseToken): Step {
    return step.kind === 'continue' ? goOn({ ...around, token: step.token }) : step
  }
}

function goOn(response: ResponseToken): Step {
  return { kind: 'continue', token: writeResponse(response) }
}

function isSigned(verify: () => void): boolean {
  try {
    verify()
    return true
  } catch (error) {
    if (error instanceof SealError) return false
    throw error
  }
}
