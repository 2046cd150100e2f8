import { DriverError } from '../driver.ts'
import type { BackEnd, Machine } from './back-end.ts'
import type { Attachment, StorageBackEnd } from './storage-back-end.ts'
import type { Found } from './volumes.ts'
import { isSamePath, pathKey } from './windows-path.ts'

/** How deep a chain of images is followed; a machine has 50 snapshots at most. */
const CHAIN_MAX = 64

/** A machine that has an image in one of its drives. */
export interface User {
  readonly machine: Machine
  readonly attachment: Attachment
}

/** Who has an image. */
export interface Use {
  /** Machines that have it in a drive, the image itself and not one that builds on it. */
  readonly users: readonly User[]
  /** The first of what builds on it, as far as that is a snapshot or an image of a suspended machine. */
  readonly child: string | undefined
}

/**
 * Who has an image. What machines with a guest in memory have open, the host itself keeps from being deleted or changed,
 * with all that it builds on; of suspended machines and of snapshots it does not heed that.
 */
export async function useOf(
  storage: StorageBackEnd,
  machines: BackEnd['machines'],
  { volume, attachments }: Found,
): Promise<Use> {
  const byGuid = new Map((await machines()).map(machine => [machine.guid, machine]))
  const mine = attachments.filter(({ path }) => isSamePath(path, volume.location))
  const users = mine.flatMap(attachment => {
    const machine = byGuid.get(attachment.ownerGuid)
    return machine === undefined ? [] : [{ machine, attachment }]
  })
  if (volume.format === 'raw') return { users, child: undefined }
  // A snapshot has in its drives what it was taken of, and a machine from then on what builds on that.
  if (mine.length > users.length) return { users, child: 'a snapshot' }
  const suspended = attachments.filter(({ ownerGuid, path }) => {
    return byGuid.get(ownerGuid)?.state === 'suspended' && !isSamePath(path, volume.location)
  })
  return { users, child: await childAmong(storage, suspended, volume.location) }
}

/** The first of these images that builds on another one. */
async function childAmong(storage: StorageBackEnd, attachments: readonly Attachment[], of: string) {
  const seen = new Set<string>()
  for (const { path } of attachments) {
    let image: string | undefined = path
    for (let depth = 0; depth < CHAIN_MAX && image !== undefined; depth++) {
      if (isSamePath(image, of)) return path
      if (!/\.a?vhdx?$/i.test(image) || seen.has(pathKey(image))) break
      seen.add(pathKey(image))
      image = await parentOf(storage, image)
    }
  }
  return undefined
}

/** Of an image that cannot be read, nobody can tell. */
async function parentOf(storage: StorageBackEnd, path: string): Promise<string | undefined> {
  try {
    return (await storage.image(path)).parent
  } catch (error) {
    if (error instanceof DriverError && error.kind === 'refused') return undefined
    throw error
  }
}

/** Throws DriverError, `bad-state`, where a machine that is not off has the image. */
export function assertUnused({ users }: Use, location: string): void {
  const user = users.find(({ machine }) => machine.state !== 'halted')
  if (user !== undefined) throw inUse(location, `${user.machine.name}, which is ${user.machine.state}, has it`)
}

/** Throws DriverError, `bad-state`, where something builds on the image. */
export function assertChildless({ child }: Use, location: string): void {
  if (child !== undefined) throw inUse(location, `${child} builds on it`)
}

export const inUse = (location: string, reason: string, options?: ErrorOptions): DriverError =>
  new DriverError('bad-state', `${location} is in use: ${reason}`, options)

/** What a host refuses because somebody has the image open is `bad-state`: its codes do not tell that apart. */
export async function sayIfInUse(storage: StorageBackEnd, location: string, call: () => Promise<void>): Promise<void> {
  try {
    await call()
  } catch (error) {
    const isRefusal = error instanceof DriverError && error.kind === 'refused'
    if (isRefusal && (await isInUse(storage, location))) throw inUse(location, error.message, { cause: error })
    throw error
  }
}

async function isInUse(storage: StorageBackEnd, location: string): Promise<boolean> {
  try {
    return await storage.isInUse(location)
  } catch (error) {
    if (error instanceof DriverError) return false
    throw error
  }
}
