import { driverType, vbdMode } from '../enums.ts'
import { defineClass, roRun, rw } from '../kernel/define.ts'
import { t } from '../kernel/types.ts'

/** A virtual block device: it connects a VM with a disk image. */
export const VBD = defineClass({
  name: 'VBD',
  doc: 'a virtual block device',
  source: 'Xen Management API rev 0.2, §2.13',
  objects: 'client',
  fields: {
    uuid: roRun(t.string, 'unique identifier/object reference'),
    VM: rw(t.ref('VM'), 'the virtual machine', { boundTo: 'VM.VBDs' }),
    VDI: rw(t.ref('VDI'), 'the virtual disk', { boundTo: 'VDI.VBDs' }),
    device: rw(t.string, 'device seen by the guest e.g. hda1'),
    mode: rw(vbdMode, 'the mode the disk should be mounted with', { default: 'RW' }),
    driver: rw(driverType, 'the style of driver'),
    'IO_bandwidth/incoming_kbs': roRun(t.float, 'Read bandwidth (Kb/s)', { unit: 'KiB/s', volatile: true }),
    'IO_bandwidth/outgoing_kbs': roRun(t.float, 'Write bandwidth (Kb/s)', { unit: 'KiB/s', volatile: true }),
  },
  messages: {},
})
