/** A message as it travels: what Windows calls its signature, and the rest. */
export interface Sealed {
  readonly header: Uint8Array
  readonly data: Uint8Array
}

/** What two sides that have shaken hands seal their messages with. One after the other, in the order they travel. */
export interface Sealing {
  /** Throws SealError where this cannot be sealed. */
  seal(message: Uint8Array): Sealed
  /** Throws SealError for what the other side did not seal, or not next. After that nothing can be unsealed. */
  unseal(sealed: Sealed): Buffer
  /** Gives back what the system holds for it. Calling it twice is harmless. */
  end(): void
}

/** A message that is not the one that was to come: altered, repeated, left out, or of another conversation. */
export class SealError extends Error {
  override readonly name = 'SealError'
}
