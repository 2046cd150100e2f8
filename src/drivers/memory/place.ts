import { isAbsolute } from 'node:path'
import { DriverError } from '../driver.ts'
import type { MemoryHost } from './host.ts'

/** Demands that a caller has named a place where a file can be. Throws DriverError as `refused`. */
export function assertPlace({ volumes }: MemoryHost, location: string): void {
  if (!isAbsolute(location)) throw new DriverError('refused', `${JSON.stringify(location)} is no absolute path`)
  if (volumes.has(location)) throw new DriverError('refused', `there is a volume at ${location}`)
}
