import { bootArguments } from './command-line/boot.ts'
import { commandLine, type StartConditions } from './command-line/index.ts'
import type { Definition } from './definition.ts'
import { takeFromGuest, type TakenBoot } from './guest-disk/index.ts'
import { forgetInterruption } from './interruption.ts'
import { launch } from './launch.ts'
import type { DomainFiles } from './layout.ts'
import type { Machine } from './machine.ts'
import { conditionsFor, startCompanions, stopCompanions } from './preparation.ts'
import type { ProcessIdentity } from './process.ts'
import type { RunningRecord } from './running.ts'
import type { Surroundings } from './surroundings.ts'

/** What a QEMU is brought up with. */
export interface BringUp {
  readonly surroundings: Surroundings
  readonly files: DomainFiles
  readonly definition: Definition
  readonly conditions: Pick<StartConditions, 'isPaused' | 'isIncoming'>
  readonly signal: AbortSignal | undefined
  readonly running: RunningRecord
  readonly toMachine: (process: ProcessIdentity) => Machine
  /** What is to be done with it first. */
  readonly prepare: (machine: Machine) => Promise<void>
}

/**
 * Starts a QEMU and prepares it. Resolves with undefined where the guest has ended before QEMU was reached; where the
 * preparation fails, QEMU is ended.
 */
export async function bringUp(wanted: BringUp): Promise<Machine | undefined> {
  const { surroundings, files, definition, conditions, signal, running, toMachine, prepare } = wanted
  const args = commandLine(definition, await conditionsFor(definition, { ...surroundings, files }, conditions))
  let taken: TakenBoot | undefined
  let machine: Machine | undefined
  try {
    taken = await takeFromGuest(definition.config, files.folder, signal)
    if (taken !== undefined) args.push(...bootArguments(taken.boot))
    await forgetInterruption(files)
    await running.begin(definition)
    await startCompanions(definition, files)
    const program = surroundings.installation.qemu
    const started = await launch({ program, arguments: args, files, signal, toMachine })
    machine = started
    if (started !== undefined) await orEnd(started, () => prepare(started))
    return started
  } finally {
    await taken?.discard()
    if (machine === undefined) await stopCompanions(definition, files)
  }
}

async function orEnd(machine: Machine, operation: () => Promise<void>): Promise<void> {
  try {
    await operation()
  } catch (error) {
    await machine.end()
    throw error
  }
}
