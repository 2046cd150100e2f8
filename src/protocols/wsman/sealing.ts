import { AuthError } from './auth-error.ts'
import type { AuthMechanism } from './auth-mechanism.ts'
import { isSealed, readSealed, type SealedBody, type SealProtocol, writeSealed } from './multipart.ts'

/** A reply that is to be sealed. */
export interface SealedReply extends SealedBody {
  readonly status: number
}

/** Seals an envelope as the body of a request. Rejects with AuthError. */
export async function sealEnvelope(
  mechanism: AuthMechanism,
  protocol: SealProtocol,
  envelope: Uint8Array,
): Promise<SealedBody> {
  const sealed = await mechanism.seal(envelope)
  const paddingBytes = Math.max(0, sealed.data.length - envelope.length)
  return writeSealed(protocol, envelope.length + paddingBytes, sealed)
}

/**
 * Takes the envelope out of a reply. Rejects with AuthError where the reply is not sealed, or not the next one that the
 * host has sealed for this connection: then somebody changed, repeated or left out something.
 */
export async function unsealEnvelope(
  mechanism: AuthMechanism,
  { contentType, body, status }: SealedReply,
): Promise<Uint8Array> {
  if (!isSealed(contentType)) {
    throw new AuthError('malformed', `the host answers ${status} in clear text (${contentType || 'of no type'})`)
  }
  const received = readSealed(contentType, body)
  const envelope = await mechanism.unseal(received)
  if (envelope.length > received.length) throw new AuthError('malformed', 'a sealed message is longer than it says')
  return envelope
}
