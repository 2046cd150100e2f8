import type { CallOptions, CimInstance, WsmanClient } from '../../protocols/wsman/index.ts'
import { DriverError, type HostInfo } from '../driver.ts'
import { featuresOf } from './cpu-features.ts'
import type { NamespaceName } from './namespace-name.ts'

/** Folders of the host. */
export interface HostFolders {
  /** Where images go unless somebody says otherwise. */
  readonly images: string
  /** Hyper-V's own, which has others that are empty most of the time. */
  readonly own: string
}

/** What a host is, as long as a connection to it lasts. */
export interface HostFacts {
  readonly info: HostInfo
  /** Of Windows; tells what its namespaces have. */
  readonly build: number
  readonly folders: HostFolders
}

const CIMV2 = 'root/cimv2'

/**
 * Asks Windows about itself and the machine that it runs on.
 * Source: Microsoft Learn, Win32_ComputerSystemProduct, Win32_ComputerSystem, Win32_OperatingSystem, Win32_Processor;
 * Msvm_VirtualSystemManagementServiceSettingData, which both namespaces have.
 */
export async function readHostFacts(
  client: WsmanClient,
  namespace: NamespaceName,
  options: CallOptions = {},
): Promise<HostFacts> {
  const ask = (className: string) => client.query(className, { ...options, namespace: CIMV2 })
  const [product, system, windows, processors, settings] = await Promise.all([
    only(ask, 'Win32_ComputerSystemProduct'),
    only(ask, 'Win32_ComputerSystem'),
    only(ask, 'Win32_OperatingSystem'),
    ask('Win32_Processor'),
    only(className => client.query(className, options), 'Msvm_VirtualSystemManagementServiceSettingData'),
  ])
  const features = featuresOf(processors)
  const count = system.number('NumberOfLogicalProcessors') ?? 0
  return {
    build: Number(windows.string('BuildNumber') ?? Number.NaN),
    folders: {
      images: settings.string('DefaultVirtualHardDiskPath') ?? '',
      own: settings.string('DefaultExternalDataRoot') ?? '',
    },
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
