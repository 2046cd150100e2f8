/**
 * Why there is no answer. `refused`: nobody listens there. `unreachable`: no way to the machine. `certificate`: the
 * server cannot prove who it is. `timeout`: it took too long. `broken`: the connection ended before the answer did.
 * `answer`: what came is no answer of this API. `too-large`: the answer is larger than the client allows.
 */
export type TransportErrorKind =
  | 'refused'
  | 'unreachable'
  | 'certificate'
  | 'timeout'
  | 'broken'
  | 'answer'
  | 'too-large'

/** A call without an answer. After `timeout` and `broken` it is unknown whether the call took effect. */
export class TransportError extends Error {
  override readonly name = 'TransportError'
  readonly kind: TransportErrorKind
  readonly url: string

  constructor(kind: TransportErrorKind, url: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
    this.url = url
  }
}

type Explanation = readonly [kind: TransportErrorKind, why: string]

const START = 'start a server with "polyvisor serve", or name another with its URL'
const UNTRUSTED = 'trust it by its CA file or its SHA-256 fingerprint'

/** Source: connect(2), getaddrinfo(3); Node.js, "TLS: X509 certificate error codes". */
const EXPLANATIONS: Readonly<Record<string, Explanation>> = {
  ECONNREFUSED: ['refused', `nothing listens there; ${START}`],
  ENOENT: ['refused', `there is no such socket; ${START}`],
  EACCES: ['refused', 'this user may not open the socket; run as the user that runs the server, or use its http URL'],
  ENOTFOUND: ['unreachable', 'no machine has this name'],
  EAI_AGAIN: ['unreachable', 'the name cannot be looked up now'],
  EHOSTUNREACH: ['unreachable', 'there is no way to this machine'],
  ENETUNREACH: ['unreachable', 'there is no way to this network'],
  ETIMEDOUT: ['unreachable', 'the machine does not answer'],
  ECONNRESET: ['broken', 'the connection broke before the answer came'],
  EPIPE: ['broken', 'the connection broke before the call was sent in whole'],
  EPROTO: ['answer', 'the server does not speak TLS there; is it an http URL?'],
  ERR_SSL_WRONG_VERSION_NUMBER: ['answer', 'the server does not speak TLS there; is it an http URL?'],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['certificate', `its certificate is self-signed; ${UNTRUSTED}`],
  SELF_SIGNED_CERT_IN_CHAIN: ['certificate', `its certificate is of an unknown CA; ${UNTRUSTED}`],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['certificate', `its certificate is of an unknown CA; ${UNTRUSTED}`],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['certificate', `its certificate is of an unknown CA; ${UNTRUSTED}`],
  CERT_HAS_EXPIRED: ['certificate', 'its certificate has expired'],
  CERT_NOT_YET_VALID: ['certificate', 'its certificate is not valid yet; is the clock right?'],
  ERR_TLS_CERT_ALTNAME_INVALID: ['certificate', 'its certificate is for another name'],
}

/** The error of a connection that failed, in a sentence that names the server and the way out. */
export function explained(url: string, error: unknown): TransportError {
  if (error instanceof TransportError) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const isHttp = !code.startsWith('HPE_')
  const [kind, why] = EXPLANATIONS[code] ?? ['broken', isHttp ? String(error) : 'what came is no HTTP']
  return new TransportError(isHttp ? kind : 'answer', url, `no answer from ${url}: ${why}`, { cause: error })
}
