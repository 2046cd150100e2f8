import { imageErrors } from '../errors.ts'
import { defineClass, internal, message, roIns, roRun, rw } from '../kernel/define.ts'
import { t } from '../kernel/types.ts'
import { otherConfig } from './other-config.ts'

const storageErrors = ['SR_UNKNOWN_DRIVER', 'HOST_OFFLINE', 'DRIVER_UNSUPPORTED', 'DRIVER_FAILED'] as const

/** What may be wrong with the place of a new repository, or with what is to go there. */
const placeErrors = [
  'SR_UNKNOWN_DRIVER',
  'OBJECT_NAME_TAKEN',
  'PATH_NOT_ALLOWED',
  'PERMISSION_DENIED',
  ...imageErrors,
] as const

/** A storage repository. */
export const SR = defineClass({
  name: 'SR',
  doc: 'a storage repository',
  source: 'Xen Management API rev 0.2, §2.11',
  objects: 'client',
  errors: { create: placeErrors },
  fields: {
    uuid: roRun(t.string, 'unique identifier/object reference'),
    'name/label': rw(t.string, 'a human-readable name'),
    'name/description': rw(t.string, 'a notes field containing human-readable description'),
    VDIs: rw(t.set(t.ref('VDI')), 'managed virtual disks', { boundTo: 'VDI.SR', errors: imageErrors }),
    virtual_allocation: roRun(t.int, 'sum of virtual_sizes of all VDIs in this storage repository (in bytes)', {
      unit: 'bytes',
    }),
    physical_utilisation: roRun(
      t.int,
      'physical space currently utilised on this storage repository (in bytes). Note that for sparse disk formats, physical_utilisation may be less than virtual_allocation',
      { unit: 'bytes' },
    ),
    physical_size: roIns(t.int, 'total physical size of the repository (in bytes)', { unit: 'bytes' }),
    type: roIns(t.string, 'type of the storage repository', { default: 'dir' }),
    location: roIns(
      t.string,
      "a string that uniquely determines the location of the storage repository; the format of this string depends on the repository's type",
    ),
    host: roRun(
      t.ref('host'),
      'the host that reaches the repository; where nobody chose, the first that knows its type',
      {
        extension: true,
        onCreate: true,
      },
    ),
    other_config: otherConfig,
    stopped: internal(t.bool, 'Whether a client of libvirt has stopped it, or not started it yet.'),
    transient: internal(t.bool, 'Whether it is forgotten when it is stopped.'),
    autostart: internal(t.bool, 'Whether it is started with the server where it is stopped.', { default: true }),
  },
  messages: {
    clone: message({
      doc: 'Take an exact copy of the Storage Repository; the cloned storage repository has the same type as its parent',
      params: {
        sr: [t.ref('SR'), 'The Storage Repository to clone'],
        loc: [t.string, 'The location string that defines where the new storage repository will be located'],
        name: [t.string, 'The name of the new storage repository'],
      },
      result: t.ref('SR'),
      resultDoc: 'The ID of the newly created Storage Repository.',
      errors: [...placeErrors, 'TASK_CANCELLED'],
    }),
    list: message({
      doc: 'Return a list of all the Storage Repositories known to the system',
      params: {},
      result: t.set(t.ref('SR')),
      resultDoc: 'A list of all the IDs of all the Storage Repositories',
      errors: [],
      immediate: true,
    }),
    scan: message({
      doc: 'Looks through the repository: images that appeared become VDIs, sizes are read again.',
      params: { sr: [t.ref('SR'), 'The Storage Repository to scan'] },
      result: t.void,
      errors: storageErrors,
      extension: true,
    }),
  },
})
