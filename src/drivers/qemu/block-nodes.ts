import { QmpError } from '../../protocols/qmp/error.ts'
import type { DiskConfig } from '../driver.ts'
import { blockNode } from './command-line/disks.ts'
import type { Machine } from './machine.ts'
import { diskName } from './slots.ts'

/** The nodes of one disk that are taken away; a chain of snapshots is no longer. */
const NODES_MAX = 256

/** Opens an image as a block node with a name that is free. Resolves with the name. */
export async function addNode(machine: Machine, disk: DiskConfig): Promise<string> {
  const taken = new Set(await nodesOf(machine, disk.id))
  const name = diskName(disk.id)
  const numbered = Array.from({ length: taken.size + 1 }, (_none, index) => (index === 0 ? name : `${name}.${index}`))
  const free = numbered.find(candidate => !taken.has(candidate)) ?? name
  await machine.execute('blockdev-add', { ...blockNode(disk), 'node-name': free })
  return free
}

/** The names of all nodes of a disk. */
export async function nodesOf(machine: Machine, disk: string): Promise<string[]> {
  const name = diskName(disk)
  const nodes = await machine.execute('query-named-block-nodes', { flat: true })
  return nodes
    .map(node => node.name)
    .filter(node => node === name || node.startsWith(`${name}.`))
    .slice(0, NODES_MAX)
}

/** The node that a drive has at its top; null for one that is empty. Rejects with QmpError where there is no such drive. */
export async function nodeIn(machine: Machine, disk: string): Promise<string | null> {
  const name = diskName(disk)
  const drives = await machine.execute('query-block')
  // A virtio disk is named by the path of the part of it that has the drive.
  const drive = drives.find(({ device }) => device === name || device.startsWith(`/machine/peripheral/${name}/`))
  if (drive === undefined) throw new QmpError('query-block', 'DeviceNotFound', `the machine has no drive ${name}`)
  return drive.node
}

/** Closes nodes. Those beneath others of them can be closed only after these, so in whatever order that goes. */
export async function removeNodes(machine: Machine, nodes: readonly string[]): Promise<void> {
  let left = nodes
  while (left.length > 0) {
    const refusals: QmpError[] = []
    const stuck: string[] = []
    for (const node of left) {
      try {
        await machine.execute('blockdev-del', { 'node-name': node })
      } catch (error) {
        if (!(error instanceof QmpError)) throw error
        refusals.push(error)
        stuck.push(node)
      }
    }
    if (refusals[0] !== undefined && stuck.length === left.length) throw refusals[0]
    left = stuck
  }
}
