import { DatabaseSync } from 'node:sqlite'
import { Damaged } from '../delta.ts'
import type { LogReader } from '../log.ts'
import { StoreUnavailable } from '../store.ts'
import {
  APPLICATION_ID,
  BUSY_TIMEOUT_MS,
  CONNECTION_PRAGMAS,
  CREATE_TABLES,
  readNumber,
  SCHEMA_VERSION,
} from './database.ts'
import { DELTA_COLUMNS, OBJECT_COLUMNS, readDeltas, readObject } from './rows.ts'

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
    checkPages(database)
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

/** A page that lost rows would otherwise read as a store that holds less. */
function checkPages(database: DatabaseSync): void {
  const [verdict] = Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {})
  if (verdict !== 'ok') throw new Damaged(String(verdict))
}

function read(database: DatabaseSync, reader: LogReader): number {
  let generation = readNumber(database, 'SELECT generation FROM meta')
  const oldestDelta = readNumber(database, 'SELECT min(first) FROM deltas')
  /** Objects that contain some of the deltas already: the snapshot was being renewed when the last server ended. */
  const ahead = new Map<string, number>()

  for (const row of database.prepare(`SELECT ${OBJECT_COLUMNS} FROM objects ORDER BY id`).iterate()) {
    const object = readObject(row)
    const { className, ref, record } = object
    if (oldestDelta > 0 && object.generation >= oldestDelta) ahead.set(keyOf(className, ref), object.generation)
    if (record !== undefined) reader.object(className, ref, record)
  }
  for (const row of database.prepare(`SELECT ${DELTA_COLUMNS} FROM deltas ORDER BY last`).iterate()) {
    for (const { generation: deltaGeneration, changes } of readDeltas(row).deltas) {
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
