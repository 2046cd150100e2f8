import type { DriverError, DriverErrorKind } from '../drivers/driver.ts'
import {
  BEGINNINGS,
  type ErrorDomain,
  type ErrorNumber,
  VIR_ERR_AGENT_UNRESPONSIVE,
  VIR_ERR_AUTH_FAILED,
  VIR_ERR_INTERNAL_ERROR,
  VIR_ERR_OPERATION_FAILED,
  VIR_ERR_OPERATION_INVALID,
  VIR_FROM_NONE,
} from './error-numbers.ts'

/** How grave an error is, by libvirt's number: all that are thrown are errors, none are warnings. */
export const VIR_ERR_ERROR = 2

/** What else is known of an error. */
export interface ErrorDetails extends ErrorOptions {
  /** Who says so, one of `VIR_FROM_`. */
  readonly domain?: ErrorDomain
}

/**
 * The one kind of error that functions of this API throw. `code` is one of libvirt's `VIR_ERR_` and what to decide by;
 * `message` begins as libvirt begins it.
 */
export class LibvirtError extends Error {
  override readonly name = 'LibvirtError'
  readonly code: ErrorNumber
  readonly domain: ErrorDomain
  readonly level = VIR_ERR_ERROR
  /** The message without its beginning. */
  readonly detail: string

  constructor(code: ErrorNumber, detail: string, { domain = VIR_FROM_NONE, ...options }: ErrorDetails = {}) {
    const beginning = BEGINNINGS[code]
    const colon = / (in|for)$/.test(beginning) ? '' : ':'
    super(beginning === '' ? detail : `${beginning}${colon} ${detail}`, options)
    this.code = code
    this.domain = domain
    this.detail = detail
  }
}

/**
 * What a driver's error is called in libvirt, where `missing` is what `not-found` means. A host that does not answer is
 * an internal error, as in libvirt's own driver of Hyper-V; that the host took too long, it says with its own deadline.
 */
export function fromDriverError(error: DriverError, missing: ErrorNumber, domain: ErrorDomain): LibvirtError {
  const codes: Readonly<Record<DriverErrorKind, ErrorNumber>> = {
    'not-found': missing,
    'bad-state': VIR_ERR_OPERATION_INVALID,
    unreachable: VIR_ERR_INTERNAL_ERROR,
    refused: VIR_ERR_OPERATION_FAILED,
  }
  return new LibvirtError(ofPeculiar(error) ?? codes[error.kind], error.message, { domain, cause: error })
}

/** Source: libvirt, src/qemu/qemu_agent.c, where whatever else an agent says than yes is an internal error. */
function ofPeculiar({ isLogon, guest }: DriverError): ErrorNumber | undefined {
  if (isLogon) return VIR_ERR_AUTH_FAILED
  if (guest === undefined) return undefined
  return guest === 'silent' ? VIR_ERR_AGENT_UNRESPONSIVE : VIR_ERR_INTERNAL_ERROR
}
