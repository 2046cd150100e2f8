/**
 * Why nothing came of it: `closed` by the peer or by us, `garbage` that is not this protocol, `limit` for more than is
 * taken, `time-out` for a peer that does not answer, `aborted` by the caller, `overflow` for a peer that does not read,
 * or a caller that asks for too much at once.
 */
export type RpcConnectionErrorKind = 'closed' | 'garbage' | 'limit' | 'time-out' | 'aborted' | 'overflow'

/** A connection that ended or was never good, or a call that got no answer. */
export class RpcConnectionError extends Error {
  override readonly name = 'RpcConnectionError'
  readonly kind: RpcConnectionErrorKind

  constructor(kind: RpcConnectionErrorKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}

/** The kind of every error that is thrown here. Source: libvirt, include/libvirt/virterror.h (virErrorLevel). */
export const VIR_ERR_ERROR = 2

/** What an error of libvirt's carries beside its code and its message; what is left out is absent, or -1. */
export interface RpcErrorDetails {
  /** Who says so: one of libvirt's VIR_FROM_. */
  readonly domain?: number
  /** One of virErrorLevel. */
  readonly level?: number
  readonly str1?: string | null
  readonly str2?: string | null
  readonly str3?: string | null
  readonly int1?: number
  readonly int2?: number
}

/** An error as it goes over the wire: what the peer answered, or what a handler wants answered. */
export class RpcError extends Error {
  override readonly name = 'RpcError'
  /** One of libvirt's VIR_ERR_; what to decide by. */
  readonly code: number
  readonly domain: number
  readonly level: number
  readonly str1: string | null
  readonly str2: string | null
  readonly str3: string | null
  readonly int1: number
  readonly int2: number

  constructor(code: number, message: string, details: RpcErrorDetails = {}, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.domain = details.domain ?? 0
    this.level = details.level ?? VIR_ERR_ERROR
    this.str1 = details.str1 ?? null
    this.str2 = details.str2 ?? null
    this.str3 = details.str3 ?? null
    this.int1 = details.int1 ?? -1
    this.int2 = details.int2 ?? -1
  }
}
