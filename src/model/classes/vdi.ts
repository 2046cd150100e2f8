import { vdiType } from '../enums.ts'
import { imageErrors, plugErrors } from '../errors.ts'
import { defineClass, internal, message, roIns, roRun, rw } from '../kernel/define.ts'
import { t } from '../kernel/types.ts'
import { otherConfig } from './other-config.ts'

/** How an image is written on its repository. */
export const imageFormat = t.enum('image_format', {
  qcow2: 'QEMU copy on write, version 2: sparse, can have a parent',
  raw: 'the bytes of the disk and nothing else; sparse where the file system is',
  vhd: 'Virtual Hard Disk of Virtual PC and Hyper-V, at most 2040 GiB',
  vhdx: 'Virtual Hard Disk of Hyper-V since Windows Server 2012, at most 64 TiB',
})

/** A virtual disk image. */
export const VDI = defineClass({
  name: 'VDI',
  doc: 'a virtual disk image',
  source: 'Xen Management API rev 0.2, §2.12',
  objects: 'client',
  errors: {
    create: ['VALUE_NOT_SUPPORTED', 'VDI_TOO_SMALL', 'OPERATION_NOT_ALLOWED', 'TASK_CANCELLED', ...plugErrors],
    delete: ['VDI_IN_USE', 'HOST_OFFLINE', 'DRIVER_UNSUPPORTED', 'DRIVER_FAILED'],
  },
  fields: {
    uuid: roRun(t.string, 'unique identifier/object reference'),
    'name/label': rw(t.string, 'a human-readable name'),
    'name/description': rw(t.string, 'a notes field containing human-readable description'),
    SR: rw(t.ref('SR'), 'storage repository in which the VDI resides', { boundTo: 'SR.VDIs', errors: imageErrors }),
    VBDs: rw(t.set(t.ref('VBD')), 'list of vbds that refer to this disk', { boundTo: 'VBD.VDI', errors: plugErrors }),
    virtual_size: rw(t.int, 'size of disk as presented to the guest (in multiples of sector_size field)', {
      unit: 'sectors',
      default: 2_097_152n,
      errors: ['VDI_TOO_SMALL', ...imageErrors],
    }),
    physical_utilisation: roRun(
      t.int,
      'amount of physical space that the disk image is currently taking up on the storage repository (in bytes)',
      { unit: 'bytes' },
    ),
    sector_size: roIns(t.int, 'sector size of VDI (in bytes)', { unit: 'bytes', default: 512n }),
    type: roIns(vdiType, 'type of the VDI'),
    parent: roIns(t.ref('VDI'), 'parent disk (e.g. in the case of copy on write)', { boundTo: 'VDI.children' }),
    children: roIns(t.set(t.ref('VDI')), 'child disks (e.g. in the case of copy on write)', {
      boundTo: 'VDI.parent',
      derived: true,
    }),
    sharable: rw(t.bool, 'true if this disk may be shared', { errors: ['VDI_IN_USE'] }),
    read_only: rw(t.bool, 'true if this disk may ONLY be mounted read-only', { errors: ['VDI_IN_USE'] }),
    image_format: roRun(
      imageFormat,
      'how the image is written on its repository; where nobody chose, as its host makes images first of all',
      { extension: true, onCreate: true },
    ),
    other_config: otherConfig,
    location: internal(t.string, "The host's own name of the image."),
    host: internal(t.ref('host'), 'The host of an image that is in no repository; null for those in one.'),
  },
  messages: {
    snapshot: message({
      doc: 'Take an exact copy of the VDI; the snapshot lives in the same Storage Repository as its parent.',
      params: { vdi: [t.ref('VDI'), 'The VDI to snapshot'] },
      result: t.ref('VDI'),
      resultDoc: 'The ID of the newly created VDI.',
      errors: [
        'VDI_IN_USE',
        'OPERATION_NOT_ALLOWED',
        'HOST_OFFLINE',
        'DRIVER_UNSUPPORTED',
        'DRIVER_FAILED',
        'TASK_CANCELLED',
      ],
    }),
  },
})
