/**
 * libvirt's functions over the drivers of this package: `import { connect } from 'polyvisor/libvirt'`. Names are
 * libvirt's in camel case, without the prefix of the object that they are now methods of: virDomainGetInfo is
 * `domain.getInfo()`, virConnectNumOfDomains is `connection.numOfDomains()`.
 */

export type {
  AgentCallback,
  DeviceCallback,
  LifecycleCallback,
  MetadataCallback,
  RebootCallback,
  SuspendedToDiskCallback,
} from './connection-events.ts'
export { LIBVIR_VERSION_NUMBER } from './connection-facts.ts'
export {
  type NodeCpuMap,
  type NodeCpuStats,
  type NodeInfo,
  type NodeMemoryStats,
  VIR_NODE_CPU_STATS_ALL_CPUS,
  VIR_NODE_MEMORY_STATS_ALL_CELLS,
} from './connection-node.ts'
export type { DomainStatsRecord } from './connection-statistics.ts'
export { Connection } from './connection.ts'
export type { ControlInfo, JobInfo } from './domain-jobs.ts'
export type { Interface, IPAddress } from './domain-addresses.ts'
export type { FSInfo, Time } from './domain-guest.ts'
export type { SchedulerType, TypedParameter } from './domain-scheduling.ts'
export type { Screenshot } from './domain-screen.ts'
export type { DomainInfo, StateAndReason } from './domain-state.ts'
export type { MemoryStat } from './counted.ts'
export type { CpuStats } from './domain-cpu-statistics.ts'
export type { BlockInfo, BlockStats, DiskErrorInfo, InterfaceStats } from './domain-statistics.ts'
export type { VcpuInfo, Vcpus } from './domain-vcpus.ts'
export { Domain } from './domain.ts'
export * from './error-numbers.ts'
export { type ErrorDetails, LibvirtError, VIR_ERR_ERROR } from './errors.ts'
export * from './flags/index.ts'
export { Network } from './network.ts'
export { connect, connectionOf, type ConnectOptions, connectReadOnly, type UseOptions } from './open.ts'
export { DomainSnapshot } from './snapshot.ts'
export type { StatsParameter, TextParameter } from './statistics.ts'
export { StoragePool, type StoragePoolInfo } from './storage-pool.ts'
export { StorageVol, type StorageVolInfo } from './storage-vol.ts'
