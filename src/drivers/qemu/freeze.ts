import { DriverError, type ImageFormat } from '../driver.ts'
import type { QemuDomain } from './domain.ts'
import { keysOf } from './images.ts'
import { type RunningImage, suffixOf } from './running-image.ts'

/** What a disk goes on with: an overlay, and below it what it had. */
export interface Freezing {
  readonly overlay: string
  /** The name that the image has as a base. */
  readonly base: string
  readonly format: ImageFormat
  /** The image below the base; undefined for none. */
  readonly below: string | undefined
}

/**
 * Lets the guest go on in an overlay: from one write to the next, with all that it had flushed in what is below. One
 * command, so that there is nothing between before and after. QEMU opens files again by their names, such as when their
 * permissions change: so each must keep, as long as QEMU lives, the name by which it was opened.
 */
export async function freezeDisk(image: RunningImage, freezing: Freezing): Promise<void> {
  const { domain, machine, node, isOverlay } = image
  const { overlay } = freezing
  const [key] = keysOf([overlay])
  if (key === undefined) throw new DriverError('refused', `${overlay} is gone`)
  await machine.execute('blockdev-snapshot-sync', {
    'node-name': node,
    'snapshot-file': overlay,
    'snapshot-node-name': `${nameOf(node)}${suffixOf(key)}`,
    format: 'qcow2',
    mode: 'existing',
  })
  if (!domain.images.uses(key)) {
    throw new DriverError('unreachable', `QEMU of domain ${domain.id} has not gone on in ${overlay}`)
  }
  if (!isOverlay) await renameBelow(image, freezing)
}

/** All nodes of a disk begin alike. */
const nameOf = (node: string): string => node.split('.')[0] ?? node

/** A node that is below an overlay by now, and the name it has as a base. */
export type Below = Omit<Freezing, 'overlay'>

/** Opens what is below by its name as a base, before its old name becomes another file's. */
async function renameBelow({ machine, node }: Pick<RunningImage, 'machine' | 'node'>, { base, format, below }: Below) {
  const nodes = await machine.execute('query-named-block-nodes', { flat: true })
  const backing = nodes.find(({ driver, file }) => driver !== 'file' && file === below)?.name
  if (below !== undefined && backing === undefined) throw new DriverError('refused', `QEMU has no node of ${below}`)
  const [key = ''] = keysOf([base])
  const file = `${nameOf(node)}${suffixOf(key)}`
  if (!nodes.some(({ name }) => name === file)) {
    await machine.execute('blockdev-add', { driver: 'file', 'node-name': file, filename: base, 'read-only': true })
  }
  const options = { driver: format, 'node-name': node, 'read-only': true, file }
  await machine.execute('blockdev-reopen', { options: [{ ...options, ...(backing !== undefined && { backing }) }] })
}

/** Does that in a domain which has an image open by its old name still. */
export async function forgetName(domain: QemuDomain, location: string, below: Below): Promise<void> {
  const { machine } = domain
  if (machine === undefined) return
  const nodes = await machine.execute('query-named-block-nodes', { flat: true })
  for (const { name, driver, file } of nodes) {
    if (driver !== 'file' && file === location) await renameBelow({ machine, node: name }, below)
  }
}
