import { DatabaseSync } from 'node:sqlite'
import { parseRecord, splitDeltas } from '../delta.ts'
import type { LogReader } from '../log.ts'
import { StoreUnavailable } from '../store.ts'
import {
  APPLICATION_ID,
  BUSY_TIMEOUT_MS,
  CONNECTION_PRAGMAS,
  CREATE_TABLES,
  readNumber,
  SCHEMA_VERSION,
  verified,
} from './database.ts'

/**
 * Reads the database through a connection of its own, making the tables in an empty one. Answers the newest
 * generation. Throws StoreUnavailable for a database of a newer version, and what `isDamage` tells for a damaged one.
 */
export function loadDatabase(path: string, folder: string, reader: LogReader): number {
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
  try {
    // The version first: of a newer database, nothing else may be touched.
    checkVersion(database, folder)
    database.exec(CONNECTION_PRAGMAS)
    if (readNumber(database, 'PRAGMA user_version') === 0) database.exec(`BEGIN; ${CREATE_TABLES} COMMIT`)
    // The locks of all leases died with the server that held the folder; only their fences live on.
    database.exec('UPDATE leases SET expires_at = 0 WHERE expires_at > 0')
    return read(database, reader)
  } finally {
    database.close()
  }
}

function checkVersion(database: DatabaseSync, folder: string): void {
  const version = readNumber(database, 'PRAGMA user_version')
  const application = readNumber(database, 'PRAGMA application_id')
  const isEmpty = version === 0 && application === 0 && readNumber(database, 'SELECT count(*) FROM sqlite_schema') === 0
  if (isEmpty) return
  if (application !== APPLICATION_ID) {
    throw new StoreUnavailable(`state.db in ${folder} is the database of another program`)
  }
  if (version > SCHEMA_VERSION) {
    throw new StoreUnavailable(
      `the store in ${folder} has version ${version}; this server knows versions up to ${SCHEMA_VERSION}. Start the newer server`,
    )
  }
}

function read(database: DatabaseSync, reader: LogReader): number {
  let generation = readNumber(database, 'SELECT generation FROM meta')
  const oldestDelta = readNumber(database, 'SELECT min(first) FROM deltas')
  /** Objects that contain some of the deltas already: the snapshot was being renewed when the last server ended. */
  const ahead = new Map<string, number>()

  for (const row of database
    .prepare('SELECT class, ref, generation, record, checksum FROM objects ORDER BY id')
    .iterate()) {
    const [className, ref, objectGeneration] = [String(row['class']), String(row['ref']), Number(row['generation'])]
    if (oldestDelta > 0 && objectGeneration >= oldestDelta) ahead.set(keyOf(className, ref), objectGeneration)
    if (row['record'] === null) continue
    reader.object(className, ref, parseRecord(verified(row['record'], row['checksum'], `${className} '${ref}'`)))
  }
  for (const row of database.prepare('SELECT last, payload, checksum FROM deltas ORDER BY last').iterate()) {
    const payload = verified(row['payload'], row['checksum'], `the deltas up to ${String(row['last'])}`)
    for (const { generation: deltaGeneration, changes } of splitDeltas(payload)) {
      for (const change of changes) {
        const contained = ahead.size === 0 ? 0 : (ahead.get(keyOf(change[1], change[2])) ?? 0)
        if (deltaGeneration > contained) reader.change(deltaGeneration, change)
      }
      generation = Math.max(generation, deltaGeneration)
    }
  }
  return generation
}

const keyOf = (className: string, ref: string) => `${className}\0${ref}`
