import type { CimValue } from '../cim/model.ts'
import { defineSystem } from './definition.ts'
import type { Host } from './host.ts'
import type { Vm } from './model.ts'
import { turnOn } from './power.ts'
import { fractionOf } from './random.ts'
import { freeMemoryMb } from './life.ts'
import { memoryOf, resourceOf } from './settings.ts'

const DAY_MS = 86_400_000
const GUESTS = ['windows', 'linux', 'windows', 'none'] as const
const MEMORIES_MB = [512, 1024, 2048, 4096]

/**
 * Adds `count` machines that might be anybody's: `vm-0001` and so on, of both generations, every other one running as
 * long as they leave half of the memory free. The host's chance decides what they are like, so that one seed gives one set of machines.
 */
export function addSampleMachines(host: Host, count: number): void {
  let freeMb = freeMemoryMb(host) / 2
  for (let number = 1; number <= count; number++) {
    const vm = defineSample(host, number)
    const { startupMb } = memoryOf(vm.configuration)
    const isToRun = number % 2 === 1 && startupMb <= freeMb
    if (!isToRun) continue
    freeMb -= startupMb
    runSince(host, vm, host.random.integer(1, 30) * DAY_MS)
  }
}

function defineSample(host: Host, number: number): Vm {
  const { random, state, clock } = host
  const isUefi = state.build >= 9600 && number % 3 === 0
  const settings = new Map<string, CimValue>([
    ['ElementName', `vm-${String(number).padStart(4, '0')}`],
    ['Notes', [`Sample machine ${number}`]],
    ['AutomaticStartupAction', [2, 3, 4][number % 3] ?? 3],
  ])
  if (isUefi) settings.set('VirtualSystemSubType', 'Microsoft:Hyper-V:SubType:2')
  const vm = defineSystem(host, { settings, guest: GUESTS[number % GUESTS.length] ?? 'none' })
  const age = random.integer(31, 400) * DAY_MS
  vm.installedAt = clock.now() - age
  vm.configuredAt = vm.installedAt
  setQuantity(vm, 'Msvm_MemorySettingData', MEMORIES_MB[random.integer(0, MEMORIES_MB.length - 1)] ?? 1024)
  const cpus = state.sockets * state.coresPerSocket * state.threadsPerCore
  setQuantity(vm, 'Msvm_ProcessorSettingData', Math.min(cpus, random.integer(1, 4)))
  return vm
}

function setQuantity(vm: Vm, className: string, quantity: number): void {
  const settings = resourceOf(vm.configuration, className)
  if (settings !== undefined) settings.values['VirtualQuantity'] = BigInt(quantity)
}

/** Turns a machine on as if it had been `ms` ago; its guest is up, if it has one, and has used its processors. */
function runSince(host: Host, vm: Vm, ms: number): void {
  turnOn(host, vm)
  vm.ranMs = ms
  vm.stateChangedAt = host.clock.now() - ms
  if (vm.guestUpAt !== undefined) vm.guestUpAt -= ms
  const units = BigInt(ms) * 10_000n
  vm.cpuTime = vm.cpuTime.map((_none, processor) => {
    const percent = 1 + Math.floor(20 * fractionOf(`${vm.id}\\${processor}\\sample`))
    return (units * BigInt(percent)) / 100n
  })
}
