import type { Schema } from '../cim/model.ts'
import type { Method, MethodCall, MethodResult, Provider } from '../cim/provider.ts'
import { answer, type Operation, orRefusal } from '../host/answer.ts'
import { defineSystem, findSettings, modifySystem, requireDestroyable } from '../host/definition.ts'
import type { Host } from '../host/host.ts'
import { Effect } from '../host/jobs.ts'
import type { Vm } from '../host/model.ts'
import { nameOfManagement, nameOfSettings, nameOfSystem } from '../host/names.ts'
import { OperationError, Return } from '../host/operation-error.ts'
import { addResources } from '../host/resources.ts'
import { ownVm } from '../host/resources-owner.ts'
import { nameOfVm } from '../host/settings.ts'
import { destroyWithSnapshots } from '../host/snapshots-jobs.ts'
import { windowsOf } from '../host/windows.ts'
import { instanceGiven, nameGiven, textGiven, textsGiven, vmGiven } from './given.ts'
import { contextOf, givenOf } from './resource-context.ts'
import { keyOf, pathIn, providerOf, V2 } from './rows.ts'
import { MANAGEMENT, serviceProvider } from './services.ts'

const SETTINGS = 'Msvm_VirtualSystemSettingData'
const { className: SERVICE } = MANAGEMENT

/** JobType. Source: the ValueMap of Msvm_ConcreteJob.JobType. */
const JobType = { define: 1, modify: 2, destroy: 3 } as const

/** The service that defines, changes and destroys machines; what it does with their resources is elsewhere. */
export function management(host: Host, schema: Schema): readonly Provider[] {
  const methods = providerOf(schema, {
    methods: {
      [`${SERVICE}.DefineSystem`]: call => orRefusal(() => define(host, schema, call)),
      [`${SERVICE}.DestroySystem`]: call => orRefusal(() => destroy(host, schema, call)),
      [`${SERVICE}.ModifySystemSettings`]: call => orRefusal(() => modify(host, schema, call)),
      [`${SERVICE}.UpgradeSystemVersion`]: call => orRefusal(() => upgrade(host, schema, call)),
      [`${SERVICE}.GetSizeOfSystemFiles`]: sizeOfSystemFiles(host, schema),
    },
  })
  return [serviceProvider(host, schema, MANAGEMENT), methods]
}

/** What the jobs of the management service have in common. */
export function managementJob(
  host: Host,
  vm: Vm | undefined,
  call: Pick<MethodCall, 'caller'>,
  what: { readonly type: number; readonly durationMs: number; readonly target?: string },
): Operation['job'] {
  const { type, durationMs } = what
  return {
    type,
    durationMs,
    target: what.target ?? (vm === undefined ? '' : nameOfVm(vm)),
    owner: call.caller.user,
    service: nameOfManagement(host),
    affected: vm === undefined ? [] : [{ name: nameOfSystem(vm.id), effects: [Effect.unknown] }],
  }
}

function define(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const { input } = call
  // Source: Microsoft Learn: without settings, the machine is made with what the host chooses.
  const text = textGiven(input, 'SystemSettings')
  const settings = text === undefined ? new Map() : instanceGiven(host, schema, text, SETTINGS).values
  const resources = textsGiven(input, 'ResourceSettings').map(one =>
    givenOf(instanceGiven(host, schema, one, 'CIM_ResourceAllocationSettingData')),
  )
  const reference = referenceGiven(host, textGiven(input, 'ReferenceConfiguration'))
  const target = settings.get('ElementName')
  return answer(host, {
    namespace: V2,
    usually: 'now',
    job: managementJob(host, undefined, call, {
      type: JobType.define,
      durationMs: 500,
      target: typeof target === 'string' ? target : '',
    }),
    work(run) {
      const vm = defineSystem(host, { settings, ...(reference === undefined ? {} : { reference }) })
      try {
        if (resources.length > 0) addResources(contextOf(host, schema), ownVm(vm), resources)
      } catch (error) {
        host.remove(vm)
        throw error
      }
      run.affects(nameOfSystem(vm.id), Effect.create)
      return { ResultingSystem: pathIn(host, nameOfSystem(vm.id)) }
    },
  })
}

function referenceGiven(host: Host, path: string | undefined) {
  if (path === undefined) return undefined
  const found = findSettings(host, keyOf(nameGiven(path), 'InstanceID') ?? '')
  if (found !== undefined) return found.configuration
  throw new OperationError(Return.invalidParameter, 'There is no such configuration.', { isImmediate: true })
}

function destroy(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const vm = vmGiven(host, schema, textGiven(call.input, 'AffectedSystem'))
  return answer(host, {
    namespace: V2,
    usually: 'job',
    job: managementJob(host, vm, call, { type: JobType.destroy, durationMs: 300 }),
    check: () => requireDestroyable(host, vm),
    work: () => destroyWithSnapshots(host, vm),
  })
}

function modify(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const { values } = instanceGiven(host, schema, textGiven(call.input, 'SystemSettings'), SETTINGS)
  const instanceId = values.get('InstanceID')
  const found = typeof instanceId === 'string' ? findSettings(host, instanceId) : undefined
  return answer(host, {
    namespace: V2,
    usually: 'now',
    job: managementJob(host, found?.vm, call, { type: JobType.modify, durationMs: 200 }),
    work(run) {
      modifySystem(host, values)
      if (typeof instanceId === 'string')
        run.affects(nameOfSettings(instanceId.replace('Microsoft:', '')), Effect.unknown)
    },
  })
}

/** Brings a machine that is off to the newest version of configurations that the host knows. */
function upgrade(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const vm = vmGiven(host, schema, textGiven(call.input, 'ComputerSystem'))
  return answer(host, {
    namespace: V2,
    usually: 'job',
    job: managementJob(host, vm, call, { type: JobType.modify, durationMs: 500 }),
    check() {
      if (vm.power === 'off') return
      throw new OperationError(Return.invalidState, host.texts.invalidState(nameOfVm(vm), vm.id), { isImmediate: true })
    },
    work() {
      const { system } = vm.configuration
      const Version = windowsOf(host.state.build)?.configurationVersion ?? null
      vm.configuration.system = { ...system, values: { ...system.values, Version } }
      host.touch()
    },
  })
}

/** Configuration files of a machine take a few dozen KiB. */
function sizeOfSystemFiles(host: Host, schema: Schema): Method {
  return ({ input }) =>
    orRefusal(() => {
      const vm = vmGiven(host, schema, textGiven(input, 'Vssd'))
      const files = 1 + vm.snapshots.length
      return { returnValue: Return.ok, output: { Size: BigInt(files * 64 * 1024) } }
    })
}
