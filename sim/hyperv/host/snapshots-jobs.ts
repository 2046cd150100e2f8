import type { MethodResult, ObjectName } from '../cim/provider.ts'
import { watchOf } from '../storage/image-jobs.ts'
import { answer, type Operation, type Output } from './answer.ts'
import { destroySystem, requireDestroyable } from './definition.ts'
import type { Host } from './host.ts'
import { Effect } from './jobs.ts'
import type { Vm } from './model.ts'
import { nameOfSettings, nameOfSystem } from './names.ts'
import { memoryOf, nameOfVm } from './settings.ts'
import {
  applySnapshot,
  clearSnapshotState,
  createSnapshot,
  destroySnapshots,
  type FoundSnapshot,
  requireIdle,
  requireStopped,
  type SnapshotWish,
} from './snapshots.ts'
import { disksOf } from './snapshots-disks.ts'

/** Who asks a service for something with a snapshot, and where the answer goes. */
export interface SnapshotCall {
  /** `root\virtualization\v2`. */
  readonly namespace: string
  /** As Windows prints it: `HOST\Administrator`. */
  readonly owner: string
  readonly service: ObjectName
}

/** JobType. Source: the ValueMap of Msvm_ConcreteJob.JobType. */
const JobType = { create: 70, apply: 71, destroy: 72, clearState: 73 } as const

/** Msvm_ComputerSystem.OperationalStatus[1], while it is done. Source: the ValueMap of the MOF. */
const Status = { creating: 32768, applying: 32769, deleting: 32770, merging: 32772 } as const

const NEVER = new AbortController().signal

/** Takes a snapshot by a job, as hosts do. `made` gives the output that an answer without a job has. */
export function startSnapshot(
  host: Host,
  vm: Vm,
  wish: SnapshotWish,
  call: SnapshotCall,
  made: (id: string) => Output,
): Promise<MethodResult> {
  const isRunning = vm.power === 'running' || vm.power === 'paused'
  return answer(host, {
    ...operation(host, vm, call, {
      type: JobType.create,
      status: Status.creating,
      // Memory goes to disk at a gigabyte a second.
      durationMs: 500 + (isRunning ? memoryOf(vm.configuration).startupMb : 0),
    }),
    work: run =>
      finishing(host, vm, async () => {
        const { id } = await createSnapshot(host, vm, wish)
        run.affects(nameOfSettings(id), Effect.create)
        return made(id)
      }),
  })
}

/** Applies a snapshot by a job; the machine must not run. */
export function startApply(host: Host, found: FoundSnapshot, call: SnapshotCall): Promise<MethodResult> {
  const { vm, snapshot } = found
  const common = operation(host, vm, call, { type: JobType.apply, status: Status.applying, durationMs: 500 })
  return answer(host, {
    ...common,
    check() {
      requireIdle(host, vm)
      requireStopped(host, vm)
    },
    work: run =>
      finishing(host, vm, () => {
        run.affects(nameOfSettings(snapshot.id), Effect.other)
        return applySnapshot(host, found, watchOf(run))
      }),
  })
}

/** Destroys a snapshot, or all of its tree, by a job that merges their disks. */
export function startDestroy(
  host: Host,
  found: FoundSnapshot,
  scope: 'one' | 'tree',
  call: SnapshotCall,
): Promise<MethodResult> {
  const { vm, snapshot } = found
  const status = disksOf(snapshot.configuration).length === 0 ? Status.deleting : Status.merging
  return answer(host, {
    ...operation(host, vm, call, { type: JobType.destroy, status, durationMs: 1_000 }),
    work: run => finishing(host, vm, () => destroySnapshots(host, found, scope, watchOf(run))),
  })
}

/** Forgets the memory in a snapshot, by a job. */
export function startClearing(host: Host, found: FoundSnapshot, call: SnapshotCall): Promise<MethodResult> {
  const { vm } = found
  return answer(host, {
    ...operation(host, vm, call, { type: JobType.clearState, status: Status.deleting, durationMs: 300 }),
    work: () => finishing(host, vm, async () => clearSnapshotState(host, found)),
  })
}

/**
 * Takes a machine from the host with all of its snapshots, whose disks are merged: of each of its disks, one file is left.
 * Rejects with OperationError where it may not be destroyed.
 */
export async function destroyWithSnapshots(host: Host, vm: Vm): Promise<void> {
  requireDestroyable(host, vm)
  const watch = { signal: NEVER, progress: () => undefined }
  for (let root = vm.snapshots[0]; root !== undefined; root = vm.snapshots[0]) {
    await destroySnapshots(host, { vm, snapshot: root }, 'tree', watch)
  }
  destroySystem(host, vm)
}

function operation(
  host: Host,
  vm: Vm,
  { namespace, owner, service }: SnapshotCall,
  what: { readonly type: number; readonly status: number; readonly durationMs: number },
): Omit<Operation, 'work'> {
  return {
    namespace,
    usually: 'job',
    job: {
      type: what.type,
      target: nameOfVm(vm),
      owner,
      durationMs: what.durationMs,
      service,
      affected: [{ name: nameOfSystem(vm.id), effects: [Effect.unknown] }],
      undo: () => settle(host, vm),
    },
    check: () => requireIdle(host, vm),
    begin() {
      vm.secondaryStatus = what.status
      host.touch()
    },
  }
}

async function finishing<T>(host: Host, vm: Vm, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } finally {
    settle(host, vm)
  }
}

function settle(host: Host, vm: Vm): void {
  delete vm.secondaryStatus
  host.touch()
}
