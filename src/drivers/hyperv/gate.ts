import { CimError, TransportError, WsmanFault, WsmanReplyError } from '../../protocols/wsman/index.ts'
import { XmlError } from '../../wire/xml/error.ts'
import { DriverError, type DriverErrorKind } from '../driver.ts'

/** Every operation of the driver passes here: none after `close`, and each failure becomes a DriverError. */
export class Gate {
  readonly #closing = new AbortController()

  get isClosed(): boolean {
    return this.#closing.signal.aborted
  }

  close(): void {
    this.#closing.abort()
  }

  /** Rejects as `unreachable` once closed, and with DriverError wherever the operation fails for an outer reason. */
  async pass<T>(operation: () => Promise<T>): Promise<T> {
    if (this.isClosed) throw closed()
    try {
      return await operation()
    } catch (error) {
      throw this.isClosed ? closed(error) : toDriverError(error)
    }
  }
}

const closed = (cause?: unknown) => new DriverError('unreachable', 'the driver is closed', { cause })

/** Faults with which a host says that it cannot answer now; every other one is an answer. */
const SILENT: ReadonlySet<string> = new Set(['timed-out', 'quota', 'unavailable'])
/** What of the transport is an answer of the host, or was asked for by the caller. */
const ANSWERED: ReadonlySet<string> = new Set(['refused', 'untrusted', 'aborted'])

/** A host that answers `no` refuses; one that does not answer is unreachable. Anything else is a bug of ours. */
export function toDriverError(error: unknown): unknown {
  if (error instanceof DriverError || !(error instanceof Error)) return error
  const kind = kindOf(error)
  const isLogon = error instanceof TransportError && error.kind === 'refused'
  return kind === undefined ? error : new DriverError(kind, error.message, { cause: error, isLogon })
}

function kindOf(error: Error): DriverErrorKind | undefined {
  if (error instanceof WsmanFault) return SILENT.has(error.kind) ? 'unreachable' : 'refused'
  if (error instanceof TransportError) return ANSWERED.has(error.kind) ? 'refused' : 'unreachable'
  if (error instanceof WsmanReplyError) return 'unreachable'
  // What cannot be said in CIM or XML, such as a name with a control character.
  if (error instanceof CimError || error instanceof XmlError) return 'refused'
  return undefined
}
