import { truncateSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import {
  type Domain,
  type DomainConfig,
  type DomainEvent,
  type DomainId,
  type DomainMetrics,
  DriverError,
  type DomainState,
  type OperationOptions,
} from '../driver.ts'
import type { Accelerator } from './accelerator.ts'
import { bootArguments } from './command-line/boot.ts'
import { commandLine } from './command-line/index.ts'
import { assertDefinable, type Definition, serialise } from './definition.ts'
import { cablesOf, livingCablesOf } from './cables.ts'
import { syncFolder, writeAtomically } from './files.ts'
import { ExitKeeper, isGone, isOrdinary } from './exit-keeper.ts'
import { actionOn } from './exits.ts'
import { makeFolder, removeFolder, removeRuntimeFiles } from './folder.ts'
import { takeFromGuest, type TakenBoot } from './guest-disk/index.ts'
import { filesOpenIn, filesWrittenBy, type ImageKey, keysOf, lookAtFiles, relocated } from './images.ts'
import type { Installation } from './installation.ts'
import { GuestTools } from './guest-tools.ts'
import { launch } from './launch.ts'
import { type DomainFiles, filesOf } from './layout.ts'
import { Lock } from './lock.ts'
import { Machine, type MachineWitness } from './machine.ts'
import { measure } from './measurement.ts'
import type { Networks } from './networks/networks.ts'
import { isHeldForSetUp, setUp } from './preparation.ts'
import { findByPidFile, type ProcessIdentity } from './process.ts'
import { EXIT_EVENTS } from './run-state.ts'
import { type Scheduler, threadsOf } from './scheduling.ts'
import { SerialLog } from './serial-log.ts'
import { slotsOf } from './slots.ts'

/** What all domains of a connection have in common. */
export interface Surroundings {
  readonly root: string
  readonly installation: Installation
  readonly accelerator: Accelerator
  readonly networks: Networks
  readonly scheduler: Scheduler
  readonly tell: (event: DomainEvent) => void
  readonly warn: (message: string, details?: Readonly<Record<string, unknown>>) => void
}

/** What a change to a living domain works on. */
export interface LivingDomain {
  readonly machine: Machine
  readonly definition: Definition
  /** Makes this the definition; durable when it resolves. */
  readonly keep: (definition: Definition) => Promise<void>
  /** Says that QEMU is about to be told to open this image, so that nobody deletes it meanwhile. */
  readonly opens: (image: ImageKey) => void
}

/** A log of QEMU's own words longer than this is cut; only a guest that provokes complaints gets it there. */
const QEMU_LOG_BYTES_MAX = 1_048_576

/** One domain: its definition, the QEMU that runs it if one does, and the order of what is done to it. */
export class QemuDomain {
  readonly id: DomainId
  readonly serial: SerialLog
  readonly #files: DomainFiles
  readonly #surroundings: Surroundings
  readonly #lock = new Lock()
  readonly #tools: GuestTools
  /** Undefined before it is defined and after it is undefined. */
  #definition: Definition | undefined
  #machine: Machine | undefined
  readonly #exits: ExitKeeper
  /** Images that QEMU was told to open and may not have opened yet. */
  #opening: ReadonlySet<ImageKey> = new Set()
  #isDetached = false

  constructor(id: DomainId, surroundings: Surroundings, definition?: Definition) {
    this.id = id
    this.#surroundings = surroundings
    this.#files = filesOf(surroundings.root, id)
    this.#definition = definition
    this.serial = new SerialLog(this.#files)
    this.#exits = new ExitKeeper({
      qemuLog: this.#files.qemuLog,
      exits: () => this.#definition?.config.exits,
      found: exit => this.#tell(EXIT_EVENTS[exit]),
      warn: message => surroundings.warn(`domain ${id}: ${message}`),
    })
    this.#tools = new GuestTools(this.#files.agent)
  }

  get isDefined(): boolean {
    return this.#definition !== undefined
  }

  /** Whether no operation is being done or waits. */
  get isIdle(): boolean {
    return this.#lock.isIdle
  }

  get isRunning(): boolean {
    return this.#machine !== undefined
  }

  get config(): DomainConfig {
    return this.#defined().config
  }

  /** The domain as last told, without asking QEMU. */
  get summary(): Domain {
    return { id: this.id, name: this.config.name, state: this.#machine?.state ?? 'halted' }
  }

  /** Whether QEMU has this image open, or is just being told to. */
  uses(image: ImageKey): boolean {
    if (this.#opening.has(image)) return true
    return this.#machine !== undefined && filesOpenIn(this.#machine.process.pid).has(image)
  }

  /** Whether QEMU has this image open for writing, or is just being told to open it. */
  writes(image: ImageKey): boolean {
    if (this.#opening.has(image)) return true
    return this.#machine !== undefined && filesWrittenBy(this.#machine.process.pid).has(image)
  }

  /** The QEMU that runs it; undefined for a halted domain. */
  get machine(): Machine | undefined {
    return this.#machine
  }

  /** Whether its definition names this image, by whatever path. */
  names(image: ImageKey): boolean {
    return this.#definition !== undefined && keysOf(this.config.disks.map(disk => disk.location)).has(image)
  }

  /** The domain as QEMU says it is. Rejects as `unreachable` when QEMU lives and does not answer. */
  async look(): Promise<Domain> {
    this.#defined()
    try {
      await this.#machine?.refresh()
    } catch (error) {
      // It has just ended, which is an answer too.
      if (!(error instanceof DriverError && error.kind === 'bad-state')) throw error
    }
    return this.summary
  }

  define(config: DomainConfig): Promise<void> {
    return this.#lock.run(async () => {
      assertDefinable(config)
      const machine = this.#definition?.machine ?? this.#surroundings.installation.machine
      const slots = slotsOf(config, this.#definition?.slots, { keepAll: this.isRunning })
      await makeFolder(this.#files.folder)
      await this.#keep({ config: structuredClone(config), machine, slots })
      await syncFolder(this.#surroundings.root)
      await this.#applyExits()
      this.#tell('defined')
    })
  }

  undefine(): Promise<void> {
    return this.#inOrder(async () => {
      this.#assertHalted()
      await removeFolder(this.#files)
      this.#definition = undefined
      this.serial.forget()
      this.#tell('undefined')
    })
  }

  start({ paused: isPaused = false, signal }: OperationOptions & { readonly paused?: boolean } = {}): Promise<void> {
    return this.#inOrder(async () => {
      this.#assertHalted()
      if (signal?.aborted === true) throw new DriverError('refused', `the start of domain ${this.id} was aborted`)
      const { accelerator, installation } = this.#surroundings
      const definition = this.#freshDefinition()
      const conditions = { files: this.#files, accelerator, isPaused: isPaused || isHeldForSetUp(definition) }
      const args = commandLine(definition, conditions)
      this.#opening = lookAtFiles(definition.config)
      let taken: TakenBoot | undefined
      try {
        taken = await takeFromGuest(definition.config, this.#files.folder, signal)
        if (taken !== undefined) args.push(...bootArguments(taken.boot))
        const toMachine = (process: ProcessIdentity) => this.#newMachine(process)
        const start = { program: installation.qemu, arguments: args, files: this.#files, signal, toMachine }
        await this.#plugIn(definition)
        this.#machine = await launch(start)
        if (this.#machine !== undefined) await this.#setUp(this.#machine, definition, isPaused)
        if (this.#isDetached) this.#machine?.detach()
      } finally {
        this.#opening = new Set()
        await taken?.discard()
        if (this.#machine === undefined) await this.#leaveHalted()
      }
      this.#tell('changed')
    })
  }

  #plugIn(definition: Definition): Promise<void> {
    return this.#surroundings.networks.plug(this.id, cablesOf(definition, this.#files))
  }

  async #setUp(machine: Machine, definition: Definition, isPaused: boolean): Promise<void> {
    try {
      await setUp(machine, definition, this.#surroundings.scheduler)
      // Again, since only now there is somebody at the guest's end.
      await this.#plugIn(definition)
      if (!isPaused && isHeldForSetUp(definition)) await machine.command('cont')
    } catch (error) {
      await machine.end()
      throw error
    }
  }

  /** Takes over a QEMU that was found running; where it does not answer, goes on trying. */
  adopt(process: ProcessIdentity): Promise<void> {
    return this.#lock.run(async () => {
      const ADOPTION = { timeoutMs: 15_000, greetingMs: 4_000 }
      const machine = this.#newMachine(process)
      this.#machine = machine
      this.#surroundings.networks.adopt(this.id, livingCablesOf(this.#defined(), this.#files))
      // It may have been started only now.
      this.#opening = keysOf(this.config.disks.map(disk => disk.location))
      try {
        await machine.attach(ADOPTION)
        this.#opening = new Set()
      } catch (error) {
        if (!(error instanceof DriverError)) throw error
        this.#surroundings.warn(`QEMU of domain ${this.id} lives and cannot be reached: ${error.message}`)
        return machine.keepTrying()
      }
      try {
        await this.#takeOver(machine)
      } catch (error) {
        if (!isOrdinary(error)) throw error
        if (!isGone(error)) this.#surroundings.warn(`domain ${this.id}: ${error.message}`)
      }
    })
  }

  pause(): Promise<void> {
    return this.#inOrder(async () => {
      assertLedTo('paused', await this.#machineThatIs('running').command('stop'))
    })
  }

  unpause(): Promise<void> {
    return this.#inOrder(async () => {
      assertLedTo('running', await this.#machineThatIs('paused').command('cont'))
    })
  }

  requestShutdown(): Promise<void> {
    return this.#inOrder(() => this.#machineThatIs('running').requestShutdown())
  }

  powerOff(): Promise<void> {
    return this.#inOrder(() => this.#anyMachine().end())
  }

  reset(): Promise<void> {
    return this.#inOrder(async () => {
      const machine = this.#anyMachine()
      await this.#exits.restart(machine)
      assertLedTo('running', machine.state)
    })
  }

  /**
   * Changes the living machine and, with `keep`, the definition, in its turn among all operations. `bad-state` unless
   * it runs or is paused. Undoing what fails half-way is the caller's.
   */
  change<T>(operation: (living: LivingDomain) => Promise<T>): Promise<T> {
    return this.#inOrder(async () => {
      const machine = this.#anyMachine()
      const keep = (definition: Definition) => this.#keep(definition)
      const opens = (image: ImageKey) => void (this.#opening = new Set([...this.#opening, image]))
      const before = this.#opening
      try {
        return await operation({ machine, definition: this.#defined(), keep, opens })
      } finally {
        this.#opening = before
      }
    })
  }

  /** Runs `operation` while nothing else is done to the domain, whatever its state. */
  hold<T>(operation: () => Promise<T>): Promise<T> {
    return this.#lock.run(operation)
  }

  /**
   * Lets the definition name `place` where it names this image, which lies in the same folder; durable when it resolves.
   * Within `hold` only.
   */
  async relocate(image: ImageKey, place: string): Promise<void> {
    if (!this.names(image)) return
    const definition = this.#defined()
    const disks = definition.config.disks.map(disk => relocated(disk, image, place))
    await this.#keep({ ...definition, config: { ...definition.config, disks } })
  }

  /** What it uses, read beside the order of operations: nobody is to wait for a start, and none for this. */
  async measure(): Promise<DomainMetrics> {
    const { networks } = this.#surroundings
    return measure({ config: this.config, machine: this.#anyMachine(), tools: this.#tools, networks })
  }

  /** Keeps the logs of a running domain within their bounds. */
  async trimLogs(): Promise<void> {
    if (!this.isRunning) return
    await this.serial.rotateIfLong()
    if ((await stat(this.#files.qemuLog)).size > QEMU_LOG_BYTES_MAX) truncateSync(this.#files.qemuLog)
  }

  /** Lets go of QEMU, which goes on. */
  detach(): void {
    this.#isDetached = true
    this.#exits.stop()
    this.#machine?.detach()
  }

  async #keep(definition: Definition): Promise<void> {
    await writeAtomically(this.#files.definition, serialise(definition))
    this.#definition = definition
  }

  /** Without the places of devices that only an earlier machine had. Kept in memory: whoever reads the file prunes, too. */
  #freshDefinition(): Definition {
    const definition = this.#defined()
    this.#definition = { ...definition, slots: slotsOf(definition.config, definition.slots) }
    return this.#definition
  }

  #newMachine(process: ProcessIdentity): Machine {
    const isMine = () => this.#machine === machine
    const tellIfMine = (kind: DomainEvent['kind']) => () => {
      if (isMine()) this.#tell(kind)
    }
    const witness: MachineWitness = {
      changed: tellIfMine('changed'),
      guestReset: () => {
        if (!isMine()) return
        this.#tell('guest-reset')
        // QEMU is not told yet that this is the end.
        if (actionOn('reboot', this.#definition?.config.exits) === 'halt')
          this.#afterwards(machine, () => machine.end())
      },
      held: exit => {
        if (!isMine()) return
        this.#tell(EXIT_EVENTS[exit])
        this.#afterwards(machine, () => this.#exits.settle(machine, exit))
      },
      reached: () => this.#afterwards(machine, () => this.#takeOver(machine)),
      ended: exit => {
        if (!isMine()) return
        this.#exits.stop()
        this.#surroundings.networks.pull(this.id)
        this.#machine = undefined
        this.#opening = new Set()
        this.#tools.forget()
        this.releaseShare()
        if (exit !== undefined) this.#tell(EXIT_EVENTS[exit])
        this.#tell('changed')
      },
      warn: message => this.#surroundings.warn(message),
    }
    const machine = new Machine(this.id, this.#files, process, witness)
    return machine
  }

  /** A living machine is told what the definition says now; one that cannot be reached is told when it can. */
  async #applyExits(): Promise<void> {
    try {
      if (this.#machine?.isReached === true) await this.#exits.apply(this.#machine)
    } catch (error) {
      if (!isOrdinary(error)) throw error
      if (!isGone(error)) this.#surroundings.warn(`domain ${this.id}: its new exits do not count yet: ${error.message}`)
    }
  }

  /** Does what follows from an event of QEMU's, in its turn. Of each machine there are never more than a few. */
  #afterwards(machine: Machine, operation: () => Promise<void>): void {
    const work = this.#lock.runAlways(async () => {
      if (!this.#isDetached && this.#machine === machine) await operation()
    })
    work.catch((error: unknown) => {
      if (!isGone(error)) this.#surroundings.warn(`domain ${this.id}: ${String(error)}`)
    })
  }

  /** What a machine that was started by an earlier connection is still owed. */
  async #takeOver(machine: Machine): Promise<void> {
    const { scheduling } = this.config
    if (scheduling !== undefined) {
      try {
        await this.#surroundings.scheduler.apply(this.id, await threadsOf(machine), scheduling)
      } catch (error) {
        if (!isOrdinary(error) || isGone(error)) throw error
        this.#surroundings.warn(`domain ${this.id} runs without its scheduling: ${error.message}`)
      }
    }
    await this.#exits.takeOver(machine)
  }

  /** Removes what the kernel keeps for its share of the CPUs. For a domain that does not run. */
  releaseShare(): void {
    try {
      this.#surroundings.scheduler.release(this.id)
    } catch (error) {
      if (!isOrdinary(error)) throw error
      this.#surroundings.warn(error.message)
    }
  }

  async #leaveHalted(): Promise<void> {
    this.#surroundings.networks.pull(this.id)
    // A start fails, too, when another manager has started this domain; those files are its QEMU's.
    if (!findByPidFile().has(this.#files.pid)) await removeRuntimeFiles(this.#files)
  }

  #tell(kind: DomainEvent['kind']): void {
    this.#surroundings.tell({ id: this.id, kind })
  }

  /** Runs an operation when its turn comes, provided that the domain is still ours then. */
  #inOrder<T>(operation: () => Promise<T>): Promise<T> {
    return this.#lock.run(async () => {
      if (this.#isDetached) throw new DriverError('unreachable', 'the driver is closed')
      this.#defined()
      return operation()
    })
  }

  #defined(): Definition {
    if (this.#definition === undefined) throw new DriverError('not-found', `no domain ${this.id}`)
    return this.#definition
  }

  #assertHalted(): void {
    if (this.#machine !== undefined) throw new DriverError('bad-state', `domain ${this.id} is ${this.#machine.state}`)
  }

  #anyMachine(): Machine {
    if (this.#machine === undefined) throw new DriverError('bad-state', `domain ${this.id} is halted`)
    return this.#machine
  }

  #machineThatIs(expected: DomainState): Machine {
    const machine = this.#anyMachine()
    if (machine.isReached && machine.state !== expected) {
      throw new DriverError('bad-state', `domain ${this.id} is ${machine.state}, not ${expected}`)
    }
    return machine
  }
}

/** QEMU took the command, yet says something else: then the guest has met with something in between. */
function assertLedTo(wanted: DomainState, actual: DomainState): void {
  if (actual !== wanted) throw new DriverError('refused', `QEMU says ${actual} where ${wanted} was to be expected`)
}
