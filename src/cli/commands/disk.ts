import type { Ref, XenApiClient } from '../../client/index.ts'
import { driverType, vdiType } from '../../model/enums.ts'
import { imageFormat } from '../../model/classes/vdi.ts'
import { command, type Group } from '../command.ts'
import { Failure } from '../failure.ts'
import { find } from '../find.ts'
import { finish } from '../progress.ts'
import { allRecords, namesOf, recordsOf } from '../records.ts'
import { formatBytes } from '../size.ts'
import { parseEnum } from '../value.ts'
import { clone, DISK, requiredSize, resize, sectorsOf, snapshot } from './disk-copy.ts'

/** What a disk's size is counted in where nobody chose. Source: Xen Management API rev 0.2, §2.12, `sector_size`. */
const SECTOR_BYTES = 512n

const list = command({
  doc: 'List the disks: their sizes, and the VMs that have them.',
  examples: ['disk list', 'disk list --json'],
  async run(context) {
    const client = await context.connect()
    const disks = await allRecords(client, 'VDI')
    const [repositories, vms, vbds] = await Promise.all([
      namesOf(client, 'SR'),
      namesOf(client, 'VM'),
      allRecords(client, 'VBD'),
    ])
    const rows = disks.map(disk => [
      disk.name_label,
      disk.uuid,
      formatBytes(disk.virtual_size * disk.sector_size),
      formatBytes(disk.physical_utilisation),
      disk.image_format,
      repositories.get(disk.SR) ?? disk.SR,
      vbds
        .filter(vbd => vbd.VDI === disk.uuid)
        .map(vbd => `${vms.get(vbd.VM) ?? vbd.VM}:${vbd.device}`)
        .join(' '),
    ])
    context.list(['NAME', 'UUID', 'SIZE', 'USED', 'FORMAT', 'REPOSITORY', 'ATTACHED TO'], rows, disks)
  },
})

const create = command({
  doc: 'Make an empty disk.',
  args: { name: { doc: 'its name' } },
  options: {
    size: { doc: 'such as 10G (required)', value: 'SIZE' },
    sr: { doc: 'the repository; without it, the oldest', value: 'SR' },
    format: {
      doc: 'qcow2, raw, vhdx or vhd; without it, what the host of the repository makes first of all',
      value: 'FORMAT',
    },
    type: { doc: 'system (default), user or ephemeral', value: 'TYPE' },
  },
  examples: ['disk create web-1-root --size 10G', 'disk create scratch --size 512M --format raw'],
  async run(context, { name, size, sr, format, type }) {
    const bytes = requiredSize(size)
    const client = await context.connect()
    const task = await client.Async.VDI.create({
      name_label: name,
      virtual_size: sectorsOf(bytes, SECTOR_BYTES),
      sector_size: SECTOR_BYTES,
      ...(sr === undefined ? {} : { SR: await find(client, 'SR', sr) }),
      ...(format === undefined ? {} : { image_format: parseEnum(imageFormat, format, '--format') }),
      ...(type === undefined ? {} : { type: parseEnum(vdiType, type, '--type') }),
    })
    const done = await finish(context, client, task, `creating ${name}`)
    if (done !== undefined) context.tell(done.value, { uuid: done.value })
  },
})

const remove = command({
  doc: 'Delete a disk and its image. It must be detached first.',
  args: DISK,
  examples: ['disk delete scratch'],
  async run(context, { disk: name }) {
    const client = await context.connect()
    const self = await find(client, 'VDI', name)
    const done = await finish(context, client, await client.Async.VDI.delete({ self }), `deleting ${name}`)
    if (done !== undefined) context.tell(`disk ${name} deleted`, { uuid: self })
  },
})

const attach = command({
  doc: 'Give a disk to a VM, at once where it runs.',
  args: { ...DISK, vm: { doc: 'UUID or name of the VM' } },
  options: {
    device: { doc: 'its name in the guest, such as hda; without it, the next that is free', value: 'NAME' },
    driver: {
      doc: 'ioemu, a disk for every guest, or paravirtualised: faster, and a running guest gets no other',
      value: 'DRIVER',
    },
    readOnly: { doc: 'the guest cannot write to it' },
  },
  examples: ['disk attach web-1-root web-1', 'disk attach data web-1 --driver paravirtualised --read-only'],
  async run(context, { disk, vm, device = '', driver = 'ioemu', readOnly }) {
    const style = parseEnum(driverType, driver, '--driver')
    const client = await context.connect()
    const [VDI, VM] = [await find(client, 'VDI', disk), await find(client, 'VM', vm)]
    const [present] = (await attachments(client, VDI)).filter(vbd => vbd.VM === VM)
    if (present !== undefined) {
      context.tell(`${disk} is attached to ${vm} already, as ${present.device}`, { vbd: present.uuid })
      return
    }
    const vbd = await client.VBD.create({ VM, VDI, device, driver: style, mode: readOnly ? 'RO' : 'RW' })
    const given = await client.VBD.get_device({ self: vbd })
    context.tell(`${disk} attached to ${vm} as ${given}`, { vbd, device: given })
  },
})

const detach = command({
  doc: 'Take a disk from its VM, at once where it runs; its guest must let go of it. The image stays.',
  args: { ...DISK, vm: { doc: 'the VM, where several have the disk', optional: true } },
  examples: ['disk detach data', 'disk detach data web-1'],
  async run(context, { disk, vm }) {
    const client = await context.connect()
    const VM = vm === undefined ? undefined : await find(client, 'VM', vm)
    const all = await attachments(client, await find(client, 'VDI', disk))
    const [first, ...others] = all.filter(vbd => VM === undefined || vbd.VM === VM)
    if (others.length > 0) {
      const details = all.map(vbd => `  ${vbd.VM}  ${vbd.device}`)
      throw new Failure(`${disk} is attached ${all.length} times; name the VM`, { details })
    }
    if (first !== undefined) await client.VBD.delete({ self: first.uuid })
    context.tell(`${disk} ${first === undefined ? 'is not attached' : 'detached'}`, { vbd: first?.uuid ?? null })
  },
})

const attachments = async (client: XenApiClient, self: Ref<'VDI'>) =>
  recordsOf(client, 'VBD', await client.VDI.get_VBDs({ self }))

/** Disk images and the VMs that have them. */
export const disk: Group = {
  doc: 'Disks: images, and the VMs that have them',
  commands: { list, create, delete: remove, attach, detach, snapshot, clone, resize },
}
