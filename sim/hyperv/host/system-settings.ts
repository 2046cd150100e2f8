import { datetimeOf } from '../cim/datetime.ts'
import type { CimValue } from '../cim/model.ts'
import type { Host } from './host.ts'
import type { Settings } from './model.ts'
import { SUB_TYPE } from './settings.ts'
import { windowsOf } from './windows.ts'

/** Msvm_VirtualSystemSettingData.VirtualSystemType. */
export const SYSTEM_TYPE = {
  realized: 'Microsoft:Hyper-V:System:Realized',
  snapshot: 'Microsoft:Hyper-V:Snapshot:Realized',
} as const

/** Where the host keeps its machines; Msvm_VirtualSystemManagementServiceSettingData.DefaultExternalDataRoot. */
export const DATA_ROOT = 'C:\\ProgramData\\Microsoft\\Windows\\Hyper-V'

/** Secure boot for Windows guests. Source: read from new machines on Server 2025. */
const WINDOWS_TEMPLATE = '1734C6E8-3154-4DDA-BA5F-A874CC483422'

/** The same on every machine: it spells "MSFT VIRTUAL M". Source: as guests on any Hyper-V host read it. */
const ASSET_TAG = '7783-7084-3265-9085-8269-3286-77'

type Values = Record<string, CimValue>

/**
 * Msvm_VirtualSystemSettingData of a new machine, with what every build has; a build shows of it what its schema has.
 * Source: read from new machines on Server 2025; docs/doubts.md has what was not.
 */
export function newSystemSettings(host: Host, id: string, name: string, generation: 1 | 2): Settings {
  return {
    className: 'Msvm_VirtualSystemSettingData',
    values: {
      ...identity(host, id, name, generation),
      ...files(host, id),
      ...automaticActions(),
      ...firmware(host, generation),
      ...features(),
    },
  }
}

function identity(host: Host, id: string, name: string, generation: 1 | 2): Values {
  return {
    Architecture: 'x64',
    Caption: host.texts.settings,
    CreationTime: datetimeOf(host.clock.now()),
    Description: host.texts.settingsDescription,
    ElementName: name,
    InstanceID: `Microsoft:${id}`,
    Notes: [],
    Version: windowsOf(host.state.build)?.configurationVersion ?? '',
    VirtualSystemIdentifier: id,
    VirtualSystemSubType: SUB_TYPE[generation],
    VirtualSystemType: SYSTEM_TYPE.realized,
  }
}

function files(host: Host, id: string): Values {
  const extension = host.state.build >= 10240 ? 'vmcx' : 'xml'
  return {
    ConfigurationDataRoot: DATA_ROOT,
    ConfigurationFile: `Virtual Machines\\${id}.${extension}`,
    ConfigurationID: id,
    GuestStateDataRoot: DATA_ROOT,
    GuestStateFile: `Virtual Machines\\${id}.vmgs`,
    LogDataRoot: DATA_ROOT,
    SnapshotDataRoot: DATA_ROOT,
    SuspendDataRoot: DATA_ROOT,
    SwapFileDataRoot: DATA_ROOT,
  }
}

function automaticActions(): Values {
  return {
    AutomaticCriticalErrorAction: 1,
    AutomaticCriticalErrorActionTimeout: '00000000003000.000000:000',
    AutomaticRecoveryAction: 3,
    AutomaticShutdownAction: 3,
    AutomaticSnapshotsEnabled: false,
    AutomaticStartupAction: 3,
    AutomaticStartupActionDelay: '00000000000000.000000:000',
    AutomaticStartupActionSequenceNumber: 0,
  }
}

function firmware(host: Host, generation: 1 | 2): Values {
  const serial = serialNumber(host)
  const common = {
    BIOSGUID: host.random.guid(),
    BIOSNumLock: false,
    BIOSSerialNumber: serial,
    BaseBoardSerialNumber: serial,
    ChassisAssetTag: ASSET_TAG,
    ChassisSerialNumber: serial,
    ConsoleMode: 0,
    NetworkBootPreferredProtocol: 4096,
    PauseAfterBootFailure: false,
  }
  if (generation === 1) return { ...common, BootOrder: [1, 2, 3, 0], SecureBootEnabled: false }
  return { ...common, BootSourceOrder: [], SecureBootEnabled: true, SecureBootTemplateId: WINDOWS_TEMPLATE }
}

/** Six groups of four digits and one of two, as guests on any Hyper-V host read it. */
function serialNumber(host: Host): string {
  const group = (digits: number): string => String(host.random.integer(0, 10 ** digits - 1)).padStart(digits, '0')
  return [4, 4, 4, 4, 4, 4, 2].map(group).join('-')
}

function features(): Values {
  return {
    AllowFullSCSICommandSet: false,
    AllowReducedFcRedundancy: false,
    BootPciExpress: false,
    ClusterWideNodeCapabilitiesValidationMode: 0,
    DebugChannelId: 0,
    DebugPort: 0,
    DebugPortEnabled: 0,
    EnableHibernation: false,
    EnhancedSessionTransportType: 0,
    GuestControlledCacheTypes: false,
    GuestStateIsolationEnabled: false,
    GuestStateIsolationType: 0,
    HighMmioGapBase: 65_024n,
    HighMmioGapSize: 512n,
    IncrementalBackupEnabled: false,
    IsAutomaticSnapshot: false,
    LockOnDisconnect: false,
    LowMmioGapSize: 128n,
    TurnOffOnGuestRestart: false,
    UserSnapshotType: 3,
    VirtualNumaEnabled: true,
    VirtualSlitType: 0,
  }
}
