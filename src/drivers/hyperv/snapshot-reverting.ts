import type { DomainConfig, DomainState } from '../driver.ts'
import { DriverError } from '../driver.ts'
import { isLost } from './again.ts'
import type { BackEnd } from './back-end.ts'
import type { Directory, Entry } from './directory.ts'
import type { Events } from './events.ts'
import { descriptionIn, type Note, writeNotes } from './note.ts'
import type { MachineSnapshot } from './snapshot-back-end.ts'
import { readSnapshotNotes } from './snapshot-note.ts'
import { untilState } from './states.ts'
import type { ToldDevices } from './told-devices.ts'

/** What going back needs of a connection. */
export interface RevertingParts {
  readonly backEnd: BackEnd
  readonly directory: Directory
  readonly events: Events
  readonly told: ToldDevices
}

/** The states that end before a snapshot is applied. */
const ON: readonly DomainState[] = ['running', 'paused']

/**
 * Makes a machine what it was. A host does that with its settings and disks, but for its name and notes; what of its
 * definition stands in these was kept in the notes of the snapshot.
 */
export class Reverting {
  readonly #parts: RevertingParts
  readonly #apply: () => Promise<void>

  constructor(parts: RevertingParts, apply: () => Promise<void>) {
    this.#parts = parts
    this.#apply = apply
  }

  async revert(entry: Entry, snapshot: MachineSnapshot): Promise<void> {
    const { guid, name } = entry.machine
    const wasOn = ON.includes(entry.machine.state)
    if (wasOn) await this.#turnOff(guid)
    try {
      await this.#apply()
    } catch (error) {
      throw wasOn && error instanceof DriverError ? halted(error, name) : error
    }
    const now = await untilState(this.#parts.directory, guid, ['halted', 'suspended'])
    this.#parts.told.forget(guid)
    await this.#remember(entry, now, snapshot)
    this.#parts.events.saw(now)
  }

  /** Where the answer is lost, what has become of the machine tells whether the host was told. */
  async #turnOff(guid: string): Promise<void> {
    const { backEnd, directory } = this.#parts
    try {
      await backEnd.request(guid, 'turn-off')
    } catch (error) {
      if (!isLost(error)) throw error
    }
    await untilState(directory, guid, ['halted'])
  }

  /** Writes down again what the definition was; a machine that was, or has become, somebody else's has none. */
  async #remember({ machine: before, note }: Entry, { machine }: Entry, snapshot: MachineSnapshot): Promise<void> {
    const { name, notes } = before
    const then = readSnapshotNotes(machine.guid, snapshot.notes).machine
    const wanted = note === undefined ? notes : notesOf(note, then ?? note, before)
    if (machine.name === name && machine.notes === wanted) return
    try {
      await this.#parts.backEnd.change(machine.guid, { ...(machine.name !== name && { name }), notes: wanted })
    } catch (error) {
      const reason = error instanceof Error ? error.message : ''
      const what = `${name} is what it was, but its definition remains written down as that of before: ${reason}`
      throw new DriverError('refused', what, { cause: error })
    }
  }
}

/** The power of a machine was cut for what failed then. */
const halted = (cause: DriverError, name: string): DriverError =>
  new DriverError(cause.kind, `${cause.message}; and ${name} is halted now`, { cause })

/** The notes that a machine has, with the definition that it had then. */
function notesOf(now: Note, then: Note, { name, notes }: Entry['machine']): string {
  const config: DomainConfig | undefined = then.config
  if (config === undefined) return notes
  const { guid, id } = now
  return writeNotes({ ...then, id, guid, config: { ...config, id, name, description: descriptionIn(notes) } })
}
