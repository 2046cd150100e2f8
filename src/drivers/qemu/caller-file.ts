import { lstatSync, statSync } from 'node:fs'
import { dirname, isAbsolute } from 'node:path'
import { DriverError } from '../driver.ts'
import { systemCode } from './files.ts'
import { keyOf } from './images.ts'
import type { Inventory } from './inventory.ts'

/** Demands that a caller has named a file of the host. Throws DriverError as `refused`. */
export function assertPath(location: string): void {
  if (isAbsolute(location) && !location.includes('\0')) return
  throw new DriverError('refused', `${JSON.stringify(location)} is no absolute path`)
}

/**
 * Demands that a file can be made in a folder that is there, and that what is there of its name can be replaced: that it
 * is a file, if anything, and nobody's disk. Throws as `assertPath`.
 */
export function assertWritable(inventory: Inventory, location: string): void {
  assertPath(location)
  assertFolder(location)
  const there = lookAt(location)
  if (there === undefined) return
  if (!there.isFile()) throw new DriverError('refused', `${location} is there, and is no file`)
  const [user] = inventory.naming(keyOf(there))
  if (user !== undefined) throw new DriverError('refused', `${location} is an image of domain ${user.summary.name}`)
}

function assertFolder(location: string): void {
  const folder = dirname(location)
  try {
    if (statSync(folder).isDirectory()) return
  } catch (error) {
    const code = systemCode(error)
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error
    throw new DriverError('refused', `cannot make ${location}: there is no folder ${folder}`, { cause: error })
  }
  throw new DriverError('refused', `cannot make ${location}: ${folder} is no folder`)
}

function lookAt(location: string) {
  try {
    return lstatSync(location)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
