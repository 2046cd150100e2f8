import type { DomainState } from '../drivers/driver.ts'
import {
  type ErrorNumber,
  VIR_ERR_INTERNAL_ERROR,
  VIR_ERR_OPERATION_INVALID,
  VIR_ERR_SYSTEM_ERROR,
} from './error-numbers.ts'
import { isActiveState } from './remembered.ts'

/** What a domain must be in some state for. */
export type Step =
  | 'create'
  | 'suspend'
  | 'resume'
  | 'shutdown'
  | 'reboot'
  | 'reset'
  | 'destroy'
  | 'managedSave'
  | 'managedSaveRemove'

/** How something is refused: with libvirt's number, and in the words of its driver, which may name the domain. */
export interface Refusal {
  readonly code: ErrorNumber
  readonly text: (name: string) => string
}

/** How the driver of a hypervisor refuses a step to a domain in a state; undefined where it does not. */
export type Refusals = Readonly<Record<Step, (state: DomainState) => Refusal | undefined>>

const isOff = (state: DomainState): boolean => !isActiveState(state)
const isUnlike =
  (wanted: DomainState) =>
  (state: DomainState): boolean =>
    state !== wanted

const says = (text: string, code: ErrorNumber = VIR_ERR_OPERATION_INVALID): Refusal => ({ code, text: () => text })

const named = (text: (name: string) => string): Refusal => ({ code: VIR_ERR_INTERNAL_ERROR, text })

const where =
  (isSo: (state: DomainState) => boolean, refusal: Refusal) =>
  (state: DomainState): Refusal | undefined =>
    isSo(state) ? refusal : undefined

const NOT_RUNNING = says('domain is not running')
const RUNNING = says('domain is already running')

/**
 * As libvirt's driver of QEMU, which pauses one that is paused without a word.
 * Source: libvirt 9.0, src/qemu/qemu_driver.c, qemuDomainSuspend, qemuDomainResume, qemuDomainShutdownFlagsMonitor,
 * qemuDomainReset, qemuDomainManagedSaveRemove and their like.
 */
const OF_QEMU: Refusals = {
  create: where(isActiveState, RUNNING),
  suspend: where(isOff, NOT_RUNNING),
  resume: state => (state === 'running' ? RUNNING : where(isOff, NOT_RUNNING)(state)),
  shutdown: where(isUnlike('running'), NOT_RUNNING),
  reboot: where(isOff, NOT_RUNNING),
  reset: where(isOff, NOT_RUNNING),
  destroy: where(isOff, NOT_RUNNING),
  managedSave: where(isOff, NOT_RUNNING),
  managedSaveRemove: where(
    isUnlike('suspended'),
    says('Failed to remove managed save file: No such file or directory', VIR_ERR_SYSTEM_ERROR),
  ),
}

/**
 * As libvirt's `test` driver; but that shuts down a guest which is paused, and so hears nothing.
 * Source: libvirt 9.0, src/test/test_driver.c, testDomainSuspend, testDomainResume, testDomainShutdownFlags,
 * testDomainCreateWithFlags and their like.
 */
const OF_TEST: Refusals = {
  create: where(
    isActiveState,
    named(name => `Domain '${name}' is already running`),
  ),
  suspend: where(
    isUnlike('running'),
    named(name => `domain '${name}' not running`),
  ),
  resume: where(
    isUnlike('paused'),
    named(name => `domain '${name}' not paused`),
  ),
  shutdown: where(
    isUnlike('running'),
    named(name => `domain '${name}' not running`),
  ),
  reboot: where(isOff, NOT_RUNNING),
  reset: where(isOff, NOT_RUNNING),
  destroy: where(isOff, NOT_RUNNING),
  managedSave: where(isOff, NOT_RUNNING),
  managedSaveRemove: () => undefined, // Source: testDomainManagedSaveRemove, to which it is gone then.
}

const IN_TRANSITION = says('Domain is not active or is in state transition')
const NOT_ACTIVE = says('Domain is not active')

/**
 * As libvirt's driver of Hyper-V.
 * Source: libvirt 9.0, src/hyperv/hyperv_driver.c, hypervRequestStateChange, hypervDomainResume,
 * hypervDomainShutdownFlags, hypervDomainDestroyFlags, hypervDomainManagedSaveRemove and their like.
 */
const OF_HYPERV: Refusals = {
  create: where(isActiveState, says('Domain is already active or is in state transition')),
  suspend: where(isUnlike('running'), NOT_ACTIVE),
  resume: where(isUnlike('paused'), says('Domain is not paused')),
  shutdown: where(isUnlike('running'), says('Domain is not active or in state transition')),
  reboot: where(isUnlike('running'), NOT_ACTIVE),
  reset: where(isUnlike('running'), NOT_ACTIVE),
  destroy: where(isOff, IN_TRANSITION),
  managedSave: where(isOff, IN_TRANSITION),
  managedSaveRemove: where(isUnlike('suspended'), says('Domain has no managed save image')),
}

const KINDS: Readonly<Record<string, Refusals>> = { hyperv: OF_HYPERV, memory: OF_TEST }

/** How a driver refuses what does not fit the state of a domain; one without a counterpart in libvirt as QEMU's. */
export const refusalsOf = (driver: string): Refusals => KINDS[driver] ?? OF_QEMU
