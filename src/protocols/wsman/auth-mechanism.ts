/** A message under protection, in the two pieces in which WS-Management carries it. */
export interface SealedMessage {
  /** What authenticates the message: NTLM's signature, or the header of a Kerberos wrap token. */
  readonly signature: Uint8Array
  /** The encrypted message, with its padding where the mechanism pads. */
  readonly data: Uint8Array
}

/**
 * One side of an authentication and the protection it agrees on; it serves one connection and then no other.
 * Every method rejects with AuthError and nothing else; after that the mechanism is of no more use.
 */
export interface AuthMechanism {
  /** The first token for the peer. Called once. */
  begin(): Promise<Uint8Array>
  /** The answer to a token of the peer, or undefined where nothing is left to be said. */
  next(token: Uint8Array): Promise<Uint8Array | undefined>
  /** Whether both sides know who the other is. Only then messages can be sealed. */
  readonly isComplete: boolean
  /** Encrypts the next message to the peer. */
  seal(message: Uint8Array): Promise<SealedMessage>
  /** Decrypts the next message of the peer; messages that were changed, left out or repeated are `malformed`. */
  unseal(sealed: SealedMessage): Promise<Uint8Array>
  /** Lets go of what is held outside of this process' own memory. Calling it twice is harmless. */
  dispose(): void
}

/** A mechanism that SPNEGO can carry, and that vouches for the list of mechanisms it was chosen from. */
export interface NegotiableMechanism extends AuthMechanism {
  /** Its object identifiers, the one to be named first first. */
  readonly oids: readonly string[]
  /** Whether the peer expects the list of mechanisms to be vouched for even where there was no choice. */
  readonly signsMechanisms: boolean
  signMechanisms(list: Uint8Array): Promise<Uint8Array>
  verifyMechanisms(list: Uint8Array, mic: Uint8Array): Promise<void>
}
