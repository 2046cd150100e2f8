import type { Schema } from '../cim/model.ts'
import type { Provider } from '../cim/provider.ts'
import { logicalProcessors } from '../host/default-devices.ts'
import type { Host } from '../host/host.ts'
import { named } from '../host/names.ts'
import { associationOf, type Pair, providerOf, type Row, rowOf } from '../v2/rows.ts'
import { CLOCK_MHZ } from '../v2/processors.ts'

const SYSTEM = 'Win32_ComputerSystem'
const PROCESSOR = 'Win32_Processor'
const MIB = 1024 * 1024

const MANUFACTURER = 'Polyvisor'
const MODEL = 'Simulated Hyper-V Host'

/** The host as a computer: system, product, BIOS, processors. */
export function machine(host: Host, schema: Schema): Provider {
  const one = (className: string, row: () => Row) => ({ list: () => [rowOf(schema, className, row())] })
  return providerOf(schema, {
    classes: {
      [SYSTEM]: one(SYSTEM, () => systemRow(host)),
      Win32_ComputerSystemProduct: one('Win32_ComputerSystemProduct', () => productRow(host)),
      Win32_BIOS: one('Win32_BIOS', () => biosRow(host)),
      [PROCESSOR]: { list: () => socketsOf(host).map(number => rowOf(schema, PROCESSOR, processorRow(host, number))) },
      Win32_ComputerSystemProcessor: associationOf(host, schema, {
        className: 'Win32_ComputerSystemProcessor',
        ends: ['GroupComponent', 'PartComponent'],
        list: () =>
          socketsOf(host).map(
            (number): Pair => [
              named(SYSTEM, { Name: host.state.name }),
              named(PROCESSOR, { DeviceID: `CPU${number}` }),
            ],
          ),
      }),
    },
  })
}

const socketsOf = (host: Host): number[] => Array.from({ length: host.state.sockets }, (_none, number) => number)

/** What is not said here a machine of today does not know either. Source: Microsoft Learn, Win32_ComputerSystem. */
function systemRow(host: Host): Row {
  const { name, memoryMb, sockets } = host.state
  return {
    ...SYSTEM_CONSTANTS,
    Caption: name,
    DNSHostName: name.toLowerCase(),
    HypervisorPresent: true,
    Name: name,
    NumberOfLogicalProcessors: logicalProcessors(host),
    NumberOfProcessors: sockets,
    TotalPhysicalMemory: BigInt(memoryMb) * BigInt(MIB),
    UserName: null,
  }
}

const UNKNOWN = 3

const SYSTEM_CONSTANTS: Row = {
  AdminPasswordStatus: UNKNOWN,
  AutomaticManagedPagefile: true,
  AutomaticResetBootOption: true,
  AutomaticResetCapability: true,
  BootROMSupported: true,
  BootupState: 'Normal boot',
  ChassisBootupState: UNKNOWN,
  CreationClassName: SYSTEM,
  CurrentTimeZone: 0,
  DaylightInEffect: false,
  Description: 'AT/AT COMPATIBLE',
  Domain: 'WORKGROUP',
  DomainRole: 2,
  EnableDaylightSavingsTime: true,
  FrontPanelResetStatus: UNKNOWN,
  InfraredSupported: false,
  KeyboardPasswordStatus: UNKNOWN,
  Manufacturer: MANUFACTURER,
  Model: MODEL,
  NetworkServerModeEnabled: true,
  PartOfDomain: false,
  PauseAfterReset: -1n,
  PCSystemType: 4,
  PCSystemTypeEx: 4,
  PowerOnPasswordStatus: UNKNOWN,
  PowerState: 0,
  PowerSupplyState: UNKNOWN,
  PrimaryOwnerName: 'Windows User',
  ResetCapability: 1,
  ResetCount: -1,
  ResetLimit: -1,
  Roles: ['LM_Workstation', 'LM_Server', 'NT', 'Server_NT'],
  Status: 'OK',
  SystemType: 'x64-based PC',
  ThermalState: UNKNOWN,
  WakeUpType: 6,
  Workgroup: 'WORKGROUP',
}

function productRow({ state }: Host): Row {
  return {
    Caption: 'Computer System Product',
    Description: 'Computer System Product',
    IdentifyingNumber: serialOf(state.uuid),
    Name: MODEL,
    UUID: state.uuid,
    Vendor: MANUFACTURER,
    Version: '1.0',
  }
}

const serialOf = (uuid: string): string => uuid.slice(-12)

function biosRow({ state }: Host): Row {
  return {
    BIOSVersion: ['POLYVISOR - 1', '1.0'],
    Caption: '1.0',
    CurrentLanguage: 'enUS',
    Description: '1.0',
    Manufacturer: MANUFACTURER,
    Name: '1.0',
    PrimaryBIOS: true,
    SMBIOSBIOSVersion: '1.0',
    SMBIOSMajorVersion: 3,
    SMBIOSMinorVersion: 0,
    SMBIOSPresent: true,
    SerialNumber: serialOf(state.uuid),
    SoftwareElementID: '1.0',
    SoftwareElementState: 3,
    Status: 'OK',
    TargetOperatingSystem: 0,
    Version: 'POLYVISOR - 1',
  }
}

/** Architecture 9 is x64, Family 179 Intel Xeon. Source: Microsoft Learn, Win32_Processor. */
function processorRow({ state }: Host, number: number): Row {
  const { coresPerSocket, threadsPerCore, name } = state
  const threads = coresPerSocket * threadsPerCore
  const id = `CPU${number}`
  return {
    AddressWidth: 64,
    Architecture: 9,
    Availability: 3,
    Caption: 'Intel64 Family 6 Model 85 Stepping 7',
    Characteristics: 252,
    CpuStatus: 1,
    CreationClassName: PROCESSOR,
    CurrentClockSpeed: CLOCK_MHZ,
    CurrentVoltage: 10,
    DataWidth: 64,
    Description: 'Intel64 Family 6 Model 85 Stepping 7',
    DeviceID: id,
    ExtClock: 100,
    Family: 179,
    L2CacheSize: 1024 * coresPerSocket,
    L2CacheSpeed: 0,
    L3CacheSize: 36_608,
    L3CacheSpeed: 0,
    Level: 6,
    LoadPercentage: 3,
    Manufacturer: 'GenuineIntel',
    MaxClockSpeed: CLOCK_MHZ,
    Name: 'Intel(R) Xeon(R) Gold 6240R CPU @ 2.40GHz',
    NumberOfCores: coresPerSocket,
    NumberOfEnabledCore: coresPerSocket,
    NumberOfLogicalProcessors: threads,
    PowerManagementSupported: false,
    ProcessorId: 'BFEBFBFF00050657',
    ProcessorType: 3,
    Revision: 21_767,
    Role: 'CPU',
    SecondLevelAddressTranslationExtensions: false,
    SocketDesignation: id,
    Status: 'OK',
    StatusInfo: 3,
    SystemCreationClassName: SYSTEM,
    SystemName: name,
    ThreadCount: threads,
    UpgradeMethod: 43,
    VMMonitorModeExtensions: false,
    VirtualizationFirmwareEnabled: false,
    VoltageCaps: null,
  }
}
