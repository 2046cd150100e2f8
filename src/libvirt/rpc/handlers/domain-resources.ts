import { Buffer } from 'node:buffer'
import type { Handlers } from '../../../protocols/libvirt-rpc/index.ts'
import type { Client } from '../client.ts'
import { amountOf, numberParam, rpcParam } from '../typed-parameter.ts'

/** What domains have of memory, processors and time. */
export const domainResourceHandlers: Handlers<Client> = {
  DOMAIN_GET_MAX_MEMORY: async ({ dom }, { context }) => ({ memory: BigInt(await context.domain(dom).getMaxMemory()) }),
  DOMAIN_SET_MAX_MEMORY: ({ dom, memory }, { context }) => context.domain(dom).setMaxMemory(amountOf(memory)),
  DOMAIN_SET_MEMORY: ({ dom, memory }, { context }) => context.domain(dom).setMemory(amountOf(memory)),
  DOMAIN_SET_MEMORY_FLAGS: ({ dom, memory, flags }, { context }) =>
    context.domain(dom).setMemoryFlags(amountOf(memory), flags),
  DOMAIN_GET_MAX_VCPUS: async ({ dom }, { context }) => ({ num: await context.domain(dom).getMaxVcpus() }),
  DOMAIN_SET_VCPUS: ({ dom, nvcpus }, { context }) => context.domain(dom).setVcpus(nvcpus),
  DOMAIN_SET_VCPUS_FLAGS: ({ dom, nvcpus, flags }, { context }) => context.domain(dom).setVcpusFlags(nvcpus, flags),
  DOMAIN_SET_VCPU: ({ dom, cpumap, state, flags }, { context }) => context.domain(dom).setVcpu(cpumap, state, flags),
  DOMAIN_GET_VCPUS_FLAGS: async ({ dom, flags }, { context }) => ({
    num: await context.domain(dom).getVcpusFlags(flags),
  }),
  async DOMAIN_GET_VCPUS({ dom, maxinfo, maplen }, { context }) {
    const { info, cpumaps } = await context.domain(dom).getVcpus(maxinfo, maplen)
    return {
      info: info.map(({ number, state, cpuTime, cpu }) => ({ number, state, cpu_time: cpuTime, cpu })),
      cpumaps: Buffer.concat(cpumaps),
    }
  },
  async DOMAIN_GET_VCPU_PIN_INFO({ dom, ncpumaps, maplen, flags }, { context }) {
    const cpumaps = await context.domain(dom).getVcpuPinInfo(ncpumaps, maplen, flags)
    return { cpumaps: Buffer.concat(cpumaps), num: cpumaps.length }
  },
  DOMAIN_PIN_VCPU: ({ dom, vcpu, cpumap }, { context }) => context.domain(dom).pinVcpu(vcpu, cpumap),
  DOMAIN_PIN_VCPU_FLAGS: ({ dom, vcpu, cpumap, flags }, { context }) =>
    context.domain(dom).pinVcpuFlags(vcpu, cpumap, flags),
  DOMAIN_GET_SCHEDULER_TYPE: ({ dom }, { context }) => context.domain(dom).getSchedulerType(),
  async DOMAIN_GET_SCHEDULER_PARAMETERS({ dom, nparams }, { context }) {
    return { params: (await context.domain(dom).getSchedulerParameters(nparams)).map(rpcParam) }
  },
  async DOMAIN_GET_SCHEDULER_PARAMETERS_FLAGS({ dom, nparams, flags }, { context }) {
    return { params: (await context.domain(dom).getSchedulerParametersFlags(nparams, flags)).map(rpcParam) }
  },
  DOMAIN_SET_SCHEDULER_PARAMETERS: ({ dom, params }, { context }) =>
    context.domain(dom).setSchedulerParameters(params.map(numberParam)),
  DOMAIN_SET_SCHEDULER_PARAMETERS_FLAGS: ({ dom, params, flags }, { context }) =>
    context.domain(dom).setSchedulerParametersFlags(params.map(numberParam), flags),
}
