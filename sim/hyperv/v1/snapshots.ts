import type { Schema } from '../cim/model.ts'
import type { Method, MethodCall, MethodResult, ObjectName, Provider } from '../cim/provider.ts'
import { orRefusal } from '../host/answer.ts'
import type { Host } from '../host/host.ts'
import type { Vm } from '../host/model.ts'
import { nameOfManagement, nameOfSettings, nameOfSystem } from '../host/names.ts'
import { OperationError, Return } from '../host/operation-error.ts'
import { type FoundSnapshot, findSnapshot } from '../host/snapshots.ts'
import { type SnapshotCall, startApply, startDestroy, startSnapshot } from '../host/snapshots-jobs.ts'
import { nameGiven, textGiven, vmGiven } from '../v2/given.ts'
import { associationOf, keyOf, type Pair, providerOf } from '../v2/rows.ts'
import { MANAGEMENT } from '../v2/services.ts'
import { vmNamed } from '../v2/system-settings.ts'
import { pathInV1, V1 } from './translate-paths.ts'

/** Snapshots of machines: here the management service takes and applies them. */
export function snapshots(host: Host, schema: Schema): readonly Provider[] {
  const methods: Readonly<Record<string, Method>> = {
    CreateVirtualSystemSnapshot: call => orRefusal(() => create(host, schema, call)),
    ApplyVirtualSystemSnapshot: call => orRefusal(async () => withoutJob(await apply(host, schema, call))),
    ApplyVirtualSystemSnapshotEx: call => orRefusal(() => apply(host, schema, call)),
    RemoveVirtualSystemSnapshot: call => orRefusal(() => remove(host, call, 'one')),
    RemoveVirtualSystemSnapshotTree: call => orRefusal(() => remove(host, call, 'tree')),
  }
  const named = Object.entries(methods).map(([name, method]) => [`${MANAGEMENT.className}.${name}`, method])
  return [providerOf(schema, { methods: Object.fromEntries(named) }), associations(host, schema)]
}

const from = (host: Host, { caller }: MethodCall): SnapshotCall => ({
  namespace: V1,
  owner: caller.user,
  service: nameOfManagement(host),
})

function create(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const vm = vmGiven(host, schema, textGiven(call.input, 'SourceSystem'))
  return startSnapshot(host, vm, {}, from(host, call), id => ({
    SnapshotSettingData: pathInV1(host, nameOfSettings(id)),
  }))
}

function apply(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const vm = vmGiven(host, schema, textGiven(call.input, 'ComputerSystem'))
  const found = snapshotGiven(host, call)
  if (found.vm === vm) return startApply(host, found, from(host, call))
  throw new OperationError(Return.invalidParameter, host.texts.invalidValue('ComputerSystem'), { isImmediate: true })
}

/** The older of the two methods has no place to tell of its job. */
const withoutJob = ({ returnValue }: MethodResult): MethodResult => ({ returnValue })

const remove = (host: Host, call: MethodCall, scope: 'one' | 'tree'): Promise<MethodResult> =>
  startDestroy(host, snapshotGiven(host, call), scope, from(host, call))

/** The snapshot that a reference leads to. Throws an immediate OperationError. */
function snapshotGiven(host: Host, { input }: MethodCall): FoundSnapshot {
  const parameter = 'SnapshotSettingData'
  const found = findSnapshot(host, keyOf(nameGiven(textGiven(input, parameter)), 'InstanceID') ?? '')
  if (found !== undefined) return found
  throw new OperationError(Return.invalidParameter, host.texts.invalidValue(parameter), { isImmediate: true })
}

interface Join {
  readonly className: string
  readonly ends: readonly [string, string]
  readonly pairs: (vm: Vm) => Iterable<Pair>
}

const ELEMENT_ENDS = ['ManagedElement', 'SettingData'] as const

const present = (id: string | undefined): string[] => (id === undefined ? [] : [id])
const ofMachine = (vm: Vm, id: string | undefined): Pair[] =>
  present(id).map((own): Pair => [nameOfSystem(vm.id), nameOfSettings(own)])

/** Source: Microsoft Learn, of each of the classes (v1); a snapshot itself is joined by Msvm_ElementSettingData. */
const JOINS: readonly Join[] = [
  {
    className: 'Msvm_PreviousSettingData',
    ends: ELEMENT_ENDS,
    pairs: vm => ofMachine(vm, vm.lastSnapshot),
  },
  {
    className: 'Msvm_LastAppliedSettingData',
    ends: ELEMENT_ENDS,
    pairs: vm => ofMachine(vm, vm.appliedSnapshot),
  },
  {
    className: 'Msvm_ParentChildSettingData',
    ends: ['Antecedent', 'Dependent'],
    pairs: vm => [
      ...vm.snapshots.flatMap(({ id, parent }) =>
        present(parent).map((own): Pair => [nameOfSettings(own), nameOfSettings(id)]),
      ),
      ...present(vm.lastSnapshot).map((id): Pair => [nameOfSettings(id), nameOfSettings(vm.id)]),
    ],
  },
]

function associations(host: Host, schema: Schema): Provider {
  const classes = JOINS.map(({ className, ends, pairs }) => [
    className,
    associationOf(host, schema, {
      className,
      ends,
      *list() {
        for (const vm of host.state.vms) yield* pairs(vm)
      },
      *of(object) {
        const vm = ownerOf(host, schema, object)
        if (vm !== undefined) yield* pairs(vm)
      },
    }),
  ])
  return providerOf(schema, { classes: Object.fromEntries(classes) })
}

/** The machine that an object is, or that it is a snapshot of. */
function ownerOf(host: Host, schema: Schema, object: ObjectName): Vm | undefined {
  return vmNamed(host, schema, object) ?? findSnapshot(host, keyOf(object, 'InstanceID') ?? '')?.vm
}
