import { guidOf } from './random.ts'

/**
 * A kind of resource: what its settings are called, and by what a host knows it. One table for everything that follows
 * from a kind: default devices, what may be added, definition rows, pools.
 */
export interface ResourceKind {
  readonly className: string
  /** From which build on there is a class of its own; before, its settings are Msvm_ResourceAllocationSettingData. */
  readonly classSince?: number
  readonly type: number
  /** ResourceSubType; empty for what has none. */
  readonly subType: string
  readonly otherType?: string
  /** Caption, and ElementName where nothing else is said. */
  readonly name: string
  readonly elementName?: string
  /** The same on a Japanese host. */
  readonly localName: string
  readonly localElementName?: string
  readonly description: string
  readonly units?: string
  /** Of the definition rows and of the capabilities; absent for what has neither. */
  readonly definition?: string
  /** Of the primordial pool, as hosts spell it; absent for what is taken from none. */
  readonly pool?: { readonly id: string; readonly since?: number; readonly until?: number }
  /** Only on builds from this one on. */
  readonly since?: number
  /** Only on builds up to this one. */
  readonly until?: number
}

const RASD = 'Msvm_ResourceAllocationSettingData'
const SASD = 'Msvm_StorageAllocationSettingData'
const HYPER_V = 'Microsoft:Hyper-V:'

/**
 * Source: names, types and sub types as observed on Server 2012 R2 and Server 2025; GUIDs of definitions and pools as
 * printed by hosts of Server 2012, 2012 R2 and 2025. docs/doubts.md names those that no host is known to have printed.
 */
export const KINDS = {
  processor: {
    className: 'Msvm_ProcessorSettingData',
    type: 3,
    subType: `${HYPER_V}Processor`,
    name: 'Processor',
    localName: 'プロセッサ',
    description: 'Settings for Microsoft Virtual Processor.',
    units: 'percent / 1000',
    definition: 'B637F347-6A0E-4DEC-AF52-BD70CB80A21D',
    pool: { id: 'B637F347-6A0E-4DEC-AF52-BD70CB80A21D' },
  },
  memory: {
    className: 'Msvm_MemorySettingData',
    type: 4,
    subType: `${HYPER_V}Memory`,
    name: 'Memory',
    localName: 'メモリ',
    description: 'Settings for Microsoft Virtual Machine Memory.',
    units: 'byte * 2^20',
    definition: '4764334E-E001-4176-82EE-5594EC9B530E',
    pool: { id: '4764334E-E001-4176-82EE-5594EC9B530E' },
  },
  ideController: {
    className: RASD,
    type: 5,
    subType: `${HYPER_V}Emulated IDE Controller`,
    name: 'IDE Controller',
    localName: 'IDE コントローラー',
    description: 'Settings for the Microsoft Emulated IDE Controller.',
  },
  scsiController: {
    className: RASD,
    type: 6,
    subType: `${HYPER_V}Synthetic SCSI Controller`,
    name: 'SCSI Controller',
    localName: 'SCSI コントローラー',
    description: 'Settings for the Microsoft Synthetic SCSI Controller.',
    definition: 'BDE5D4D6-E450-46D2-B925-976CA3E989B4',
    pool: { id: 'bde5d4d6-e450-46d2-b925-976ca3e989b4' },
  },
  pmemController: {
    className: RASD,
    type: 32771,
    subType: `${HYPER_V}Persistent Memory Controller`,
    name: 'Persistent Memory Controller',
    localName: '永続メモリ コントローラー',
    description: 'Settings for the Microsoft Persistent Memory Controller.',
    definition: guidOf('definition of the persistent memory controller'),
    pool: { id: guidOf('definition of the persistent memory controller') },
    since: 17134,
  },
  disketteController: {
    className: RASD,
    type: 1,
    subType: '',
    otherType: `${HYPER_V}Virtual Diskette Controller`,
    name: 'Diskette Controller',
    localName: 'フロッピー コントローラー',
    description: 'Settings for the Microsoft Diskette Controller.',
  },
  disketteDrive: {
    className: RASD,
    type: 14,
    subType: `${HYPER_V}Synthetic Diskette Drive`,
    name: 'Diskette Drive',
    localName: 'フロッピー ディスク ドライブ',
    description: 'Settings for the Microsoft Synthetic Diskette Drive.',
    definition: 'DACDCF3F-6F67-4EB8-A4D0-5D93B48A2468',
    pool: { id: 'DACDCF3F-6F67-4EB8-A4D0-5D93B48A2468', until: 9600 },
  },
  dvdDrive: {
    className: RASD,
    type: 16,
    subType: `${HYPER_V}Synthetic DVD Drive`,
    name: 'DVD Drive',
    localName: 'DVD ドライブ',
    description: 'Settings for the Microsoft Virtual DVD Drive.',
    definition: '7951A5ED-8DC5-42D7-AA8C-9F14C54CEB84',
    pool: { id: '7951A5ED-8DC5-42d7-AA8C-9F14C54CEB84' },
  },
  diskDrive: {
    className: RASD,
    type: 17,
    subType: `${HYPER_V}Synthetic Disk Drive`,
    name: 'Hard Drive',
    localName: 'ハード ドライブ',
    description: 'Settings for the Microsoft Virtual Hard Drive.',
    definition: '118C3BE5-0D31-4804-85F0-5C6074ABEA8F',
    pool: { id: '118C3BE5-0D31-4804-85F0-5C6074ABEA8F' },
  },
  physicalDrive: {
    className: RASD,
    type: 17,
    subType: `${HYPER_V}Physical Disk Drive`,
    name: 'Hard Drive',
    localName: 'ハード ドライブ',
    description: 'Settings for the Microsoft Physical Hard Drive.',
    definition: '353B3BE8-310C-4CF4-839E-4E1B14616136',
    pool: { id: '353B3BE8-310C-4cf4-839E-4E1B14616136' },
  },
  hardDisk: {
    className: SASD,
    type: 31,
    subType: `${HYPER_V}Virtual Hard Disk`,
    name: 'Hard Disk Image',
    localName: 'ハード ディスク イメージ',
    description: 'Settings for the Microsoft Hard Disk Image.',
    definition: '70BB60D2-A9D3-46AA-B654-3DE53004B4F8',
    pool: { id: '70BB60D2-A9D3-46AA-B654-3DE53004B4F8' },
  },
  opticalDisk: {
    className: SASD,
    type: 31,
    subType: `${HYPER_V}Virtual CD/DVD Disk`,
    name: 'ISO Disk Image',
    localName: 'ISO ディスク イメージ',
    description: 'Settings for the Microsoft ISO Disk Image.',
    definition: 'D92D268E-9AA8-49DD-8C7D-821CEFB5F597',
    pool: { id: 'D92D268E-9AA8-49DD-8C7D-821CEFB5F597' },
  },
  floppyDisk: {
    className: SASD,
    type: 31,
    subType: `${HYPER_V}Virtual Floppy Disk`,
    name: 'Floppy Disk Image',
    localName: 'フロッピー ディスク イメージ',
    description: 'Settings for the Microsoft Floppy Disk Image.',
    definition: '78AA0C27-B2BD-45BA-83D1-5F2A8C4C6656',
    pool: { id: '78AA0C27-B2BD-45BA-83D1-5F2A8C4C6656' },
  },
  syntheticPort: {
    className: 'Msvm_SyntheticEthernetPortSettingData',
    type: 10,
    subType: `${HYPER_V}Synthetic Ethernet Port`,
    name: 'Ethernet Port',
    elementName: 'Network Adapter',
    localName: 'イーサネット ポート',
    localElementName: 'ネットワーク アダプター',
    description: 'Settings for the Microsoft Synthetic Ethernet Port.',
    definition: '6A45335D-4C3A-44B7-B61F-C9808BBDF8ED',
    pool: { id: '6A45335D-4C3A-44b7-B61F-C9808BBDF8ED' },
  },
  emulatedPort: {
    className: 'Msvm_EmulatedEthernetPortSettingData',
    type: 10,
    subType: `${HYPER_V}Emulated Ethernet Port`,
    name: 'Ethernet Port',
    elementName: 'Legacy Network Adapter',
    localName: 'イーサネット ポート',
    localElementName: 'レガシ ネットワーク アダプター',
    description: 'Settings for the Microsoft Emulated Ethernet Port.',
    definition: '4EA4F71F-16E6-4250-99A8-A2315332CC64',
    pool: { id: '4EA4F71F-16E6-4250-99A8-A2315332CC64' },
  },
  connection: {
    className: 'Msvm_EthernetPortAllocationSettingData',
    type: 33,
    subType: `${HYPER_V}Ethernet Connection`,
    name: 'Ethernet Connection',
    elementName: 'Dynamic Ethernet Switch Port',
    localName: 'イーサネット接続',
    localElementName: '動的イーサネット スイッチ ポート',
    description: 'Settings for the Microsoft Ethernet Connection.',
    definition: '72027ECE-E44A-446E-AF2B-8D8C4B8A2279',
    pool: { id: '72027ECE-E44A-446E-AF2B-8D8C4B8A2279' },
  },
  keyboard: {
    className: RASD,
    type: 13,
    subType: `${HYPER_V}Virtual Keyboard`,
    name: 'Keyboard',
    localName: 'キーボード',
    description: 'Settings for the Microsoft Virtual Keyboard.',
  },
  ps2Mouse: {
    className: RASD,
    type: 13,
    subType: `${HYPER_V}Virtual PS2 Mouse`,
    name: 'PS2 Mouse',
    localName: 'PS2 マウス',
    description: 'Settings for the Microsoft Virtual PS2 Mouse.',
  },
  serialController: {
    className: RASD,
    type: 13,
    subType: `${HYPER_V}Serial Controller`,
    name: 'Serial Controller',
    localName: 'シリアル コントローラー',
    description: 'Settings for the Microsoft Serial Controller.',
    definition: guidOf('definition of the serial controller'),
    pool: { id: guidOf('definition of the serial controller'), since: 10240 },
  },
  serialPort: {
    className: 'Msvm_SerialPortSettingData',
    classSince: 10240,
    type: 21,
    subType: `${HYPER_V}Serial Port`,
    name: 'COM',
    localName: 'COM',
    description: 'Settings for the Microsoft Virtual Serial Port.',
  },
  syntheticMouse: {
    className: RASD,
    type: 13,
    subType: `${HYPER_V}Synthetic Mouse`,
    name: 'Mouse',
    localName: 'マウス',
    description: 'Settings for the Microsoft Synthetic Mouse.',
    definition: 'F6293891-F32F-4930-B2DB-1A8961D9CB75',
    pool: { id: 'F6293891-F32F-4930-B2DB-1A8961D9CB75' },
  },
  syntheticKeyboard: {
    className: RASD,
    type: 13,
    subType: `${HYPER_V}Synthetic Keyboard`,
    name: 'Keyboard',
    localName: 'キーボード',
    description: 'Settings for the Microsoft Synthetic Keyboard.',
    definition: guidOf('definition of the synthetic keyboard'),
    pool: { id: guidOf('definition of the synthetic keyboard'), since: 10240 },
  },
  s3Display: {
    className: RASD,
    type: 24,
    subType: `${HYPER_V}S3 Display Controller`,
    name: 'Display Controller',
    localName: 'ディスプレイ コントローラー',
    description: 'Settings for the Microsoft S3 Display Controller.',
  },
  syntheticDisplay: {
    className: 'Msvm_SyntheticDisplayControllerSettingData',
    classSince: 10240,
    type: 24,
    subType: `${HYPER_V}Synthetic Display Controller`,
    name: 'Display Controller',
    localName: 'ディスプレイ コントローラー',
    description: 'Settings for the Microsoft Synthetic Display Controller.',
    definition: 'D45268DA-37C5-44DA-B827-B0C55CCB3BDC',
    pool: { id: 'D45268DA-37C5-44da-B827-B0C55CCB3BDC' },
  },
  synthetic3dDisplay: {
    className: 'Msvm_Synthetic3DDisplayControllerSettingData',
    type: 24,
    subType: `${HYPER_V}Synthetic 3D Display Controller`,
    name: '3D Display Controller',
    localName: '3D ディスプレイ コントローラー',
    description: 'Settings for the Microsoft Synthetic 3D Display Controller.',
    definition: '06FF76FA-2D58-4BAF-9F8D-455773824F37',
  },
  fibreChannelPort: {
    className: 'Msvm_SyntheticFcPortSettingData',
    type: 7,
    subType: `${HYPER_V}Synthetic FibreChannel Port`,
    name: 'Fibre Channel Adapter',
    localName: 'ファイバー チャネル アダプター',
    description: 'Settings for the Microsoft Synthetic Fibre Channel Port.',
    definition: '19839BFF-6F04-4B24-B4B5-1AFCCBE729DE',
    pool: { id: '19839BFF-6F04-4B24-B4B5-1AFCCBE729DE' },
  },
  fibreChannelConnection: {
    className: 'Msvm_FcPortAllocationSettingData',
    type: 64764,
    subType: `${HYPER_V}FibreChannel Connection`,
    name: 'Fibre Channel Connection',
    localName: 'ファイバー チャネル接続',
    description: 'Settings for the Microsoft Fibre Channel Connection.',
    definition: '146C56A0-3546-469B-9737-FCBCF82428F4',
    pool: { id: '146C56A0-3546-469B-9737-FCBCF82428F4' },
  },
  battery: {
    className: 'Msvm_BatterySettingData',
    type: 1,
    subType: '',
    name: 'Battery',
    localName: 'バッテリ',
    description: 'Settings for the Microsoft Virtual Battery.',
    definition: 'C7E49E80-13B3-4DF9-A434-B56F579E2A68',
    pool: { id: 'C7E49E80-13B3-4DF9-A434-B56F579E2A68' },
    since: 16299,
  },
  storageLogicalUnit: {
    className: 'Msvm_VirtualLogicalUnitSettingData',
    type: 32768,
    subType: `${HYPER_V}Storage Logical Unit`,
    name: 'Storage Logical Unit',
    localName: '記憶域論理ユニット',
    description: 'Settings for the Microsoft Storage Logical Unit.',
    definition: guidOf('definition of the storage logical unit'),
    pool: { id: guidOf('definition of the storage logical unit') },
    since: 10240,
  },
  pciExpressPort: {
    className: 'Msvm_PciExpressSettingData',
    type: 32769,
    subType: `${HYPER_V}Virtual Pci Express Port`,
    name: 'PCI Express Port',
    localName: 'PCI Express ポート',
    description: 'Settings for the Microsoft Virtual PCI Express Port.',
    definition: guidOf('definition of the PCI Express port'),
    pool: { id: guidOf('definition of the PCI Express port') },
    since: 10586,
  },
  gpuPartition: {
    className: 'Msvm_GpuPartitionSettingData',
    type: 32770,
    subType: `${HYPER_V}GPU Partition`,
    name: 'GPU Partition',
    localName: 'GPU パーティション',
    description: 'Settings for the Microsoft GPU Partition.',
    definition: guidOf('definition of the GPU partition'),
    pool: { id: guidOf('definition of the GPU partition') },
    since: 14393,
  },
  flexibleIo: {
    className: 'Msvm_FlexIoDeviceSettingData',
    type: 32772,
    subType: `${HYPER_V}Flexible IO`,
    name: 'Flexible IO Device',
    localName: 'フレキシブル IO デバイス',
    description: 'Settings for the Microsoft Flexible IO Device.',
    definition: guidOf('definition of the flexible IO device'),
    pool: { id: guidOf('definition of the flexible IO device') },
    since: 17134,
  },
} as const satisfies Readonly<Record<string, ResourceKind>>

export type KindName = keyof typeof KINDS

/** Whether a host of this build has the kind. */
export function hasKind(kind: ResourceKind, build: number): boolean {
  return build >= (kind.since ?? 0) && build <= (kind.until ?? Number.POSITIVE_INFINITY)
}

/** The kinds that a host of this build has, by name. */
export function kindsOf(build: number): [KindName, ResourceKind][] {
  return NAMES.flatMap((name): [KindName, ResourceKind][] => (hasKind(KINDS[name], build) ? [[name, KINDS[name]]] : []))
}

/** The class of a kind's settings on this build. */
export function classOfKind(kind: ResourceKind, build: number): string {
  return build >= (kind.classSince ?? 0) ? kind.className : RASD
}

/** What ResourceType, ResourceSubType and OtherResourceType say it is; the case of sub types does not matter. */
export function kindNamed(build: number, type: number, subType: string, otherType: string): KindName | undefined {
  const index = indexes.get(build) ?? indexOf(build)
  indexes.set(build, index)
  return index.get(keyOf(type, subType, otherType)) ?? index.get(keyOf(type, subType, ''))
}

// Asked for each resource of each machine, so that it must not go through the table every time.
const indexes = new Map<number, ReadonlyMap<string, KindName>>()

const indexOf = (build: number): ReadonlyMap<string, KindName> =>
  new Map(kindsOf(build).map(([name, kind]) => [keyOf(kind.type, kind.subType, kind.otherType ?? ''), name]))

const keyOf = (type: number, subType: string, otherType: string): string =>
  `${type}|${subType}|${otherType}`.toLowerCase()

// Object.keys does not tell that nothing else is in the table.
const NAMES: readonly KindName[] = Object.keys(KINDS).filter((name): name is KindName => name in KINDS)
