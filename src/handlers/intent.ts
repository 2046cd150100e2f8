/** Images that a crash left half-made: noted before they are made, deleted when the server is back. */

import { randomUUID } from 'node:crypto'
import { DriverError, type RepositoryConfig } from '../drivers/driver.ts'
import type { Context, Services, Transaction } from '../engine/context.ts'
import { intent, SR, task, VDI, VM } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'

type Parts = Pick<Services, 'store' | 'hosts' | 'tasks'>

/** What is about to be made, and the object whose presence says that it is to stay. */
export interface Plan {
  readonly host: string
  readonly repository: RepositoryConfig
  readonly names: readonly string[]
  /** `class:uuid`, of a VDI, VM or SR. */
  readonly keeper: string
}

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
    const volumes = await listed(storage, { type: left.type, location: left.location })
    for (const { name, location } of volumes.filter(volume => left.names.includes(volume.name))) {
      await storage?.deleteVolume(location)
      deleted.push(name)
    }
  }
  await store.transact(transaction => {
    if (!isKept(parts, left)) for (const name of left.names) transaction.remove(VDI, name)
    settle(transaction, left.uuid)
    const interrupted = transaction.get(task, left.task)
    if (interrupted === undefined || deleted.length === 0) return
    const [code = '', ref = '', method = '', before = ''] = interrupted.error
    const undone = [...(before === '' ? [] : [before]), ...deleted.map(name => `image ${name} deleted`)].join(', ')
    transaction.patch(task, left.task, { error: [code, ref, method, undone] })
  })
}

/** A repository that is not there any more holds nothing half-made. */
async function listed(storage: ReturnType<Services['hosts']['driver']>['storage'], repository: RepositoryConfig) {
  try {
    return (await storage?.listVolumes(repository)) ?? []
  } catch (error) {
    if (error instanceof DriverError && error.kind !== 'unreachable') return []
    throw error
  }
}
