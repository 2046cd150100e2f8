/**
 * `malformed`: what came is no token, or no message that was sealed with the agreed keys. `refused`: the peer does not
 * accept the credentials, asks for less protection than is demanded, or there is no way to prove who we are.
 * `unreachable`: who vouches for both, a Kerberos key distribution centre, does not answer.
 */
export type AuthFailure = 'malformed' | 'refused' | 'unreachable'

/** Authentication failed, or a message did not pass its protection. Its text never holds a secret. */
export class AuthError extends Error {
  override readonly name = 'AuthError'
  readonly failure: AuthFailure

  constructor(failure: AuthFailure, message: string, options?: ErrorOptions) {
    super(message, options)
    this.failure = failure
  }
}
