import { dirname } from 'node:path'
import { type ConnectOptions, DriverError, type OperationOptions } from '../driver.ts'
import { BASES_MAX, baseNamed, basesBelow, countBases, type Member, readMembers } from './bases.ts'
import { systemCode } from './files.ts'
import type { StorageTools } from './storage-tools.ts'
import { isBusy, type Shortening, takeIn } from './take-in.ts'
import { inspect, readImage } from './volume.ts'

/** How long after a look was asked for it is made: much is deleted at once, or goes on being used. */
const DELAY_MS = 1_000
/** Folders that wait for a look; what finds no room waits for the next time it is asked for. */
const WAITING_MAX = 1024
/** Overlays that one look shortens. */
const SHORTENINGS_MAX = 16

/** Takes bases in that only one image or base needs any more, one after another, beside all else. */
export class Shortener {
  readonly #tools: StorageTools
  readonly #warn: ConnectOptions['warn']
  readonly #waiting = new Map<string, NodeJS.Timeout>()
  #work: { readonly folder: string; readonly aborter: AbortController; readonly done: Promise<void> } | undefined
  #isClosed = false

  constructor(tools: StorageTools, warn: ConnectOptions['warn']) {
    this.#tools = tools
    this.#warn = warn
  }

  /** Looks through a folder in a while. */
  later(folder: string): void {
    if (this.#isClosed || this.#waiting.has(folder) || this.#waiting.size >= WAITING_MAX) return
    const timer = setTimeout(() => {
      this.#waiting.delete(folder)
      this.#begin(folder)
    }, DELAY_MS)
    timer.unref()
    this.#waiting.set(folder, timer)
  }

  /** Gives up what is being done in a folder; nothing of it is left when it resolves. */
  async giveWay(folder: string): Promise<void> {
    if (this.#work?.folder !== folder) return
    this.#work.aborter.abort()
    await this.#work.done
    this.later(folder)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const timer of this.#waiting.values()) clearTimeout(timer)
    this.#waiting.clear()
    this.#work?.aborter.abort()
    await this.#work?.done
  }

  #begin(folder: string): void {
    if (this.#work !== undefined) return this.later(folder)
    const aborter = new AbortController()
    const done = this.#look(folder, aborter.signal)
      .catch((error: unknown) => {
        // One that is used again, or whose folder is gone, is none of anyone's business.
        const isOrdinary = error instanceof DriverError ? error.kind === 'bad-state' : systemCode(error) === 'ENOENT'
        if (!aborter.signal.aborted && !isOrdinary) this.#warn(`bases in ${folder} cannot be merged: ${String(error)}`)
      })
      .finally(() => {
        this.#work = undefined
      })
    this.#work = { folder, aborter, done }
  }

  async #look(folder: string, signal: AbortSignal): Promise<void> {
    const { folders } = this.#tools
    const found = await folders.inOrder(folder, async () => {
      const members = await readMembers(folder, await folders.partials.clear(folder))
      return shorteningsOf(members).filter(({ top }) => !isBusy(this.#tools, top, members))
    })
    for (const shortening of found.slice(0, SHORTENINGS_MAX)) {
      if (signal.aborted) return
      if (await hasSnapshots(shortening.top)) continue
      await takeIn(this.#tools, shortening, { signal })
    }
    if (found.length > SHORTENINGS_MAX) this.later(folder)
  }
}

/** Snapshots within an image, which whoever brought it may have made, show bases too. */
async function hasSnapshots({ path, format }: Member): Promise<boolean> {
  return ((await inspect(path, format)).header?.snapshots ?? 0) > 0
}

/** The overlays that are the only ones to need what is right below them. */
export function shorteningsOf(members: readonly Member[]): Shortening[] {
  const users = new Map<string, Set<string>>()
  for (const { base, key } of members) {
    if (base !== undefined) users.set(base, (users.get(base) ?? new Set()).add(key))
  }
  const isOurs = ({ kind, base, backing }: Member) => kind === 'base' && (base !== undefined || backing === undefined)
  const isOnesOnly = (base: Member) => isOurs(base) && users.get(base.name)?.size === 1
  return members.flatMap(top => {
    // One that is to be taken in itself takes nothing in.
    const isTop = top.kind === 'image' || (top.kind === 'base' && !isOnesOnly(top))
    const bases = isTop ? basesBelow(top, members) : []
    const [first] = bases
    if (first === undefined || !isOnesOnly(first)) return []
    const next = bases.find(base => !isOnesOnly(base))
    return [{ top, below: baseNamed(next?.name) }]
  })
}

/**
 * Sees to it that an image has room for one more base below it: one that has as many as there may be comes to hold all
 * it shows itself. Rejects as `refused` where a domain uses it.
 */
export async function makeRoom(tools: StorageTools, location: string, options: OperationOptions): Promise<void> {
  const { inventory, folders } = tools
  const image = await readImage(location)
  if ((await countBases(image.volume, image.backing)) < BASES_MAX) return
  const folder = dirname(location)
  const [top] = await folders.inOrder(folder, async () =>
    (await readMembers(folder)).filter(({ path }) => path === location),
  )
  if (top === undefined) throw new DriverError('not-found', `no volume ${location}`)
  if (inventory.isInUse(top.key)) throw tooDeep(location)
  await takeIn(tools, { top, below: undefined }, options)
}

/** The refusal to let one more image build on others. */
export const tooDeep = (location: string): DriverError =>
  new DriverError(
    'refused',
    `${location} builds on ${BASES_MAX} earlier states of itself already; it can be cloned again once no domain uses it`,
  )
