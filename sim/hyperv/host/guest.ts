import type { Vm } from './model.ts'
import { nameOfVm } from './settings.ts'

/** What a guest says of itself through the data exchange service, by the names that Hyper-V gives it. */
export type IntrinsicItems = Readonly<Record<string, string>>

/** Source: what hosts say in place of an address since guests have a class of their own for it, in our words. */
const NO_ADDRESS = 'Use Msvm_GuestNetworkAdapterConfiguration to read the addresses of a guest.'

/** Win32_OperatingSystem.Caption of a guest; undefined where there is none. */
export function osNameOf(vm: Vm): string | undefined {
  if (vm.guest === 'none') return undefined
  return vm.guest === 'windows' ? 'Windows Server 2022 Standard' : 'Debian GNU/Linux'
}

/** Source: the names and the forms of the values as read from guests of Windows 10 and Server 2025. */
export function intrinsicItemsOf(vm: Vm): IntrinsicItems {
  if (vm.guest === 'none') return {}
  const common = {
    FullyQualifiedDomainName: nameOfVm(vm),
    OSName: osNameOf(vm) ?? '',
    ProcessorArchitecture: '9',
    NetworkAddressIPv4: NO_ADDRESS,
    NetworkAddressIPv6: NO_ADDRESS,
  }
  return vm.guest === 'windows' ? { ...common, ...windowsItems() } : { ...common, ...linuxItems() }
}

function windowsItems(): IntrinsicItems {
  return {
    CSDVersion: '',
    IntegrationServicesVersion: '10.0.20348',
    OSBuildNumber: '20348',
    OSEditionId: '7',
    OSMajorVersion: '10',
    OSMinorVersion: '0',
    OSPlatformId: '2',
    OSVersion: '10.0.20348',
    ProductType: '3',
    RDPAddressIPv4: NO_ADDRESS,
    RDPAddressIPv6: NO_ADDRESS,
    ServicePackMajor: '0',
    ServicePackMinor: '0',
    SuiteMask: '400',
  }
}

function linuxItems(): IntrinsicItems {
  return {
    IntegrationServicesVersion: '3.1',
    OSBuildNumber: '',
    OSMajorVersion: '6',
    OSMinorVersion: '1',
    OSVersion: '6.1.0',
  }
}
