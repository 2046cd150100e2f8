import type { Settings } from '../host/model.ts'
import { KINDS, type KindName } from '../host/resources-kinds.ts'
import { kindOf } from '../host/resources-settings.ts'
import { numberIn } from '../host/settings.ts'

/** What a kind of resource is called here. */
export interface V1Kind {
  readonly className: string
  readonly type: number
  readonly subType: string
  readonly otherType?: string
  readonly units: string
  /** PoolID where it is not made of the pool's GUID as for the other kinds. */
  readonly poolId?: string
}

const RASD = 'Msvm_ResourceAllocationSettingData'

/**
 * The kinds that v1 shows. What is not here, such as the connections of network adapters, has no object of its own.
 * Source: instances recorded from a host of Server 2012 for what has a unit of its own there; types as clients that
 * work against real hosts send them, since the table of the documentation is one too low from 11 on.
 */
const V1_KINDS: Readonly<Partial<Record<KindName, V1Kind>>> = {
  processor: {
    className: 'Msvm_ProcessorSettingData',
    type: 3,
    subType: 'Microsoft Processor',
    units: 'Processor Cores',
    poolId: 'A4F3C4E4-5E15-4018-A713-96C2CFB4C9B8',
  },
  memory: {
    className: 'Msvm_MemorySettingData',
    type: 4,
    subType: 'Microsoft Virtual Machine Memory',
    units: 'MB',
    poolId: '15129609-B465-4916-AA13-0CF4B109ADB0',
  },
  ideController: { className: RASD, type: 5, subType: 'Microsoft Emulated IDE Controller', units: 'Controllers' },
  scsiController: { className: RASD, type: 6, subType: 'Microsoft Synthetic SCSI Controller', units: 'Controllers' },
  syntheticPort: {
    className: 'Msvm_SyntheticEthernetPortSettingData',
    type: 10,
    subType: 'Microsoft Synthetic Ethernet Port',
    units: 'Ports',
  },
  emulatedPort: {
    className: 'Msvm_EmulatedEthernetPortSettingData',
    type: 10,
    subType: 'Microsoft Emulated Ethernet Port',
    units: 'Ports',
  },
  disketteController: {
    className: RASD,
    type: 1,
    subType: '',
    otherType: 'Microsoft Virtual Diskette Controller',
    units: 'Controllers',
  },
  disketteDrive: { className: RASD, type: 14, subType: 'Microsoft Synthetic Diskette Drive', units: 'Diskette Drives' },
  dvdDrive: { className: RASD, type: 16, subType: 'Microsoft Synthetic DVD Drive', units: 'DVD Drives' },
  serialPort: { className: RASD, type: 17, subType: 'Microsoft Serial Port', units: 'Serial Ports' },
  hardDisk: {
    className: RASD,
    type: 21,
    subType: 'Microsoft Virtual Hard Disk',
    units: 'Disks',
    poolId: 'Microsoft:70BB60D2-A9D3-46aa-B654-3DE53004B4F8\\Root',
  },
  opticalDisk: {
    className: RASD,
    type: 21,
    subType: 'Microsoft Virtual CD/DVD Disk',
    units: 'Disks',
    poolId: 'Microsoft:D92D268E-9AA8-49dd-8C7D-821CEFB5F597\\Root',
  },
  floppyDisk: { className: RASD, type: 21, subType: 'Microsoft Virtual Floppy Disk', units: 'Disks' },
  diskDrive: { className: RASD, type: 22, subType: 'Microsoft Synthetic Disk Drive', units: 'Hard Drives' },
  physicalDrive: { className: RASD, type: 22, subType: 'Microsoft Physical Disk Drive', units: 'Hard Drives' },
}

/** The kinds that v1 shows, by name. */
export const SHOWN: ReadonlyMap<KindName, V1Kind> = new Map(
  kindNames().flatMap((name): [KindName, V1Kind][] => {
    const kind = V1_KINDS[name]
    return kind === undefined ? [] : [[name, kind]]
  }),
)

function kindNames(): KindName[] {
  return Object.keys(V1_KINDS).filter((name): name is KindName => name in KINDS)
}

/** Settings of a kind that is shown here. */
export interface Shown {
  readonly name: KindName
  readonly kind: V1Kind
}

/** Undefined for settings of what v1 does not show, and for integration components. */
export function shownKind(settings: Settings, build: number): Shown | undefined {
  const name = kindOf(settings, build)
  const kind = name === undefined ? undefined : SHOWN.get(name)
  return name === undefined || kind === undefined ? undefined : { name, kind }
}

const BY_WORDS: ReadonlyMap<string, KindName> = new Map([...SHOWN].map(([name, kind]) => [wordsOf(kind), name]))

function wordsOf({ type, subType, otherType = '' }: Pick<V1Kind, 'type' | 'subType' | 'otherType'>): string {
  return `${type}|${subType}|${otherType}`.toLowerCase()
}

/** Which kind a type and sub type mean here; the case of sub types does not matter. */
export function kindOfWords(type: number, subType: string, otherType: string): KindName | undefined {
  return BY_WORDS.get(wordsOf({ type, subType, otherType })) ?? BY_WORDS.get(wordsOf({ type, subType }))
}

/** OtherResourceType of integration components. Source: Microsoft Learn, of each of their classes (v1). */
const COMPONENTS: Readonly<Record<string, string>> = {
  Msvm_HeartbeatComponentSettingData: 'Microsoft Heartbeat Component',
  Msvm_KvpExchangeComponentSettingData: 'Microsoft Key-Value Pair Exchange Component',
  Msvm_RdvComponentSettingData: 'Microsoft Remote Desktop Virtualization Component',
  Msvm_ShutdownComponentSettingData: 'Microsoft Shutdown Component',
  Msvm_TimeSyncComponentSettingData: 'Microsoft Time Synchronization Component',
  Msvm_VssComponentSettingData: 'Microsoft VSS Component',
}

export const COMPONENT_CLASSES: readonly string[] = Object.keys(COMPONENTS)

/** OtherResourceType of an integration component's settings; undefined for what is none. */
export function componentType(settings: Settings): string | undefined {
  return numberIn(settings, 'ResourceType') === 1 ? COMPONENTS[settings.className] : undefined
}
