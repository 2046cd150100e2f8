import type { DomainConfig } from '../driver.ts'
import type { Entry } from './directory.ts'
import { descriptionIn, writeNotes } from './note.ts'

/** As much of a domain as its notes are written from. */
type Owner = Pick<Entry, 'id' | 'machine' | 'note'>

/**
 * The notes of a machine with another definition in them: what people wrote around it, and whether it is pending, stays.
 * Undefined where none was kept: somebody else has made the machine. Throws DriverError, `refused`, where they are too long.
 */
export function notesWith({ id, machine: { guid, notes }, note }: Owner, config: DomainConfig): string | undefined {
  if (note === undefined) return undefined
  const description = descriptionOf(config, notes)
  return writeNotes({ ...note, id, guid, config: { ...config, description } })
}

/** Line ends do not count, which not everybody keeps. */
function descriptionOf({ description }: DomainConfig, notes: string): string {
  const seen = descriptionIn(notes)
  return normal(seen) === normal(description) ? description : seen
}

const normal = (text: string): string => text.replace(/\r\n?/g, '\n').trim()
