import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StoreUnavailable } from '../store.ts'
import { isBusy, readNumber } from './database.ts'

/** A data folder that this server holds. */
export interface HeldFolder {
  /** The path of the database file. */
  readonly databasePath: string
  /** The database is there and complete: from now on, a missing or empty one is a loss and not a beginning. */
  markBegun(): void
  /** Lets the next server in. Calling it twice is harmless. */
  release(): void
}

/**
 * Takes a data folder for this server alone, and makes it if need be. The lock is SQLite's own lock on a file beside
 * the database, which the operating system releases when the process dies, however it dies; the database itself stays
 * open to `sqlite3 state.db .backup` while the server runs. Throws StoreUnavailable when another server holds the
 * folder, or when a store was there and its database is gone.
 */
export function holdFolder(folder: string): HeldFolder {
  const databasePath = join(folder, 'state.db')
  const lockPath = join(folder, 'state.lock')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  makePrivate(lockPath)
  const lock = takeLock(lockPath, folder)
  try {
    if (hasBegun(lock) && isMissingOrEmpty(databasePath)) {
      throw new StoreUnavailable(
        `the store in ${folder} is gone: state.db is missing or empty. ` +
          'Restore it from a backup; to begin anew with nothing, remove state.lock as well',
      )
    }
    makePrivate(databasePath)
  } catch (error) {
    lock.close()
    throw error
  }
  return {
    databasePath,
    markBegun: () => {
      if (!hasBegun(lock)) lock.exec('PRAGMA user_version = 1')
    },
    release: () => {
      if (lock.isOpen) lock.close()
    },
  }
}

function takeLock(path: string, folder: string): DatabaseSync {
  const lock = new DatabaseSync(path, { timeout: 0 })
  try {
    // In this locking mode, the lock of the first writing transaction is kept until the connection closes.
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT')
    return lock
  } catch (cause) {
    lock.close()
    if (isBusy(cause)) throw new StoreUnavailable(`another server holds the data folder ${folder}`, { cause })
    throw cause
  }
}

const hasBegun = (lock: DatabaseSync) => readNumber(lock, 'PRAGMA user_version') > 0
const isMissingOrEmpty = (path: string) => !existsSync(path) || statSync(path).size === 0

/**
 * Makes an empty file that only its owner may read, or makes it so. A file that is there is not opened: closing it
 * would release the locks that this process holds on it. SQLite gives its side files the same mode.
 */
function makePrivate(path: string): void {
  if (existsSync(path)) chmodSync(path, 0o600)
  else closeSync(openSync(path, 'wx', 0o600))
}
