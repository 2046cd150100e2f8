import { defineClass, internal, message, roRun, rw } from '../kernel/define.ts'
import { t } from '../kernel/types.ts'
import { otherConfig } from './other-config.ts'

const host = [t.ref('host'), 'The Host'] as const
const powerErrors = [
  'HOST_NOT_DISABLED',
  'HOST_HAS_RESIDENT_VMS',
  'OPERATION_NOT_ALLOWED',
  'PERMISSION_DENIED',
  'HOST_OFFLINE',
  'DRIVER_FAILED',
] as const

/** A physical host: it appears when its hypervisor is connected. */
export const host_ = defineClass({
  name: 'host',
  doc: 'a physical host',
  source: 'Xen Management API rev 0.2, §2.7',
  objects: 'host',
  fields: {
    uuid: roRun(t.string, 'unique identifier/object reference'),
    'name/label': rw(t.string, 'a human-readable name'),
    'name/description': rw(t.string, 'a notes field containing human-readable description'),
    software_version: roRun(t.map(t.string, t.string), 'version strings'),
    resident_VMs: roRun(t.set(t.ref('VM')), 'list of VMs currently resident on host', { boundTo: 'VM.resident_on' }),
    host_CPUs: roRun(t.set(t.ref('host_cpu')), 'The physical CPUs on this host', { boundTo: 'host_cpu.host' }),
    enabled: roRun(t.bool, 'true if new VMs can be started on the host', { extension: true, default: true }),
    uri: roRun(t.string, 'how the host is connected', { extension: true }),
    live: roRun(t.bool, 'true while the host answers', { extension: true }),
    other_config: otherConfig,
    memory: internal(t.int, 'Bytes of memory that its guests share; 0 where it does not say.'),
    machine: internal(t.string, "The host's own identifier, the same on every connection."),
  },
  messages: {
    disable: message({
      doc: 'Puts the host into a state in which no new VMs can be started. Currently active VMs on the host continue to execute.',
      params: { host },
      result: t.void,
      errors: ['PERMISSION_DENIED'],
      adminOnly: true,
    }),
    enable: message({
      doc: 'Puts the host into a state in which new VMs can be started.',
      params: { host },
      result: t.void,
      errors: ['PERMISSION_DENIED'],
      adminOnly: true,
    }),
    shutdown: message({
      doc: 'Shutdown the host. (This function can only be called if there are no currently running VMs on the host and it is disabled.)',
      params: { host },
      result: t.void,
      errors: powerErrors,
      adminOnly: true,
    }),
    reboot: message({
      doc: 'Reboot the host. (This function can only be called if there are no currently running VMs on the host and it is disabled.)',
      params: { host },
      result: t.void,
      errors: powerErrors,
      adminOnly: true,
    }),
    list: message({
      doc: 'Return a list of all the hosts known to the system',
      params: {},
      result: t.set(t.ref('host')),
      resultDoc: 'A list of all the IDs of all the hosts',
      errors: [],
      immediate: true,
    }),
    add: message({
      doc: 'Connects a hypervisor; its host, CPUs and VMs appear. Adding one that is connected already answers its host.',
      params: { uri: [t.string, 'Such as qemu:///system or memory:///lab?vms=10. Holds no password.'] },
      result: t.ref('host'),
      errors: ['HOST_URI_INVALID', 'DRIVER_FAILED', 'DRIVER_UNSUPPORTED', 'PERMISSION_DENIED'],
      extension: true,
      adminOnly: true,
    }),
    remove: message({
      doc: 'Disconnects a hypervisor and forgets its host and CPUs. Its VMs must have been deleted or moved first; those of a host that does not answer, or that is another machine and keeps them, are forgotten with it and go on.',
      params: { host },
      result: t.void,
      errors: ['OBJECT_IN_USE', 'HOST_HAS_RESIDENT_VMS', 'PERMISSION_DENIED'],
      extension: true,
      adminOnly: true,
    }),
  },
})
