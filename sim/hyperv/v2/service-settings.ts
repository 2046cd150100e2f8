import type { CimValue, Schema } from '../cim/model.ts'
import type { MethodCall, MethodResult, Provider } from '../cim/provider.ts'
import { answer, orRefusal } from '../host/answer.ts'
import type { Host } from '../host/host.ts'
import { named, nameOfManagement } from '../host/names.ts'
import { OperationError, Return } from '../host/operation-error.ts'
import { addressPool } from '../host/resources-addresses.ts'
import { DATA_ROOT } from '../host/system-settings.ts'
import { instanceGiven, textGiven } from './given.ts'
import { managementJob } from './management.ts'
import { associationOf, providerOf, type Row, rowOf } from './rows.ts'
import { MANAGEMENT } from './services.ts'

const SETTINGS = 'Msvm_VirtualSystemManagementServiceSettingData'
const CAPABILITIES = 'Msvm_VirtualSystemManagementCapabilities'

/** JobType. Source: the ValueMap of Msvm_ConcreteJob.JobType. */
const MODIFY_SERVICE = 4

/** What this host lets change; anything else must stay as it is. */
const CHANGEABLE = new Set([
  'BiosLockString',
  'DefaultExternalDataRoot',
  'DefaultVirtualHardDiskPath',
  'EnhancedSessionModeEnabled',
  'HbaLunTimeout',
  'NumaSpanningEnabled',
  'PrimaryOwnerContact',
  'PrimaryOwnerName',
])

/** Settings and capabilities of the management service, one of each; v1 has no class for capabilities. */
export function serviceSettings(host: Host, schema: Schema): Provider {
  const row = () => rowOf(schema, SETTINGS, settingsOf(host))
  const settingsName = named(SETTINGS, { InstanceID: idOf(host) })
  const capabilitiesName = named(CAPABILITIES, { InstanceID: idOf(host) })
  return providerOf(schema, {
    classes: {
      [SETTINGS]: { list: () => [row()] },
      [CAPABILITIES]: { list: () => [rowOf(schema, CAPABILITIES, capabilitiesOf(host))] },
      Msvm_ElementSettingData: associationOf(host, schema, {
        className: 'Msvm_ElementSettingData',
        ends: ['ManagedElement', 'SettingData'],
        list: () => [[nameOfManagement(host), settingsName]],
        values: { IsCurrent: 1, IsDefault: 0, IsNext: 0 },
      }),
      Msvm_ElementCapabilities: associationOf(host, schema, {
        className: 'Msvm_ElementCapabilities',
        ends: ['ManagedElement', 'Capabilities'],
        list: () => (schema.find(CAPABILITIES) === undefined ? [] : [[nameOfManagement(host), capabilitiesName]]),
      }),
    },
    methods: {
      [`${MANAGEMENT.className}.ModifyServiceSettings`]: call => orRefusal(() => modify(host, schema, call)),
    },
  })
}

/** Source: read on Server 2025. */
const idOf = (host: Host): string => `Microsoft:${host.state.name}`

function settingsOf(host: Host): Record<string, CimValue> {
  const { first, last } = addressPool(host)
  return {
    BiosLockString: '',
    Caption: 'Virtual System Management Service Settings',
    CurrentWWNNAddress: 'C003FF0000FFFF00',
    DefaultExternalDataRoot: DATA_ROOT,
    DefaultVirtualHardDiskCachingMode: 0,
    DefaultVirtualHardDiskPath: 'C:\\ProgramData\\Microsoft\\Windows\\Virtual Hard Disks',
    Description: 'Settings for the Virtual System Management Service',
    ElementName: host.state.name,
    EnhancedSessionModeEnabled: true,
    HbaLunTimeout: 60,
    HypervisorRootSchedulerEnabled: false,
    InstanceID: idOf(host),
    MaximumMacAddress: last,
    MinimumMacAddress: first,
    NumaSpanningEnabled: true,
    PrimaryOwnerContact: '',
    PrimaryOwnerName: 'Administrators',
    ...host.state.serviceSettings,
  }
}

/** Source: Microsoft Learn, Msvm_VirtualSystemManagementCapabilities. */
function capabilitiesOf(host: Host): Row {
  return {
    Caption: 'Virtual System Management Capabilities',
    Description: 'Capabilities of the Virtual System Management Service',
    ElementName: 'Virtual System Management Capabilities',
    ElementNameEditSupported: true,
    IndicationsSupported: [2, 3, 4],
    InstanceID: idOf(host),
    MaxElementNameLen: 100,
    VirtualSystemTypesSupported:
      host.state.build >= 9600
        ? ['Microsoft:Hyper-V:SubType:1', 'Microsoft:Hyper-V:SubType:2']
        : ['Microsoft:Hyper-V:SubType:1'],
  }
}

function modify(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const { values } = instanceGiven(host, schema, textGiven(call.input, 'SettingData'), SETTINGS)
  return answer(host, {
    namespace: schema.namespace,
    usually: 'now',
    job: managementJob(host, undefined, call, { type: MODIFY_SERVICE, durationMs: 100, target: host.state.name }),
    work() {
      const present = settingsOf(host)
      const changes: Record<string, CimValue> = {}
      for (const [name, value] of values) {
        if (value === null || value === present[name]) continue
        if (!CHANGEABLE.has(name)) throw new OperationError(Return.failed, host.texts.invalidValue(name))
        changes[name] = value
      }
      host.state.serviceSettings = { ...host.state.serviceSettings, ...changes }
      host.touch()
    },
  })
}
