import {
  type Domain,
  type DomainConfig,
  type DomainEvent,
  type DomainId,
  type DomainMetrics,
  DriverError,
  type DomainState,
  type OperationOptions,
  type PauseCause,
} from '../driver.ts'
import { assertActive } from './active-images.ts'
import { assertDefinable, type Definition, serialise, withRelocated } from './definition.ts'
import { syncFolder, writeAtomically } from './files.ts'
import { ExitKeeper } from './exit-keeper.ts'
import { makeFolder, removeFolder, removeStale } from './folder.ts'
import { ImageUse } from './image-use.ts'
import type { ImageKey } from './images.ts'
import { GuestAgent } from './guest-agent.ts'
import { GuestTools } from './guest-tools.ts'
import { type DomainFiles, dumpFolderOf, filesOf } from './layout.ts'
import { Lock } from './lock.ts'
import { trimQemuLog } from './launch.ts'
import { Life } from './life.ts'
import type { Machine } from './machine.ts'
import { measure } from './measurement.ts'
import type { ProcessIdentity } from './process.ts'
import { assertLedTo, EXIT_EVENTS } from './run-state.ts'
import { RunningRecord } from './running.ts'
import { SerialLog } from './serial-log.ts'
import { slotsOf } from './slots.ts'
import { SnapshotShelf } from './snapshot-shelf.ts'
import type { LivingDomain, Surroundings } from './surroundings.ts'
import { Suspension } from './suspension.ts'
import type { WholeDomain } from './whole-domain.ts'

export type { LivingDomain, Surroundings } from './surroundings.ts'

/** One domain: its definition, the QEMU that runs it if one does, and the order of what is done to it. */
export class QemuDomain {
  readonly id: DomainId
  readonly serial: SerialLog
  readonly images: ImageUse
  readonly snapshots: SnapshotShelf
  readonly agent: GuestAgent
  readonly #files: DomainFiles
  readonly #surroundings: Surroundings
  readonly #lock = new Lock()
  readonly #tools: GuestTools
  /** Undefined before it is defined and after it is undefined. */
  #definition: Definition | undefined
  readonly #exits: ExitKeeper
  readonly #running: RunningRecord
  readonly #suspension: Suspension
  readonly #life: Life

  constructor(id: DomainId, surroundings: Surroundings, definition?: Definition) {
    this.id = id
    this.#surroundings = surroundings
    this.#files = filesOf(surroundings.root, id)
    this.#definition = definition
    this.serial = new SerialLog(this.#files)
    this.#running = new RunningRecord(this.#files.running)
    this.#suspension = new Suspension(this.#files, message => surroundings.warn(`domain ${id}: ${message}`))
    this.snapshots = new SnapshotShelf(this.#files, surroundings)
    this.images = new ImageUse({
      machine: () => this.#life.machine,
      stored: () => this.#definition,
      running: this.#running,
      suspension: this.#suspension,
      snapshots: this.snapshots,
    })
    this.#exits = new ExitKeeper({
      qemuLog: this.#files.qemuLog,
      exits: () => this.#definition?.config.exits,
      found: exit => this.#tell(EXIT_EVENTS[exit]),
      restarted: () => this.#tell('changed'),
      warn: message => surroundings.warn(`domain ${id}: ${message}`),
    })
    this.agent = new GuestAgent(this.#files.agent)
    this.#tools = new GuestTools(this.agent)
    this.#life = new Life({
      id,
      files: this.#files,
      surroundings,
      definition: () => this.#definition,
      running: this.#running,
      images: this.images,
      exits: this.#exits,
      tools: this.#tools,
      tell: kind => this.#tell(kind),
      inTurn: operation => this.#lock.runAlways(operation),
    })
  }

  get isDefined(): boolean {
    return this.#definition !== undefined
  }

  /** Whether no operation is being done or waits. */
  get isIdle(): boolean {
    return this.#lock.isIdle
  }

  /** Whether it is suspended with an interface that is plugged into this network. */
  sleepsIn(network: string): boolean {
    return this.#suspension.isPluggedInto(network)
  }

  /** Where its dumps are. */
  get dumpFolder(): string {
    return dumpFolderOf(this.#files)
  }

  get isRunning(): boolean {
    return this.machine !== undefined
  }

  get config(): DomainConfig {
    return this.#defined().config
  }

  /** What the QEMU that runs it is made of, or the definition of one that does not run. */
  get living(): Definition {
    return (this.machine && this.#running.definition) ?? this.#defined()
  }

  /** The domain as last told, without asking QEMU. */
  get summary(): Domain {
    return { id: this.id, name: this.config.name, state: this.#state, ...this.#pause }
  }

  /** The QEMU that runs it; undefined for a halted domain. */
  get machine(): Machine | undefined {
    return this.#life.machine
  }

  /** The domain as QEMU says it is. Rejects as `unreachable` when QEMU lives and does not answer. */
  async look(): Promise<Domain> {
    this.#defined()
    try {
      await this.machine?.refresh()
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
      const slots = slotsOf(config, this.#definition?.slots, { keepAll: this.#state !== 'halted' })
      await makeFolder(this.#files.folder)
      await this.#keep({ config: structuredClone(config), machine, slots })
      await syncFolder(this.#surroundings.root)
      await this.#exits.follow(this.machine)
      this.#tell('defined')
    })
  }

  undefine(): Promise<void> {
    return this.#inOrder(async () => {
      this.#assertHalted()
      await this.snapshots.drop()
      await removeFolder(this.#files)
      this.#definition = undefined
      this.serial.forget()
      this.#tell('undefined')
    })
  }

  start({ paused = false, signal }: OperationOptions & { readonly paused?: boolean } = {}): Promise<void> {
    return this.#inOrder(async () => {
      this.#assertHalted()
      if (signal?.aborted === true) throw new DriverError('refused', `the start of domain ${this.id} was aborted`)
      await this.#life.start(this.#freshDefinition(), { paused, ...(signal && { signal }) })
      this.#tell('changed')
    })
  }

  /** Takes up what an earlier connection left: a QEMU that was found running, or what remains of one. */
  load(process: ProcessIdentity | undefined): Promise<void> {
    return this.#lock.run(async () => {
      const takeOver = await this.#suspension.load(process)
      if (takeOver === 'ended' || process === undefined) {
        this.#life.releaseShare()
        return removeStale(this.#files)
      }
      await this.#life.adopt(process, this.#defined(), takeOver)
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
    return this.#inOrder(async () => {
      if (this.#suspension.saved === undefined) return this.#anyMachine().end()
      await this.#suspension.discard()
      this.#tell('changed')
    })
  }

  reset({ keepsPaused = false }: { readonly keepsPaused?: boolean } = {}): Promise<void> {
    return this.#inOrder(async () => {
      const machine = this.#anyMachine()
      const stays = keepsPaused && machine.state === 'paused'
      // A reset hides that it has given its images away, and does not take them back.
      if (stays) await assertActive(machine)
      await this.#exits.restart(machine, { stays })
      assertLedTo(stays ? 'paused' : 'running', machine.state)
    })
  }

  /**
   * Changes the living machine and, with `keep`, the definition, in its turn among all operations. `bad-state` unless
   * it is in one of these states. Undoing what fails half-way is the caller's.
   */
  change<T>(
    operation: (living: LivingDomain) => Promise<T>,
    states: readonly DomainState[] = ['running', 'paused'],
  ): Promise<T> {
    return this.#inOrder(async () => {
      const machine = this.#machineThatIs(...states)
      const keep = (definition: Definition) => this.#keepChange(definition)
      const opens = (image: ImageKey) => this.images.opens([image])
      try {
        const keepLiving = (living: Definition) => this.#running.begin(living)
        const { living } = this
        return await operation({ machine, definition: this.#defined(), living, keep, keepLiving, opens })
      } finally {
        this.images.opened()
      }
    })
  }

  /** Runs `operation` on all that it is, in its turn among all operations, whatever its state. */
  wholly<T>(operation: (whole: WholeDomain) => Promise<T>): Promise<T> {
    return this.#inOrder(async () => {
      const [definition, machine, suspension] = [this.#defined(), this.machine, this.#suspension]
      const keep = (changed: Definition) => this.#keep(changed)
      const tellChanged = () => this.#tell('changed')
      const bringBack: WholeDomain['bringBack'] = async (source, options) => {
        await this.#life.bringBack(source, options)
        tellChanged()
      }
      const parts = { running: machine && this.#running.definition, keep, tellChanged, bringBack, images: this.images }
      return operation({ summary: this.summary, definition, machine, suspension, files: this.#files, ...parts })
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
    await this.#suspension.relocate(image, place)
    await this.snapshots.relocate(image, place)
    if (this.isRunning) await this.#running.relocate(image, place)
    if (this.#definition !== undefined) await this.#keep(withRelocated(this.#definition, image, place))
  }

  /** What it uses, read beside the order of operations: nobody is to wait for a start, and none for this. */
  async measure(): Promise<DomainMetrics> {
    const { networks } = this.#surroundings
    return measure({ config: this.living.config, machine: this.#anyMachine(), tools: this.#tools, networks })
  }

  /** Keeps the logs of a running domain within their bounds. */
  async trimLogs(): Promise<void> {
    if (!this.isRunning) return
    await this.serial.rotateIfLong()
    await trimQemuLog(this.#files.qemuLog)
  }

  /** Lets go of QEMU, which goes on. */
  detach(): void {
    this.#life.detach()
  }

  /** Keeps a definition that counts from the next start; with `keepChange` one that the living machine follows. */
  async #keep(definition: Definition): Promise<void> {
    await writeAtomically(this.#files.definition, serialise(definition))
    this.#definition = definition
  }

  async #keepChange(definition: Definition): Promise<void> {
    const before = this.#defined()
    await this.#keep(definition)
    await this.#running.follow(before, definition)
  }

  /** Without the places of devices that only an earlier machine had. Kept in memory: whoever reads the file prunes, too. */
  #freshDefinition(): Definition {
    const definition = this.#defined()
    this.#definition = { ...definition, slots: slotsOf(definition.config, definition.slots) }
    return this.#definition
  }

  #tell(kind: DomainEvent['kind']): void {
    const isWakeUp = kind === 'changed' && this.machine?.isWakeUp === true
    this.#surroundings.tell({ id: this.id, kind, state: this.#state, ...this.#pause, ...(isWakeUp && { isWakeUp }) })
  }

  /** Runs an operation when its turn comes, provided that the domain is still ours then. */
  #inOrder<T>(operation: () => Promise<T>): Promise<T> {
    return this.#lock.run(async () => {
      if (this.#life.isDetached) throw new DriverError('unreachable', 'the driver is closed')
      this.#defined()
      return operation()
    })
  }

  #defined(): Definition {
    if (this.#definition === undefined) throw new DriverError('not-found', `no domain ${this.id}`)
    return this.#definition
  }

  /** Why it is paused, where QEMU tells. */
  get #pause(): { readonly pause?: PauseCause } {
    const pause = this.machine?.pause
    return pause === undefined ? {} : { pause }
  }

  get #state(): DomainState {
    return this.machine?.state ?? (this.#suspension.saved === undefined ? 'halted' : 'suspended')
  }

  #badState(expected: string): DriverError {
    return new DriverError('bad-state', `domain ${this.id} is ${this.#state}, not ${expected}`)
  }

  #assertHalted(): void {
    if (this.machine !== undefined || this.#suspension.saved !== undefined) throw this.#badState('halted')
  }

  #anyMachine(): Machine {
    if (this.machine === undefined) throw this.#badState('running')
    return this.machine
  }

  #machineThatIs(...expected: readonly DomainState[]): Machine {
    const machine = this.#anyMachine()
    if (machine.isReached && !expected.includes(machine.state)) throw this.#badState(expected.join(' or '))
    return machine
  }
}
