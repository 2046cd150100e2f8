import { driverType, vbdMode } from '../enums.ts'
import { plugErrors } from '../errors.ts'
import { defineClass, message, roIns, roRun, rw } from '../kernel/define.ts'
import { t } from '../kernel/types.ts'
import { otherConfig } from './other-config.ts'

/** What a block device is to the guest. Source: released Xen API, vbd_type. */
export const vbdType = t.enum('vbd_type', {
  Disk: 'a disk',
  CD: 'a CD drive, whose medium can be changed',
  Floppy: 'a floppy drive, whose medium can be changed',
})

const mediumErrors = ['OPERATION_NOT_ALLOWED', 'INVALID_VALUE', ...plugErrors] as const

/** A virtual block device: it connects a VM with a disk image. */
export const VBD = defineClass({
  name: 'VBD',
  doc: 'a virtual block device',
  source: 'Xen Management API rev 0.2, §2.13',
  objects: 'client',
  errors: { create: plugErrors, delete: plugErrors },
  fields: {
    uuid: roRun(t.string, 'unique identifier/object reference'),
    VM: rw(t.ref('VM'), 'the virtual machine', { boundTo: 'VM.VBDs', errors: plugErrors }),
    VDI: rw(t.ref('VDI'), 'the virtual disk', { boundTo: 'VDI.VBDs', errors: plugErrors }),
    device: rw(t.string, 'device seen by the guest e.g. hda1', { errors: ['VM_DUPLICATE_VBD_DEVICE'] }),
    mode: rw(vbdMode, 'the mode the disk should be mounted with', {
      default: 'RW',
      errors: ['VM_DUPLICATE_VBD_DEVICE'],
    }),
    driver: rw(driverType, 'the style of driver', { errors: ['VM_DUPLICATE_VBD_DEVICE'] }),
    'IO_bandwidth/incoming_kbs': roRun(t.float, 'Read bandwidth (Kb/s)', { unit: 'KiB/s', volatile: true }),
    'IO_bandwidth/outgoing_kbs': roRun(t.float, 'Write bandwidth (Kb/s)', { unit: 'KiB/s', volatile: true }),
    type: roIns(vbdType, 'what the device is to the guest', { extension: true }),
    currently_attached: roRun(t.bool, 'true while a machine that is not Halted has the device', { extension: true }),
    other_config: otherConfig,
  },
  messages: {
    insert: message({
      doc: 'Puts a medium into a CD or floppy drive, in place of the one that may lie in it; at once where the VM runs.',
      params: { vbd: [t.ref('VBD'), 'The drive'], vdi: [t.ref('VDI'), 'The medium'] },
      result: t.void,
      errors: mediumErrors,
      extension: true,
    }),
    eject: message({
      doc: 'Takes the medium out of a CD or floppy drive; an empty one stays empty.',
      params: { vbd: [t.ref('VBD'), 'The drive'] },
      result: t.void,
      errors: mediumErrors,
      extension: true,
    }),
  },
})
