import { createHash } from 'node:crypto'
import type { BlockInfo } from '../../protocols/qmp/commands.ts'
import { DriverError } from '../driver.ts'
import type { QemuDomain } from './domain.ts'
import { type ImageKey, keysOf } from './images.ts'
import type { Machine } from './machine.ts'
import type { Image } from './volume.ts'

/** An image in a living machine. */
export interface RunningImage {
  readonly domain: QemuDomain
  readonly machine: Machine
  /** The block node that the guest reads and writes. */
  readonly node: string
  readonly isReadOnly: boolean
  /** Whether the node was made by freezing what is below. */
  readonly isOverlay: boolean
}

/** Where a domain's machine has this image; nowhere if it has just ended. To be asked while the image has its name. */
export async function nodesOf(domain: QemuDomain, image: ImageKey): Promise<RunningImage[]> {
  const { machine } = domain
  if (machine === undefined) return []
  const drives: readonly BlockInfo[] = await machine.execute('query-block').catch((error: unknown) => {
    if (error instanceof DriverError && error.kind === 'bad-state') return []
    throw error
  })
  return drives.flatMap(({ node, file, isReadOnly }) => {
    // QEMU names the file of an overlay by all that is below it, and cuts that where it is long.
    const isOverlay = node?.endsWith(suffixOf(image)) ?? false
    const isIt = isOverlay || keysOf([file]).has(image)
    return node !== null && isIt ? [{ domain, machine, node, isReadOnly, isOverlay }] : []
  })
}

/** What names of nodes leave free. Source: QEMU include/block/block_int-common.h, 31 bytes; `slots.ts`. */
const SUFFIX_DIGITS = 5

/** How the node of an overlay ends, by which it is known again: for a file, and of another length than a number. */
export function suffixOf(image: ImageKey): string {
  const hash = createHash('sha256').update(image).digest()
  return `.${hash.readUIntBE(0, 6).toString(36).padStart(SUFFIX_DIGITS, '0').slice(-SUFFIX_DIGITS)}`
}

/** The living machines that have the image, and where. Rejects as `bad-state` where it could not be frozen in all at once. */
export async function runningWith(domains: readonly QemuDomain[], { key, volume }: Image): Promise<RunningImage[]> {
  const running: RunningImage[] = []
  for (const domain of domains.filter(each => each.images.uses(key))) running.push(...(await nodesOf(domain, key)))
  if (running.length > 1 && running.some(({ isReadOnly }) => !isReadOnly)) {
    throw new DriverError('bad-state', `${volume.location} is written to by several domains at once`)
  }
  return running
}

/** Whoever began to use the image meanwhile would go on writing to it unseen. */
export function assertNoOthers(users: readonly QemuDomain[], known: readonly RunningImage[]): void {
  // One that is suspended writes nothing, and is held.
  const other = users.find(user => user.summary.state !== 'suspended' && !known.some(({ domain }) => domain === user))
  if (other !== undefined)
    throw new DriverError('bad-state', `domain ${other.id} is being started or plugged with the image`)
}
