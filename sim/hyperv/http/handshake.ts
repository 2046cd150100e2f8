import type { Principal } from './accounts.ts'
import type { Sealing } from './sealing.ts'

/** Which protocol has proved who the client is. */
export type Mechanism = 'ntlm' | 'kerberos'

/** Where a handshake is after a token of the client. */
export type Step =
  | { readonly kind: 'continue'; readonly token: Buffer }
  | {
      readonly kind: 'granted'
      readonly principal: Principal
      readonly mechanism: Mechanism
      /** Undefined where the client did not ask for sealing. */
      readonly sealing: Sealing | undefined
      /** What the client still wants to hear. */
      readonly token: Buffer | undefined
    }
  | { readonly kind: 'refused' }

/** The server's side of a handshake. All it holds is of bounded size, whatever comes. */
export interface Handshake {
  /** Takes the client's next token. Throws MessageError for one that is not of the protocol. */
  step(token: Buffer): Step
  /** Gives back what the system holds for it, where nobody was granted anything. Calling it twice is harmless. */
  end(): void
}

export const REFUSED = { kind: 'refused' } as const satisfies Step
