import type { ConnectOptions, DomainId, SnapshotOps } from '../driver.ts'
import type { QemuDomain } from './domain.ts'
import type { Gate } from './gate.ts'
import type { ImageKey } from './images.ts'
import type { Inventory } from './inventory.ts'
import type { IsTaken, SnapshotShelf } from './snapshot-shelf.ts'
import type { WholeDomain } from './whole-domain.ts'

/** The group `snapshots`. */
export function snapshotOps(inventory: Inventory, gate: Gate): SnapshotOps {
  const inTurn = <T>(id: DomainId, operation: Operation<T>): Promise<T> =>
    gate.pass(() => inTurnOf(inventory, inventory.find(id), operation))
  return {
    list: id => gate.pass(async () => inventory.find(id).snapshots.list()),
    create: (id, { name, description }, options) =>
      inTurn(id, (shelf, whole, isTaken) => shelf.create(whole, { name, description }, { ...options, isTaken })),
    revert: (id, snapshot, options) =>
      inTurn(id, (shelf, whole, isTaken) => shelf.revert(whole, snapshot, { ...options, isTaken })),
    remove: (id, snapshot, options) => inTurn(id, (shelf, whole) => shelf.remove(whole, snapshot, { ...options })),
  }
}

/** Goes on where somebody was killed in the middle of something with snapshots. */
export async function healSnapshots(inventory: Inventory, warn: ConnectOptions['warn']): Promise<void> {
  for (const domain of inventory.all().filter(({ snapshots }) => snapshots.isUnfinished)) {
    const healing = inTurnOf(inventory, domain, (shelf, whole, isTaken) => shelf.heal(whole, isTaken))
    await healing.catch((error: unknown) =>
      warn(`the snapshots of domain ${domain.id} cannot be mended: ${String(error)}`),
    )
  }
}

type Operation<T> = (shelf: SnapshotShelf, whole: WholeDomain, isTaken: IsTaken) => Promise<T>

function inTurnOf<T>(inventory: Inventory, domain: QemuDomain, operation: Operation<T>): Promise<T> {
  const isTaken = (image: ImageKey) => inventory.users(image).some(({ id }) => id !== domain.id)
  return domain.wholly(whole =>
    operation(domain.snapshots, whole, isTaken).finally(() => {
      whole.images.opened()
    }),
  )
}
