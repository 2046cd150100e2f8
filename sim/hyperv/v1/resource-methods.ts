import type { Schema } from '../cim/model.ts'
import type { Method, MethodCall, MethodResult, Provider } from '../cim/provider.ts'
import { answer, orRefusal, type Output } from '../host/answer.ts'
import type { Host } from '../host/host.ts'
import { Effect, type JobRun } from '../host/jobs.ts'
import type { Vm } from '../host/model.ts'
import { OperationError, Return } from '../host/operation-error.ts'
import { findOwned, ownVm } from '../host/resources-owner.ts'
import { textGiven as textIn } from '../host/resources-given.ts'
import type { Given } from '../host/resources-context.ts'
import { textGiven, vmGiven } from '../v2/given.ts'
import { managementJob } from '../v2/management.ts'
import { idsGiven, instancesGiven } from '../v2/resource-context.ts'
import { providerOf } from '../v2/rows.ts'
import { MANAGEMENT } from '../v2/services.ts'
import { addHere, modifyHere, removeHere } from './resource-changes.ts'
import { nameHere } from './resources.ts'
import { pathInV1, V1 } from './translate-paths.ts'

/** JobType, which v1 does not show: for the texts of jobs. */
const JobType = { add: 30, modify: 31, remove: 32 } as const
const RESOURCE = 'CIM_ResourceAllocationSettingData'
const DURATION_MS = 300

/** The methods of the management service that change resources. */
export function resourceMethods(host: Host, schema: Schema): Provider {
  const methods: Readonly<Record<string, Method>> = {
    AddVirtualSystemResources: call => orRefusal(() => add(host, schema, call)),
    ModifyVirtualSystemResources: call => orRefusal(() => modify(host, schema, call)),
    RemoveVirtualSystemResources: call => orRefusal(() => remove(host, schema, call)),
  }
  const named = Object.entries(methods).map(([name, method]) => [`${MANAGEMENT.className}.${name}`, method])
  return providerOf(schema, { methods: Object.fromEntries(named) })
}

function change(
  host: Host,
  call: MethodCall,
  vm: Vm,
  type: number,
  work: (run: JobRun) => Output | void,
): Promise<MethodResult> {
  const job = managementJob(host, vm, call, { type, durationMs: DURATION_MS })
  return answer(host, { namespace: V1, usually: 'now', job, work })
}

function add(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const vm = vmGiven(host, schema, textGiven(call.input, 'TargetSystem'))
  const given = instancesGiven(host, schema, call.input, 'ResourceSettingData', RESOURCE)
  return change(host, call, vm, JobType.add, run => {
    const names = addHere(host, ownVm(vm), given).flatMap(settings => nameHere(host, settings) ?? [])
    for (const name of names) run.affects(name, Effect.create)
    return { NewResources: names.map(name => pathInV1(host, name)) }
  })
}

function modify(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const vm = vmGiven(host, schema, textGiven(call.input, 'ComputerSystem'))
  const given = instancesGiven(host, schema, call.input, 'ResourceSettingData', RESOURCE)
  return change(host, call, vm, JobType.modify, () => {
    for (const one of given) demandOwn(host, vm, one)
    modifyHere(host, given)
  })
}

/** Only resources of the machine that was named. */
function demandOwn(host: Host, vm: Vm, given: Given): void {
  const owned = findOwned(host, textIn(given, 'InstanceID') ?? '')
  if (owned?.owner.vm === vm) return
  throw new OperationError(Return.invalidParameter, host.texts.invalidValue('InstanceID'))
}

function remove(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const vm = vmGiven(host, schema, textGiven(call.input, 'TargetSystem'))
  const ids = idsGiven(host, call.input, 'ResourceSettingData')
  return change(host, call, vm, JobType.remove, () => removeHere(host, vm, ids))
}
