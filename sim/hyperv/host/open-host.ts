import { settleAfterReboot, startAutomatically, stopAutomatically } from './boot.ts'
import type { Faults } from '../faults/plan.ts'
import { type Clock, systemClock } from './clock.ts'
import { Host } from './host.ts'
import type { HostState, Vm } from './model.ts'
import { type NewHost, newState } from './new-state.ts'
import { readState, type StateError, StateFile } from './persistence.ts'
import { type Random, randomOf } from './random.ts'
import { addSampleMachines } from './samples.ts'
import type { Locale } from './texts.ts'

export interface OpenHost extends NewHost {
  /** How many sample machines a new host has; a host that is loaded has its own. */
  readonly vms?: number
  /** The same seed gives the same new host. */
  readonly seed?: string
  /** Where the state is kept; loaded from there where it is. */
  readonly stateFile?: string
  /** Told of a write of the state that failed; the next change tries again. */
  readonly onStateError?: (error: StateError) => void
  readonly clock?: Clock
  readonly faults?: Faults
  readonly locale?: Locale
  readonly isStrict?: boolean
  readonly pace?: number
  readonly guest?: Vm['guest']
  readonly folder?: string
}

/** A host that is up. */
export interface OpenedHost {
  readonly host: Host
  /**
   * Goes down: each running machine as its AutomaticShutdownAction says, and the state into its file. Rejects with
   * StateError. Calling it twice is harmless.
   */
  readonly close: () => Promise<void>
}

/**
 * Brings a host up: that of the state file, rebooted, or a new one. Rejects with StateError where the file is there and
 * cannot be used.
 */
export async function openHost(options: OpenHost): Promise<OpenedHost> {
  const clock = options.clock ?? systemClock
  const loaded = options.stateFile === undefined ? undefined : await readState(options.stateFile)
  const random = chance(options.seed, loaded)
  const state = loaded ?? newState(options, random, clock.now())
  let file: StateFile | undefined
  const host = new Host(state, { ...surroundings(options), clock, random, onChange: () => file?.touch() })
  if (loaded === undefined) addSampleMachines(host, options.vms ?? 0)
  else settleAfterReboot(host)
  if (options.stateFile !== undefined) {
    file = new StateFile(options.stateFile, state, options.onStateError ?? (() => undefined))
    await file.flush()
  }
  if (loaded !== undefined) startAutomatically(host)
  return { host, close: closing(host, () => file) }
}

function closing(host: Host, file: () => StateFile | undefined): () => Promise<void> {
  let isUp = true
  return async () => {
    if (isUp) stopAutomatically(host)
    isUp = false
    await file()?.flush()
  }
}

/** A host that is loaded must not make the GUIDs again that it made before. */
function chance(seed: string | undefined, loaded: HostState | undefined): Random {
  if (seed === undefined || loaded === undefined) return randomOf(seed)
  return randomOf(`${seed} after ${loaded.bootedAt}, ${loaded.nextProcessId}, ${loaded.vms.length}`)
}

function surroundings({ faults, locale, isStrict, pace, guest, folder }: OpenHost) {
  return {
    ...(faults === undefined ? {} : { faults }),
    ...(locale === undefined ? {} : { locale }),
    ...(isStrict === undefined ? {} : { isStrict }),
    ...(pace === undefined ? {} : { pace }),
    ...(guest === undefined ? {} : { guest }),
    ...(folder === undefined ? {} : { folder }),
  }
}
