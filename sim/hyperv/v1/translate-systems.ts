import type { CimValue, Instance, Schema } from '../cim/model.ts'
import type { ObjectName } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import type { Configuration, Settings, Snapshot, Vm } from '../host/model.ts'
import { named, nameOfSettings } from '../host/names.ts'
import { OperationError, Return } from '../host/operation-error.ts'
import { sameValue } from '../host/resources-changes.ts'
import { nameOfVm, numberIn, textIn, textsIn } from '../host/settings.ts'
import { type Row, rowOf } from '../v2/rows.ts'
import { pathInV1 } from './translate-paths.ts'

// The settings of a system: two objects here, one of them for all the machine's life and one for what a snapshot keeps.
// In v2, and in configurations, they are one.
//   Msvm_VirtualSystemGlobalSettingData + Msvm_VirtualSystemSettingData = Msvm_VirtualSystemSettingData of v2

export const GLOBAL_SETTINGS = 'Msvm_VirtualSystemGlobalSettingData'
export const SETTINGS = 'Msvm_VirtualSystemSettingData'

/** VirtualSystemType of every machine. */
const MACHINE_TYPE = 301
/** SettingType. Source: its ValueMap. */
const SettingType = { current: 3, snapshot: 5, global: 32768 } as const

/** v1 counts the automatic actions from 0, v2 from 2. */
const ACTIONS = ['AutomaticRecoveryAction', 'AutomaticShutdownAction', 'AutomaticStartupAction'] as const
const ACTION_SHIFT = 2

/** What has the same meaning and type in both: the name here, and there. */
const GLOBAL_NAMES: Readonly<Record<string, string>> = {
  AdditionalRecoveryInformation: 'AdditionalRecoveryInformation',
  AllowFullSCSICommandSet: 'AllowFullSCSICommandSet',
  AutomaticStartupActionDelay: 'AutomaticStartupActionDelay',
  DebugChannelId: 'DebugChannelId',
  DebugPort: 'DebugPort',
  DebugPortEnabled: 'DebugPortEnabled',
  ElementName: 'ElementName',
  ExternalDataRoot: 'ConfigurationDataRoot',
  // v2 has none; what is kept under this name it does not show.
  ScopeOfResidence: 'ScopeOfResidence',
  SnapshotDataRoot: 'SnapshotDataRoot',
}

const SYSTEM_NAMES: Readonly<Record<string, string>> = {
  BaseBoardSerialNumber: 'BaseBoardSerialNumber',
  BIOSNumLock: 'BIOSNumLock',
  BIOSSerialNumber: 'BIOSSerialNumber',
  BootOrder: 'BootOrder',
  ChassisAssetTag: 'ChassisAssetTag',
  ChassisSerialNumber: 'ChassisSerialNumber',
  ElementName: 'ElementName',
  // v2 has neither of them.
  NumaNodeList: 'NumaNodeList',
  NumaNodesAreRequired: 'NumaNodesAreRequired',
}

/** Msvm_VirtualSystemGlobalSettingData of a machine. */
export const nameOfGlobal = (vm: Vm): ObjectName => named(GLOBAL_SETTINGS, { InstanceID: `Microsoft:${vm.id}\\Global` })

/** What a machine is for all its life. Source: Microsoft Learn, Msvm_VirtualSystemGlobalSettingData. */
export function globalRow(host: Host, schema: Schema, vm: Vm): Instance {
  const { system } = vm.configuration
  const isJapanese = host.locale === 'ja-JP'
  return rowOf(schema, GLOBAL_SETTINGS, {
    ...renamed(system, GLOBAL_NAMES),
    ...Object.fromEntries(ACTIONS.map(name => [name, (numberIn(system, name) ?? 0) - ACTION_SHIFT])),
    Caption: isJapanese ? 'グローバル仮想マシン設定' : 'Global Virtual Machine Settings',
    CreationTime: textIn(system, 'CreationTime'),
    Description: isJapanese ? '仮想マシンのグローバル設定です。' : 'Global settings for the virtual machine.',
    InstanceID: `Microsoft:${vm.id}\\Global`,
    ScopeOfResidence: textIn(system, 'ScopeOfResidence') ?? '',
    SettingType: SettingType.global,
    SystemName: vm.id,
    Version: textIn(system, 'Version'),
    VirtualSystemType: MACHINE_TYPE,
  })
}

/** What a machine is now, or was when a snapshot of it was taken. Source: Microsoft Learn, Msvm_VirtualSystemSettingData. */
export function systemRowOf(
  host: Host,
  schema: Schema,
  vm: Vm,
  configuration: Configuration,
  snapshot?: Snapshot,
): Instance {
  const { system } = configuration
  const parent = snapshot === undefined ? vm.lastSnapshot : snapshot.parent
  return rowOf(schema, SETTINGS, {
    ...renamed(system, SYSTEM_NAMES),
    BIOSGUID: `{${textIn(system, 'BIOSGUID') ?? ''}}`,
    Caption: host.texts.settings,
    CreationTime: textIn(system, 'CreationTime'),
    Description: host.texts.settingsDescription,
    InstanceID: textIn(system, 'InstanceID') ?? '',
    Notes: textsIn(system, 'Notes')[0] ?? '',
    NumaNodesAreRequired: system.values['NumaNodesAreRequired'] ?? false,
    Parent: parent === undefined ? undefined : pathInV1(host, nameOfSettings(parent)),
    SettingType: snapshot === undefined ? SettingType.current : SettingType.snapshot,
    SystemName: vm.id,
    VirtualSystemType: MACHINE_TYPE,
  })
}

export const snapshotRow = (host: Host, schema: Schema, vm: Vm, snapshot: Snapshot): Instance =>
  systemRowOf(host, schema, vm, snapshot.configuration, snapshot)

const renamed = ({ values }: Settings, names: Readonly<Record<string, string>>): Row =>
  Object.fromEntries(Object.entries(names).map(([here, there]) => [here, values[there]]))

/**
 * What is given of either object, in the words of v2; what stands as `present` shows it is no change and left out.
 * Throws OperationError for a change of what nobody may change. Without a present one it is for a machine to be made,
 * where the host decides of that what it will.
 */
export function systemGiven(
  host: Host,
  className: string,
  given: ReadonlyMap<string, CimValue>,
  present?: { readonly vm: Vm; readonly row: Instance },
): Map<string, CimValue> {
  const names = className === GLOBAL_SETTINGS ? GLOBAL_NAMES : SYSTEM_NAMES
  const words = new Map<string, CimValue>()
  for (const [name, value] of given) {
    const isSame = present !== undefined && sameValue(present.row.values.get(name) ?? null, value)
    if (value === null || name === 'InstanceID' || isSame) continue
    const translated = translatedGiven(className, name, value) ?? wordOf(names, name, value)
    if (translated !== undefined) words.set(...translated)
    else if (present !== undefined && !isText(name)) {
      const { vm } = present
      throw new OperationError(Return.failed, host.texts.cannotModify(nameOfVm(vm), vm.id, name))
    }
  }
  return words
}

/** Titles are the host's own, and harmless. */
const isText = (name: string): boolean => name === 'Caption' || name === 'Description'

function wordOf(
  names: Readonly<Record<string, string>>,
  name: string,
  value: CimValue,
): [string, CimValue] | undefined {
  const there = names[name]
  return there === undefined ? undefined : [there, value]
}

function translatedGiven(className: string, name: string, value: CimValue): [string, CimValue] | undefined {
  if (className === GLOBAL_SETTINGS) {
    const isAction = ACTIONS.some(action => action === name) && typeof value === 'number'
    return isAction ? [name, value + ACTION_SHIFT] : undefined
  }
  if (name === 'Notes') return ['Notes', [value].filter(note => typeof note === 'string')]
  return name === 'BIOSGUID' ? ['BIOSGUID', value] : undefined
}
