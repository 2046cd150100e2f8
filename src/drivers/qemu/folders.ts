import { readdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { ConnectOptions } from '../driver.ts'
import { baseNamed, readMembers, sweepBases } from './bases.ts'
import { syncFolder, systemCode } from './files.ts'
import { healLive, healTwins } from './heal.ts'
import { keyOf } from './images.ts'
import type { Inventory } from './inventory.ts'
import { Lock } from './lock.ts'
import { Partials } from './partials.ts'

/** Operations that may wait for one folder; each is short. */
const WAITING_MAX = 1024

/** The folders of repositories: one change of names and bases at a time in each, and whole from the first touch on. */
export class Folders {
  readonly partials = new Partials()
  readonly #inventory: Inventory
  readonly #locks = new Map<string, Lock>()
  readonly #healed = new Set<string>()

  constructor(inventory: Inventory) {
    this.#inventory = inventory
  }

  /**
   * Runs what changes names or bases of a folder when its turn comes. Before the first, heals what a killed process
   * left; as before the next, where a change failed, for it may have failed half-way.
   */
  async inOrder<T>(folder: string, change: () => Promise<T>): Promise<T> {
    const key = keyOf(statSync(folder))
    const lock = this.#locks.get(key) ?? new Lock(WAITING_MAX)
    this.#locks.set(key, lock)
    try {
      return await lock.run(async () => {
        await this.#healOnce(key, folder)
        try {
          return await change()
        } catch (error) {
          this.#healed.delete(key)
          throw error
        }
      })
    } finally {
      if (lock.isIdle) this.#locks.delete(key)
    }
  }

  /** Mends the folders of all images that domains are defined with, before a domain is started with one. Gives those with bases. */
  async mendAll(warn: ConnectOptions['warn']): Promise<string[]> {
    const locations = this.#inventory.all().flatMap(domain => domain.config.disks.map(disk => disk.location))
    const folders = new Set(locations.filter(location => location !== '').map(dirname))
    const withBases = [...folders].filter(holdsBases)
    for (const folder of withBases) {
      await this.inOrder(folder, async () => undefined).catch((error: unknown) => {
        warn(`images in ${folder} cannot be mended: ${String(error)}`)
      })
    }
    return withBases
  }

  /** Mends what a change left that failed or was killed half-way, and removes what nobody needs. Within `inOrder` only. */
  async mend(folder: string): Promise<void> {
    const others = await this.partials.clear(folder)
    await healLive(folder, await readMembers(folder), this.#inventory)
    await healTwins(await readMembers(folder), this.#inventory)
    await sweepBases(folder, await readMembers(folder, others))
    await syncFolder(folder)
  }

  async #healOnce(key: string, folder: string): Promise<void> {
    if (this.#healed.has(key)) return
    await this.mend(folder)
    this.#healed.add(key)
  }
}

function holdsBases(folder: string): boolean {
  try {
    return readdirSync(folder).some(name => baseNamed(name) !== undefined)
  } catch (error) {
    // A folder that is not there, or is not ours to read; a start will say so.
    if (systemCode(error) !== undefined) return false
    throw error
  }
}
