import { intervalMilliseconds } from '../cim/datetime.ts'
import type { Host } from './host.ts'
import type { Vm } from './model.ts'
import { guestAnswers } from './life.ts'
import { OperationError } from './operation-error.ts'
import { restore, save, turnOff, turnOn } from './power.ts'
import { numberIn, textIn } from './settings.ts'

// What a host does with its machines when it goes down and comes up again.

/** Msvm_VirtualSystemSettingData.AutomaticStartupAction and AutomaticShutdownAction. Source: the ValueMaps of v2. */
const Startup = { restartIfRan: 3, always: 4 } as const
const Shutdown = { turnOff: 2, shutDown: 4 } as const

/**
 * What a host finds when it comes up: no machine runs any more. Those that ran when it went down, orderly or not, are
 * remembered for their automatic start.
 */
export function settleAfterReboot(host: Host): void {
  host.state.bootedAt = host.clock.now()
  // Images are mounted until the host goes down. Source: Microsoft Learn, Mount-VHD.
  host.state.mounted = []
  for (const vm of host.state.vms) {
    delete vm.secondaryStatus
    const wasSaved = vm.power === 'saved'
    if (wasSaved || vm.power === 'off') continue
    // Nobody asked it to go: it ran until the host fell, or had not got far with something else.
    vm.ranAtShutdown = vm.power !== 'stopping'
    turnOff(host, vm)
  }
}

/** Starts the machines that are to start by themselves, each after its own delay. */
export function startAutomatically(host: Host): void {
  for (const vm of host.state.vms) {
    const action = numberIn(vm.configuration.system, 'AutomaticStartupAction')
    const isWanted = action === Startup.always || (action === Startup.restartIfRan && vm.ranAtShutdown)
    vm.ranAtShutdown = false
    if (!isWanted || (vm.power !== 'off' && vm.power !== 'saved')) continue
    const delay = textIn(vm.configuration.system, 'AutomaticStartupActionDelay') ?? ''
    const ms = intervalMilliseconds(delay) ?? 0
    if (ms === 0) startIfPossible(host, vm)
    else host.plan(vm.id, host.takes(ms), () => startIfPossible(host, vm))
  }
  host.touch()
}

/** Does with each running machine what its AutomaticShutdownAction says, at once, as the host goes down. */
export function stopAutomatically(host: Host): void {
  host.close()
  for (const vm of host.state.vms) {
    if (vm.power === 'off' || vm.power === 'saved') continue
    vm.ranAtShutdown = true
    const action = numberIn(vm.configuration.system, 'AutomaticShutdownAction')
    const isLeft = action === Shutdown.turnOff || (action === Shutdown.shutDown && guestAnswers(host, vm))
    // A guest that does not answer is saved. Source: as Hyper-V does when a shutdown is not answered in time.
    if (isLeft) turnOff(host, vm)
    else save(host, vm)
  }
}

/** A host that lacks the memory leaves a machine as it is; nobody is there to be told. */
function startIfPossible(host: Host, vm: Vm): void {
  try {
    if (vm.power === 'saved') restore(host, vm)
    else if (vm.power === 'off') turnOn(host, vm)
  } catch (error) {
    if (!(error instanceof OperationError)) throw error
  }
}
