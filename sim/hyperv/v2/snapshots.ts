import type { Schema } from '../cim/model.ts'
import type { Method, MethodCall, MethodResult, ObjectName, Provider } from '../cim/provider.ts'
import { orRefusal } from '../host/answer.ts'
import type { Host } from '../host/host.ts'
import type { Vm } from '../host/model.ts'
import { nameOfService, nameOfSettings, nameOfSystem } from '../host/names.ts'
import { OperationError, Return } from '../host/operation-error.ts'
import { type FoundSnapshot, findSnapshot, type SnapshotWish } from '../host/snapshots.ts'
import { type SnapshotCall, startApply, startClearing, startDestroy, startSnapshot } from '../host/snapshots-jobs.ts'
import { instanceGiven, nameGiven, textGiven, vmGiven } from './given.ts'
import { associationOf, keyOf, type Pair, pathIn, providerOf, V2 } from './rows.ts'
import { type Service, serviceProvider } from './services.ts'
import { vmNamed } from './system-settings.ts'

/** The service that takes and applies snapshots. Source: its Name was read on hosts. */
const SNAPSHOTS: Service = {
  className: 'Msvm_VirtualSystemSnapshotService',
  name: 'vssnapsvc',
  title: 'Virtual System Snapshot Service',
  description: 'Service for creating, applying and destroying snapshots of virtual systems',
}

/** SnapshotType of CreateSnapshot: with all of the machine, or its disks only. */
const SnapshotType = { full: 2, disk: 3 } as const
/** ConsistencyLevel. Source: the ValueMap of the MOF. */
const APPLICATION_CONSISTENT = 1

/** Snapshots of machines: the service, and what joins them to machines and to each other. */
export function snapshots(host: Host, schema: Schema): readonly Provider[] {
  const methods: Readonly<Record<string, Method>> = {
    CreateSnapshot: call => orRefusal(() => create(host, schema, call)),
    ApplySnapshot: call => orRefusal(() => startApply(host, snapshotGiven(host, call, 'Snapshot'), from(host, call))),
    DestroySnapshot: call =>
      orRefusal(() => startDestroy(host, snapshotGiven(host, call, 'AffectedSnapshot'), 'one', from(host, call))),
    DestroySnapshotTree: call =>
      orRefusal(() => startDestroy(host, snapshotGiven(host, call, 'SnapshotSettingData'), 'tree', from(host, call))),
    ClearSnapshotState: call =>
      orRefusal(() => startClearing(host, snapshotGiven(host, call, 'SnapshotSettingData'), from(host, call))),
    // This host keeps no reference points.
    ConvertToReferencePoint: () => ({ returnValue: Return.notSupported }),
  }
  const named = Object.entries(methods).map(([name, method]) => [`${SNAPSHOTS.className}.${name}`, method])
  return [
    serviceProvider(host, schema, SNAPSHOTS),
    providerOf(schema, { methods: Object.fromEntries(named) }),
    associations(host, schema),
  ]
}

const from = (host: Host, { caller }: Pick<MethodCall, 'caller'>): SnapshotCall => ({
  namespace: V2,
  owner: caller.user,
  service: nameOfService(host, SNAPSHOTS.className, SNAPSHOTS.name),
})

function create(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const vm = vmGiven(host, schema, textGiven(call.input, 'AffectedSystem'))
  const type = call.input.get('SnapshotType') ?? SnapshotType.full
  if (type !== SnapshotType.full && type !== SnapshotType.disk) {
    throw new OperationError(Return.invalidParameter, host.texts.invalidValue('SnapshotType'), { isImmediate: true })
  }
  const wish = wishGiven(host, schema, textGiven(call.input, 'SnapshotSettings') ?? '')
  return startSnapshot(host, vm, { ...wish, isDiskOnly: type === SnapshotType.disk }, from(host, call), id => ({
    ResultingSnapshot: pathIn(host, nameOfSettings(id)),
  }))
}

/** What settings say of how a snapshot is wanted; those of a machine can say its name. */
function wishGiven(host: Host, schema: Schema, text: string): SnapshotWish {
  if (text.trim() === '') return {}
  const { class: cls, values } = instanceGiven(host, schema, text, 'CIM_SettingData')
  const isOfMachine = cls.name === 'Msvm_VirtualSystemSettingData'
  if (!isOfMachine && cls.name !== 'Msvm_VirtualSystemSnapshotSettingData') {
    throw new OperationError(Return.invalidParameter, host.texts.invalidValue('SnapshotSettings'), {
      isImmediate: true,
    })
  }
  const name = values.get('ElementName')
  return {
    ...(typeof name === 'string' && name !== '' ? { name } : {}),
    isApplicationConsistent: values.get('ConsistencyLevel') === APPLICATION_CONSISTENT,
    ignoresPhysicalDisks: values.get('IgnoreNonSnapshottableDisks') === true,
  }
}

/** The snapshot that a reference leads to. Throws an immediate OperationError. */
function snapshotGiven(host: Host, { input }: MethodCall, parameter: string): FoundSnapshot {
  const found = findSnapshot(host, keyOf(nameGiven(textGiven(input, parameter)), 'InstanceID') ?? '')
  if (found !== undefined) return found
  throw new OperationError(Return.invalidParameter, host.texts.invalidValue(parameter), { isImmediate: true })
}

interface Join {
  readonly className: string
  readonly pairs: (vm: Vm) => Iterable<Pair>
}

/** Source: ends as the schema declares them; which of them is the machine was observed of the first. */
const JOINS: readonly Join[] = [
  {
    className: 'Msvm_SnapshotOfVirtualSystem',
    pairs: vm => vm.snapshots.map(({ id }): Pair => [nameOfSystem(vm.id), nameOfSettings(id)]),
  },
  {
    className: 'Msvm_MostCurrentSnapshotInBranch',
    pairs: vm => present(vm.lastSnapshot).map((id): Pair => [nameOfSystem(vm.id), nameOfSettings(id)]),
  },
  {
    className: 'Msvm_LastAppliedSnapshot',
    pairs: vm => present(vm.appliedSnapshot).map((id): Pair => [nameOfSettings(id), nameOfSystem(vm.id)]),
  },
  {
    className: 'Msvm_ParentChildSettingData',
    pairs: vm => [
      ...vm.snapshots.flatMap(({ id, parent }) =>
        present(parent).map((own): Pair => [nameOfSettings(own), nameOfSettings(id)]),
      ),
      ...present(vm.lastSnapshot).map((id): Pair => [nameOfSettings(id), nameOfSettings(vm.id)]),
    ],
  },
]

const present = (id: string | undefined): string[] => (id === undefined ? [] : [id])

function associations(host: Host, schema: Schema): Provider {
  const classes = JOINS.map(({ className, pairs }) => [
    className,
    associationOf(host, schema, {
      className,
      ends: ['Antecedent', 'Dependent'],
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
