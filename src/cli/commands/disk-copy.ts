/** Disks as they are at a moment, and disks that grow. */

import { command } from '../command.ts'
import { UsageError } from '../failure.ts'
import { find } from '../find.ts'
import { finish } from '../progress.ts'
import { formatBytes, parseBytes } from '../size.ts'

/** The disk that a command is about. */
export const DISK = { disk: { doc: 'UUID or name of the disk' } } as const

/** The bytes that `--size` says. Throws UsageError for what is no size, and where there is none. */
export function requiredSize(size: string | undefined, option = '--size'): bigint {
  if (size === undefined) throw new UsageError(`a disk needs a size, such as ${option} 10G`)
  const bytes = parseBytes(size)
  if (bytes === undefined || bytes === 0n) {
    throw new UsageError(`${option} must be a size such as 512M or 10G, and "${size}" is not`)
  }
  return bytes
}

/** As many sectors as hold the bytes. */
export const sectorsOf = (bytes: bigint, sectorBytes: bigint): bigint => (bytes + sectorBytes - 1n) / sectorBytes

/** Keeps what a disk holds now. */
export const snapshot = command({
  doc: 'Keep what a disk holds now as a disk of its own, also while its VM runs. Prints the UUID.',
  args: DISK,
  options: { name: { doc: 'what to call it', value: 'NAME' } },
  examples: ['disk snapshot web-1-root', 'disk snapshot web-1-root --name before-upgrade'],
  async run(context, { disk, name: value }) {
    const client = await context.connect()
    const vdi = await find(client, 'VDI', disk)
    const done = await finish(context, client, await client.Async.VDI.snapshot({ vdi }), `taking a snapshot of ${disk}`)
    if (done === undefined) return
    if (value !== undefined) await client.VDI.set_name_label({ self: done.value, value })
    context.tell(done.value, { uuid: done.value })
  },
})

/** Makes a disk of another. */
export const clone = command({
  doc: 'Make a disk with what another holds now; they share blocks until one is written to. Prints the UUID.',
  args: { ...DISK, name: { doc: 'the name of the new disk' } },
  options: { size: { doc: "larger than the other's; without it, the same", value: 'SIZE' } },
  examples: ['disk clone debian web-1-root', 'disk clone debian web-2-root --size 20G'],
  async run(context, { disk, name, size }) {
    const bytes = size === undefined ? undefined : requiredSize(size)
    const client = await context.connect()
    const parent = await find(client, 'VDI', disk)
    const sector_size = await client.VDI.get_sector_size({ self: parent })
    const larger = bytes === undefined ? {} : { virtual_size: sectorsOf(bytes, sector_size) }
    const task = await client.Async.VDI.create({ name_label: name, parent, sector_size, ...larger })
    const done = await finish(context, client, task, `cloning ${disk}`)
    if (done !== undefined) context.tell(done.value, { uuid: done.value })
  },
})

/** Makes a disk larger. */
export const resize = command({
  doc: 'Make a disk larger, also while its VM runs.',
  args: { ...DISK, size: { doc: 'such as 20G' } },
  examples: ['disk resize data 20G'],
  async run(context, { disk, size }) {
    const bytes = requiredSize(size, 'the size')
    const client = await context.connect()
    const self = await find(client, 'VDI', disk)
    const sector = await client.VDI.get_sector_size({ self })
    await client.VDI.set_virtual_size({ self, value: sectorsOf(bytes, sector) })
    const value = await client.VDI.get_virtual_size({ self })
    context.tell(`${disk} has ${formatBytes(value * sector)}`, { uuid: self })
  },
})
