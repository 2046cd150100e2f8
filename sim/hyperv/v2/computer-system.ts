import { datetimeOf, UNSET_DATETIME } from '../cim/datetime.ts'
import { textOf } from '../cim/instance.ts'
import type { Instance, Schema } from '../cim/model.ts'
import type { Method, Provider } from '../cim/provider.ts'
import { answerNow } from '../host/answer.ts'
import type { Host } from '../host/host.ts'
import { onTimeOf } from '../host/life.ts'
import type { PowerState, Vm } from '../host/model.ts'
import { OperationError, Return } from '../host/operation-error.ts'
import { changeState, type PowerRequest } from '../host/power.ts'
import { nameOfVm, numberIn, resourceOf } from '../host/settings.ts'
import { providerOf, type Row, rowOf, V2 } from './rows.ts'

/**
 * EnabledState in root\virtualization\v2; v1 has other numbers for paused and saved. Source: the ValueMap of the MOF, and
 * for what lies between, Microsoft Learn, Msvm_ComputerSystem.
 */
export const ENABLED_STATE: Readonly<Record<PowerState, number>> = {
  running: 2,
  off: 3,
  saved: 6,
  paused: 9,
  starting: 32770,
  snapshotting: 32771,
  saving: 32773,
  stopping: 32774,
  pausing: 32776,
  resuming: 32777,
}

/** What RequestedState asks for. Source: Microsoft Learn, RequestStateChange of Msvm_ComputerSystem (V2). */
const REQUESTS: Readonly<Record<number, PowerRequest>> = {
  2: 'run',
  3: 'turn-off',
  4: 'shut-down',
  6: 'save',
  9: 'pause',
  10: 'reboot',
  11: 'reset',
}

/** The codes of v1, and states that only lie between: known and refused. Source: seen on Server 2025. */
const REFUSED_STATES = new Set([32768, 32769, 32770, 32771, 32773, 32774, 32776, 32777, 32779, 32780])

/** Msvm_ComputerSystem: the host and its machines, and what changes the state of these. */
export function computerSystems(host: Host, schema: Schema): Provider {
  return providerOf(schema, {
    classes: {
      Msvm_ComputerSystem: {
        *list() {
          yield hostRow(host, schema)
          for (const vm of host.state.vms) yield systemRow(host, schema, vm)
        },
        find(keys) {
          const name = keys.get('Name') ?? ''
          const vm = host.vm(name)
          if (vm !== undefined) return systemRow(host, schema, vm)
          return isHost(host, name) ? hostRow(host, schema) : undefined
        },
        demanded(values) {
          const wanted = values.get('elementname')?.toLowerCase()
          if (wanted === undefined) return undefined
          const named = host.state.vms.filter(vm => nameOfVm(vm).toLowerCase() === wanted)
          const rows = named.map(vm => systemRow(host, schema, vm))
          return isHost(host, wanted) ? [hostRow(host, schema), ...rows] : rows
        },
      },
    },
    methods: {
      'Msvm_ComputerSystem.RequestStateChange': requestStateChange(host),
      'Msvm_ComputerSystem.InjectNonMaskableInterrupt': injectInterrupt(host),
      // Source: Microsoft Learn: "This method is not supported."
      'Msvm_ComputerSystem.SetPowerState': () => ({ returnValue: NOT_SUPPORTED }),
    },
  })
}

/** Return value 1 of CIM's own methods. */
const NOT_SUPPORTED = 1

/** Whether a name is the host's, by NetBIOS. */
export function isHost(host: Host, name: string): boolean {
  return name.toUpperCase() === host.state.name
}

/** Msvm_ComputerSystem of a machine. Source: a recorded one that runs; of one that is off, as observed. */
export function systemRow(host: Host, schema: Schema, vm: Vm): Instance {
  const isRunning = vm.processId !== undefined
  return rowOf(schema, 'Msvm_ComputerSystem', {
    ...COMMON,
    ...REPLICATION,
    Caption: host.texts.virtualMachine,
    Description: host.texts.virtualMachineDescription,
    ElementName: nameOfVm(vm),
    EnabledDefault: isRunning ? 2 : 3,
    EnabledState: ENABLED_STATE[vm.power],
    EnhancedSessionModeState: isRunning ? 6 : 3,
    HwThreadsPerCoreRealized: isRunning ? threadsPerCore(host, vm) : null,
    InstallDate: datetimeOf(vm.installedAt),
    Name: vm.id,
    NumberOfNumaNodes: 1,
    OnTimeInMilliseconds: BigInt(Math.floor(onTimeOf(host, vm))),
    OperationalStatus: statusesOf(vm),
    ProcessID: vm.processId ?? null,
    RequestedState: 5,
    StatusDescriptions: statusTexts(host, vm),
    TimeOfLastConfigurationChange: datetimeOf(vm.configuredAt),
    TimeOfLastStateChange: datetimeOf(vm.stateChangedAt),
  })
}

/** OperationalStatus of a machine: 2 is OK, the second says what is being done with it. */
export function statusesOf(vm: Vm): number[] {
  return vm.secondaryStatus === undefined ? [2] : [2, vm.secondaryStatus]
}

/** StatusDescriptions, one for each OperationalStatus. */
export function statusTexts(host: Host, vm: Vm): string[] {
  return statusesOf(vm).map(status => host.texts.statuses[status] ?? '')
}

/** Source: as observed: Name is ElementName, InstallDate and ProcessID are NULL, RequestedState is 12. */
export function hostRow(host: Host, schema: Schema): Instance {
  return rowOf(schema, 'Msvm_ComputerSystem', {
    ...COMMON,
    Caption: host.texts.hostingSystem,
    Description: host.texts.hostingSystemDescription,
    ElementName: host.state.name,
    EnabledDefault: 2,
    EnabledState: 2,
    Name: host.state.name,
    OperationalStatus: [2],
    RequestedState: 12,
    StatusDescriptions: [host.texts.statuses[2] ?? ''],
    TimeOfLastStateChange: datetimeOf(host.state.bootedAt),
  })
}

const COMMON: Row = {
  CreationClassName: 'Msvm_ComputerSystem',
  HealthState: 5,
  ResetCapability: 1,
  Status: 'OK',
  TransitioningToState: null,
}

/** Of a machine that is not replicated. Source: recorded. */
const REPLICATION: Row = {
  FailedOverReplicationType: 0,
  LastApplicationConsistentReplicationTime: UNSET_DATETIME,
  LastReplicationTime: UNSET_DATETIME,
  LastReplicationType: 0,
  ReplicationHealth: 0,
  ReplicationMode: 0,
  ReplicationState: 0,
}

/** HwThreadsPerCore of the settings, of which 0 is the host's own. */
function threadsPerCore(host: Host, vm: Vm): number {
  const wanted = numberIn(resourceOf(vm.configuration, 'Msvm_ProcessorSettingData'), 'HwThreadsPerCore') ?? 0
  return wanted === 0 ? host.state.threadsPerCore : Math.min(wanted, host.state.threadsPerCore)
}

function requestStateChange(host: Host): Method {
  return ({ self, input, caller }) => {
    const vm = host.vm(textOf(self, 'Name'))
    if (vm === undefined) return { returnValue: Return.notSupported }
    const wanted = Number(input.get('RequestedState'))
    const request = REQUESTS[wanted]
    if (request === undefined) {
      return { returnValue: REFUSED_STATES.has(wanted) ? Return.invalidState : Return.invalidParameter }
    }
    return changeState(host, vm, request, { namespace: V2, owner: caller.user })
  }
}

function injectInterrupt(host: Host): Method {
  return ({ self }) =>
    answerNow(() => {
      const vm = host.vm(textOf(self, 'Name'))
      if (vm?.power === 'running') return
      throw new OperationError(Return.invalidState, host.texts.invalidState(vm === undefined ? '' : nameOfVm(vm), ''))
    })
}
