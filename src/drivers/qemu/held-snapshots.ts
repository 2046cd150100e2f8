import { DriverError } from '../driver.ts'
import type { ImageKey } from './images.ts'
import type { Inventory } from './inventory.ts'

/**
 * Throws as `bad-state` where an image holds snapshots of a domain, which would go with its file. To be asked, and what is then
 * to be done begun, without letting go of the thread.
 */
export function assertHoldsNoSnapshots(inventory: Inventory, image: ImageKey, location: string): void {
  const owner = inventory.all().find(({ snapshots }) => snapshots.holds(image))
  if (owner === undefined) return
  throw new DriverError('bad-state', `${location} holds snapshots of domain ${owner.id}, which would be lost`)
}
