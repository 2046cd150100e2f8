import { QmpConnectionError, QmpError } from '../../protocols/qmp/error.ts'
import { DriverError } from '../driver.ts'
import { systemCode } from './files.ts'

/** Every operation of the driver passes here: none after `close`, and each failure becomes a DriverError. */
export class Gate {
  #isClosed = false

  get isClosed(): boolean {
    return this.#isClosed
  }

  close(): void {
    this.#isClosed = true
  }

  /** Rejects as `unreachable` once closed, and with DriverError wherever the operation fails for an outer reason. */
  async pass<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw closed()
    try {
      return await operation()
    } catch (error) {
      throw this.#isClosed ? closed(error) : toDriverError(error)
    }
  }
}

const closed = (cause?: unknown) => new DriverError('unreachable', 'the driver is closed', { cause })

/** A host that answers `no` refuses; one that does not answer is unreachable. Anything else is a bug of ours. */
function toDriverError(error: unknown): unknown {
  if (error instanceof DriverError) return error
  if (error instanceof QmpError) return new DriverError('refused', error.message, { cause: error })
  if (error instanceof QmpConnectionError) return new DriverError('unreachable', error.message, { cause: error })
  if (error instanceof Error && systemCode(error) !== undefined) {
    return new DriverError('refused', error.message, { cause: error })
  }
  return error
}
