import type { Schema } from '../cim/model.ts'
import type { Method, MethodCall, MethodResult, Provider } from '../cim/provider.ts'
import { answer, type Output } from '../host/answer.ts'
import { addFeatures, allocationIdOf, modifyFeatures, removeFeatures } from '../host/features.ts'
import type { Host } from '../host/host.ts'
import { Effect, type JobRun } from '../host/jobs.ts'
import type { Settings, Vm } from '../host/model.ts'
import { nameOfManagement, nameOfSystem } from '../host/names.ts'
import { OperationError, Return } from '../host/operation-error.ts'
import { addResources, modifyResources, removeResources } from '../host/resources.ts'
import { textGiven as textIn } from '../host/resources-given.ts'
import { setGuestNetwork } from '../host/resources-guest-network.ts'
import { sameId } from '../host/resources-ids.ts'
import { type Owner, ownerOf } from '../host/resources-owner.ts'
import { idOf } from '../host/resources-settings.ts'
import { reasonText } from '../host/resources-texts.ts'
import { nameOfVm } from '../host/settings.ts'
import { nameGiven, textGiven, vmGiven } from './given.ts'
import { contextOf, idsGiven, instancesGiven, pathsOf, reading } from './resource-context.ts'
import { nameOfResource } from './resources.ts'
import { keyOf, providerOf, V2 } from './rows.ts'

/** JobType of what changes resources. Source: the ValueMap of Msvm_ConcreteJob.JobType. */
const JobType = { add: 30, modify: 31, remove: 32 } as const

const RESOURCE = 'CIM_ResourceAllocationSettingData'
const FEATURE = 'Msvm_EthernetSwitchPortFeatureSettingData'

/** How long the host takes over one of these where it does so in a job. */
const DURATION_MS = 300

interface Change {
  readonly call: MethodCall
  readonly type: number
  /** Whose resources these are, as far as that is known before. */
  readonly vm: Vm | undefined
  readonly work: (run: JobRun) => Output | void
}

/** The methods of the management service that change resources, features and the guest's network. */
export function resourceMethods(host: Host, schema: Schema): Provider {
  const methods: Readonly<Record<string, Method>> = {
    AddResourceSettings: call => addSettings(host, schema, call),
    ModifyResourceSettings: call => modifySettings(host, schema, call),
    RemoveResourceSettings: call => removeSettings(host, schema, call),
    AddFeatureSettings: call => addFeatureSettings(host, schema, call),
    ModifyFeatureSettings: call => modifyFeatureSettings(host, schema, call),
    RemoveFeatureSettings: call => removeFeatureSettings(host, schema, call),
    SetGuestNetworkAdapterConfiguration: call => setGuestConfiguration(host, schema, call),
  }
  const service = 'Msvm_VirtualSystemManagementService'
  const named = Object.entries(methods).map(([name, method]) => [`${service}.${name}`, method])
  return providerOf(schema, { methods: Object.fromEntries(named) })
}

function change(host: Host, { call, type, vm, work }: Change): Promise<MethodResult> {
  const affected = vm === undefined ? [] : [{ name: nameOfSystem(vm.id), effects: [Effect.other] }]
  return answer(host, {
    namespace: V2,
    usually: 'now',
    job: {
      type,
      target: vm === undefined ? '' : nameOfVm(vm),
      owner: call.caller.user,
      durationMs: DURATION_MS,
      service: nameOfManagement(host),
      affected,
    },
    work,
  })
}

/** Names what was made, and gives its paths in an out parameter. */
function made(host: Host, run: JobRun, parameter: string, settings: readonly Settings[]): Output {
  for (const one of settings) run.affects(nameOfResource(one), Effect.create)
  return { [parameter]: pathsOf(host, settings) }
}

function addSettings(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const read = () => ({
    owner: configurationGiven(host, textGiven(call.input, 'AffectedConfiguration')),
    given: instancesGiven(host, schema, call.input, 'ResourceSettings', RESOURCE),
  })
  return reading(read, ({ owner, given }) =>
    change(host, {
      call,
      type: JobType.add,
      vm: owner.vm,
      work: run => made(host, run, 'ResultingResourceSettings', addResources(contextOf(host, schema), owner, given)),
    }),
  )
}

/** The machine or snapshot whose system settings a reference leads to. Throws an immediate OperationError. */
function configurationGiven(host: Host, path: string | undefined): Owner {
  const id = keyOf(nameGiven(path), 'InstanceID') ?? ''
  const owner = ownerOf(host, id)
  if (owner !== undefined && sameId(idOf(owner.configuration.system), id)) return owner
  throw new OperationError(Return.invalidParameter, reasonText(host.locale, 'invalid'), { isImmediate: true })
}

function modifySettings(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const read = () => instancesGiven(host, schema, call.input, 'ResourceSettings', RESOURCE)
  return reading(read, given =>
    change(host, {
      call,
      type: JobType.modify,
      vm: ownerOf(host, textIn(given[0] ?? NOTHING, 'InstanceID') ?? '')?.vm,
      work: () => ({
        ResultingResourceSettings: pathsOf(host, modifyResources(contextOf(host, schema), given)),
      }),
    }),
  )
}

const NOTHING = { className: '', values: new Map() }

function removeSettings(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const read = () => idsGiven(host, call.input, 'ResourceSettings')
  return reading(read, ids =>
    change(host, {
      call,
      type: JobType.remove,
      vm: ownerOf(host, ids[0] ?? '')?.vm,
      work: () => removeResources(contextOf(host, schema), ids),
    }),
  )
}

function addFeatureSettings(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const read = () => ({
    id: keyOf(nameGiven(textGiven(call.input, 'AffectedConfiguration')), 'InstanceID') ?? '',
    given: instancesGiven(host, schema, call.input, 'FeatureSettings', FEATURE),
  })
  return reading(read, ({ id, given }) =>
    change(host, {
      call,
      type: JobType.modify,
      vm: ownerOf(host, id)?.vm,
      work: run => made(host, run, 'ResultingFeatureSettings', addFeatures(contextOf(host, schema), id, given)),
    }),
  )
}

function modifyFeatureSettings(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const read = () => instancesGiven(host, schema, call.input, 'FeatureSettings', FEATURE)
  return reading(read, given =>
    change(host, {
      call,
      type: JobType.modify,
      vm: ownerOf(host, allocationIdOf(textIn(given[0] ?? NOTHING, 'InstanceID') ?? ''))?.vm,
      work: () => ({
        ResultingFeatureSettings: pathsOf(host, modifyFeatures(contextOf(host, schema), given, false)),
      }),
    }),
  )
}

function removeFeatureSettings(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const read = () => idsGiven(host, call.input, 'FeatureSettings')
  return reading(read, ids =>
    change(host, {
      call,
      type: JobType.modify,
      vm: ownerOf(host, ids[0] ?? '')?.vm,
      work: () => removeFeatures(contextOf(host, schema), ids, false),
    }),
  )
}

function setGuestConfiguration(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const CONFIGURATION = 'Msvm_GuestNetworkAdapterConfiguration'
  const read = () => ({
    vm: vmGiven(host, schema, textGiven(call.input, 'ComputerSystem')),
    given: instancesGiven(host, schema, call.input, 'NetworkConfiguration', CONFIGURATION),
  })
  return reading(read, ({ vm, given }) =>
    change(host, {
      call,
      type: JobType.modify,
      vm,
      work: () => setGuestNetwork(contextOf(host, schema), vm, given),
    }),
  )
}
