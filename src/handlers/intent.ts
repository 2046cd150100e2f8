/**
 * Images that are made or deleted in several steps: noted before, so that what a failure or a crash in between leaves is
 * known, and deleted at once, when their repository is next looked through, or when the server is back.
 */

import { randomUUID } from 'node:crypto'
import { DriverError, type RepositoryConfig, type Volume } from '../drivers/driver.ts'
import { type Context, type Services, StoreFailure, type Transaction } from '../engine/context.ts'
import { intent, SR, task, VDI, VM } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { repositoryAt } from './sr-place.ts'

/** What undoing takes. */
export type Parts = Pick<Services, 'store' | 'hosts' | 'tasks'>

/** What is about to be made, and the object whose presence says that it is to stay. */
export interface Plan {
  readonly host: string
  readonly repository: RepositoryConfig
  /** Names of images to be made, or the location of one to be deleted. */
  readonly names: readonly string[]
  /** `class:uuid`, of a VDI, VM or SR; or what `deletionOf` answers. */
  readonly keeper: string
}

const DELETION = 'deletion'

/** The keeper of an image that is being deleted: nothing keeps it any more. */
export const deletionOf = (vdi: string): string => `${DELETION}:${vdi}`

/** Notes what is about to be made; durable when it resolves. Answers what `settle` is given. */
export async function plan(context: Context, { host, repository, names, keeper }: Plan): Promise<string> {
  const { store, tasks } = context
  const uuid = randomUUID()
  const { type, location } = repository
  const values = { uuid, owner: tasks.owner, task: context.task.ref, host, type, location, names, keeper }
  await store.transact(transaction => transaction.insert(intent, values))
  return uuid
}

/** Nothing is half-made any more: it is whole or gone. */
export const settle = (transaction: Transaction, plan: string): void => transaction.remove(intent, plan)

/** As `settle`, in a transaction of its own. */
export const settleNow = (store: Services['store'], plan: string): Promise<void> =>
  store.transact(transaction => settle(transaction, plan))

/**
 * How long a host that is another machine may go on with what nobody here waits for any more. Until then, that an image is not
 * there, or cannot be read yet, says nothing. Longer than any driver waits for its work.
 */
const GOES_ON_MS = 15 * 60_000
/** Since when images that hosts may still be making are missed, by what was noted of them. */
const missed = new WeakMap<Services['store'], Map<string, number>>()

/** Whose intents nobody is at work on any more. */
const NOBODY = ''

/**
 * Something failed half-way: what there is of it is deleted, now or when its repository is next looked through. Whoever
 * holds the repository may call it, and goes on to throw what the failure was.
 */
export async function abandon(parts: Parts, plan: string): Promise<void> {
  const { store } = parts
  const left = store.get(intent, plan)
  if (left === undefined) return
  try {
    await undo(parts, left)
  } catch (error) {
    if (!(error instanceof DriverError || error instanceof StoreFailure)) throw error
    // Where even this cannot be kept, it is found at the next start.
    await store.transact(transaction => transaction.patch(intent, plan, { owner: NOBODY })).catch(ignoreStore)
  }
}

function ignoreStore(error: unknown): void {
  if (!(error instanceof StoreFailure)) throw error
}

/** Deletes what nobody is at work on any more in a repository that the caller holds and is about to look through. */
export async function undoLeft(parts: Parts, host: string, { type, location }: RepositoryConfig): Promise<void> {
  const { store, tasks } = parts
  for (const ref of store.all(intent)) {
    const left = store.get(intent, ref)
    if (left?.host !== host || left.owner === tasks.owner) continue
    const isHere = left.type === type && left.location === location
    // What lies in no repository is nobody else's to look for.
    if (isHere || !repositoryAt(store, host, left.location)) await undo(parts, left)
  }
}

/**
 * Deletes what earlier servers left half-made on hosts that are connected, and says so in the tasks that were cut off.
 * What cannot be deleted now is tried at the next start.
 */
export async function undoInterrupted(parts: Parts, warn: (message: string) => void): Promise<void> {
  const { store, hosts, tasks } = parts
  const live = new Set(hosts.connected().map(({ host }) => host))
  for (const ref of store.all(intent)) {
    const left = store.get(intent, ref)
    if (left === undefined || left.owner === tasks.owner || !live.has(left.host)) continue
    try {
      await undo(parts, left)
    } catch (error) {
      if (!(error instanceof DriverError)) throw error
      warn(`what a task left half-made in ${left.location} cannot be deleted now: ${error.message}`)
    }
  }
}

const KEEPERS = { VDI, VM, SR } as const

function isKept({ store }: Parts, { keeper }: RecordOf<typeof intent>): boolean {
  const [of = '', ref = ''] = keeper.split(':')
  const found = Object.entries(KEEPERS).find(([name]) => name === of)?.[1]
  return found !== undefined && store.get(found, ref) !== undefined
}

async function undo(parts: Parts, left: RecordOf<typeof intent>): Promise<void> {
  const { store, hosts } = parts
  const deleted: string[] = []
  if (!isKept(parts, left)) {
    const { storage } = hosts.driver(left.host)
    const volumes = await listed(parts, left)
    const isLeft = ({ name, location }: Volume) => left.names.includes(name) || left.names.includes(location)
    for (const { name, location } of volumes.filter(isLeft)) {
      await gone(storage?.deleteVolume(location))
      deleted.push(name)
    }
    if (deleted.length < left.names.length && isAwaited(parts, left)) return
  }
  missed.get(store)?.delete(left.uuid)
  await store.transact(transaction => {
    if (transaction.get(intent, left.uuid) === undefined) return // Somebody else was quicker.
    if (!isKept(parts, left)) for (const vdi of recordsOf(left)) transaction.remove(VDI, vdi)
    settle(transaction, left.uuid)
    const interrupted = transaction.get(task, left.task)
    if (interrupted === undefined || deleted.length === 0) return
    const [code = '', ref = '', method = '', before = ''] = interrupted.error
    const undone = [...(before === '' ? [] : [before]), ...deleted.map(name => `image ${name} deleted`)].join(', ')
    transaction.patch(task, left.task, { error: [code, ref, method, undone] })
  })
}

/** Whether a host may still be making what an earlier server wanted of it; this one has waited for what it wanted itself. */
function isAwaited({ store, hosts, tasks }: Parts, { uuid, host, keeper, owner }: RecordOf<typeof intent>): boolean {
  const isOwn = owner === tasks.owner
  if (isOwn || keeper.startsWith(`${DELETION}:`) || hosts.driver(host).host.isRemote !== true) return false
  const since = missed.get(store) ?? new Map<string, number>()
  missed.set(store, since)
  const first = since.get(uuid) ?? performance.now()
  since.set(uuid, first)
  return performance.now() - first <= GOES_ON_MS
}

/** The images that the names stand for. */
function recordsOf({ keeper, names }: RecordOf<typeof intent>): readonly string[] {
  const [kind, vdi = ''] = keeper.split(':')
  return kind === DELETION ? [vdi] : names
}

/** What is not there need not be deleted. */
async function gone(deletion: Promise<void> | undefined): Promise<void> {
  try {
    await deletion
  } catch (error) {
    if (!(error instanceof DriverError && error.kind === 'not-found')) throw error
  }
}

/** A repository that is not there, and of which no record says that it should be, holds nothing half-made. */
async function listed({ store, hosts }: Parts, { host, type, location }: RecordOf<typeof intent>) {
  const { storage } = hosts.driver(host)
  if (storage === undefined) return []
  const repository = { type, location }
  try {
    await storage.listVolumes(repository)
    // Opened only where it is there: that makes the host remove what is hidden of work that was cut off.
    await storage.openRepository(repository)
    return await storage.listVolumes(repository)
  } catch (error) {
    const isGone = error instanceof DriverError && error.kind !== 'unreachable'
    if (isGone && !repositoryAt(store, host, location)) return []
    throw error
  }
}
