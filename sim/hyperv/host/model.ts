import type { CimValue } from '../cim/model.ts'

// What a simulated host is made of. Everything here is plain data: it is what `--state` keeps, and what the faces of
// both namespaces show. Settings are written in the words of root\virtualization\v2, as Hyper-V itself keeps one
// configuration for both; the face of root\virtualization translates.

/** A settings object: the class of v2 and the values that are not NULL, by the schema's spelling. */
export interface Settings {
  className: string
  values: Record<string, CimValue>
}

/**
 * What a machine, or a snapshot of one, is made of. `resources` holds every other settings object: processor,
 * memory, controllers, drives, images, network adapters and their connections (with the features of these), serial
 * ports, displays, integration components. Its InstanceIDs begin with `Microsoft:ID\`, ID being the machine's or
 * snapshot's; a Parent is the full object path.
 */
export interface Configuration {
  /** Msvm_VirtualSystemSettingData. */
  system: Settings
  resources: Settings[]
}

/** At rest, and what lies between. */
export type PowerState =
  | 'off'
  | 'running'
  | 'paused'
  | 'saved'
  | 'starting'
  | 'stopping'
  | 'saving'
  | 'pausing'
  | 'resuming'
  | 'snapshotting'

export interface Snapshot {
  /** A GUID in upper case. */
  readonly id: string
  configuration: Configuration
  /** Of the snapshot it was taken after; undefined for the first of a tree. */
  parent?: string
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** Whether memory was saved with it. */
  readonly holdsState: boolean
}

export interface Vm {
  /** A GUID in upper case without braces: Msvm_ComputerSystem.Name. */
  readonly id: string
  configuration: Configuration
  power: PowerState
  /** What a running operation is doing with it, as OperationalStatus[1]; undefined at rest. */
  secondaryStatus?: number
  installedAt: number
  stateChangedAt: number
  configuredAt: number
  /** Of the worker process; undefined when there is none. */
  processId?: number
  /** Since when the machine's clock runs; undefined where it does not. */
  runningSince?: number
  /** How long it ran before `runningSince`, in this session of power. */
  ranMs: number
  /** CPU time until `runningSince`, in units of 100 ns, by virtual processor; empty when there are none. */
  cpuTime: bigint[]
  /** From when the guest answers the integration services; undefined when there is no guest or it does not run. */
  guestUpAt?: number
  /** Since when its time stands still, being paused or saved. */
  stoodStillAt?: number
  snapshots: Snapshot[]
  /** The snapshot that the present configuration comes after. */
  lastSnapshot?: string
  /** The snapshot that was applied last, while it is there. */
  appliedSnapshot?: string
  /** Key-value pairs that the host gave to the guest. */
  hostItems: Record<string, string>
  /** What the guest is: 'windows' and 'linux' answer the integration services once they are up, 'none' never does. */
  guest: 'windows' | 'linux' | 'none'
  /** Keys held down, by virtual key code. */
  pressedKeys: number[]
  /** Where the mouse pointer was put, each from 0 to 65535. */
  pointer?: { readonly x: number; readonly y: number }
  /** What was typed so far, newest last; bounded. */
  typed: string
  /** Whether the machine ran when the host went down: for the automatic start action. */
  ranAtShutdown: boolean
  /** What protects its virtual TPM, as base64. */
  keyProtector?: string
  /** Whether metrics are collected, and since when. */
  metricsSince?: number
  /** The metrics that are collected, by the Ids of their definitions; absent: all. */
  metrics?: string[]
}

/** A port of a switch. In v2 it shows through its allocation, in v1 it is an object of its own. */
export interface SwitchPort {
  readonly id: string
  name: string
  /** The InstanceID of what is connected: a network adapter's settings, or the host's own; undefined when free. */
  connectedTo?: string
}

export type SwitchKind = 'private' | 'internal' | 'external'

export interface Switch {
  /** A GUID in upper case: Msvm_VirtualEthernetSwitch.Name. */
  readonly id: string
  /** Msvm_VirtualEthernetSwitchSettingData. */
  settings: Settings
  kind: SwitchKind
  /** Of the host's network card, for an external one. */
  externalPort?: string
  /** Whether the host has a card on it. */
  hasHostPort: boolean
  ports: SwitchPort[]
  /** Of v1: as it was created. */
  learnableAddresses: number
  /** Features of the switch itself and of its own ports, such as Msvm_VirtualEthernetSwitchBandwidthSettingData. */
  features?: Settings[]
}

/** A network card of the host. */
export interface ExternalPort {
  /** A GUID in upper case. */
  readonly id: string
  readonly name: string
  /** Twelve hexadecimal digits in upper case. */
  readonly address: string
}

/** A network card that the host itself has and that v1 made: it need not be at any switch. */
export interface InternalPort {
  /** As it was given, mostly a GUID. */
  readonly id: string
  readonly name: string
  /** Twelve hexadecimal digits in upper case. */
  readonly address: string
}

/** A disk of the host that can be passed through. */
export interface PhysicalDisk {
  readonly number: number
  readonly id: string
  readonly bytes: number
}

/** An image that the host itself has mounted. */
export interface MountedImage {
  readonly path: string
  /** Its place on the adapter that the host has for such images. */
  readonly number: number
  readonly isReadOnly?: boolean
}

/** All of a host that lasts. */
export interface HostState {
  /** The format of this data. */
  readonly version: 1
  /** NetBIOS name, in upper case. */
  name: string
  /** Win32_ComputerSystemProduct.UUID. */
  uuid: string
  build: number
  bootedAt: number
  memoryMb: number
  sockets: number
  coresPerSocket: number
  threadsPerCore: number
  vms: Vm[]
  switches: Switch[]
  externalPorts: ExternalPort[]
  physicalDisks: PhysicalDisk[]
  mounted: MountedImage[]
  /** Msvm_VirtualSystemManagementServiceSettingData, as far as it was changed. */
  serviceSettings?: Record<string, CimValue>
  /** Of v1. */
  internalPorts?: InternalPort[]
  /** Of v1: the network cards that were bound and are at no switch yet. */
  boundPorts?: string[]
  nextProcessId: number
  nextMac: number
}
