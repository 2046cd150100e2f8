import { DriverError } from '../driver.ts'
import type { BackEnd, Machine } from './back-end.ts'
import type { Attachment, StorageBackEnd } from './storage-back-end.ts'
import type { Found } from './volumes.ts'
import { isSamePath } from './windows-path.ts'

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
  /** Machines that go on in an image that a snapshot has made, and that builds on it. */
  readonly heads: readonly User[]
}

/** What snapshots make, to hold what changes from then on. */
const AUTOMATIC = /\.avhdx?$/i

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
  const isMine = ({ path }: Attachment) => isSamePath(path, volume.location)
  const usersAmong = (some: readonly Attachment[]) =>
    some.flatMap(attachment => {
      const machine = byGuid.get(attachment.ownerGuid)
      return machine === undefined ? [] : [{ machine, attachment }]
    })
  const mine = attachments.filter(isMine)
  const users = usersAmong(mine)
  if (volume.format === 'raw') return { users, child: undefined, heads: [] }
  const others = usersAmong(attachments.filter(each => !isMine(each)))
  // A snapshot has in its drives what it was taken of, and a machine from then on what builds on that.
  if (mine.length > users.length) {
    const going = others.filter(({ attachment }) => AUTOMATIC.test(attachment.path))
    return { users, child: 'a snapshot', heads: await buildingOn(storage, going, volume.location) }
  }
  const suspended = others.filter(({ machine }) => machine.state === 'suspended')
  const [child] = await buildingOn(storage, suspended, volume.location)
  return { users, child: child?.attachment.path, heads: [] }
}

/** Those whose image builds on another one. */
async function buildingOn(storage: StorageBackEnd, users: readonly User[], of: string): Promise<User[]> {
  const are = await Promise.all(users.map(({ attachment }) => buildsOn(storage, attachment.path, of)))
  return users.filter((_, index) => are[index])
}

async function buildsOn(storage: StorageBackEnd, path: string, of: string): Promise<boolean> {
  let image: string | undefined = path
  for (let depth = 0; depth < CHAIN_MAX && image !== undefined; depth++) {
    if (isSamePath(image, of)) return true
    image = /\.a?vhdx?$/i.test(image) ? await parentOf(storage, image) : undefined
  }
  return false
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

/** Throws DriverError, `bad-state`, where a machine that is not off has the image, or goes on in one that builds on it. */
export function assertUnused({ users, heads }: Use, location: string): void {
  const user = [...users, ...heads].find(({ machine }) => machine.state !== 'halted')
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
