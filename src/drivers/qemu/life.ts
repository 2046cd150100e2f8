import { type DomainEvent, type DomainId, DriverError, type OperationOptions } from '../driver.ts'
import { type BringUp, bringUp } from './bring-up.ts'
import { cablesOf, livingCablesOf } from './cables.ts'
import type { Definition } from './definition.ts'
import { type ExitKeeper, isGone, isOrdinary } from './exit-keeper.ts'
import { removeRuntimeFiles } from './folder.ts'
import type { GuestTools } from './guest-tools.ts'
import type { ImageUse } from './image-use.ts'
import { keysOf, lookAtFiles } from './images.ts'
import type { DomainFiles } from './layout.ts'
import { Machine } from './machine.ts'
import type { BringBackOptions, MemorySource } from './memory-source.ts'
import { isHeldForSetUp, setUp, takeUpShare, watchClock } from './preparation.ts'
import { findByPidFile, type ProcessIdentity } from './process.ts'
import { assertLedTo } from './run-state.ts'
import type { RunningRecord } from './running.ts'
import { watchForSignals } from './signal-watch.ts'
import type { Surroundings } from './surroundings.ts'
import { witnessOf } from './witness.ts'

/** What of a domain the life of its QEMU has to do with. */
export interface LifeParts {
  readonly id: DomainId
  readonly files: DomainFiles
  readonly surroundings: Surroundings
  /** The stored definition; undefined of a domain that has none. */
  readonly definition: () => Definition | undefined
  readonly running: RunningRecord
  readonly images: ImageUse
  readonly exits: ExitKeeper
  readonly tools: GuestTools
  readonly tell: (kind: DomainEvent['kind']) => void
  /** Does something in its turn among all operations, whether or not others fail. */
  readonly inTurn: (operation: () => Promise<void>) => Promise<void>
}

/** The QEMU of a domain: how it comes up, is taken over, and goes. Its caller sees to the order of operations. */
export class Life {
  readonly #id: DomainId
  readonly #files: DomainFiles
  readonly #surroundings: Surroundings
  readonly #running: RunningRecord
  readonly #images: ImageUse
  readonly #exits: ExitKeeper
  readonly #parts: LifeParts
  #machine: Machine | undefined
  /** What is to be done with a QEMU that was found, once it is reached. */
  #unfinished: ((machine: Machine) => Promise<void>) | undefined
  #isDetached = false

  constructor(parts: LifeParts) {
    const { id, files, surroundings, running, images, exits } = parts
    this.#id = id
    this.#files = files
    this.#surroundings = surroundings
    this.#running = running
    this.#images = images
    this.#exits = exits
    this.#parts = parts
  }

  /** The QEMU that runs the domain; undefined of one that is halted. */
  get machine(): Machine | undefined {
    return this.#machine
  }

  get isDetached(): boolean {
    return this.#isDetached
  }

  /** Starts a halted domain. A failure leaves it halted. */
  async start(
    definition: Definition,
    { paused: isPaused = false, signal }: OperationOptions & { readonly paused?: boolean },
  ): Promise<void> {
    const isHeld = isPaused || isHeldForSetUp(definition)
    await this.#launch(definition, { isPaused: isHeld }, signal, async machine => {
      this.#machine = machine
      await this.#setUp(machine, definition)
      if (isHeld && !isPaused) await machine.command('cont')
    })
  }

  /** Lets a halted or suspended domain go on from memory that was saved. A failure leaves it as it was, and no QEMU. */
  async bringBack(source: MemorySource, { paused: isPaused = false, ...options }: BringBackOptions): Promise<void> {
    const { signal } = options
    if (signal?.aborted === true) throw new DriverError('refused', `the resume of domain ${this.#id} was aborted`)
    const { definition } = source
    await source.begin()
    try {
      await this.#launch(definition, { isPaused: true, isIncoming: true }, signal, async machine => {
        await source.restore(machine, options)
        await this.#setUp(machine, definition)
        await this.#exits.apply(machine)
        await source.consume(async () => {
          this.#machine = machine
          if (!isPaused) assertLedTo('running', await machine.command('cont').catch(this.#disown))
        })
      })
    } finally {
      if (this.#machine === undefined) await source.giveUp()
    }
  }

  async #setUp(machine: Machine, definition: Definition): Promise<void> {
    await setUp(machine, definition, { ...this.#surroundings, files: this.#files })
    // Again, since only now there is somebody at the guest's end.
    await this.#plugIn(definition)
  }

  /** A machine that does not go on is not the domain's. */
  readonly #disown = (error: unknown): never => {
    this.#machine = undefined
    throw error
  }

  #plugIn(definition: Definition): Promise<void> {
    return this.#surroundings.networks.plug(this.#id, cablesOf(definition, this.#files))
  }

  /**
   * Starts QEMU and does with it what is to be done first. Where that fails it is ended; where the guest has ended by
   * then, there is nothing to be done.
   */
  async #launch(
    definition: Definition,
    conditions: BringUp['conditions'],
    signal: AbortSignal | undefined,
    prepare: BringUp['prepare'],
  ): Promise<void> {
    this.#images.opens(lookAtFiles(definition.config))
    try {
      const toMachine = (process: ProcessIdentity) => this.#newMachine(process, 'closed')
      await this.#plugIn(definition)
      const mine = { surroundings: this.#surroundings, files: this.#files, running: this.#running, toMachine }
      const machine = await bringUp({ ...mine, definition, conditions, signal, prepare })
      if (this.#isDetached) machine?.detach()
    } finally {
      this.#images.opened()
      if (this.#machine === undefined) await this.#leaveHalted()
    }
  }

  /** Takes over a QEMU that was found running; where it does not answer, goes on trying. */
  async adopt(
    process: ProcessIdentity,
    definition: Definition,
    unfinished: (machine: Machine) => Promise<void>,
  ): Promise<void> {
    this.#unfinished = unfinished
    const ADOPTION = { timeoutMs: 15_000, greetingMs: 4_000 }
    await this.#running.load()
    const machine = this.#newMachine(process, 'unknown')
    this.#machine = machine
    this.#surroundings.networks.adopt(this.#id, livingCablesOf(this.#running.definition ?? definition, this.#files))
    // It may have been started only now.
    this.#images.opens(keysOf(definition.config.disks.map(disk => disk.location)))
    try {
      await machine.attach(ADOPTION)
      this.#images.opened()
    } catch (error) {
      if (!(error instanceof DriverError)) throw error
      this.#surroundings.warn(`QEMU of domain ${this.#id} lives and cannot be reached: ${error.message}`)
      return machine.keepTrying()
    }
    try {
      await this.#takeOver(machine)
    } catch (error) {
      if (!isOrdinary(error)) throw error
      if (!isGone(error)) this.#surroundings.warn(`domain ${this.#id}: ${error.message}`)
    }
  }

  /** `port` is that of the guest's agent. */
  #newMachine(process: ProcessIdentity, port: 'closed' | 'unknown'): Machine {
    const witness = witnessOf({
      mine: () => (this.#machine === machine ? machine : undefined),
      tell: kind => this.#parts.tell(kind),
      warn: message => this.#surroundings.warn(message),
      keeper: this.#exits,
      exits: () => this.#parts.definition()?.config.exits,
      afterwards: operation => this.#afterwards(machine, operation),
      takeOver: reached => this.#takeOver(reached),
      ended: () => {
        this.#surroundings.networks.pull(this.#id)
        this.#machine = undefined
        this.#images.opened()
        this.#parts.tools.forget()
        this.releaseShare()
      },
    })
    const machine: Machine = new Machine(this.#id, this.#files, process, witness)
    const keepsClock = () =>
      this.#machine === machine && this.#parts.definition()?.config.platform?.keepClockOffset === true
    watchClock(machine, this.#files, keepsClock, this.#surroundings.warn)
    watchForSignals(machine, this.#files, this.#surroundings.warn)
    this.#surroundings.agents.follow(this.#id, machine, port)
    return machine
  }

  /** Does what follows from an event of QEMU's, in its turn. Of each machine there are never more than a few. */
  #afterwards(machine: Machine, operation: () => Promise<void>): void {
    const work = this.#parts.inTurn(async () => {
      if (!this.#isDetached && this.#machine === machine) await operation()
    })
    work.catch((error: unknown) => {
      if (!isGone(error)) this.#surroundings.warn(`domain ${this.#id}: ${String(error)}`)
    })
  }

  /** What a machine that was started by an earlier connection is still owed. */
  async #takeOver(machine: Machine): Promise<void> {
    await this.#unfinished?.(machine)
    this.#unfinished = undefined
    const { scheduler, warn } = this.#surroundings
    const definition = this.#parts.definition()
    if (definition !== undefined) await takeUpShare(machine, definition.config, scheduler, warn)
    await this.#exits.takeOver(machine)
  }

  /** Removes what the kernel keeps for its share of the CPUs. For a domain that does not run. */
  releaseShare(): void {
    try {
      this.#surroundings.scheduler.release(this.#id)
    } catch (error) {
      if (!isOrdinary(error)) throw error
      this.#surroundings.warn(error.message)
    }
  }

  async #leaveHalted(): Promise<void> {
    this.#surroundings.networks.pull(this.#id)
    // A start fails, too, when another manager has started this domain; those files are its QEMU's.
    if (findByPidFile().has(this.#files.pid)) return
    this.releaseShare()
    await removeRuntimeFiles(this.#files)
  }

  /** Lets go of QEMU, which goes on. */
  detach(): void {
    this.#isDetached = true
    this.#exits.stop()
    this.#machine?.detach()
  }
}
