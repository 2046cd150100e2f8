import { readFile } from 'node:fs/promises'
import {
  arrayMember,
  integerMember,
  type JsonObject,
  JsonShapeError,
  stringMember,
  toJsonObject,
} from '../../protocols/qmp/json.ts'
import { DriverError, type Snapshot } from '../driver.ts'
import { type Definition, parse, serialise } from './definition.ts'
import { systemCode, writeAtomically } from './files.ts'
import { type Saved, wasPaused } from './saved.ts'

/** A snapshot as it is kept: within the image of each disk under its id, and the memory as a file (`snapshot-files.ts`). */
export interface KeptSnapshot extends Omit<Snapshot, 'isCurrent' | 'state' | 'wasPaused'> {
  /** The stored definition. */
  readonly definition: Definition
  /** What it can be resumed from; null where there was no memory to keep. */
  readonly memory: Saved | null
  /** The images that hold it. */
  readonly disks: readonly string[]
}

/** A snapshot that is being made or forgotten: whatever there is of it is to be deleted. */
export type Doomed = Pick<KeptSnapshot, 'id' | 'disks'>

/** What is known of a domain's snapshots, durable at each step, so that whoever comes after a crash knows what to do. */
export interface SnapshotRecord {
  /** Each after the one that it builds on. */
  readonly snapshots: readonly KeptSnapshot[]
  /** The `id` of the one that what the domain is now builds on. */
  readonly current: string | null
  /** The `id` of the one that the domain is going back to: half of its disks may be there already. */
  readonly reverting: string | null
  readonly doomed: readonly Doomed[]
}

/** What is known of a domain that has no snapshots. */
export const NO_SNAPSHOTS: SnapshotRecord = { snapshots: [], current: null, reverting: null, doomed: [] }

const FORMAT = 1

/** Makes this what is known; durable when it resolves. */
export async function writeRecord(path: string, record: SnapshotRecord): Promise<void> {
  const snapshots = record.snapshots.map(({ definition, memory, ...others }) => ({
    ...others,
    definition: serialise(definition),
    memory: memory && { ...memory, definition: serialise(memory.definition) },
  }))
  await writeAtomically(path, `${JSON.stringify({ format: FORMAT, ...record, snapshots })}\n`)
}

/** Reads what is known. Rejects as `refused` where it cannot be read. */
export async function readRecord(path: string): Promise<SnapshotRecord> {
  try {
    return parseRecord(toJsonObject(JSON.parse(await readFile(path, 'utf8')), 'the record'))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return NO_SNAPSHOTS
    if (!(error instanceof SyntaxError || error instanceof JsonShapeError)) throw error
    throw new DriverError('refused', `${path} cannot be read: ${error.message}`, { cause: error })
  }
}

function parseRecord(object: JsonObject): SnapshotRecord {
  const format = integerMember(object, 'format')
  if (format !== FORMAT) throw new JsonShapeError(`format is ${format}; known is ${FORMAT}`)
  const objects = (name: string) => arrayMember(object, name).map(value => toJsonObject(value, name))
  return {
    snapshots: objects('snapshots').map(parseSnapshot),
    current: stringOrNull(object, 'current'),
    reverting: stringOrNull(object, 'reverting'),
    doomed: objects('doomed').map(parseDoomed),
  }
}

function parseSnapshot(object: JsonObject): KeptSnapshot {
  return {
    ...parseDoomed(object),
    name: stringMember(object, 'name'),
    description: stringMember(object, 'description'),
    createdMs: integerMember(object, 'createdMs'),
    parent: stringOrNull(object, 'parent'),
    definition: parse(stringMember(object, 'definition')),
    memory: object['memory'] === null ? null : parseMemory(toJsonObject(object['memory'], 'memory')),
  }
}

const parseMemory = (object: JsonObject): Saved => ({
  definition: parse(stringMember(object, 'definition')),
  bytes: integerMember(object, 'bytes'),
  crc32: integerMember(object, 'crc32'),
  paused: wasPaused(object),
})

const parseDoomed = (object: JsonObject): Doomed => ({
  id: stringMember(object, 'id'),
  disks: arrayMember(object, 'disks').map(toText),
})

function toText(value: unknown): string {
  if (typeof value !== 'string') throw new JsonShapeError('disks has something in it that is no path')
  return value
}

const stringOrNull = (object: JsonObject, name: string): string | null =>
  object[name] === null ? null : stringMember(object, name)
