import type { HostState, Settings } from './model.ts'
import { DEVICES, INTEGRATION, resourceId, settingsPath } from './resources-ids.ts'
import type { KindName } from './resources-kinds.ts'
import { type Edition, idOf, makeSettings, settingsOf, type Values } from './resources-settings.ts'
import type { Locale } from './texts.ts'

/** What decides the devices of a new machine. A Host is one. */
export interface DefaultsHost {
  readonly state: Pick<HostState, 'build' | 'name' | 'memoryMb' | 'sockets' | 'coresPerSocket' | 'threadsPerCore'>
  readonly locale: Locale
}

/**
 * Everything but the system settings that a new machine has. Source: observed on Server 2012 R2 (generation 1) and
 * Server 2025 (both), in the order in which hosts list them.
 */
export function defaultResources(host: DefaultsHost, vmId: string, subType: 1 | 2): Settings[] {
  return [
    ...inputDevices(host, vmId, subType),
    ...(subType === 1 ? disketteDevices(host, vmId) : []),
    ...serialDevices(host, vmId),
    ...(subType === 1 ? ideControllers(host, vmId) : []),
    ...syntheticDevices(host, vmId, subType),
    ...integrationComponents(host, vmId),
    ...securitySettings(host, vmId),
    memorySettings(host, vmId),
    processorSettings(host, vmId),
  ]
}

/** The logical processors of a host. */
export const logicalProcessors = ({ state }: Pick<DefaultsHost, 'state'>): number =>
  state.sockets * state.coresPerSocket * state.threadsPerCore

/** What decides the form of a host's settings. */
export const editionOf = (host: DefaultsHost): Edition => ({ build: host.state.build, locale: host.locale })

/** How many logical processors and megabytes one NUMA node has; a socket is one node. */
export function numaNode(host: Pick<DefaultsHost, 'state'>): {
  readonly processors: number
  readonly memoryMb: number
} {
  const { sockets, memoryMb } = host.state
  return { processors: logicalProcessors(host) / sockets, memoryMb: Math.floor(memoryMb / sockets) }
}

function device(host: DefaultsHost, kind: KindName, InstanceID: string, values: Values = {}): Settings {
  return settingsOf(editionOf(host), kind, { InstanceID, ...values })
}

function inputDevices(host: DefaultsHost, vmId: string, subType: 1 | 2): Settings[] {
  const keyboard = device(host, 'keyboard', resourceId(vmId, DEVICES.keyboard, 'Keyboard'))
  if (subType === 2) return [keyboard]
  return [
    keyboard,
    device(host, 'ps2Mouse', resourceId(vmId, DEVICES.ps2Mouse, 'Mouse')),
    device(host, 's3Display', resourceId(vmId, DEVICES.s3Display), { Address: '5353,00000000,00' }),
  ]
}

function disketteDevices(host: DefaultsHost, vmId: string): Settings[] {
  const controller = device(host, 'disketteController', resourceId(vmId, DEVICES.diskette, 0))
  const Parent = settingsPath(host.state.name, controller.className, idOf(controller))
  const drive = resourceId(vmId, DEVICES.diskette, 0, 0, 'D')
  return [controller, device(host, 'disketteDrive', drive, { Parent, AddressOnParent: '0' })]
}

function serialDevices(host: DefaultsHost, vmId: string): Settings[] {
  const ports = [0, 1].map(index =>
    device(host, 'serialPort', resourceId(vmId, DEVICES.serial, index), {
      Caption: `COM ${index + 1}`,
      ElementName: `COM ${index + 1}`,
      Connection: [''],
      DebuggerMode: host.state.build >= 10240 ? false : undefined,
    }),
  )
  return [device(host, 'serialController', resourceId(vmId, DEVICES.serial)), ...ports]
}

function ideControllers(host: DefaultsHost, vmId: string): Settings[] {
  return [0, 1].map(index => {
    const name = `${host.locale === 'ja-JP' ? 'IDE コントローラー' : 'IDE Controller'} ${index}`
    const values = { Address: String(index), Caption: name, ElementName: name }
    return device(host, 'ideController', resourceId(vmId, DEVICES.ide, index), values)
  })
}

function syntheticDevices(host: DefaultsHost, vmId: string, subType: 1 | 2): Settings[] {
  const { build } = host.state
  const screen = { ResolutionType: 4, HorizontalResolution: 1920, VerticalResolution: 1200 }
  const devices = [device(host, 'syntheticMouse', resourceId(vmId, DEVICES.syntheticMouse))]
  if (subType === 2 || build >= 10240) {
    devices.push(device(host, 'syntheticKeyboard', resourceId(vmId, DEVICES.syntheticKeyboard)))
  }
  const display = resourceId(vmId, DEVICES.syntheticDisplay)
  devices.push(device(host, 'syntheticDisplay', display, build >= 10240 ? screen : {}))
  return devices
}

interface Component {
  readonly className: string
  readonly id: string
  readonly name: string
  readonly localName: string
  readonly state: 2 | 3
  readonly since?: number
  readonly until?: number
}

// Source: the names, states and order as observed; EnabledState 2 Enabled, 3 Disabled.
const COMPONENTS: readonly Component[] = [
  {
    className: 'Msvm_GuestServiceInterfaceComponentSettingData',
    id: INTEGRATION.guestServices,
    name: 'Guest Service Interface',
    localName: 'ゲスト サービス インターフェイス',
    state: 3,
    since: 9600,
  },
  {
    className: 'Msvm_HeartbeatComponentSettingData',
    id: INTEGRATION.heartbeat,
    name: 'Heartbeat',
    localName: 'ハートビート',
    state: 2,
  },
  {
    className: 'Msvm_KvpExchangeComponentSettingData',
    id: INTEGRATION.kvpExchange,
    name: 'Key-Value Pair Exchange',
    localName: 'キー値ペア交換',
    state: 2,
  },
  {
    className: 'Msvm_ShutdownComponentSettingData',
    id: INTEGRATION.shutdown,
    name: 'Shutdown',
    localName: 'シャットダウン',
    state: 2,
  },
  {
    className: 'Msvm_TimeSyncComponentSettingData',
    id: INTEGRATION.timeSync,
    name: 'Time Synchronization',
    localName: '時刻の同期',
    state: 2,
  },
  { className: 'Msvm_VssComponentSettingData', id: INTEGRATION.vss, name: 'VSS', localName: 'VSS', state: 2 },
  {
    className: 'Msvm_RdvComponentSettingData',
    id: INTEGRATION.remoteDesktop,
    name: 'Remote Desktop Virtualization',
    localName: 'リモート デスクトップ仮想化',
    state: 2,
    until: 9600,
  },
]

function integrationComponents(host: DefaultsHost, vmId: string): Settings[] {
  const { build } = host.state
  const present = COMPONENTS.filter(one => build >= (one.since ?? 0) && build <= (one.until ?? build))
  return present.map(({ className, id, name, localName, state }) => {
    const label = host.locale === 'ja-JP' ? localName : name
    return makeSettings(className, {
      AllocationUnits: 'count',
      AutomaticAllocation: true,
      AutomaticDeallocation: true,
      Caption: label,
      ConsumerVisibility: 3,
      ElementName: label,
      EnabledState: state,
      InstanceID: resourceId(vmId, id),
      PoolID: '',
      ResourceType: 1,
      VirtualQuantity: 1n,
      Limit: 1n,
      Reservation: 1n,
      Weight: 0,
    })
  })
}

function securitySettings(host: DefaultsHost, vmId: string): Settings[] {
  const { build } = host.state
  if (build < 10586) return []
  const name = host.locale === 'ja-JP' ? 'セキュリティ設定' : 'Security Settings'
  const since = (first: number): false | undefined => (build >= first ? false : undefined)
  return [
    makeSettings('Msvm_SecuritySettingData', {
      AppContainerLaunchOptOut: since(19041),
      BindToHostTpm: since(17134),
      Caption: name,
      DataProtectionRequested: false,
      ElementName: name,
      EncryptStateAndVmMigrationTraffic: since(14393),
      InstanceID: resourceId(vmId, DEVICES.security),
      KsdEnabled: since(14393),
      ShieldingRequested: false,
      TpmEnabled: false,
      VirtualizationBasedSecurityOptOut: since(14393),
    }),
  ]
}

/** Startup memory of a new machine in megabytes. Source: Server 2025 observed; 512 was the default before 2016. */
export const defaultMemoryMb = (build: number): number => (build >= 14393 ? 1024 : 512)

/** Memory that a new machine may grow to where it is dynamic: 1 TB. Source: as above. */
export const DYNAMIC_LIMIT_MB = 1_048_576

function memorySettings(host: DefaultsHost, vmId: string): Settings {
  const { build } = host.state
  const startup = BigInt(defaultMemoryMb(build))
  // Before there was v2, all of a machine's memory was kept for it. Source: Microsoft Learn, Msvm_MemorySettingData (v1).
  const [least, most] = build < 9200 ? [startup, startup] : [512n, BigInt(DYNAMIC_LIMIT_MB)]
  return device(host, 'memory', resourceId(vmId, DEVICES.memory), {
    DynamicMemoryEnabled: false,
    HugePagesEnabled: build >= 17134 ? false : undefined,
    IsVirtualized: true,
    Limit: most,
    MaxMemoryBlocksPerNumaNode: BigInt(numaNode(host).memoryMb),
    Reservation: least,
    SgxEnabled: build >= 15063 ? false : undefined,
    SgxLaunchControlDefault: build >= 17134 ? '' : undefined,
    SgxLaunchControlMode: build >= 17134 ? 0 : undefined,
    SgxSize: build >= 15063 ? 0n : undefined,
    SwapFilesInUse: false,
    TargetMemoryBuffer: 20,
    VirtualQuantity: startup,
    Weight: 5000,
  })
}

const NO_GROUP = '00000000-0000-0000-0000-000000000000'

function processorSettings(host: DefaultsHost, vmId: string): Settings {
  const { build } = host.state
  const since = (first: number): false | undefined => (build >= first ? false : undefined)
  return device(host, 'processor', resourceId(vmId, DEVICES.processor, 0), {
    AllowACountMCount: build >= 19041 ? true : undefined,
    CpuGroupId: build >= 14393 ? NO_GROUP : undefined,
    EnableHostResourceProtection: since(10240),
    EnableLegacyApicMode: since(19041),
    EnablePerfmonIpt: since(18362),
    EnablePerfmonLbr: since(17763),
    EnablePerfmonPebs: since(17763),
    EnablePerfmonPmu: since(17763),
    ExposeVirtualizationExtensions: since(10586),
    HideHypervisorPresent: since(14393),
    HwThreadsPerCore: build >= 10586 ? 0n : undefined,
    Limit: 100_000n,
    LimitCPUID: false,
    LimitProcessorFeatures: false,
    LimitProcessorFeaturesMode: build >= 20348 ? 0 : undefined,
    MaxNumaNodesPerSocket: 1n,
    MaxProcessorsPerNumaNode: BigInt(numaNode(host).processors),
    Reservation: 0n,
    VirtualQuantity: 1n,
    Weight: 100,
  })
}
