import type { Host } from '../host/host.ts'
import { OperationError, Return } from '../host/operation-error.ts'
import { giveImageFiles } from '../host/resources-files.ts'
import { reasonText } from '../host/resources-texts.ts'
import { FileSystem } from './file-system.ts'
import { parseWindowsPath, sameFileKey } from './windows-path.ts'

/** The storage of a host: its files, and which of them are being worked on. */
export class Storage {
  readonly files: FileSystem
  /** By what makes paths the same. */
  readonly #held = new Map<string, symbol>()

  constructor(folder: string) {
    this.files = new FileSystem(folder)
  }

  /** Whether something is working on a file. */
  isHeld(path: string): boolean {
    return this.#held.has(sameFileKey(path))
  }

  /**
   * Keeps files from everybody else; undefined where one of them is kept already. What it returns lets them go, and may
   * be called twice.
   */
  hold(paths: readonly string[]): (() => void) | undefined {
    const keys = paths.map(sameFileKey)
    if (keys.some(key => this.#held.has(key))) return undefined
    const mark = Symbol('held')
    for (const key of keys) this.#held.set(key, mark)
    return () => {
      for (const key of keys) if (this.#held.get(key) === mark) this.#held.delete(key)
    }
  }
}

const storages = new WeakMap<Host, Storage>()

/** The storage of a host, opened the first time; undefined for a host that has no folder for it. */
export function openStorage(host: Host): Storage | undefined {
  const present = storages.get(host)
  if (present !== undefined || host.folder === undefined) return present
  const storage = new Storage(host.folder)
  storages.set(host, storage)
  giveImageFiles(host, {
    exists: path => storage.files.find(path)?.isFolder === false,
    isHeld: path =>
      storage.isHeld(path) || host.state.mounted.some(image => sameFileKey(image.path) === sameFileKey(path)),
  })
  return storage
}

/** As `openStorage`; throws OperationError for a host that has none. */
export function storageOf(host: Host): Storage {
  const storage = openStorage(host)
  if (storage !== undefined) return storage
  throw new OperationError(Return.notSupported, reasonText(host.locale, 'notSupported'))
}

/** Bytes of the drive that a path is on, and those of them that are free. */
export function spaceOf(host: Host, path: string): { readonly bytes: number; readonly freeBytes: number } {
  const drive = parseWindowsPath(path)?.drive ?? ''
  const bytes = host.state.physicalDisks[0]?.bytes ?? 0
  // Windows itself takes some of its own.
  const used = (drive === 'C' ? WINDOWS_BYTES : 0) + (openStorage(host)?.files.usedBytes(drive) ?? 0)
  return { bytes, freeBytes: Math.max(0, bytes - used) }
}

const WINDOWS_BYTES = 40 * 1024 ** 3
