import type { CallOptions, CimInstance, WsmanClient } from '../../protocols/wsman/index.ts'
import { DriverError, type HostInfo } from '../driver.ts'
import { featuresOf } from './cpu-features.ts'
import type { NamespaceName } from './namespace-name.ts'

/** What a host is, as long as a connection to it lasts. */
export interface HostFacts {
  readonly info: HostInfo
  /** Of Windows; tells what its namespaces have. */
  readonly build: number
}

const CIMV2 = 'root/cimv2'

/**
 * Asks Windows about itself and the machine that it runs on.
 * Source: Microsoft Learn, Win32_ComputerSystemProduct, Win32_ComputerSystem, Win32_OperatingSystem, Win32_Processor.
 */
export async function readHostFacts(
  client: WsmanClient,
  namespace: NamespaceName,
  options: CallOptions = {},
): Promise<HostFacts> {
  const ask = (className: string) => client.query(className, { ...options, namespace: CIMV2 })
  const [product, system, windows, processors] = await Promise.all([
    only(ask, 'Win32_ComputerSystemProduct'),
    only(ask, 'Win32_ComputerSystem'),
    only(ask, 'Win32_OperatingSystem'),
    ask('Win32_Processor'),
  ])
  const features = featuresOf(processors)
  const count = system.number('NumberOfLogicalProcessors') ?? 0
  return {
    build: Number(windows.string('BuildNumber') ?? Number.NaN),
    info: {
      id: (product.string('UUID') ?? '').toLowerCase(),
      name: system.string('DNSHostName') ?? system.string('Name') ?? '',
      memoryBytes: Number(system.bigint('TotalPhysicalMemory') ?? 0n),
      cpus: Array.from({ length: count }, (_, number) => ({ number, features })),
      softwareVersion: { windows: windows.string('Version') ?? '', 'hyper-v-wmi': namespace },
    },
  }
}

async function only(ask: (className: string) => Promise<readonly CimInstance[]>, className: string) {
  const [instance] = await ask(className)
  if (instance === undefined) throw new DriverError('unreachable', `the host tells nothing of its ${className}`)
  return instance
}
