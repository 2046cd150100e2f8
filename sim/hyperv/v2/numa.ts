import type { Instance, Schema } from '../cim/model.ts'
import type { Provider } from '../cim/provider.ts'
import { numaNode } from '../host/default-devices.ts'
import type { Host } from '../host/host.ts'
import { freeMemoryMb } from '../host/life.ts'
import { providerOf, rowOf } from './rows.ts'

/** Msvm_NumaNode: a node for each socket of the host. */
export function numaNodes(host: Host, schema: Schema): Provider {
  const list = () => Array.from({ length: host.state.sockets }, (_none, number) => nodeRow(host, schema, number))
  return providerOf(schema, { classes: { Msvm_NumaNode: { list } } })
}

/** Source: NodeID, and which numbers there are, were read on Server 2025, of a host that has one node. */
function nodeRow(host: Host, schema: Schema, number: number): Instance {
  const { sockets, coresPerSocket, vms } = host.state
  const assigned = vms.reduce((sum, { processId, cpuTime }) => sum + (processId === undefined ? 0 : cpuTime.length), 0)
  return rowOf(schema, 'Msvm_NumaNode', {
    Caption: 'NUMA Node',
    CreationClassName: 'Msvm_NumaNode',
    CurrentlyAssignedVirtualProcessors: Math.ceil(assigned / sockets),
    CurrentlyConsumableMemoryBlocks: BigInt(Math.floor(freeMemoryMb(host) / sockets)),
    Description: 'Physical NUMA Node',
    ElementName: 'NUMA Node',
    EnabledDefault: 2,
    EnabledState: 2,
    HealthState: 5,
    NodeID: `Microsoft:PhysicalNode\\${number}`,
    NumberOfLogicalProcessors: numaNode(host).processors,
    NumberOfProcessorCores: coresPerSocket,
    OperationalStatus: [2],
    RequestedState: 12,
    SystemCreationClassName: 'Msvm_ComputerSystem',
    SystemName: host.state.name,
  })
}
