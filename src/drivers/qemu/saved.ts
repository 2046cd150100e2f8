import { readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import {
  booleanMember,
  integerMember,
  type JsonObject,
  JsonShapeError,
  stringMember,
  toJsonObject,
} from '../../protocols/qmp/json.ts'
import { DriverError } from '../driver.ts'
import { type Definition, parse, serialise } from './definition.ts'
import { syncFolder, systemCode, writeAtomically } from './files.ts'
import type { DomainFiles } from './layout.ts'
import type { MemoryExtent } from './memory-file.ts'

/** What a suspended domain is resumed from. */
export interface Saved extends MemoryExtent {
  /** What QEMU was made of. */
  readonly definition: Definition
  /** Whether the guest was paused before it was saved. */
  readonly paused: boolean
}

/**
 * How far a suspension or a resume is, durable at each step, so that whoever comes after a crash knows what to do:
 * `saving`: the memory is being written, to the file `partial` where a caller said where it is to be; it is worth nothing,
 * and the guest is to run if it `wasRunning`.
 * `given`: the memory is whole, in `partial` or, that file being renamed already, at `location`, which is the caller's. A
 * QEMU that lives has just been saved, and can go.
 * `restoring`: a QEMU that lives is being given memory of a caller's file. It has executed nothing, and can go.
 * `saved`: the memory is whole. As long as this stands no QEMU executes the guest: one that lives has either just been
 * saved or is just being restored, and can go.
 * `consumed`: a QEMU has the memory and may have executed; the file is of no use any more, for the disks go on.
 */
export type Suspension =
  | { readonly phase: 'saving'; readonly wasRunning: boolean; readonly partial?: string }
  | { readonly phase: 'given'; readonly partial: string; readonly location: string }
  | { readonly phase: 'restoring' }
  | ({ readonly phase: 'saved' } & Saved)
  | { readonly phase: 'consumed' }

const FORMAT = 1

/** Makes this what is known of the suspension; durable when it resolves. */
export async function writeSuspension(files: DomainFiles, suspension: Suspension): Promise<void> {
  const written =
    suspension.phase === 'saved' ? { ...suspension, definition: serialise(suspension.definition) } : suspension
  await writeAtomically(files.suspension, `${JSON.stringify({ format: FORMAT, ...written })}\n`)
}

/** The memory is whole: gives it its name, and then says so. */
export async function commitMemory(files: DomainFiles, saved: Saved): Promise<void> {
  await rename(files.memoryPartial, files.memory)
  await syncFolder(files.folder)
  await writeSuspension(files, { phase: 'saved', ...saved })
}

/** From here on what was written of the memory is worth nothing; durable when it resolves. */
export async function forgetSuspension(files: DomainFiles): Promise<void> {
  await rm(files.suspension, { force: true })
  await syncFolder(files.folder)
}

/** Forgets the suspension and deletes the memory, durably: what is known first, so that no memory is taken for whole that is half deleted. */
export async function discardSuspension(files: DomainFiles): Promise<void> {
  await forgetSuspension(files)
  await Promise.all([files.memory, files.memoryPartial].map(path => rm(path, { force: true })))
}

/** Gives memory that is whole to the caller who said where. Done again it does nothing. */
export async function give({
  partial,
  location,
}: {
  readonly partial: string
  readonly location: string
}): Promise<void> {
  try {
    await rename(partial, location)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
  await syncFolder(dirname(location))
}

/** What is known of a suspension; undefined where there is none. Rejects as `refused` where it cannot be read. */
export async function readSuspension(files: DomainFiles): Promise<Suspension | undefined> {
  try {
    return parseSuspension(toJsonObject(JSON.parse(await readFile(files.suspension, 'utf8')), 'the suspension'))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    if (!(error instanceof SyntaxError || error instanceof JsonShapeError)) throw error
    throw new DriverError('refused', `${files.suspension} cannot be read: ${error.message}`, { cause: error })
  }
}

function parseSuspension(object: JsonObject): Suspension {
  const format = integerMember(object, 'format')
  if (format !== FORMAT) throw new JsonShapeError(`format is ${format}; known is ${FORMAT}`)
  const phase = stringMember(object, 'phase')
  if (phase === 'consumed' || phase === 'restoring') return { phase }
  if (phase === 'saving') {
    const partial = object['partial'] === undefined ? {} : { partial: stringMember(object, 'partial') }
    return { phase, wasRunning: booleanMember(object, 'wasRunning'), ...partial }
  }
  if (phase === 'given') {
    return { phase, partial: stringMember(object, 'partial'), location: stringMember(object, 'location') }
  }
  if (phase !== 'saved') throw new JsonShapeError(`no phase is called ${phase}`)
  return {
    phase,
    definition: parse(stringMember(object, 'definition')),
    bytes: integerMember(object, 'bytes'),
    crc32: integerMember(object, 'crc32'),
    paused: wasPaused(object),
  }
}

/** Whether what was saved was paused: earlier versions did not say so. */
export const wasPaused = (object: JsonObject): boolean =>
  object['paused'] !== undefined && booleanMember(object, 'paused')

/** Rejects as `refused` where the file with the memory is not as long as it was written. */
export async function assertWhole(files: DomainFiles, saved: Saved): Promise<void> {
  const bytes = await sizeOf(files.memory)
  if (bytes === saved.bytes) return
  const what = bytes === undefined ? 'is gone' : `has ${bytes} bytes and not ${saved.bytes}`
  throw new DriverError('refused', `the saved memory, ${files.memory}, ${what}`)
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
