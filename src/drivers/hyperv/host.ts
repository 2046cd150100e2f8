import { type WsmanClient, type WsmanTarget, wql } from '../../protocols/wsman/index.ts'
import { DriverError, type HostHardware, type HostOps } from '../driver.ts'
import type { Gate } from './gate.ts'
import type { HostFacts } from './host-facts.ts'

const CIMV2 = { namespace: 'root/cimv2' } as const
const KIB = 1_024

/** What of a connection the host is told through. */
export interface HostParts {
  readonly client: WsmanClient
  readonly facts: HostFacts
  readonly target: WsmanTarget
}

/** The group `host`. */
export const hostOps = ({ client, facts, target }: HostParts, gate: Gate): HostOps => ({
  // Over http, messages are sealed but for those who are known by `basic`.
  isRemote: true,
  isEncrypted: target.url.startsWith('https:') || target.auth !== 'basic',
  info: () => gate.pass(async () => facts.info),
  hardware: () => gate.pass(() => readHardware(client)),
  memoryFree: () => gate.pass(() => readMemoryFree(client)),
  vcpusMax: () => gate.pass(() => readVcpusMax(client)),
})

/** Source: Microsoft Learn, Win32_Processor: one for each socket. NUMA nodes are not told there; sockets are one node. */
async function readHardware(client: WsmanClient): Promise<HostHardware> {
  const query = wql`SELECT Name, MaxClockSpeed, NumberOfCores, NumberOfLogicalProcessors FROM Win32_Processor`
  const processors = await client.query(query, CIMV2)
  const [first] = processors
  if (first === undefined) throw new DriverError('unreachable', 'the host tells nothing of its Win32_Processor')
  const cores = first.number('NumberOfCores') ?? 1
  return {
    model: (first.string('Name') ?? '').trim(),
    mhz: first.number('MaxClockSpeed') ?? 0,
    nodes: 1,
    socketsPerNode: processors.length,
    coresPerSocket: cores,
    threadsPerCore: Math.max(1, Math.floor((first.number('NumberOfLogicalProcessors') ?? cores) / cores)),
  }
}

/** Source: Microsoft Learn, Win32_OperatingSystem: FreePhysicalMemory is in kilobytes. */
async function readMemoryFree(client: WsmanClient): Promise<number> {
  const [windows] = await client.query(wql`SELECT FreePhysicalMemory FROM Win32_OperatingSystem`, CIMV2)
  const kib = windows?.bigint('FreePhysicalMemory')
  if (kib === undefined) throw new DriverError('unreachable', 'the host tells nothing of its FreePhysicalMemory')
  return Number(kib) * KIB
}

/**
 * Source: Microsoft Learn, Msvm_ProcessorSettingData: the row of what is defined as its maximum. In v1, it counts sockets
 * and the processors of each, as clients of real hosts read it.
 */
async function readVcpusMax(client: WsmanClient): Promise<number> {
  const query = wql`SELECT * FROM Msvm_ProcessorSettingData WHERE InstanceID LIKE 'Microsoft:Definition%Maximum'`
  const [most] = await client.query(query)
  const [sockets, perSocket] = [most?.number('SocketCount'), most?.number('ProcessorsPerSocket')]
  const isInSockets = sockets !== undefined && perSocket !== undefined
  const count = isInSockets ? sockets * perSocket : most?.number('VirtualQuantity')
  if (count === undefined) throw new DriverError('unreachable', 'the host tells nothing of the most processors')
  return count
}
