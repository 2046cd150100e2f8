import { lstatSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { DriverError } from '../driver.ts'
import { systemCode } from './files.ts'
import { keyOf } from './images.ts'
import type { Inventory } from './inventory.ts'

/** Demands that a caller has named a file of the host. Throws DriverError as `refused`. */
export function assertPath(location: string): void {
  if (isAbsolute(location) && !location.includes('\0')) return
  throw new DriverError('refused', `${JSON.stringify(location)} is no absolute path`)
}

/** Demands that what is there can be replaced: that it is a file, if anything, and nobody's disk. Throws as `assertPath`. */
export function assertWritable(inventory: Inventory, location: string): void {
  assertPath(location)
  const there = lookAt(location)
  if (there === undefined) return
  if (!there.isFile()) throw new DriverError('refused', `${location} is there, and is no file`)
  const [user] = inventory.naming(keyOf(there))
  if (user !== undefined) throw new DriverError('refused', `${location} is an image of domain ${user.summary.name}`)
}

function lookAt(location: string) {
  try {
    return lstatSync(location)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
