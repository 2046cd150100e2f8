import { DriverError } from '../driver.ts'
import { descriptionIn, type Note, readNote } from './note.ts'

/** What a snapshot is told to be, in its notes: they begin as those of its machine. */
export interface SnapshotNote {
  readonly description: string
  /** Whether memory was to be kept; undefined of a snapshot that somebody else has taken. */
  readonly hasMemory: boolean | undefined
  /** Whether the machine was paused, which the host does not tell of a snapshot. */
  readonly wasPaused: boolean
  /** That of its machine when it was taken; undefined where that was somebody else's. */
  readonly machine: Note | undefined
}

/** What the line begins with that stands between the description and what the machine's notes had. */
const MARK = '[polyvisor snapshot] '
const WORDS = { memory: 'with memory', paused: 'with memory, paused', nothing: 'without memory' } as const

/** How much of notes a host is asked to keep: those of a machine, and a description as long. */
const CHARACTERS_MAX = 65_536

/**
 * The notes of a snapshot: what people read, a line of its own, and the line of its machine. Throws DriverError, `refused`,
 * where they are too long.
 */
export function writeSnapshotNotes(description: string, kept: keyof typeof WORDS, machineNotes: string): string {
  const line = machineNotes.split(/\r?\n/).findLast(one => one.startsWith('[polyvisor] '))
  const own = `${MARK}${WORDS[kept]}`
  const notes = [...(description === '' ? [] : [description, '']), own, ...(line === undefined ? [] : [line])].join(
    '\n',
  )
  if (notes.length <= CHARACTERS_MAX) return notes
  throw new DriverError(
    'refused',
    `the description is longer than the ${CHARACTERS_MAX} characters that are kept with it`,
  )
}

/** What the notes of a snapshot of the machine with this GUID say. */
export function readSnapshotNotes(machineGuid: string, notes: string): SnapshotNote {
  const machine = readNote(machineGuid, notes)
  const line = notes.split(/\r?\n/).findLast(one => one.startsWith(MARK))
  if (line === undefined) return { description: descriptionIn(notes), hasMemory: undefined, wasPaused: false, machine }
  const description = notes.slice(0, notes.lastIndexOf(line)).replace(/\r?\n?\r?\n$/, '')
  const wasPaused = line === `${MARK}${WORDS.paused}`
  return { description, hasMemory: wasPaused || line === `${MARK}${WORDS.memory}`, wasPaused, machine }
}
