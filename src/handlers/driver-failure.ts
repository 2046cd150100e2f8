import { DriverError } from '../drivers/driver.ts'
import { StoreFailure } from '../engine/context.ts'
import { ApiError } from '../model/kernel/error.ts'

/** Runs what is for clients who know nothing of the API's errors: they get a DriverError that says the same. */
export async function asDriverError<R>(run: () => Promise<R>): Promise<R> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof ApiError || error instanceof StoreFailure)) throw error
    const isOffline = error instanceof ApiError && error.code === 'HOST_OFFLINE'
    throw new DriverError(isOffline ? 'unreachable' : 'refused', error.message, { cause: error })
  }
}
