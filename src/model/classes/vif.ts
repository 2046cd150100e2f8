import { driverType } from '../enums.ts'
import { plugErrors } from '../errors.ts'
import { defineClass, roRun, rw } from '../kernel/define.ts'
import { t } from '../kernel/types.ts'
import { otherConfig } from './other-config.ts'

/** A virtual network interface. */
export const VIF = defineClass({
  name: 'VIF',
  doc: 'a virtual network interface',
  source: 'Xen Management API rev 0.2, §2.10',
  objects: 'client',
  errors: { create: plugErrors, delete: plugErrors },
  fields: {
    uuid: roRun(t.string, 'unique identifier/object reference'),
    name: rw(t.string, 'human-readable name of the interface'),
    type: rw(driverType, 'interface type'),
    device: rw(t.string, 'name of network device as exposed to guest e.g. eth0'),
    network: rw(t.ref('network'), 'virtual network to which this vif is connected', {
      boundTo: 'network.VIFs',
      errors: plugErrors,
    }),
    VM: rw(t.ref('VM'), 'virtual machine to which this vif is connected', { boundTo: 'VM.VIFs', errors: plugErrors }),
    MAC: rw(t.string, 'ethernet MAC address of virtual interface, as exposed to guest'),
    MTU: rw(t.int, 'MTU in octets', { unit: 'octets', default: 1500n }),
    network_read_kbs: roRun(t.float, 'Incoming network bandwidth', { unit: 'KiB/s', volatile: true }),
    network_write_kbs: roRun(t.float, 'Outgoing network bandwidth', { unit: 'KiB/s', volatile: true }),
    'IO_bandwidth/incoming_kbs': roRun(t.float, 'Read bandwidth (Kb/s)', { unit: 'KiB/s', volatile: true }),
    'IO_bandwidth/outgoing_kbs': roRun(t.float, 'Write bandwidth (Kb/s)', { unit: 'KiB/s', volatile: true }),
    currently_attached: roRun(t.bool, 'true while a machine that is not Halted has the device', { extension: true }),
    other_config: otherConfig,
  },
  messages: {},
})
