import type { Host } from './host.ts'
import type { Vm } from './model.ts'
import { fractionOf } from './random.ts'
import { memoryOf } from './settings.ts'

// What passes by itself while a machine runs: time, CPU time, memory that comes and goes. All of it is a function of
// the clock, so that nothing has to be kept in step.

/** Milliseconds since the machine was turned on, reset or restored, pauses left out; 0 when it is off or saved. */
export function onTimeOf(host: Host, vm: Vm): number {
  return vm.ranMs + (vm.runningSince === undefined ? 0 : host.clock.now() - vm.runningSince)
}

/** Whether the guest answers the integration services. */
export function guestAnswers(host: Host, vm: Vm): boolean {
  return vm.power === 'running' && vm.guestUpAt !== undefined && host.clock.now() >= vm.guestUpAt
}

/** Heartbeats, as Msvm_HeartbeatComponent.OperationalStatus tells them. Source: the ValueMap of the MOF. */
export const Heartbeat = { ok: 2, noContact: 12, lostCommunication: 13 } as const

/** Undefined where nothing runs that could have one. */
export function heartbeatOf(host: Host, vm: Vm): number | undefined {
  if (vm.processId === undefined) return undefined
  if (guestAnswers(host, vm)) return Heartbeat.ok
  const wasThere = vm.guestUpAt !== undefined && vm.guestUpAt <= (vm.stoodStillAt ?? 0)
  return wasThere ? Heartbeat.lostCommunication : Heartbeat.noContact
}

// The load of a virtual processor swings between a quarter and seven quarters of its mean, once in two minutes or so.
const SWING = 0.75
const PERIOD_MS = 120_000

interface Load {
  readonly mean: number
  readonly periodMs: number
  readonly phase: number
}

/** Load of a virtual processor of a running machine now, from 0 to 1. */
export function loadOf(host: Host, vm: Vm, processor: number): number {
  if (vm.runningSince === undefined) return 0
  const { mean, periodMs, phase } = loadFor(vm, processor)
  return mean * (1 + SWING * Math.sin((2 * Math.PI * host.clock.now()) / periodMs + phase))
}

/** CPU time of each virtual processor since the machine was turned on, in units of 100 ns. It never falls. */
export function cpuTimesOf(host: Host, vm: Vm): bigint[] {
  const { runningSince } = vm
  if (runningSince === undefined) return [...vm.cpuTime]
  const now = host.clock.now()
  return vm.cpuTime.map((before, processor) => {
    const busyMs = busyUntil(vm, processor, now) - busyUntil(vm, processor, runningSince)
    return before + BigInt(Math.max(0, Math.round(busyMs * UNITS_PER_MS)))
  })
}

const UNITS_PER_MS = 10_000

/** The integral of the load up to `at`, less a constant. */
function busyUntil(vm: Vm, processor: number, at: number): number {
  const { mean, periodMs, phase } = loadFor(vm, processor)
  const turn = (2 * Math.PI) / periodMs
  return mean * (at - (SWING / turn) * Math.cos(turn * at + phase))
}

function loadFor(vm: Vm, processor: number): Load {
  const chance = (what: string): number => fractionOf(`${vm.id}\\${processor}\\${what}`)
  // A machine without a guest waits in its firmware for something to boot.
  const scale = vm.guest === 'none' ? 0.05 : 0.4
  return {
    mean: 0.01 + scale * chance('mean') ** 2,
    periodMs: PERIOD_MS * (0.5 + chance('period')),
    phase: 2 * Math.PI * chance('phase'),
  }
}

/** What a machine has and wants of memory, in MB. */
export interface MemoryUse {
  readonly assignedMb: number
  readonly demandMb: number
}

// A guest that boots has what it was started with; dynamic memory follows its demand afterwards.
const SETTLING_MS = 30_000
const MEMORY_PERIOD_MS = 300_000

/** Undefined where the machine has none: it is off or saved. */
export function memoryUseOf(host: Host, vm: Vm): MemoryUse | undefined {
  if (vm.processId === undefined) return undefined
  const memory = memoryOf(vm.configuration)
  const share = 0.3 + 0.5 * fractionOf(`${vm.id}\\memory`)
  if (!memory.isDynamic || onTimeOf(host, vm) < SETTLING_MS) {
    return { assignedMb: memory.startupMb, demandMb: Math.floor(memory.startupMb * share) }
  }
  const wave = (1 + Math.sin((2 * Math.PI * host.clock.now()) / MEMORY_PERIOD_MS + share)) / 2
  // Up to twice what it started with, so that a maximum of a terabyte does not empty the host.
  const most = Math.min(memory.maximumMb, memory.startupMb * 2)
  const demandMb = Math.floor(memory.minimumMb * 0.6 + (most * 0.8 - memory.minimumMb * 0.6) * share * wave)
  const wanted = demandMb * (1 + memory.bufferPercent / 100)
  // Hyper-V deals in pairs of megabytes.
  const assignedMb = Math.min(most, Math.max(memory.minimumMb, Math.ceil(wanted / 2) * 2))
  return { assignedMb, demandMb: Math.max(0, demandMb) }
}

/** Memory that the host keeps for itself. */
function reserveMb(host: Host): number {
  return Math.min(2048, Math.floor(host.state.memoryMb / 8))
}

/** Memory of the host that nothing uses, in MB. */
export function freeMemoryMb(host: Host): number {
  let used = reserveMb(host)
  for (const vm of host.state.vms) used += memoryUseOf(host, vm)?.assignedMb ?? 0
  return Math.max(0, host.state.memoryMb - used)
}
