import { cpSync, lstatSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { folderOf, nameIn, parseWindowsPath, printWindowsPath, type WindowsPath } from './windows-path.ts'

/** A file or folder of the host that is there. */
export interface Entry {
  /** As it is spelled on the disk, whatever was asked for. */
  readonly path: string
  /** Where it really is. */
  readonly file: string
  readonly isFolder: boolean
  readonly bytes: number
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly modifiedAt: number
}

/** The drive of Windows, which every host has. */
const SYSTEM_DRIVE = 'C'
/** Folders of it that every host with Hyper-V has. Source: the host's own settings, and what setup makes of them. */
const DEFAULT_FOLDERS = [
  'Users/Public/Documents/Hyper-V/Virtual Hard Disks',
  'ProgramData/Microsoft/Windows/Hyper-V/Virtual Machines',
  'ProgramData/Microsoft/Windows/Hyper-V/Snapshots',
  'ProgramData/Microsoft/Windows/Virtual Hard Disks',
]
const ENTRIES_MAX = 10_000

/**
 * The files of a host: Windows paths on a drive lead below one folder, named for its letter, and nowhere else; beside C,
 * a host has the drives that somebody has made such a folder for. Names are found in any case and keep that in which they
 * were made. Symbolic links lead nowhere.
 */
export class FileSystem {
  readonly #root: string

  /** Makes the folders that a host has from the beginning. */
  constructor(folder: string) {
    for (const path of DEFAULT_FOLDERS) mkdirSync(join(folder, SYSTEM_DRIVE, path), { recursive: true, mode: 0o700 })
    this.#root = realpathSync(folder)
  }

  /** The letters of the drives that there are. */
  drives(): string[] {
    return readdirSync(this.#root)
      .filter(name => /^[A-Z]$/.test(name) && statsOf(join(this.#root, name))?.isDirectory() === true)
      .sort()
  }

  /** What is at a path; undefined where there is nothing, or the path is none. */
  find(path: string): Entry | undefined {
    const parsed = parseWindowsPath(path)
    return parsed === undefined ? undefined : this.#walk(parsed)
  }

  /**
   * Where a new file goes; its folder must be there. Undefined where it is not, or the path is none. Whether there is
   * such a file already is for the opening of it to tell.
   */
  place(path: string): string | undefined {
    const parsed = parseWindowsPath(path)
    if (parsed === undefined || parsed.parts.length === 0) return undefined
    const folder = this.#walk(folderOf(parsed))
    return folder?.isFolder === true ? join(folder.file, nameIn(parsed)) : undefined
  }

  /** What is in a folder, by name; as much as can be told. Undefined where there is no such folder. */
  list(path: string): Entry[] | undefined {
    const folder = this.find(path)
    if (folder?.isFolder !== true) return undefined
    const parsed = parseWindowsPath(folder.path)
    if (parsed === undefined) return undefined
    const names = readdirSync(folder.file).slice(0, ENTRIES_MAX).sort()
    return names.flatMap(name => {
      const entry = entryAt({ ...parsed, parts: [...parsed.parts, name] }, join(folder.file, name))
      return entry ?? []
    })
  }

  /** Everything that there is, as much as can be told. */
  all(): Entry[] {
    const found: Entry[] = []
    const waiting = this.drives().map(drive => `${drive}:\\`)
    for (let folder = waiting.pop(); folder !== undefined && found.length < ENTRIES_MAX; folder = waiting.pop()) {
      for (const entry of this.list(folder) ?? []) {
        found.push(entry)
        if (entry.isFolder) waiting.push(entry.path)
      }
    }
    return found.slice(0, ENTRIES_MAX)
  }

  /** Moves a file or folder to where nothing is yet; false where its new folder is not there. */
  move({ file }: Entry, to: string): boolean {
    const place = this.place(to)
    if (place === undefined || place === file || place.startsWith(`${file}/`)) return false
    renameSync(file, place)
    return true
  }

  /** Copies a file to where nothing is yet; false where its new folder is not there. */
  copy({ file }: Entry, to: string): boolean {
    const place = this.place(to)
    if (place === undefined) return false
    cpSync(file, place, { errorOnExist: true, force: false })
    return true
  }

  /** Removes a file, or a folder that is empty. */
  remove({ file, isFolder }: Entry): void {
    if (isFolder) mustBeEmpty(file)
    rmSync(file, { recursive: isFolder, force: true })
  }

  /** Makes a folder, and those that it is in. False where the path is none, or a file is in the way. */
  makeFolder(path: string): boolean {
    const parsed = parseWindowsPath(path)
    if (parsed === undefined || !this.drives().includes(parsed.drive)) return false
    for (let depth = 1; depth <= parsed.parts.length; depth++) {
      const step: WindowsPath = { drive: parsed.drive, parts: parsed.parts.slice(0, depth) }
      const there = this.#walk(step)
      if (there?.isFolder === false) return false
      if (there !== undefined) continue
      const place = this.place(printWindowsPath(step))
      if (place === undefined) return false
      mkdirSync(place, { mode: 0o700 })
    }
    return true
  }

  /** How many bytes the files of a drive have together, as Windows counts them: holes included. */
  usedBytes(drive: string): number {
    const own = this.all().filter(({ path }) => path.startsWith(`${drive}:`))
    return own.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  #walk({ drive, parts }: WindowsPath): Entry | undefined {
    if (!this.drives().includes(drive)) return undefined
    let file = join(this.#root, drive)
    const spelled: string[] = []
    for (const part of parts) {
      const name = nameOnDisk(file, part)
      if (name === undefined) return undefined
      file = join(file, name)
      spelled.push(name)
    }
    return entryAt({ drive, parts: spelled }, file)
  }
}

/** The name as it is on the disk; undefined where the folder is none, is a link, or does not hold it. */
function nameOnDisk(folder: string, name: string): string | undefined {
  if (statsOf(folder)?.isDirectory() !== true) return undefined
  if (statsOf(join(folder, name)) !== undefined) return name
  const wanted = name.toLowerCase()
  return readdirSync(folder).find(other => other.toLowerCase() === wanted)
}

function entryAt(path: WindowsPath, file: string): Entry | undefined {
  const stats = statsOf(file)
  if (stats === undefined || !(stats.isFile() || stats.isDirectory())) return undefined
  return {
    path: printWindowsPath(path),
    file,
    isFolder: stats.isDirectory(),
    bytes: stats.isDirectory() ? 0 : stats.size,
    createdAt: stats.birthtimeMs,
    modifiedAt: stats.mtimeMs,
  }
}

function statsOf(file: string): Stats | undefined {
  return lstatSync(file, { throwIfNoEntry: false })
}

function mustBeEmpty(folder: string): void {
  if (readdirSync(folder).length > 0) throw new Error('the folder is not empty')
}
