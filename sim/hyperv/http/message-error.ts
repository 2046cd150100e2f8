/** A token of a handshake that is not what it claims to be. Repeats nothing of it. */
export class MessageError extends Error {
  override readonly name = 'MessageError'
}
