import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** Whether this machine lets tests mount file systems of their own. */
export function canMount(): boolean {
  if (process.getuid?.() !== 0) return false
  const folder = mkdtempSync(join(tmpdir(), 'pv-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' })
    execFileSync('umount', [folder], { stdio: 'ignore' })
    return true
  } catch {
    // A container without the privilege.
    return false
  } finally {
    rmdirSync(folder)
  }
}

/** What a test has mounted; to be closed. */
export class Mounts {
  /** The newest last; a folder may be there twice. */
  readonly #folders: string[] = []

  /** Puts an empty file system of so many MiB in the place of a folder. */
  async small(folder: string, mib: number): Promise<void> {
    await execute('mount', ['-t', 'tmpfs', '-o', `size=${mib}m,mode=0700`, 'tmpfs', folder])
    this.#folders.push(folder)
  }

  /** Makes a folder one that nobody can write to, root neither; answers what takes that back. */
  async readOnly(folder: string): Promise<() => Promise<void>> {
    await execute('mount', ['--bind', folder, folder])
    this.#folders.push(folder)
    await execute('mount', ['-o', 'remount,bind,ro', folder])
    return () => this.#unmount(this.#folders.lastIndexOf(folder))
  }

  /** Takes all of them away, in use or not. */
  async close(): Promise<void> {
    while (this.#folders.length > 0) await this.#unmount(this.#folders.length - 1)
  }

  async #unmount(index: number): Promise<void> {
    for (const folder of this.#folders.splice(index, 1)) await execute('umount', ['-l', folder])
  }
}

/** Leaves not a block free on the file system of a folder; answers what gives them back. */
export async function fill(folder: string): Promise<() => Promise<void>> {
  const ballast = join(folder, 'ballast')
  // It ends because nothing more goes in.
  await execute('dd', ['if=/dev/zero', `of=${ballast}`, 'bs=4k']).catch(() => undefined)
  return async () => void (await execute('rm', [ballast]))
}
