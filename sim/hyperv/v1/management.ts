import type { Embedded } from '../cim/embedded.ts'
import type { Schema } from '../cim/model.ts'
import type { Method, MethodCall, MethodResult, Provider } from '../cim/provider.ts'
import { answer, orRefusal } from '../host/answer.ts'
import { defineSystem, findSettings, requireDestroyable } from '../host/definition.ts'
import type { Host } from '../host/host.ts'
import { Effect } from '../host/jobs.ts'
import type { Configuration, Vm } from '../host/model.ts'
import { nameOfSettings, nameOfSystem } from '../host/names.ts'
import { OperationError, Return } from '../host/operation-error.ts'
import { destroyWithSnapshots } from '../host/snapshots-jobs.ts'
import { changeSystemSettings } from '../host/system-rules.ts'
import { instanceGiven, nameGiven, textGiven, textsGiven, vmGiven } from '../v2/given.ts'
import { managementJob } from '../v2/management.ts'
import { keyOf, providerOf } from '../v2/rows.ts'
import { MANAGEMENT, serviceProvider } from '../v2/services.ts'
import { defineResources } from './resource-changes.ts'
import { pathInV1, V1 } from './translate-paths.ts'
import { GLOBAL_SETTINGS, globalRow, nameOfGlobal, systemGiven, systemRowOf } from './translate-systems.ts'

const { className: SERVICE } = MANAGEMENT

/** JobType, which v1 does not show: for the texts of jobs. */
const JobType = { define: 1, modify: 2, destroy: 3 } as const

/** What takes files from one host to another is not simulated. */
const NOT_SIMULATED = [
  'CheckSystemCompatibilityInfo',
  'ExportVirtualSystem',
  'ExportVirtualSystemEx',
  'GetSystemCompatibilityInfo',
  'GetVirtualSystemImportSettingData',
  'ImportVirtualSystem',
  'ImportVirtualSystemEx',
] as const

const notSupported: Method = () => ({ returnValue: Return.notSupported })

/** The service that defines, changes and destroys machines; what it does with their resources is elsewhere. */
export function management(host: Host, schema: Schema): readonly Provider[] {
  const methods = providerOf(schema, {
    methods: {
      [`${SERVICE}.DefineVirtualSystem`]: call => orRefusal(() => define(host, schema, call)),
      [`${SERVICE}.DestroyVirtualSystem`]: call => orRefusal(() => destroy(host, schema, call)),
      [`${SERVICE}.ModifyVirtualSystem`]: call => orRefusal(() => modify(host, schema, call)),
      ...Object.fromEntries(NOT_SIMULATED.map(name => [`${SERVICE}.${name}`, notSupported])),
    },
  })
  return [serviceProvider(host, schema, MANAGEMENT), methods]
}

/** Either object is taken: a name stands in both. */
const systemSettingsGiven = (host: Host, schema: Schema, text: string | undefined): Embedded =>
  instanceGiven(host, schema, text, 'CIM_VirtualSystemSettingData')

function define(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const { input } = call
  const text = textGiven(input, 'SystemSettingData')
  const given = text === undefined ? undefined : systemSettingsGiven(host, schema, text)
  const settings = given === undefined ? new Map() : systemGiven(host, given.class.name, given.values)
  const resources = textsGiven(input, 'ResourceSettingData').map(one =>
    instanceGiven(host, schema, one, 'CIM_ResourceAllocationSettingData'),
  )
  const reference = referenceGiven(host, textGiven(input, 'SourceSetting'))
  const target = settings.get('ElementName')
  return answer(host, {
    namespace: V1,
    usually: 'now',
    job: managementJob(host, undefined, call, {
      type: JobType.define,
      durationMs: 500,
      target: typeof target === 'string' ? target : '',
    }),
    work(run) {
      const vm = defineSystem(host, { settings, ...(reference === undefined ? {} : { reference }) })
      try {
        defineResources(host, vm, resources)
      } catch (error) {
        host.remove(vm)
        throw error
      }
      run.affects(nameOfSystem(vm.id), Effect.create)
      return { DefinedSystem: pathInV1(host, nameOfSystem(vm.id)) }
    },
  })
}

function referenceGiven(host: Host, path: string | undefined): Configuration | undefined {
  if (path === undefined) return undefined
  const found = findSettings(host, keyOf(nameGiven(path), 'InstanceID') ?? '')
  if (found !== undefined) return found.configuration
  throw new OperationError(Return.invalidParameter, 'There is no such configuration.', { isImmediate: true })
}

function destroy(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const vm = vmGiven(host, schema, textGiven(call.input, 'ComputerSystem'))
  return answer(host, {
    namespace: V1,
    usually: 'job',
    job: managementJob(host, vm, call, { type: JobType.destroy, durationMs: 300 }),
    check: () => requireDestroyable(host, vm),
    work: () => destroyWithSnapshots(host, vm),
  })
}

/** Changes one of a machine's two settings objects, or those of a snapshot of it. */
function modify(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const { input } = call
  const vm = vmGiven(host, schema, textGiven(input, 'ComputerSystem'))
  const given = systemSettingsGiven(host, schema, textGiven(input, 'SystemSettingData'))
  const isGlobal = given.class.name === GLOBAL_SETTINGS
  const id = isGlobal ? `Microsoft:${vm.id}` : idGiven(given, vm)
  return answer(host, {
    namespace: V1,
    usually: 'now',
    job: managementJob(host, vm, call, { type: JobType.modify, durationMs: 200 }),
    work(run) {
      const found = findSettings(host, id)
      if (found?.vm !== vm) throw new OperationError(Return.invalidParameter, host.texts.invalidValue('InstanceID'))
      const { configuration } = found
      const snapshot = vm.snapshots.find(one => one.configuration === configuration)
      const row = isGlobal ? globalRow(host, schema, vm) : systemRowOf(host, schema, vm, configuration, snapshot)
      const changes = systemGiven(host, given.class.name, given.values, { vm, row })
      changeSystemSettings(host, vm, configuration, changes)
      const name = isGlobal ? nameOfGlobal(vm) : nameOfSettings(id.replace(/^Microsoft:/i, ''))
      run.affects(name, Effect.unknown)
      return { ModifiedSettingData: pathInV1(host, name) }
    },
  })
}

/** The machine's own where nothing else is said: the caller has named the machine. */
function idGiven({ values }: Embedded, vm: Vm): string {
  const id = values.get('InstanceID')
  return typeof id === 'string' && id !== '' ? id.replace(/\\Global$/i, '') : `Microsoft:${vm.id}`
}
