/** What came back for an envelope that was posted, decrypted. */
export interface TransportReply {
  /** 200, or the status of a fault: 400 or 500. Others are TransportErrors. */
  readonly status: number
  /** The envelope, UTF-8 or UTF-16 as its byte order mark or declaration says. */
  readonly body: Uint8Array
}

/** What a single post may be told. */
export interface PostOptions {
  /** From the call to the last byte of the answer, waiting for a connection included. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
  /** Whether to ask without credentials; only Identify is answered so. */
  readonly isAnonymous?: boolean
}

/**
 * Carries envelopes to one host: connections, authentication and encryption are its business, SOAP is not. At most as
 * many posts as it has connections run at once, the others wait in order. Rejects with TransportError.
 */
export interface Transport {
  /** The address that envelopes name in `a:To`. */
  readonly url: string
  post(envelope: Uint8Array, options: PostOptions): Promise<TransportReply>
  /** Ends all connections; what is under way is rejected as `closed`. Calling it twice is harmless. */
  close(): void
}

/**
 * Why a post did not come to an answer.
 * `unreachable`: no connection could be made, or nobody is behind it. `untrusted`: the certificate was not accepted.
 * `refused`: the host does not accept the credentials or offers no way to use them. `lost`: the connection broke.
 * `timed-out`, `aborted`, `closed`: as the caller asked. `garbage`: what came back is not HTTP, not what was sealed, no
 * envelope, or larger than the bound. `overflow`: too many posts wait already.
 */
export type TransportErrorKind =
  | 'unreachable'
  | 'untrusted'
  | 'refused'
  | 'lost'
  | 'timed-out'
  | 'aborted'
  | 'closed'
  | 'garbage'
  | 'overflow'

/** Its message names host and cause, and never holds a secret. */
export class TransportError extends Error {
  readonly kind: TransportErrorKind
  /** Whether the host may have carried out the request: only where this is false is sending it again always safe. */
  readonly wasSent: boolean

  constructor(
    kind: TransportErrorKind,
    message: string,
    options: { readonly wasSent: boolean; readonly cause?: unknown },
  ) {
    super(message, { cause: options.cause })
    this.name = 'TransportError'
    this.kind = kind
    this.wasSent = options.wasSent
  }
}
