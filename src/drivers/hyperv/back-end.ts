import type { DomainState, OperationOptions } from '../driver.ts'
import type { AutostartBackEnd } from './autostart-back-end.ts'
import type { DriveBackEnd, Storage } from './drive-back-end.ts'
import type { GuestBackEnd } from './guest-back-end.ts'
import type { Adapter } from './network-back-end.ts'
import type { SchedulingBackEnd } from './scheduling-back-end.ts'
import type { ScreenBackEnd } from './screen-back-end.ts'
import type { SnapshotBackEnd } from './snapshot-back-end.ts'
import type { StorageBackEnd } from './storage-back-end.ts'

// What the groups of the driver need of a host, whichever of its two namespaces it is told through.

/** What is asked of the power of a machine. */
export type PowerRequest = 'run' | 'turn-off' | 'pause' | 'save' | 'reset'

/** A machine at a moment. */
export interface Machine {
  /** How the host names it, in upper case. */
  readonly guid: string
  readonly name: string
  readonly state: DomainState
  /** What its owners wrote about it. */
  readonly notes: string
  /** Told of one machine, not of many. */
  readonly usage?: Usage
}

/** What a machine has at the moment. */
export interface Usage {
  readonly vcpus: number
  /** Undefined of one that is not in memory. */
  readonly memoryMb: number | undefined
}

/** As much of a machine as tells whether anything has become of it. */
export interface Glance {
  readonly guid: string
  readonly state: DomainState
  /** Another text whenever its definition is another one. */
  readonly revision: string
}

/** What a machine gets of the host, in the host's units. */
export interface Quantities {
  /** At its start, and for good where nobody changes it. */
  readonly memoryMb: number
  readonly vcpus: number
  /** 1 to 10,000; 100 is everybody's. */
  readonly weight: number
  /** Of each processor, in thousandths of a percent; 100,000 is all of it. */
  readonly limit: number
  /** Within which the host changes its memory by itself; absent where it does not. */
  readonly dynamicMemory?: { readonly leastMb: number; readonly mostMb: number }
}

/** What a machine is made of beside its name. */
export interface Hardware {
  /** Of the machine. */
  readonly guid: string
  readonly quantities: Quantities
  /** What the quantities were read from, for those who change them. */
  readonly memoryId: string
  readonly processorId: string
  /** Of the first generation, whose BIOS has an order of devices; as against UEFI, which has one of its own entries. */
  readonly hasBios: boolean
  readonly adapters: readonly Adapter[]
  readonly storage: Storage
}

/** What of it is needed to change the quantities. */
export type Resizable = Omit<Hardware, 'adapters' | 'hasBios' | 'storage'>

/** Devices that firmware can boot from. */
export type BootDevice = 'floppy' | 'disk' | 'cdrom' | 'network'

/** What of the settings of a machine is to be changed; what is absent stays. */
export interface SettingsChange {
  readonly name?: string
  readonly notes?: string
  /** Only of a machine that is off and has a BIOS. */
  readonly bootFirst?: BootDevice
  /** Only of a machine that is off, and where the host has it: a guest that restarts is turned off. */
  readonly isOffOnRestart?: boolean
}

/** A host, through one of its namespaces. Rejects as the client of WS-Management does, and with DriverError. */
export interface BackEnd {
  /** Every machine of the host. */
  machines(): Promise<readonly Machine[]>
  /** Undefined where the host has no such machine. */
  machine(guid: string): Promise<Machine | undefined>
  /** Those of these GUIDs, with `usage`, at the cost of few; where one is gone, others may be left out with it. */
  machinesInUse(guids: readonly string[]): Promise<readonly Machine[]>
  glances(signal: AbortSignal): Promise<readonly Glance[]>
  hardware(guid: string): Promise<Hardware>
  /** Of every machine, by GUID, at the cost of few. */
  hardwareOfAll(): Promise<ReadonlyMap<string, Hardware>>
  /** What a machine has from its next start. */
  memoryMb(guid: string): Promise<number>
  /** Makes a machine, and gives its GUID. */
  create(name: string, notes: string): Promise<string>
  destroy(guid: string): Promise<void>
  change(guid: string, change: SettingsChange): Promise<void>
  /** Changes what differs; of a machine that is off. */
  resize(hardware: Resizable, wanted: Quantities): Promise<void>
  /** Resolves when the host says that it is done. */
  request(guid: string, request: PowerRequest, options?: OperationOptions): Promise<void>
  /** Asks the guest to shut down; false where none answers yet. */
  shutDownGuest(guid: string): Promise<boolean>
  /** Interrupts a guest that runs so that it cannot put it off; absent where the host cannot. */
  readonly injectNmi?: (guid: string) => Promise<void>
  readonly storage: StorageBackEnd
  readonly drives: DriveBackEnd
  readonly guests: GuestBackEnd
  readonly autostart: AutostartBackEnd
  readonly scheduling: SchedulingBackEnd
  readonly screens: ScreenBackEnd
  readonly snapshots: SnapshotBackEnd
}
