import { crc32 } from 'node:zlib'
import type { DatabaseSync } from 'node:sqlite'
import { Damaged } from '../delta.ts'

/** The form of the tables below. A database with a larger number was written by a newer version and is refused. */
export const SCHEMA_VERSION = 1

/** Tells our databases from others: `PLYV`. */
export const APPLICATION_ID = 0x504c5956

/**
 * `objects` is the snapshot, its order of `id` the order of creation; a record that is NULL is deleted and not yet
 * swept. An object's own `generation` says which deltas it contains, so that a snapshot may be half renewed. `deltas`
 * holds one row for each batch, by its last generation.
 */
export const CREATE_TABLES = `
  CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), generation INTEGER NOT NULL, repairs INTEGER NOT NULL) STRICT;
  INSERT INTO meta VALUES (1, 0, 0);
  CREATE TABLE objects (
    id INTEGER PRIMARY KEY, class TEXT NOT NULL, ref TEXT NOT NULL, generation INTEGER NOT NULL,
    record TEXT, checksum INTEGER NOT NULL, UNIQUE (class, ref)
  ) STRICT;
  CREATE INDEX deleted_objects ON objects (id) WHERE record IS NULL;
  CREATE TABLE deltas (
    last INTEGER PRIMARY KEY, first INTEGER NOT NULL, payload TEXT NOT NULL, checksum INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE leases (
    name TEXT PRIMARY KEY, owner TEXT NOT NULL, fence INTEGER NOT NULL, expires_at INTEGER NOT NULL
  ) STRICT;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`

/** How long to wait for one who backs the database up, in milliseconds. */
export const BUSY_TIMEOUT_MS = 5_000

/** What every connection begins with. FULL: a commit waits for the disk. The side file shrinks after a burst. */
export const CONNECTION_PRAGMAS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA journal_size_limit = 16777216;
`

/** The checksum that a row carries over its columns: SQLite would not notice a changed byte within them. */
export const checksumOf = (...columns: readonly (string | number)[]): number =>
  columns.reduce<number>((checksum, column) => crc32(`${column}\0`, checksum), 0)

/** Throws Damaged unless the columns are what was written. */
export function verify(checksum: unknown, what: string, ...columns: readonly (string | number)[]): void {
  if (checksumOf(...columns) !== checksum) throw new Damaged(`the checksum of ${what} does not match`)
}

/** The number in the first row and column of a query's answer; 0 where there is none. */
export function readNumber(database: DatabaseSync, query: string): number {
  const [value] = Object.values(database.prepare(query).get() ?? {})
  return typeof value === 'number' ? value : 0
}

/** Source: SQLite, Result and Error Codes. The low byte is the primary code. */
const SQLITE = { busy: 5, corrupt: 11, notADatabase: 26 } as const

const primaryCode = (error: unknown): number | undefined =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : undefined

/** Another connection holds the lock. */
export const isBusy = (error: unknown): boolean => primaryCode(error) === SQLITE.busy

/** What is on the disk is not what was written. */
export function isDamage(error: unknown): boolean {
  const code = primaryCode(error)
  return error instanceof Damaged || code === SQLITE.corrupt || code === SQLITE.notADatabase
}
