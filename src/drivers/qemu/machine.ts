import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectQmp, type ExecuteOptions, type QmpClient } from '../../protocols/qmp/client.ts'
import type { QmpCommand, QmpCommands, QmpEvent } from '../../protocols/qmp/commands.ts'
import { QmpConnectionError } from '../../protocols/qmp/error.ts'
import { type DomainId, type DomainState, DriverError, type PauseCause } from '../driver.ts'
import { Course, type CourseWitness } from './course.ts'
import { removeRuntimeFiles } from './folder.ts'
import type { DomainFiles } from './layout.ts'
import { isAlive, killNow, type ProcessIdentity, waitUntilGone } from './process.ts'
import type { Exit } from './run-state.ts'

/** Who is told what happens to a machine. */
export interface MachineWitness extends CourseWitness {
  /** QEMU answers again after it did not. */
  readonly reached: () => void
  /** QEMU is gone, its sockets with it; by itself in this way, or by us. Told once, last. */
  readonly ended: (exit: Exit | undefined) => void
  readonly warn: (message: string) => void
}

/** How long a machine may take to be reached. */
export interface Patience {
  readonly timeoutMs: number
  /** How long one socket may take to greet before the other is tried. */
  readonly greetingMs: number
  readonly signal?: AbortSignal | undefined
}

/** How long QEMU may take to exit after it was told to, or after its connection ended. */
const EXIT_MS = 10_000
/** How long a killed process may take to go; longer only when the kernel itself hangs in it. */
const KILL_MS = 20_000
/** How often a QEMU that lives and does not answer is tried again. */
const REATTACH_EVERY_MS = 5_000
const REATTACH: Patience = { timeoutMs: 6_000, greetingMs: 2_000 }

/** One living QEMU: its process, the connection to it, and the state that its events tell. */
export class Machine {
  readonly process: ProcessIdentity
  readonly #id: DomainId
  readonly #files: DomainFiles
  readonly #witness: MachineWitness
  readonly #course: Course
  readonly #listeners = new Set<(event: QmpEvent) => void>()
  #qmp: QmpClient | undefined
  #isExpectedToEnd = false
  #isDetached = false
  /** While it is found out whether QEMU is gone with its connection. */
  #losing: Promise<void> | undefined
  #gone: Promise<void> | undefined
  #reattachTimer: NodeJS.Timeout | undefined

  constructor(id: DomainId, files: DomainFiles, process: ProcessIdentity, witness: MachineWitness) {
    this.#id = id
    this.#files = files
    this.process = process
    this.#witness = witness
    this.#course = new Course(witness)
  }

  /** The state as last told; `unknown` while QEMU does not answer. */
  get state(): DomainState {
    return this.#course.state
  }

  /** Why it is paused, where it is and QEMU tells. */
  get pause(): PauseCause | undefined {
    return this.#course.pause
  }

  /** Whether it runs since its guest woke up. */
  get isWakeUp(): boolean {
    return this.#course.isWakeUp
  }

  /** Whether the guest has ended and nobody has decided yet what follows. */
  get isEnding(): boolean {
    return this.#course.isEnding
  }

  /** Whether QEMU can be asked. */
  get isReached(): boolean {
    return this.#qmp !== undefined
  }

  /**
   * Connects to QEMU, waiting for its socket where it has just been started. Rejects with DriverError as `unreachable`
   * when QEMU is gone, does not answer in time, or is another domain's.
   */
  async attach(patience: Patience): Promise<void> {
    const POLL_MS_MAX = 50
    const deadline = performance.now() + patience.timeoutMs
    for (let pollMs = 1; ; pollMs = Math.min(pollMs * 1.2, POLL_MS_MAX)) {
      const failure = await this.#tryToAttach(patience)
      if (failure === undefined) return
      if (failure.failure === 'aborted') throw new DriverError('refused', failure.message, { cause: failure })
      const isLate = performance.now() >= deadline
      if (isLate || !isAlive(this.process)) {
        throw new DriverError('unreachable', `QEMU of domain ${this.#id}: ${failure.message}`, { cause: failure })
      }
      await sleep(pollMs)
    }
  }

  /** For a machine that could not be attached: goes on trying until it answers or is gone. */
  keepTrying(): void {
    this.#reattachTimer = setTimeout(() => this.#inBackground(this.#reattach()), REATTACH_EVERY_MS)
    this.#reattachTimer.unref()
  }

  /** Asks QEMU for its state. Rejects as `unreachable` where it does not answer, as `bad-state` where it has ended. */
  async refresh(): Promise<DomainState> {
    const { status } = await this.execute('query-status')
    this.#course.answered(status)
    return this.#course.state
  }

  /** Gives a command, then reads the state back. Rejects as `refresh` does, and as `refused` where QEMU refuses. */
  async command(command: 'stop' | 'cont'): Promise<DomainState> {
    await this.execute(command)
    return this.refresh()
  }

  /** The guest has ended and stays so; reads the state that QEMU gives it. Rejects as `refresh` does. */
  async stayEnded(): Promise<void> {
    this.#course.staysEnded()
    await this.refresh()
  }

  /** Presses the power button. The state is not read back: the guest may be gone at once. Rejects as `command` does. */
  async requestShutdown(): Promise<void> {
    await this.execute('system_powerdown')
  }

  /**
   * Gives any command. Rejects as `unreachable` where QEMU does not answer, as `bad-state` where it has ended, and with
   * QmpError where it refuses.
   */
  async execute<C extends QmpCommand>(
    command: C,
    argument: QmpCommands[C]['arguments'] = {},
    options: ExecuteOptions = {},
  ): Promise<QmpCommands[C]['returns']> {
    if (this.#qmp !== undefined) {
      try {
        return await this.#qmp.execute(command, argument, options)
      } catch (error) {
        if (!(error instanceof QmpConnectionError && error.failure === 'closed')) throw error
      }
    }
    await this.#losing
    if (this.#gone !== undefined) throw new DriverError('bad-state', `domain ${this.#id} has halted`)
    throw new DriverError('unreachable', `QEMU (process ${this.process.pid}) does not answer`)
  }

  /** Calls `listener` for each event of QEMU until the returned function is called. It must not throw. */
  listen(listener: (event: QmpEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Ends QEMU and resolves when it is gone: asks first, then kills. Rejects as `unreachable` if it survives even that. */
  async end(): Promise<void> {
    this.#isExpectedToEnd = true
    if (!((await this.#quit()) && (await waitUntilGone(this.process, EXIT_MS)))) {
      this.#witness.warn(`QEMU of domain ${this.#id} does not quit and is killed`)
      killNow(this.process)
      if (!(await waitUntilGone(this.process, KILL_MS))) {
        throw new DriverError('unreachable', `process ${this.process.pid} survives SIGKILL for ${KILL_MS} ms`)
      }
    }
    await this.#whenGone()
  }

  /** Lets go of QEMU, which goes on. Nothing is told any more. */
  detach(): void {
    this.#isDetached = true
    clearTimeout(this.#reattachTimer)
    this.#qmp?.close()
  }

  async #tryToAttach({ greetingMs, signal }: Patience): Promise<QmpConnectionError | undefined> {
    for (const path of [this.#files.qmp, this.#files.rescue]) {
      try {
        await this.#connect(path, greetingMs, signal)
        return undefined
      } catch (error) {
        if (!(error instanceof QmpConnectionError)) throw error
        // A second client of a socket is accepted and never greeted: then there is a use for the other socket.
        const isFinal = error.failure === 'absent' || error.failure === 'aborted'
        if (isFinal || path === this.#files.rescue) return error
      }
    }
    return undefined
  }

  async #connect(path: string, timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    const qmp = await connectQmp(path, {
      timeoutMs,
      ...(signal && { signal }),
      onEvent: event => this.#hear(event),
      onClose: error => {
        this.#losing = this.#lose(error)
        this.#inBackground(this.#losing)
      },
    })
    try {
      const [uuid, { status }] = await Promise.all([qmp.execute('query-uuid'), qmp.execute('query-status')])
      if (uuid !== this.#id) throw new DriverError('unreachable', `${path} belongs to domain ${uuid}`)
      // A QEMU of the same domain that another has started: ours could not lock its files and is gone.
      if (!isAlive(this.process)) throw new QmpConnectionError('closed', `process ${this.process.pid} is gone`)
      if (this.#isDetached) throw new QmpConnectionError('aborted', 'the driver was closed')
      this.#qmp = qmp
      this.#course.answered(status)
    } catch (error) {
      qmp.close()
      throw error
    }
  }

  /** Whether QEMU may be expected to go by itself. */
  async #quit(): Promise<boolean> {
    if (this.#qmp === undefined) return false
    try {
      await this.#qmp.execute('quit', {}, { timeoutMs: EXIT_MS })
      return true
    } catch (error) {
      if (!(error instanceof QmpConnectionError)) throw error
      return error.failure === 'closed'
    }
  }

  #hear(event: QmpEvent): void {
    for (const listener of this.#listeners) listener(event)
    this.#course.hear(event)
    // Source: QEMU qapi/block-core.json, BLOCK_IO_ERROR: a full or broken disk of the host stops the guest.
    if (event.event === 'BLOCK_IO_ERROR' && event.data['action'] === 'stop') {
      this.#witness.warn(`domain ${this.#id} is paused, for a disk of it failed: ${String(event.data['reason'])}`)
    }
  }

  async #lose(error: QmpConnectionError): Promise<void> {
    this.#qmp = undefined
    if (await waitUntilGone(this.process, EXIT_MS)) return this.#whenGone()
    if (this.#isDetached) return
    this.#witness.warn(`QEMU of domain ${this.#id} lives and does not answer: ${error.message}`)
    this.#course.lost()
    this.#inBackground(this.#reattach())
  }

  async #reattach(): Promise<void> {
    if (!isAlive(this.process)) return this.#whenGone()
    try {
      await this.attach(REATTACH)
      this.#witness.reached()
    } catch (error) {
      if (!(error instanceof DriverError)) throw error
      if (!this.#isDetached) this.keepTrying()
    }
  }

  /** What nobody waits for must not go unheard when it fails. */
  #inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => this.#witness.warn(`domain ${this.#id}: ${String(error)}`))
  }

  #whenGone(): Promise<void> {
    this.#gone ??= this.#cleanUp()
    return this.#gone
  }

  async #cleanUp(): Promise<void> {
    clearTimeout(this.#reattachTimer)
    this.#qmp?.close()
    // QEMU removes this file whenever it exits by its own decision.
    // What it leaves tells the next driver what became of it.
    if (this.#isDetached) return
    const wasKilled = existsSync(this.#files.pid)
    await removeRuntimeFiles(this.#files)
    const exit = this.#course.exit ?? (wasKilled && !this.#course.isEnding ? 'crash' : undefined)
    this.#witness.ended(this.#isExpectedToEnd ? undefined : exit)
  }
}
