import { JsonShapeError, stringMember, toJsonObject } from '../../protocols/qmp/json.ts'
import { readConfig } from '../definition-config.ts'
import { type DomainConfig, type DomainId, DriverError } from '../driver.ts'
import type { Places } from './places.ts'

/**
 * What the driver keeps of a domain, on the host itself: a host chooses the GUIDs of its machines and has no place for
 * all that a definition says. It stands in the machine's notes, in one line behind what people read there, for notes
 * outlive restarts of host and server, are exported with the machine, and mean nothing to the machine or its guest.
 */
export interface Note {
  /** What the domain is called by those who defined it. */
  readonly id: DomainId
  /**
   * The machine it was written for. A copy of a machine has a copy of its notes, and is another domain. Undefined where
   * there was no machine yet.
   */
  readonly guid: string | undefined
  /** Whether the machine is still to be made as the definition says, before it starts next. */
  readonly isPending: boolean
  /** Undefined where somebody has changed the line so that it says none. */
  readonly config: DomainConfig | undefined
  /** Where disks are in the machine as it was made last, whatever the definition says by now. */
  readonly places: Places
  /** Of one that is pending: how much memory the machine could have as it was made last; absent where that is not known. */
  readonly madeMemoryBytes?: number | undefined
}

const MARK = '[polyvisor]'
/** In place of the GUID of a machine that is only being made. */
const NEW = 'new'
const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'
const LINE = new RegExp(
  `^\\[polyvisor\\] (?<id>${UUID}) (?<guid>${UUID.replaceAll('a-f', 'A-F')}|new) (?<state>made|pending) (?<json>.*)$`,
)
/** How much of notes a host is asked to keep. */
const CHARACTERS_MAX = 32_768

/** Whether a domain may be called so. */
export const isDomainId = (id: string): boolean => new RegExp(`^${UUID}$`).test(id)

/** How much memory a machine can have as it is made now; undefined where that was not kept. */
export const memoryMade = ({ isPending, madeMemoryBytes, config }: Note): number | undefined =>
  isPending ? madeMemoryBytes : config?.memoryBytes

/** The notes of a machine: what people read, and the line. Throws DriverError, `refused`, where they are too long. */
export function writeNotes(note: Note & { readonly config: DomainConfig }): string {
  const { id, guid, isPending, config, places, madeMemoryBytes } = note
  const json = JSON.stringify({
    ...config,
    ...(Object.keys(places).length > 0 && { places }),
    ...(isPending && madeMemoryBytes !== undefined && { madeMemoryBytes }),
  })
  const line = `${MARK} ${id} ${guid ?? NEW} ${isPending ? 'pending' : 'made'} ${json}`
  const { description } = config
  const notes = description === '' ? line : `${description}\n\n${line}`
  if (notes.length <= CHARACTERS_MAX) return notes
  throw new DriverError('refused', `the definition is longer than the ${CHARACTERS_MAX} characters that are kept of it`)
}

/** The note in the notes of a machine of this GUID; undefined where it has none of its own. */
export function readNote(guid: string, notes: string): Note | undefined {
  const line = lineIn(notes)
  const { id, guid: written, state, json } = LINE.exec(line ?? '')?.groups ?? {}
  if (id === undefined || json === undefined || (written !== guid && written !== NEW)) return undefined
  return { id, guid, isPending: state === 'pending', config: readConfig(json), ...readRest(json) }
}

/** What people read in notes: all but the line. */
export function descriptionIn(notes: string): string {
  const line = lineIn(notes)
  if (line === undefined) return notes
  const at = notes.lastIndexOf(line)
  return `${notes.slice(0, at).replace(/\r?\n?\r?\n$/, '')}${notes.slice(at + line.length)}`
}

function lineIn(notes: string): string | undefined {
  return notes.split(/\r?\n/).findLast(line => line.startsWith(`${MARK} `))
}

/** What stands beside the definition. */
function readRest(json: string): Pick<Note, 'places' | 'madeMemoryBytes'> {
  try {
    const { places = {}, madeMemoryBytes } = toJsonObject(JSON.parse(json), 'the definition')
    const read = toJsonObject(places, 'places')
    return {
      places: Object.fromEntries(Object.keys(read).map(id => [id, stringMember(read, id)])),
      ...(isAmount(madeMemoryBytes) && { madeMemoryBytes }),
    }
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof JsonShapeError) return { places: {} }
    throw error
  }
}

const isAmount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0
