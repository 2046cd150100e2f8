/** Which files of this machine clients may name. */

import { lstatSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, normalize } from 'node:path'
import { fail } from '../model/errors.ts'

/** What the operator has decided. */
export interface PathRules {
  readonly dataDir: string
  /** Folders, or single files; absent where the operator says nothing: then USUAL_FOLDERS, and the drives. */
  readonly allowed?: readonly string[]
}

/** The folders that are open to clients where the operator says nothing, beside the machine's own for temporary files. */
export const USUAL_FOLDERS: readonly string[] = [
  '/boot',
  '/srv',
  '/mnt',
  '/media',
  '/usr/share',
  '/var/lib/libvirt/images',
]

/** What in the data directory is the clients': the images of repositories, and kernels put there for them. */
const OWN_FOLDERS = ['sr', 'boot']

/** Drives that a virtual CD drive may stand for, unless the operator lists what is allowed. Source: Linux, devices.txt, 11 block. */
const DRIVE = /^\/dev\/(sr\d{1,3}|scd\d{1,3}|cdrom|dvd)$/
const DRIVE_FIELD = 'bios_cdrom'

const SHOWN_MAX = 300

/**
 * Keeps the paths that clients name within the folders that the operator allows. A path counts as what it really is,
 * with every symbolic link followed; of what does not exist yet, the nearest folder that does counts. Nothing in the
 * data directory is allowed but the clients' own folders, whatever the operator says.
 *
 * Whoever may write in an allowed folder on this machine can swap a link between the check and the use. So the real
 * path is answered, which is what is to be used, and it is worth checking again once a folder was made or opened; what
 * remains is the moment between that and the hypervisor's own opening of a file.
 */
export class Paths {
  readonly #dataDir: string
  readonly #own: readonly string[]
  readonly #allowed: readonly string[]
  readonly #allowsDrives: boolean

  constructor({ dataDir, allowed }: PathRules) {
    this.#dataDir = dataDir
    this.#own = OWN_FOLDERS.map(name => join(dataDir, name))
    this.#allowed = (allowed ?? [...USUAL_FOLDERS, tmpdir()]).map(withoutEnd)
    this.#allowsDrives = allowed === undefined
  }

  /**
   * The real path of a path that a client names as a field's value. Throws PATH_NOT_ALLOWED where it is not within
   * what the operator allows, or cannot be told; also for one that is not absolute or holds `..`.
   */
  check(field: string, path: string): string {
    const real = this.#realOf(field, path)
    if (real !== undefined) return real
    throw fail('PATH_NOT_ALLOWED', { field, path: path.slice(0, SHOWN_MAX), allowed: this.#shown })
  }

  /**
   * Why a path is not allowed that a client names as a field's value, as a sentence; undefined where it is. These folders
   * were allowed before, and what lies in them is. Of the data directory it says so, which may lie in what is allowed.
   */
  refusal(field: string, path: string, folders: readonly string[] = []): string | undefined {
    if (this.#realOf(field, path, folders) !== undefined) return undefined
    const named = path.slice(0, SHOWN_MAX)
    const real = realPathOf(path)
    if (real !== undefined && isWithin(real, realOf(this.#dataDir))) {
      const own = this.#own.join(', ')
      return `${named} is the server's own: of its data directory, clients may name what lies in these alone: ${own}`
    }
    return `the operator does not allow clients to name ${named}; what lies in these is allowed (--allow-path): ${this.#shown}`
  }

  get #shown(): string {
    return [...this.#own, ...this.#allowed].join(', ')
  }

  #realOf(field: string, path: string, folders: readonly string[] = []): string | undefined {
    const real = realPathOf(path)
    return real !== undefined && this.#isAllowed(field, real, folders) ? real : undefined
  }

  #isAllowed(field: string, real: string, folders: readonly string[]): boolean {
    // Looked up each time: folders come and go, and are mounted.
    if (this.#own.some(folder => isWithin(real, realOf(folder)))) return true
    if (isWithin(real, realOf(this.#dataDir))) return false
    if ([...this.#allowed, ...folders].some(folder => isWithin(real, realOf(folder)))) return true
    return this.#allowsDrives && field.replaceAll('/', '_') === DRIVE_FIELD && DRIVE.test(real)
  }
}

const withoutEnd = (path: string): string => normalize(path).replace(/(?<=.)\/+$/, '')

const isWithin = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`)

const realOf = (folder: string): string => realPathOf(folder) ?? folder

/** Undefined where there is no telling: a link that leads nowhere, or in a circle, or a folder that is closed to us. */
function realPathOf(path: string): string | undefined {
  if (!path.startsWith('/') || path.includes('\0') || path.split('/').includes('..')) return undefined
  const missing: string[] = []
  for (let present = withoutEnd(path); ; present = dirname(present)) {
    try {
      return join(realpathSync(present), ...missing)
    } catch (error) {
      // A link that leads nowhere is there all the same, and making a file there would make it elsewhere.
      if (!isMissing(error) || isThere(present)) return undefined
    }
    missing.unshift(basename(present))
  }
}

function isThere(path: string): boolean {
  try {
    lstatSync(path)
    return true
  } catch (error) {
    return !isMissing(error)
  }
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT'
