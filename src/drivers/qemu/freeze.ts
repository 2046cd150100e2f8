import { randomUUID } from 'node:crypto'
import type { BlockInfo } from '../../protocols/qmp/commands.ts'
import { DriverError } from '../driver.ts'
import type { QemuDomain } from './domain.ts'
import { type ImageKey, keysOf } from './images.ts'
import type { Machine } from './machine.ts'

/** An image in a living machine. */
export interface RunningImage {
  readonly domain: QemuDomain
  readonly machine: Machine
  /** The block node that the guest reads and writes. */
  readonly node: string
  readonly isReadOnly: boolean
}

/** Where a domain's machine has this image; nowhere if it has just ended. To be asked while the image has its name. */
export async function nodesOf(domain: QemuDomain, image: ImageKey): Promise<RunningImage[]> {
  const { machine } = domain
  if (machine === undefined) return []
  const drives: readonly BlockInfo[] = await machine.execute('query-block').catch((error: unknown) => {
    if (error instanceof DriverError && error.kind === 'bad-state') return []
    throw error
  })
  return drives.flatMap(({ node, file, isReadOnly }) =>
    node !== null && keysOf([file]).has(image) ? [{ domain, machine, node, isReadOnly }] : [],
  )
}

/** Names of nodes have 31 bytes at most. Source: QEMU include/block/block_int-common.h. */
const SUFFIX_DIGITS = 5

/**
 * Lets the guest go on in an overlay: from one write to the next, with all that it had flushed in what is below. One
 * command, so that there is nothing between before and after.
 */
export async function freezeDisk({ domain, machine, node }: RunningImage, overlay: string): Promise<void> {
  // All nodes of a disk begin alike.
  const name = `${node.split('.')[0]}.${randomUUID().slice(0, SUFFIX_DIGITS)}`
  await machine.execute('blockdev-snapshot-sync', {
    'node-name': node,
    'snapshot-file': overlay,
    'snapshot-node-name': name,
    format: 'qcow2',
    mode: 'existing',
  })
  const [key] = keysOf([overlay])
  if (key !== undefined && domain.uses(key)) return
  throw new DriverError('unreachable', `QEMU of domain ${domain.id} has not gone on in ${overlay}`)
}
