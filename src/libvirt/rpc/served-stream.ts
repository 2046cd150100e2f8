import { DriverError } from '../../drivers/driver.ts'
import type { StreamBody } from '../../protocols/libvirt-rpc/index.ts'
import type { ErrorNumber } from '../error-numbers.ts'
import { fromDriverError } from '../errors.ts'
import type { Host } from '../host.ts'

/** As `body`, but what the host refuses the client is told as such; `missing` is what it means that there is no such thing. */
export const servedBy =
  ({ profile }: Pick<Host, 'profile'>, missing: ErrorNumber, body: StreamBody): StreamBody =>
  async (stream, signal) => {
    try {
      await body(stream, signal)
    } catch (error) {
      if (!(error instanceof DriverError)) throw error
      throw fromDriverError(error, missing, profile.from)
    }
  }
