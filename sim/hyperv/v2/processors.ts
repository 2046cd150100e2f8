import type { Schema } from '../cim/model.ts'
import type { Provider } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import { loadOf, memoryUseOf } from '../host/life.ts'
import type { Vm } from '../host/model.ts'
import { DEVICES } from '../host/resources-ids.ts'
import { type DeviceRow, deviceProvider } from './devices.ts'

/** Speed of the host's processors, in MHz. */
export const CLOCK_MHZ = 2400

/** Source: DeviceIDs of the host's processors were read on Server 2025; those of machines are by analogy. */
const HOST_GUID = 'B637F347-6A0E-4DEC-AF52-BD70CB80A21D'

/** Msvm_Processor: logical ones of the host, virtual ones of machines that run. */
export function processors(host: Host, schema: Schema): Provider {
  return deviceProvider(host, schema, {
    className: 'Msvm_Processor',
    of: vm => vm.cpuTime.map((_none, number) => virtualRow(host, vm, number)),
    ofHost: () => logicalRows(host),
  })
}

/** Msvm_Memory: of the host, and of machines that run. */
export function memories(host: Host, schema: Schema): Provider {
  return deviceProvider(host, schema, {
    className: 'Msvm_Memory',
    of: vm => [memoryRow(DEVICES.memory.toUpperCase(), memoryUseOf(host, vm)?.assignedMb ?? 0)],
    ofHost: () => [memoryRow('4764334E-E001-4176-82EE-5594EC9B530E', host.state.memoryMb)],
  })
}

function virtualRow(host: Host, vm: Vm, number: number): DeviceRow {
  return {
    ...processorRow(loadOf(host, vm, number)),
    Caption: 'Processor',
    Description: 'Microsoft Virtual Processor',
    DeviceID: `Microsoft:${DEVICES.processor.toUpperCase()}\\0\\${number}`,
    ElementName: 'Processor',
    Name: `Processor ${number}`,
  }
}

function logicalRows(host: Host): DeviceRow[] {
  const { sockets, coresPerSocket, threadsPerCore } = host.state
  const perSocket = coresPerSocket * threadsPerCore
  return Array.from({ length: sockets * perSocket }, (_none, number) => {
    const title = host.texts.logicalProcessor(number)
    return {
      ...processorRow(0.03),
      Caption: title,
      Description: 'Microsoft Logical Processor',
      DeviceID: `Microsoft:${HOST_GUID}\\${Math.floor(number / perSocket)}\\${number % perSocket}`,
      ElementName: title,
      Name: title,
    }
  })
}

/** Source: Microsoft Learn, Msvm_Processor: CPUStatus 1 is enabled, Family 1 another one. */
function processorRow(load: number) {
  const percent = Math.round(load * 100)
  return {
    AddressWidth: 64,
    Availability: 3,
    CPUStatus: 1,
    CurrentClockSpeed: CLOCK_MHZ,
    DataWidth: 64,
    Family: 1,
    LoadPercentage: percent,
    LoadPercentageHistory: [percent],
    MaxClockSpeed: CLOCK_MHZ,
    UpgradeMethod: 1,
  }
}

/** In blocks of a megabyte. Source: Microsoft Learn, Msvm_Memory. */
function memoryRow(guid: string, megabytes: number): DeviceRow {
  const blocks = BigInt(megabytes)
  return {
    Access: 3,
    BlockSize: 1_048_576n,
    Caption: 'Memory',
    ConsumableBlocks: blocks,
    DataOrganization: 2,
    DataRedundancy: 1,
    DeltaReservation: 0,
    Description: 'Memory',
    DeviceID: `Microsoft:${guid}`,
    ElementName: 'Memory',
    EndingAddress: blocks - 1n,
    ExtentStatus: [2],
    IsBasedOnUnderlyingRedundancy: false,
    Name: 'Memory',
    NameFormat: 0,
    NameNamespace: 0,
    NoSinglePointOfFailure: false,
    NumberOfBlocks: blocks,
    PackageRedundancy: 0,
    Purpose: 'System Memory',
    SequentialAccess: false,
    StartingAddress: 0n,
    Volatile: true,
  }
}
