import { DriverError } from '../drivers/driver.ts'
import { fail } from '../model/errors.ts'
import { host_, network, SR, VBD, VDI, VIF, VM } from '../model/index.ts'
import { ApiError } from '../model/kernel/error.ts'
import type { Operation } from '../model/kernel/operations.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { ReferenceInUse, ReferenceUnknown, type Store, StoreFailure } from '../store/store.ts'
import { LockBusy } from './locks.ts'

/** Throws VM_BAD_POWER_STATE unless the VM is in a state that the operation allows. */
export function checkPowerState(store: Store, operation: Operation, ref: string): void {
  const { allowedIn } = operation
  if (allowedIn === undefined) return
  const actual = store.get(VM, ref)?.power_state
  if (actual === undefined) throw fail('HANDLE_INVALID', { class: 'VM', handle: ref })
  if (!allowedIn.includes(actual)) throw fail('VM_BAD_POWER_STATE', { vm: ref, expected: allowedIn.join(', '), actual })
}

/** An object by class and reference. */
export interface ObjectName {
  readonly class: string
  readonly ref: string
}

/** What turning an error into the client's error needs to know. */
export interface ErrorSite {
  readonly operation: Operation
  /** The objects that the call names, the one it is about first. */
  readonly objects: readonly ObjectName[]
  readonly store: Store
}

/**
 * The one place where a failure from below becomes a client's failure. Answers undefined for a bug of ours, which is
 * for the caller to log.
 */
export function toApiError(error: unknown, site: ErrorSite): ApiError | undefined {
  const options = { cause: error }
  if (error instanceof ApiError) return error
  if (error instanceof DriverError) return fromDriver(error, site)
  if (error instanceof StoreFailure) return fail('STORE_FAILED', { reason: error.message }, options)
  if (error instanceof ReferenceUnknown) {
    return fail('HANDLE_INVALID', { class: error.class, handle: error.ref }, options)
  }
  if (error instanceof ReferenceInUse) {
    const users = error.users.map(user => `${user.class}:${user.ref}`).join(',')
    return fail('OBJECT_IN_USE', { class: error.class, object: error.ref, users }, options)
  }
  if (error instanceof LockBusy) {
    const { class: of, name } = site.operation
    return fail(
      'OTHER_OPERATION_IN_PROGRESS',
      { class: of.name, object: site.objects[0]?.ref ?? '', operation_type: name, operation_ref: '' },
      options,
    )
  }
  return undefined
}

/** A driver that finds a VM in the wrong state has overtaken our record of it, which has been read back since. */
function fromDriver(error: DriverError, { operation, objects, store }: ErrorSite): ApiError {
  const options = { cause: error }
  const self = objects[0]?.ref ?? ''
  const { allowedIn } = operation
  const actual = allowedIn === undefined ? undefined : store.get(VM, self)?.power_state
  if (error.kind === 'bad-state' && actual !== undefined && allowedIn?.includes(actual) === false) {
    return fail('VM_BAD_POWER_STATE', { vm: self, expected: allowedIn.join(', '), actual }, options)
  }
  const named = objects.map(object => hostOf(store, object)).find(ref => ref !== NULL_REF)
  // What is being connected is none of those that are known.
  const host = named ?? (operation.name === 'host.add' ? undefined : onlyHost(store)) ?? NULL_REF
  if (error.kind === 'unreachable' && host !== NULL_REF) return fail('HOST_OFFLINE', { host }, options)
  const driver = store.get(host_, host)?.software_version.get('driver') ?? 'unknown'
  return fail('DRIVER_FAILED', { driver, operation: operation.name, reason: error.message }, options)
}

/** The host of what is being made and has none yet, where there is no choice. */
function onlyHost(store: Store): string | undefined {
  const [host, ...others] = store.all(host_)
  return others.length === 0 ? host : undefined
}

/** The host that an object lives on; null where it lives on none. */
function hostOf(store: Store, { class: of, ref }: ObjectName): string {
  switch (of) {
    case 'host':
      return ref
    case 'VM':
      return store.get(VM, ref)?.affinity ?? NULL_REF
    case 'VBD':
      return store.get(VM, store.get(VBD, ref)?.VM ?? NULL_REF)?.affinity ?? NULL_REF
    case 'VIF':
      return store.get(VM, store.get(VIF, ref)?.VM ?? NULL_REF)?.affinity ?? NULL_REF
    case 'SR':
      return store.get(SR, ref)?.host ?? NULL_REF
    case 'network':
      return store.get(network, ref)?.host ?? NULL_REF
    case 'VDI':
      return store.get(SR, store.get(VDI, ref)?.SR ?? NULL_REF)?.host ?? NULL_REF
    default:
      return NULL_REF
  }
}
