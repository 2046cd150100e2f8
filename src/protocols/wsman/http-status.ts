import { AuthError } from './auth-error.ts'
import { readOffers } from './auth-challenge.ts'
import type { HttpReply } from './http-connection.ts'
import type { WsmanTarget } from './target.ts'
import { TransportError, type TransportErrorKind, type TransportReply } from './transport.ts'

/** Statuses under which a host answers an envelope: with its result or with a fault. Source: DSP0226, annex C. */
const ANSWERED: readonly number[] = [200, 400, 500]
/** Statuses of a front behind which nobody answers. */
const NOBODY: readonly number[] = [502, 503, 504]
const AUTH_WAYS: Readonly<Record<WsmanTarget['auth'], string>> = {
  negotiate: 'Negotiate',
  kerberos: 'Kerberos',
  basic: 'Basic',
  certificate: 'certificates',
}

/** The host does not take us for whom we say we are; the text says what it would take instead. */
export function refusal(target: WsmanTarget, { status, challenges }: HttpReply): TransportError {
  const host = new URL(target.url).host
  const who = target.user === undefined ? 'the credentials' : `the user ${target.user}`
  const offered = [...new Set(readOffers(challenges).map(({ scheme }) => scheme))]
  const wanted = AUTH_WAYS[target.auth]
  const isOffered = offered.some(scheme => scheme.toLowerCase() === wanted.toLowerCase())
  const offers = offered.length === 0 ? 'nothing' : offered.join(', ')
  const hint = isOffered ? 'a wrong password, or no right to manage it' : `it offers ${offers}, not ${wanted}`
  return new TransportError('refused', `${host} refuses ${who} (status ${status}): ${hint}`, { wasSent: false })
}

/** Throws TransportError for a status under which no host answers an envelope. */
export function checkStatus(target: WsmanTarget, { status, statusText }: HttpReply): void {
  if (ANSWERED.includes(status)) return
  const host = new URL(target.url).host
  // Whoever says 4xx has not looked at the envelope, and for 503 it did not get to whom it was meant for.
  const wasSent = !(status >= 400 && status < 500) && status !== 503
  throw new TransportError(kindOf(status), `${host} answers ${status} ${statusText}`.trim(), { wasSent })
}

/** An answer that is not sealed, if it holds an envelope; else throws TransportError. */
export function clearReply(target: WsmanTarget, reply: HttpReply): TransportReply {
  checkStatus(target, reply)
  if (reply.body.length > 0 && /\bxml\b/i.test(reply.contentType)) return { status: reply.status, body: reply.body }
  const what = reply.body.length === 0 ? 'nothing' : `something of type ${reply.contentType || 'unknown'}`
  const text = `${new URL(target.url).host} answers ${reply.status} and ${what}, but no envelope`
  throw new TransportError('garbage', text, { wasSent: true })
}

/** What went wrong in authentication or sealing, as what went wrong with the post. Other errors stay as they are. */
export function asTransportError(error: unknown, target: WsmanTarget, wasSent: boolean): unknown {
  if (!(error instanceof AuthError)) return error
  const kind = error.failure === 'malformed' ? 'garbage' : error.failure
  return new TransportError(kind, `${new URL(target.url).host}: ${error.message}`, { wasSent, cause: error })
}

function kindOf(status: number): TransportErrorKind {
  if (status === 403 || status === 407) return 'refused'
  return NOBODY.includes(status) ? 'unreachable' : 'garbage'
}
