import { randomUUID } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { identify, isAlive } from './process.ts'

/** Name of a file in work: the process that works on it, so that nobody else takes it for a dead one's. */
const PARTIAL = /^\.(?:(\d+)-(\d+)-)?[0-9a-f-]{36}\.partial$/

/** Whether a file of this name is one in work, or what is left of one. */
export const isPartial = (name: string): boolean => PARTIAL.test(name)

/** Files of repositories that are being made, under hidden names. What a killed process left of them is worth nothing. */
export class Partials {
  readonly #mine = new Set<string>()
  readonly #prefix = `.${process.pid}-${identify(process.pid)?.startedTicks ?? 0}-`

  /** Gives a path for a file to be made, and removes what is there when `work` is done, whatever became of it. */
  with<T>(folder: string, work: (path: string) => Promise<T>): Promise<T> {
    return this.withMany(folder, 1, ([path = '']) => work(path))
  }

  /** As `with`, for many files. */
  async withMany<T>(folder: string, count: number, work: (paths: readonly string[]) => Promise<T>): Promise<T> {
    const names = Array.from({ length: count }, () => `${this.#prefix}${randomUUID()}.partial`)
    for (const name of names) this.#mine.add(name)
    try {
      return await work(names.map(name => join(folder, name)))
    } finally {
      for (const name of names) {
        await rm(join(folder, name), { force: true })
        this.#mine.delete(name)
      }
    }
  }

  /** Removes from a folder what no living process works on. Gives the names of what stays. */
  async clear(folder: string): Promise<string[]> {
    const names = (await readdir(folder)).filter(name => PARTIAL.test(name))
    const dead = names.filter(name => !this.#isInWork(name))
    for (const name of dead) await rm(join(folder, name), { force: true })
    return names.filter(name => !dead.includes(name))
  }

  #isInWork(name: string): boolean {
    if (name.startsWith(this.#prefix)) return this.#mine.has(name)
    const [, pid, startedTicks] = PARTIAL.exec(name) ?? []
    return pid !== undefined && startedTicks !== undefined && isAlive({ pid: Number(pid), startedTicks })
  }
}
