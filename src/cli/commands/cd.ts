import type { Ref, XenApiClient } from '../../client/index.ts'
import { command, type Group } from '../command.ts'
import { Failure } from '../failure.ts'
import { find } from '../find.ts'
import { recordsOf } from '../records.ts'

const VM_ARGUMENT = { vm: { doc: 'UUID or name of the VM' } } as const
const DRIVE = { drive: { doc: 'which, such as hdc, where the VM has several', value: 'NAME' } } as const

const insert = command({
  doc: 'Put a disk into the CD drive of a VM, at once where it runs. A VM that is halted and has no drive gets one.',
  args: { ...VM_ARGUMENT, disk: { doc: 'UUID or name of the disk, such as an ISO image that sr scan found' } },
  options: DRIVE,
  examples: ['cd insert web-1 debian-13-netinst'],
  async run(context, { vm, disk, drive }) {
    const client = await context.connect()
    const [VM, VDI] = [await find(client, 'VM', vm), await find(client, 'VDI', disk)]
    const present = await driveOf(client, VM, vm, drive)
    const vbd = present?.uuid ?? (await client.VBD.create({ VM, VDI, type: 'CD', mode: 'RO', device: drive ?? '' }))
    if (present !== undefined) await client.VBD.insert({ vbd, vdi: VDI })
    const device = await client.VBD.get_device({ self: vbd })
    context.tell(`${disk} is in ${device} of ${vm}`, { vbd, device })
  },
})

const eject = command({
  doc: 'Take the medium out of the CD drive of a VM; the drive stays.',
  args: VM_ARGUMENT,
  options: DRIVE,
  examples: ['cd eject web-1'],
  async run(context, { vm, drive }) {
    const client = await context.connect()
    const present = await driveOf(client, await find(client, 'VM', vm), vm, drive)
    if (present === undefined) throw new Failure(`${vm} has no CD drive${drive === undefined ? '' : ` ${drive}`}`)
    await client.VBD.eject({ vbd: present.uuid })
    context.tell(`${present.device} of ${vm} is empty`, { vbd: present.uuid })
  },
})

/** The drive that is meant: the one that is named, else the only one. Undefined where there is none. */
async function driveOf(client: XenApiClient, self: Ref<'VM'>, vm: string, drive: string | undefined) {
  const all = await recordsOf(client, 'VBD', await client.VM.get_VBDs({ self }))
  const drives = all.filter(({ type, device }) => type === 'CD' && (drive === undefined || device === drive))
  const [first, ...others] = drives
  if (others.length === 0) return first
  throw new Failure(`${vm} has ${drives.length} CD drives; choose one with --drive`, {
    details: drives.map(({ uuid, device }) => `  ${uuid}  ${device}`),
  })
}

/** Media of drives. */
export const cd: Group = { doc: 'CDs: what lies in the drives of VMs', commands: { insert, eject } }
