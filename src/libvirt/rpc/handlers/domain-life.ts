import type { Handlers } from '../../../protocols/libvirt-rpc/index.ts'
import { AUTOSTART_NONE } from '../../flags/index.ts'
import type { Client } from '../client.ts'
import { bit, rpcDomain } from '../wire.ts'

/** How far nothing is. */
const NO_WORK = {
  timeElapsed: 0n,
  timeRemaining: 0n,
  dataTotal: 0n,
  dataProcessed: 0n,
  dataRemaining: 0n,
  memTotal: 0n,
  memProcessed: 0n,
  memRemaining: 0n,
  fileTotal: 0n,
  fileProcessed: 0n,
  fileRemaining: 0n,
} as const

/** The life of domains: starting and stopping them, and what they are doing. */
export const domainLifeHandlers: Handlers<Client> = {
  async DOMAIN_CREATE_XML({ xml_desc, flags }, { context }) {
    return { dom: rpcDomain(await context.connection.domainCreateXML(xml_desc, flags)) }
  },
  DOMAIN_CREATE: ({ dom }, { context }) => context.domain(dom).create(),
  async DOMAIN_CREATE_WITH_FLAGS({ dom, flags }, { context }) {
    const domain = context.domain(dom)
    await domain.createWithFlags(flags)
    return { dom: rpcDomain(domain) }
  },
  DOMAIN_SUSPEND: ({ dom }, { context }) => context.domain(dom).suspend(),
  DOMAIN_RESUME: ({ dom }, { context }) => context.domain(dom).resume(),
  DOMAIN_SHUTDOWN: ({ dom }, { context }) => context.domain(dom).shutdown(),
  DOMAIN_SHUTDOWN_FLAGS: ({ dom, flags }, { context }) => context.domain(dom).shutdownFlags(flags),
  DOMAIN_REBOOT: ({ dom, flags }, { context }) => context.domain(dom).reboot(flags),
  DOMAIN_RESET: ({ dom, flags }, { context }) => context.domain(dom).reset(flags),
  DOMAIN_DESTROY: ({ dom }, { context }) => context.domain(dom).destroy(),
  DOMAIN_DESTROY_FLAGS: ({ dom, flags }, { context }) => context.domain(dom).destroyFlags(flags),
  DOMAIN_MANAGED_SAVE: ({ dom, flags }, { context }) => context.domain(dom).managedSave(flags),
  DOMAIN_MANAGED_SAVE_REMOVE: ({ dom, flags }, { context }) => context.domain(dom).managedSaveRemove(flags),
  DOMAIN_HAS_MANAGED_SAVE_IMAGE: async ({ dom, flags }, { context }) => ({
    result: bit(await context.domain(dom).hasManagedSaveImage(flags)),
  }),
  DOMAIN_GET_STATE: ({ dom, flags }, { context }) => context.domain(dom).getState(flags),
  async DOMAIN_GET_INFO({ dom }, { context }) {
    const { state, maxMem, memory, nrVirtCpu, cpuTime } = await context.domain(dom).getInfo()
    return { state, maxMem: BigInt(maxMem), memory: BigInt(memory), nrVirtCpu, cpuTime }
  },
  DOMAIN_SET_LIFECYCLE_ACTION: ({ dom, type, action, flags }, { context }) =>
    context.domain(dom).setLifecycleAction(type, action, flags),
  DOMAIN_GET_CONTROL_INFO: ({ dom, flags }, { context }) => context.domain(dom).getControlInfo(flags),
  DOMAIN_GET_JOB_INFO: async ({ dom }, { context }) => ({ ...NO_WORK, ...(await context.domain(dom).getJobInfo()) }),
  DOMAIN_GET_JOB_STATS: async ({ dom, flags }, { context }) => ({
    ...(await context.domain(dom).getJobStats(flags)),
    params: [],
  }),
  DOMAIN_ABORT_JOB: ({ dom }, { context }) => context.domain(dom).abortJob(),
  DOMAIN_ABORT_JOB_FLAGS: ({ dom, flags }, { context }) => context.domain(dom).abortJobFlags(flags),
  // libvirt knows whether a domain starts with its host, and not whether it does so only if it ran.
  DOMAIN_GET_AUTOSTART: async ({ dom }, { context }) => ({
    autostart: bit((await context.domain(dom).getAutostart()) !== AUTOSTART_NONE),
  }),
  DOMAIN_SET_AUTOSTART: ({ dom, autostart }, { context }) => context.domain(dom).setAutostart(autostart !== 0),
}
