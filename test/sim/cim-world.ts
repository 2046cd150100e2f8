import assert from 'node:assert/strict'
import { keysOf, makeInstance } from '../../sim/hyperv/cim/instance.ts'
import type { CimValue, Instance, Schema } from '../../sim/hyperv/cim/model.ts'
import { pathOf } from '../../sim/hyperv/cim/path.ts'
import type { ClassProvider, Provider } from '../../sim/hyperv/cim/provider.ts'
import { Repository } from '../../sim/hyperv/cim/repository.ts'
import { loadSchema } from '../../sim/hyperv/cim/schema.ts'

/** The host of these tests. */
export const HOST = 'HVHOST'
const V2 = 'root\\virtualization\\v2'
const CIMV2 = 'root\\cimv2'
const BUILD = 20348

/** How often providers were asked for what; a query that is looked up leaves `listed` alone. */
export interface Counts {
  listed: number
  found: number
  referred: number
}

export interface World {
  readonly v2: Repository
  readonly cimv2: Repository
  readonly counts: Counts
}

type Row = Readonly<Record<string, CimValue>>

/** The GUID of the machine of this number, from 1 on. */
export function idOf(number: number): string {
  return `${String(number).padStart(8, '0')}-AAAA-4000-8000-0000000000FF`
}

/** A host with so many machines, every second of which runs; the first has a snapshot. */
export function makeWorld(machines: number): World {
  const counts: Counts = { listed: 0, found: 0, referred: 0 }
  const v2 = new Builder(loadSchema(V2, BUILD), V2, counts)
  addHost(v2)
  for (let number = 1; number <= machines; number++) addMachine(v2, number)
  if (machines > 0) addSnapshot(v2)
  const cimv2 = new Builder(loadSchema(CIMV2, BUILD), CIMV2, counts)
  addWindows(cimv2)
  return { v2: v2.build(), cimv2: cimv2.build(), counts }
}

/** Gathers instances by class, and makes providers of them that look up by key and by reference. */
class Builder {
  readonly #schema: Schema
  readonly #namespace: string
  readonly #counts: Counts
  readonly #rows = new Map<string, Instance[]>()

  constructor(schema: Schema, namespace: string, counts: Counts) {
    this.#schema = schema
    this.#namespace = namespace
    this.#counts = counts
  }

  /** The path of what was added. */
  add(className: string, row: Row): string {
    const cls = this.#schema.find(className)
    assert(cls !== undefined)
    const instance = makeInstance(cls, row)
    const rows = this.#rows.get(className) ?? []
    rows.push(instance)
    this.#rows.set(className, rows)
    return pathOf(instance, HOST, this.#namespace)
  }

  build(): Repository {
    const classes: Record<string, ClassProvider> = {}
    for (const [name, rows] of this.#rows) classes[name] = this.#provide(name, rows)
    const provider: Provider = {
      classes,
      methods: { 'Msvm_ComputerSystem.RequestStateChange': () => ({ returnValue: 0 }) },
    }
    return new Repository(this.#schema, [provider], HOST)
  }

  #provide(name: string, rows: readonly Instance[]): ClassProvider {
    const counts = this.#counts
    const isAssociation = this.#schema.find(name)?.isAssociation === true
    const index = isAssociation ? indexReferences(rows) : indexKeys(rows)
    return {
      list() {
        counts.listed++
        return rows
      },
      ...(isAssociation
        ? {
            referring: object => {
              counts.referred++
              return index.get([...object.keys.values()].join('|').toLowerCase()) ?? []
            },
          }
        : {
            find: keys => {
              counts.found++
              return index.get([...keys.values()].join('|').toLowerCase())?.[0]
            },
          }),
    }
  }
}

function indexKeys(rows: readonly Instance[]): Map<string, Instance[]> {
  return groupBy(rows, row => [[...keysInOrder(row)].join('|').toLowerCase()])
}

function keysInOrder(row: Instance): string[] {
  return [...keysOf(row).values()]
}

/** By the key values that stand in the quotes of either path. */
function indexReferences(rows: readonly Instance[]): Map<string, Instance[]> {
  return groupBy(rows, row =>
    keysInOrder(row).map(path =>
      [...path.matchAll(/="((?:[^"\\]|\\.)*)"/g)]
        .map(([, value = '']) => value.replace(/\\(.)/g, '$1'))
        .join('|')
        .toLowerCase(),
    ),
  )
}

function groupBy(rows: readonly Instance[], groupsOf: (row: Instance) => string[]): Map<string, Instance[]> {
  const index = new Map<string, Instance[]>()
  for (const row of rows) {
    for (const key of new Set(groupsOf(row))) {
      const group = index.get(key) ?? []
      group.push(row)
      index.set(key, group)
    }
  }
  return index
}

function addHost(builder: Builder): void {
  builder.add('Msvm_ComputerSystem', {
    CreationClassName: 'Msvm_ComputerSystem',
    Name: HOST,
    ElementName: HOST,
    EnabledState: 2,
  })
  for (const [row, quantity] of [
    ['Default', 1n],
    ['Minimum', 1n],
    ['Maximum', 240n],
    ['Increment', 1n],
  ] as const) {
    builder.add('Msvm_ProcessorSettingData', {
      InstanceID: `Microsoft:Definition\\B637F347-6A0E-4DEC-AF52-BD70CB80A21D\\${row}`,
      VirtualQuantity: quantity,
    })
    builder.add('Msvm_ResourceAllocationSettingData', {
      InstanceID: `Microsoft:Definition\\118C3BE5-0D31-4804-85F0-5C6074ABEA8F\\${row}`,
      ResourceSubType: 'Microsoft:Hyper-V:Physical Disk Drive',
    })
  }
  builder.add('Msvm_ConcreteJob', {
    InstanceID: '6D5A2B1C-0000-4000-8000-000000000001',
    JobState: 7,
    PercentComplete: 100,
    StartTime: '20250101120000.000000+000',
    ElapsedTime: '00000000000001.500000:000',
    DeleteOnCompletion: false,
  })
}

function addMachine(builder: Builder, number: number): void {
  const id = idOf(number)
  const isRunning = number % 2 === 1
  const keys = { SystemCreationClassName: 'Msvm_ComputerSystem', SystemName: id }
  const system = builder.add('Msvm_ComputerSystem', {
    CreationClassName: 'Msvm_ComputerSystem',
    Name: id,
    ElementName: `vm${number}`,
    EnabledState: isRunning ? 2 : 3,
    OperationalStatus: [2],
    OnTimeInMilliseconds: 9_007_199_254_740_993n,
    InstallDate: '20250101120000.000000+000',
    ...(isRunning ? { ProcessID: 4320 + number } : {}),
  })
  const settings = builder.add('Msvm_VirtualSystemSettingData', {
    InstanceID: `Microsoft:${id}`,
    ElementName: `vm${number}`,
  })
  builder.add('Msvm_SettingsDefineState', { ManagedElement: system, SettingData: settings })
  const parts = [
    builder.add('Msvm_ProcessorSettingData', { InstanceID: `Microsoft:${id}\\b637f346\\0`, VirtualQuantity: 2n }),
    builder.add('Msvm_MemorySettingData', { InstanceID: `Microsoft:${id}\\4764334d`, VirtualQuantity: 1024n }),
    builder.add('Msvm_SyntheticEthernetPortSettingData', {
      InstanceID: `Microsoft:${id}\\AAAAAAAA-0000-4000-8000-000000000001`,
      Address: '00155D000001',
      StaticMacAddress: false,
      Parent: settings,
    }),
  ]
  for (const part of parts) {
    builder.add('Msvm_VirtualSystemSettingDataComponent', { GroupComponent: settings, PartComponent: part })
  }
  if (!isRunning) return
  const keyboard = builder.add('Msvm_Keyboard', {
    CreationClassName: 'Msvm_Keyboard',
    DeviceID: 'Microsoft:DE6CDC86-E1FB-4940-801B-C3C1A26C4DA4',
    ...keys,
  })
  builder.add('Msvm_SystemDevice', { GroupComponent: system, PartComponent: keyboard })
}

function addSnapshot(builder: Builder): void {
  const snapshot = builder.add('Msvm_VirtualSystemSettingData', {
    InstanceID: 'Microsoft:5A9B0000-0000-4000-8000-000000000001',
    ElementName: 'before',
    VirtualSystemType: 'Microsoft:Hyper-V:Snapshot:Realized',
  })
  const id = idOf(1)
  builder.add('Msvm_SnapshotOfVirtualSystem', {
    Antecedent: `\\\\${HOST}\\${V2}:Msvm_ComputerSystem.CreationClassName="Msvm_ComputerSystem",Name="${id}"`,
    Dependent: snapshot,
  })
}

function addWindows(builder: Builder): void {
  const system = builder.add('Win32_ComputerSystem', { Name: HOST, DNSHostName: HOST, TotalPhysicalMemory: 1n << 34n })
  const processor = builder.add('Win32_Processor', { DeviceID: 'CPU0', Name: 'CPU', NumberOfCores: 4 })
  builder.add('Win32_ComputerSystemProcessor', { GroupComponent: system, PartComponent: processor })
  builder.add('Win32_ComputerSystemProduct', {
    IdentifyingNumber: '1',
    Name: 'Simulated',
    Version: '1',
    UUID: '4C4C4544-0000-4000-8000-000000000001',
  })
  builder.add('Win32_OperatingSystem', { Name: 'Microsoft Windows Server', Version: '10.0.20348' })
  builder.add('CIM_DataFile', {
    Name: 'c:\\windows\\system32\\vmms.exe',
    Version: '10.0.20348.1',
    Path: '\\windows\\system32\\',
    FileName: 'vmms',
  })
  builder.add('Win32_PerfRawData_HvStats_HyperVHypervisorVirtualProcessor', {
    Name: 'vm2:Hv VP 0',
    PercentTotalRunTime: 12_345n,
  })
}
