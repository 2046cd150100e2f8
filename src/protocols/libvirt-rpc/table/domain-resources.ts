import { array, bytes, hyper, int, struct, uhyper, uint } from '../../../wire/xdr/types.ts'
import { MAXIMA } from '../maxima.ts'
import { procedure } from '../procedure.ts'
import { domain, text, typedParam } from '../types.ts'

const vcpuInfo = struct({ number: uint, state: int, cpu_time: uhyper, cpu: int })
const domainMemoryStat = struct({ tag: int, val: uhyper })
const domainIothreadInfo = struct({ iothread_id: uint, cpumap: bytes(MAXIMA.CPUMAP_MAX) })

/** What domains have of processors, memory and time. Source: libvirt, src/remote/remote_protocol.x. */
export const domainResources = {
  DOMAIN_GET_MAX_MEMORY: procedure(17, 'virDomainGetMaxMemory', {
    args: { dom: domain },
    result: { memory: uhyper },
    priority: 'high',
  }),
  DOMAIN_GET_MAX_VCPUS: procedure(18, 'virDomainGetMaxVcpus', {
    args: { dom: domain },
    result: { num: int },
    priority: 'high',
  }),
  DOMAIN_GET_VCPUS: procedure(20, 'virDomainGetVcpus', {
    args: { dom: domain, maxinfo: int, maplen: int },
    result: { info: array(vcpuInfo, MAXIMA.VCPUINFO_MAX), cpumaps: bytes(MAXIMA.CPUMAPS_MAX) },
    priority: 'high',
  }),
  DOMAIN_PIN_VCPU: procedure(26, 'virDomainPinVcpu', {
    args: { dom: domain, vcpu: uint, cpumap: bytes(MAXIMA.CPUMAP_MAX) },
    writes: true,
  }),
  DOMAIN_SET_MAX_MEMORY: procedure(30, 'virDomainSetMaxMemory', {
    args: { dom: domain, memory: uhyper },
    priority: 'high',
    writes: true,
  }),
  DOMAIN_SET_MEMORY: procedure(31, 'virDomainSetMemory', { args: { dom: domain, memory: uhyper }, writes: true }),
  DOMAIN_SET_VCPUS: procedure(32, 'virDomainSetVcpus', { args: { dom: domain, nvcpus: uint }, writes: true }),
  DOMAIN_GET_SCHEDULER_TYPE: procedure(56, 'virDomainGetSchedulerType', {
    args: { dom: domain },
    result: { type: text, nparams: int },
  }),
  DOMAIN_GET_SCHEDULER_PARAMETERS: procedure(57, 'virDomainGetSchedulerParameters', {
    args: { dom: domain, nparams: int },
    result: { params: array(typedParam, MAXIMA.DOMAIN_SCHEDULER_PARAMETERS_MAX) },
  }),
  DOMAIN_SET_SCHEDULER_PARAMETERS: procedure(58, 'virDomainSetSchedulerParameters', {
    args: { dom: domain, params: array(typedParam, MAXIMA.DOMAIN_SCHEDULER_PARAMETERS_MAX) },
    writes: true,
  }),
  DOMAIN_MEMORY_STATS: procedure(159, 'virDomainMemoryStats', {
    args: { dom: domain, maxStats: uint, flags: uint },
    result: { stats: array(domainMemoryStat, MAXIMA.DOMAIN_MEMORY_STATS_MAX) },
  }),
  DOMAIN_SET_MEMORY_PARAMETERS: procedure(197, 'virDomainSetMemoryParameters', {
    args: { dom: domain, params: array(typedParam, MAXIMA.DOMAIN_MEMORY_PARAMETERS_MAX), flags: uint },
    writes: true,
  }),
  DOMAIN_GET_MEMORY_PARAMETERS: procedure(198, 'virDomainGetMemoryParameters', {
    args: { dom: domain, nparams: int, flags: uint },
    result: { params: array(typedParam, MAXIMA.DOMAIN_MEMORY_PARAMETERS_MAX), nparams: int },
  }),
  DOMAIN_SET_VCPUS_FLAGS: procedure(199, 'virDomainSetVcpusFlags', {
    args: { dom: domain, nvcpus: uint, flags: uint },
    writes: true,
  }),
  DOMAIN_GET_VCPUS_FLAGS: procedure(200, 'virDomainGetVcpusFlags', {
    args: { dom: domain, flags: uint },
    result: { num: int },
    writesWhere: { flags: 8 },
  }),
  DOMAIN_SET_MEMORY_FLAGS: procedure(204, 'virDomainSetMemoryFlags', {
    args: { dom: domain, memory: uhyper, flags: uint },
    writes: true,
  }),
  DOMAIN_SET_SCHEDULER_PARAMETERS_FLAGS: procedure(219, 'virDomainSetSchedulerParametersFlags', {
    args: { dom: domain, params: array(typedParam, MAXIMA.DOMAIN_SCHEDULER_PARAMETERS_MAX), flags: uint },
    writes: true,
  }),
  DOMAIN_GET_SCHEDULER_PARAMETERS_FLAGS: procedure(223, 'virDomainGetSchedulerParametersFlags', {
    args: { dom: domain, nparams: int, flags: uint },
    result: { params: array(typedParam, MAXIMA.DOMAIN_SCHEDULER_PARAMETERS_MAX) },
  }),
  DOMAIN_PIN_VCPU_FLAGS: procedure(225, 'virDomainPinVcpuFlags', {
    args: { dom: domain, vcpu: uint, cpumap: bytes(MAXIMA.CPUMAP_MAX), flags: uint },
    writes: true,
  }),
  DOMAIN_GET_VCPU_PIN_INFO: procedure(230, 'virDomainGetVcpuPinInfo', {
    args: { dom: domain, ncpumaps: int, maplen: int, flags: uint },
    result: { cpumaps: bytes(MAXIMA.CPUMAPS_MAX), num: int },
  }),
  DOMAIN_GET_CPU_STATS: procedure(262, 'virDomainGetCPUStats', {
    args: { dom: domain, nparams: uint, start_cpu: int, ncpus: uint, flags: uint },
    result: { params: array(typedParam, MAXIMA.DOMAIN_GET_CPU_STATS_MAX), nparams: int },
  }),
  DOMAIN_PIN_EMULATOR: procedure(279, 'virDomainPinEmulator', {
    args: { dom: domain, cpumap: bytes(MAXIMA.CPUMAP_MAX), flags: uint },
    writes: true,
  }),
  DOMAIN_GET_EMULATOR_PIN_INFO: procedure(280, 'virDomainGetEmulatorPinInfo', {
    args: { dom: domain, maplen: int, flags: uint },
    result: { cpumaps: bytes(MAXIMA.CPUMAPS_MAX), ret: int },
  }),
  DOMAIN_SET_MEMORY_STATS_PERIOD: procedure(308, 'virDomainSetMemoryStatsPeriod', {
    args: { dom: domain, period: int, flags: uint },
    writes: true,
  }),
  DOMAIN_GET_TIME: procedure(337, 'virDomainGetTime', {
    args: { dom: domain, flags: uint },
    result: { seconds: hyper, nseconds: uint },
    writes: true,
  }),
  DOMAIN_SET_TIME: procedure(338, 'virDomainSetTime', {
    args: { dom: domain, seconds: hyper, nseconds: uint, flags: uint },
    writes: true,
  }),
  DOMAIN_GET_IOTHREAD_INFO: procedure(351, 'virDomainGetIOThreadInfo', {
    args: { dom: domain, flags: uint },
    result: { info: array(domainIothreadInfo, MAXIMA.IOTHREAD_INFO_MAX), ret: uint },
  }),
  DOMAIN_SET_VCPU: procedure(384, 'virDomainSetVcpu', {
    args: { dom: domain, cpumap: text, state: int, flags: uint },
    writes: true,
  }),
}
