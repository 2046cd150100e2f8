import { cpuFeature } from '../enums.ts'
import { defineClass, roIns, roRun } from '../kernel/define.ts'
import { t } from '../kernel/types.ts'
import { otherConfig } from './other-config.ts'

/** A physical CPU, as the host's operating system counts them. */
export const host_cpu = defineClass({
  name: 'host_cpu',
  doc: 'a physical CPU',
  source: 'Xen Management API rev 0.2, §2.8',
  objects: 'host',
  fields: {
    uuid: roRun(t.string, 'unique identifier/object reference'),
    host: roIns(t.ref('host'), 'the host the CPU is in', { boundTo: 'host.host_CPUs' }),
    number: roIns(t.int, 'the number of the physical CPU within the host'),
    features: roIns(t.set(cpuFeature), 'the features supported by the CPU'),
    utilisation: roRun(t.float, 'the current CPU utilisation', { volatile: true }),
    other_config: otherConfig,
  },
  messages: {},
})
