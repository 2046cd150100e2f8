import { link } from 'node:fs/promises'
import { open, rename, rm } from 'node:fs/promises'
import { QmpError } from '../../protocols/qmp/error.ts'
import { DriverError, type OperationOptions } from '../driver.ts'
import { type Definition, withRelocated } from './definition.ts'
import { syncFolder } from './files.ts'
import { type ImageKey, keysOf } from './images.ts'
import type { DomainFiles } from './layout.ts'
import type { Machine } from './machine.ts'
import { killNow, type ProcessIdentity, waitUntilGone } from './process.ts'
import { restore } from './resume.ts'
import { fileTarget, type SaveWish } from './save-target.ts'
import {
  assertWhole,
  discardSuspension,
  forgetSuspension,
  give,
  readSuspension,
  type Saved,
  type Suspension as Phases,
  writeSuspension,
} from './saved.ts'
import { suspend, undo } from './suspend.ts'

/** The phases in which a QEMU that lives can go. */
const NEEDLESS: ReadonlySet<Phases['phase']> = new Set(['saved', 'given', 'restoring'])
/** How long a killed QEMU may take to go. */
const KILL_MS = 20_000

/** What a domain's memory on disk is, and how it gets there and back. Its caller sees to the order of operations. */
export class Suspension {
  readonly #files: DomainFiles
  readonly #warn: (message: string) => void
  #saved: Saved | undefined

  constructor(files: DomainFiles, warn: (message: string) => void) {
    this.#files = files
    this.#warn = warn
  }

  /** What it can be resumed from; undefined unless it is suspended. */
  get saved(): Saved | undefined {
    return this.#saved
  }

  /** Whether a resume will need this image as it is. */
  uses(image: ImageKey): boolean {
    const disks = this.#saved?.definition.config.disks ?? []
    return keysOf(disks.map(disk => disk.location).filter(location => location !== '')).has(image)
  }

  /** Whether an interface of what was saved is plugged into this network. */
  isPluggedInto(network: string): boolean {
    return this.#saved?.definition.config.nics?.some(nic => nic.network === network) === true
  }

  /** Saves a guest and ends its QEMU. A failure leaves it as it was, and no file. */
  async suspend(
    machine: Machine,
    definition: Definition,
    { live: isLive = false, ...options }: OperationOptions & { readonly live?: boolean },
  ): Promise<void> {
    this.#keep(await suspend({ machine, files: this.#files, definition, isLive, ...options }))
    try {
      await machine.end()
    } catch (error) {
      // It could be continued, and then the file would be of a moment that is past.
      await this.discard()
      throw error
    }
  }

  /** Saves a guest to a caller's file and ends its QEMU. A failure leaves it as it was, and the file. */
  async saveTo(machine: Machine, definition: Definition, wish: SaveWish, options: OperationOptions): Promise<void> {
    const target = fileTarget(this.#files, { machine, definition, wish })
    await suspend({ machine, files: this.#files, definition, isLive: false, target, ...options })
    try {
      await machine.end()
    } catch (error) {
      // It could be continued, and then the file would be of a moment that is past.
      await rm(wish.location, { force: true })
      await discardSuspension(this.#files)
      throw error
    }
    await discardSuspension(this.#files)
  }

  /** Gives a machine that waits for it what was saved; it is paused when this resolves, and may be ended still. */
  async restore(machine: Machine, saved: Saved, options: OperationOptions): Promise<void> {
    await assertWhole(this.#files, saved)
    const name = this.#files.memory
    const file = await open(name, 'r')
    try {
      await restore({ machine, files: this.#files, saved, from: { file, start: 0, name }, ...options })
    } finally {
      await file.close()
    }
  }

  /**
   * Lets a restored machine be the domain's and execute, by `run`. From here on the file must not be restored again, for the disks go on:
   * that is made durable first. Only where QEMU refuses, and so has not executed anything, it is what it was.
   */
  async consume(saved: Saved, run: () => Promise<void>): Promise<void> {
    await writeSuspension(this.#files, { phase: 'consumed' })
    const running = run()
    this.#forget()
    try {
      await running
    } catch (error) {
      if (error instanceof QmpError) {
        await writeSuspension(this.#files, { phase: 'saved', ...saved })
        this.#keep(saved)
      } else await discardSuspension(this.#files)
      throw error
    }
    try {
      await discardSuspension(this.#files)
    } catch (error) {
      this.#warn(`the memory it was resumed from cannot be deleted: ${String(error)}`)
    }
  }

  /** Names `place` where a disk of what was saved names this image, in the same folder; durable when it resolves. */
  async relocate(image: ImageKey, place: string): Promise<void> {
    if (this.#saved === undefined || !this.uses(image)) return
    await this.change({ ...this.#saved, definition: withRelocated(this.#saved.definition, image, place) })
  }

  /** Makes this what it can be resumed from: memory of another file, which stays, for nobody writes to either. */
  async take(saved: Saved, memory: string): Promise<void> {
    const { memory: own, memoryPartial, folder } = this.#files
    await rm(memoryPartial, { force: true })
    await link(memory, memoryPartial)
    await forgetSuspension(this.#files)
    this.#forget()
    await rename(memoryPartial, own)
    await syncFolder(folder)
    await this.change(saved)
  }

  /** Lets what was saved be this, of the same memory; durable when it resolves. */
  async change(saved: Saved): Promise<void> {
    await writeSuspension(this.#files, { phase: 'saved', ...saved })
    this.#keep(saved)
  }

  /** Forgets what was saved. */
  async discard(): Promise<void> {
    await discardSuspension(this.#files)
    this.#forget()
  }

  /**
   * Goes on where an earlier connection broke off (`saved.ts` says what each phase means). Resolves with what is to be
   * done with a QEMU that lives once it is reached, or `ended` where there is none to be taken over.
   */
  async load(process: ProcessIdentity | undefined): Promise<'ended' | ((machine: Machine) => Promise<void>)> {
    const suspension = await this.#read()
    if (suspension?.phase === 'saved') {
      const { phase: _phase, ...saved } = suspension
      this.#keep(saved)
    }
    if (process === undefined || (suspension !== undefined && NEEDLESS.has(suspension.phase))) {
      if (process !== undefined) await this.#kill(process)
      await this.#finish(suspension)
      return 'ended'
    }
    return async machine => {
      if (suspension?.phase === 'saving') await undo(machine, this.#files, suspension)
      if (suspension?.phase === 'consumed') await discardSuspension(this.#files)
    }
  }

  async #kill(process: ProcessIdentity): Promise<void> {
    killNow(process)
    const isGone = await waitUntilGone(process, KILL_MS)
    if (!isGone) this.#warn(`process ${process.pid}, which it needs no more, survives SIGKILL for ${KILL_MS} ms`)
  }

  /** Brings to an end what was begun of a domain that has no QEMU any more. */
  async #finish(suspension: Phases | undefined): Promise<void> {
    if (suspension === undefined || suspension.phase === 'saved') return
    if (suspension.phase === 'consumed')
      this.#warn('its QEMU is gone in the middle of a resume, the saved memory with it')
    if (suspension.phase === 'saving' && suspension.partial !== undefined) await rm(suspension.partial, { force: true })
    if (suspension.phase === 'given') await this.#give(suspension)
    await discardSuspension(this.#files)
  }

  async #give(given: Phases & { readonly phase: 'given' }): Promise<void> {
    try {
      await give(given)
    } catch (error) {
      this.#warn(`what it was saved to remains ${given.partial}, for that cannot be renamed: ${String(error)}`)
    }
  }

  async #read() {
    try {
      return await readSuspension(this.#files)
    } catch (error) {
      if (!(error instanceof DriverError)) throw error
      this.#warn(error.message)
      return undefined
    }
  }

  #keep(saved: Saved): void {
    this.#saved = saved
  }

  #forget(): void {
    this.#saved = undefined
  }
}
