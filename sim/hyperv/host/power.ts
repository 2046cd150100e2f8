import type { MethodResult } from '../cim/provider.ts'
import { answer } from './answer.ts'
import type { Host } from './host.ts'
import { Effect } from './jobs.ts'
import { cpuTimesOf, freeMemoryMb, guestAnswers, onTimeOf } from './life.ts'
import type { PowerState, Vm } from './model.ts'
import { nameOfManagement, nameOfSystem } from './names.ts'
import { OperationError, Return } from './operation-error.ts'
import { assignAddresses } from './resources-addresses.ts'
import { checkChainsForStart, checkImagesForStart } from './resources-images.ts'
import { memoryOf, nameOfVm, processorsOf } from './settings.ts'

/** What can be asked of a machine's power. A face says which of its codes means which. */
export type PowerRequest = 'run' | 'turn-off' | 'shut-down' | 'save' | 'pause' | 'reboot' | 'reset'

/** Who asks, and where the answer goes. */
export interface PowerCall {
  /** The namespace that is asked: `root\virtualization\v2`. */
  readonly namespace: string
  /** As Windows prints it: `HOST\Administrator`. */
  readonly owner: string
}

interface Transition {
  /** What the machine shows on the way. */
  readonly via: PowerState
  /** Msvm_ConcreteJob.JobType. */
  readonly jobType: number
  /** How long it takes on a real host, near enough. */
  readonly ms: (vm: Vm) => number
  readonly arrive: (host: Host, vm: Vm) => void
}

/** JobType of what changes a machine's power. Source: the ValueMap of Msvm_ConcreteJob.JobType. */
const JobType = {
  start: 12,
  turnOff: 13,
  save: 14,
  restore: 15,
  shutDown: 16,
  pause: 26,
  resume: 27,
  reset: 28,
  reboot: 29,
}

const always = (ms: number) => (): number => ms
/** Memory goes to disk and back at a gigabyte a second. */
const byMemory = (vm: Vm): number => 300 + memoryOf(vm.configuration).startupMb

const START: Transition = { via: 'starting', jobType: JobType.start, ms: always(800), arrive: turnOn }
const RESTORE: Transition = { via: 'starting', jobType: JobType.restore, ms: byMemory, arrive: restore }
const RESUME: Transition = { via: 'resuming', jobType: JobType.resume, ms: always(200), arrive: resume }
const TURN_OFF: Transition = { via: 'stopping', jobType: JobType.turnOff, ms: always(400), arrive: turnOff }
const SAVE: Transition = { via: 'saving', jobType: JobType.save, ms: byMemory, arrive: save }
const PAUSE: Transition = { via: 'pausing', jobType: JobType.pause, ms: always(200), arrive: pause }
const RESET: Transition = { via: 'starting', jobType: JobType.reset, ms: always(300), arrive: startAnew }
const REBOOT: Transition = { via: 'stopping', jobType: JobType.reboot, ms: always(600), arrive: startAnew }
const SHUT_DOWN: Transition = {
  via: 'stopping',
  jobType: JobType.shutDown,
  ms: vm => leavingMs(vm),
  arrive: turnOff,
}

/**
 * What is possible from where; anything else is an invalid state, the state that the machine has included.
 * Source: Microsoft Learn, RequestStateChange of Msvm_ComputerSystem; docs/doubts.md has what it leaves open.
 */
const TRANSITIONS: Readonly<Record<PowerRequest, Readonly<Partial<Record<PowerState, Transition>>>>> = {
  run: { off: START, saved: RESTORE, paused: RESUME },
  'turn-off': { running: TURN_OFF, paused: TURN_OFF, saved: TURN_OFF },
  'shut-down': { running: SHUT_DOWN },
  save: { running: SAVE, paused: SAVE },
  pause: { running: PAUSE },
  reboot: { running: REBOOT, paused: REBOOT, off: START, saved: RESTORE },
  reset: { running: RESET, paused: RESET },
}

/** Changes the power of a machine by a job, as hosts do: the answer is 4096, or the code of a refusal. */
export function changeState(host: Host, vm: Vm, request: PowerRequest, call: PowerCall): Promise<MethodResult> {
  const from = vm.power
  const transition = TRANSITIONS[request][from]
  const via = transition?.via ?? from
  return answer(host, {
    namespace: call.namespace,
    usually: 'job',
    check() {
      if (transition === undefined) throw invalidState(host, vm)
      if (request === 'shut-down') requireGuest(host, vm)
    },
    job: {
      type: transition?.jobType ?? 0,
      target: nameOfVm(vm),
      owner: call.owner,
      durationMs: transition?.ms(vm) ?? 0,
      service: nameOfManagement(host),
      affected: [{ name: nameOfSystem(vm.id), effects: [Effect.unknown] }],
      undo() {
        if (vm.power === via) enter(host, vm, from)
      },
    },
    begin: () => enter(host, vm, via),
    async work() {
      if (via === 'starting' && vm.processId === undefined) await checkChainsForStart(host, vm)
      transition?.arrive(host, vm)
    },
  })
}

/** Starts a machine at once, as a host does for itself: with memory, a process and a guest that boots. */
export function turnOn(host: Host, vm: Vm): void {
  checkImagesForStart(host, vm)
  takeMemory(host, vm)
  assignAddresses(host, vm)
  host.cancelPlan(vm.id)
  const { random, state, clock } = host
  vm.processId = state.nextProcessId
  // Windows numbers its processes in fours.
  state.nextProcessId += 4 * random.integer(1, 40)
  vm.cpuTime = Array.from({ length: processorsOf(vm.configuration) }, () => 0n)
  vm.ranMs = 0
  vm.runningSince = clock.now()
  boot(host, vm)
  enter(host, vm, 'running')
}

/** Turns a machine off at once, whatever it was: nothing of its memory is left. */
export function turnOff(host: Host, vm: Vm): void {
  vacate(host, vm)
  delete vm.guestUpAt
  delete vm.stoodStillAt
  enter(host, vm, 'off')
}

/** Saves a machine at once: its memory lasts, its process does not. */
export function save(host: Host, vm: Vm): void {
  vm.stoodStillAt ??= host.clock.now()
  vacate(host, vm)
  enter(host, vm, 'saved')
}

/** Goes on with a machine whose memory was saved; its time since the start begins again. */
export function restore(host: Host, vm: Vm): void {
  const upAt = vm.guestUpAt
  turnOn(host, vm)
  delete vm.guestUpAt
  if (upAt !== undefined) vm.guestUpAt = upAt
  goOn(host, vm)
}

/**
 * Asks the guest to leave by itself, as the shutdown service does: it is gone some seconds later.
 * Refused where no guest answers, or where it is leaving already.
 */
export function askGuest(host: Host, vm: Vm, what: 'shut-down' | 'reboot'): void {
  requireGuest(host, vm)
  if (host.hasPlan(vm.id)) throw new OperationError(Return.invalidState, 'The guest is shutting down.')
  const { processId, guestUpAt } = vm
  host.plan(vm.id, host.takes(leavingMs(vm)), () => {
    // Whatever happened meanwhile, it was not this guest.
    if (vm.processId !== processId || vm.guestUpAt !== guestUpAt || vm.power !== 'running') return
    if (what === 'reboot') startAnew(host, vm)
    else turnOff(host, vm)
  })
}

const leavingMs = (vm: Vm): number => (vm.guest === 'windows' ? 3_000 : 1_500)
const bootMs = (vm: Vm): number => (vm.guest === 'windows' ? 8_000 : 4_000)

function boot(host: Host, vm: Vm): void {
  delete vm.guestUpAt
  if (vm.guest !== 'none') vm.guestUpAt = host.clock.now() + host.takes(bootMs(vm))
}

function pause(host: Host, vm: Vm): void {
  stopClock(host, vm)
  vm.stoodStillAt = host.clock.now()
  enter(host, vm, 'paused')
}

function resume(host: Host, vm: Vm): void {
  goOn(host, vm)
  vm.runningSince = host.clock.now()
  enter(host, vm, 'running')
}

function startAnew(host: Host, vm: Vm): void {
  host.cancelPlan(vm.id)
  stopClock(host, vm)
  vm.ranMs = 0
  vm.runningSince = host.clock.now()
  vm.pressedKeys = []
  delete vm.stoodStillAt
  boot(host, vm)
  enter(host, vm, 'running')
}

/** A guest that was still booting when its time stood still has as much of it before it as then. */
function goOn(host: Host, vm: Vm): void {
  const now = host.clock.now()
  const { guestUpAt, stoodStillAt = now } = vm
  if (guestUpAt !== undefined) vm.guestUpAt = Math.max(now, guestUpAt + (now - stoodStillAt))
  delete vm.stoodStillAt
}

function stopClock(host: Host, vm: Vm): void {
  vm.cpuTime = cpuTimesOf(host, vm)
  vm.ranMs = onTimeOf(host, vm)
  delete vm.runningSince
}

function vacate(host: Host, vm: Vm): void {
  host.cancelPlan(vm.id)
  delete vm.runningSince
  delete vm.processId
  vm.ranMs = 0
  vm.cpuTime = []
  vm.pressedKeys = []
}

function enter(host: Host, vm: Vm, power: PowerState): void {
  vm.power = power
  vm.stateChangedAt = host.clock.now()
  host.touch()
}

function takeMemory(host: Host, vm: Vm): void {
  const { startupMb } = memoryOf(vm.configuration)
  if (startupMb <= freeMemoryMb(host)) return
  throw new OperationError(NOT_ENOUGH_MEMORY, host.texts.notEnoughMemory(nameOfVm(vm), vm.id, startupMb))
}

/** ErrorCode of a job that found no memory; it is in no list. Source: as users quote it, crc-org/crc#4648. */
const NOT_ENOUGH_MEMORY = 32788

function requireGuest(host: Host, vm: Vm): void {
  if (!guestAnswers(host, vm)) throw invalidState(host, vm)
}

function invalidState(host: Host, vm: Vm): OperationError {
  return new OperationError(Return.invalidState, host.texts.invalidState(nameOfVm(vm), vm.id), { isImmediate: true })
}
