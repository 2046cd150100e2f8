import { datetimeOf } from '../cim/datetime.ts'
import type { Schema } from '../cim/model.ts'
import type { Provider } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import { freeMemoryMb } from '../host/life.ts'
import { type Windows, windowsOf } from '../host/windows.ts'
import { providerOf, type Row, rowOf } from '../v2/rows.ts'

const CLASS = 'Win32_OperatingSystem'
const KIB_PER_MIB = 1024

/** The Windows of the host. */
export function operatingSystem(host: Host, schema: Schema): Provider {
  return providerOf(schema, {
    classes: {
      [CLASS]: { list: () => [rowOf(schema, CLASS, { ...CONSTANTS, ...versionRow(host), ...stateRow(host) })] },
    },
  })
}

function versionRow(host: Host): Row {
  const windows: Partial<Windows> = windowsOf(host.state.build) ?? {}
  const { caption = '', servicePack, version = '' } = windows
  return {
    BuildNumber: String(host.state.build),
    CSDVersion: servicePack ?? null,
    Caption: caption,
    Locale: host.locale === 'ja-JP' ? '0411' : '0409',
    MUILanguages: [host.locale],
    // Source: the name, the folder and the device of the system, as every Windows joins them.
    Name: `${caption}|C:\\Windows|\\Device\\Harddisk0\\Partition2`,
    OSLanguage: host.locale === 'ja-JP' ? 1041 : 1033,
    ServicePackMajorVersion: servicePack === undefined ? 0 : 1,
    ServicePackMinorVersion: 0,
    Version: version,
  }
}

/** Memory in KiB. */
function stateRow(host: Host): Row {
  const { state, clock } = host
  const kib = (megabytes: number): bigint => BigInt(megabytes) * BigInt(KIB_PER_MIB)
  const free = freeMemoryMb(host)
  const pagingMb = Math.ceil(state.memoryMb / 8)
  return {
    CSName: state.name,
    FreePhysicalMemory: kib(free),
    FreeSpaceInPagingFiles: kib(pagingMb),
    FreeVirtualMemory: kib(free + pagingMb),
    InstallDate: datetimeOf(state.bootedAt - INSTALLED_BEFORE_MS),
    LastBootUpTime: datetimeOf(state.bootedAt),
    LocalDateTime: datetimeOf(clock.now()),
    NumberOfProcesses: 60 + state.vms.filter(vm => vm.processId !== undefined).length,
    SizeStoredInPagingFiles: kib(pagingMb),
    TotalVirtualMemorySize: kib(state.memoryMb + pagingMb),
    TotalVisibleMemorySize: kib(state.memoryMb),
  }
}

const INSTALLED_BEFORE_MS = 90 * 86_400_000

/** Source: Microsoft Learn, Win32_OperatingSystem: OSType 18 is WINNT, ProductType 3 a server, SKU 7 Server Standard. */
const CONSTANTS: Row = {
  BootDevice: '\\Device\\HarddiskVolume1',
  BuildType: 'Multiprocessor Free',
  CSCreationClassName: 'Win32_ComputerSystem',
  CodeSet: '1252',
  CountryCode: '1',
  CreationClassName: CLASS,
  CurrentTimeZone: 0,
  DataExecutionPrevention_32BitApplications: true,
  DataExecutionPrevention_Available: true,
  DataExecutionPrevention_Drivers: true,
  DataExecutionPrevention_SupportPolicy: 3,
  Debug: false,
  Description: '',
  Distributed: false,
  EncryptionLevel: 256,
  ForegroundApplicationBoost: 2,
  Manufacturer: 'Microsoft Corporation',
  MaxNumberOfProcesses: 4_294_967_295,
  MaxProcessMemorySize: 137_438_953_344n,
  NumberOfLicensedUsers: 0,
  NumberOfUsers: 1,
  OSArchitecture: '64-bit',
  OSProductSuite: 272,
  OSType: 18,
  OperatingSystemSKU: 7,
  Organization: '',
  PAEEnabled: null,
  PortableOperatingSystem: false,
  Primary: true,
  ProductType: 3,
  RegisteredUser: 'Windows User',
  SerialNumber: '00000-00000-00000-AA000',
  Status: 'OK',
  SuiteMask: 272,
  SystemDevice: '\\Device\\HarddiskVolume2',
  SystemDirectory: 'C:\\Windows\\system32',
  SystemDrive: 'C:',
  WindowsDirectory: 'C:\\Windows',
}
