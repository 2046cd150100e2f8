import { DriverError, type StorageOps } from '../drivers/driver.ts'
import type { Context } from '../engine/context.ts'
import { VBD, VDI, VM } from '../model/index.ts'
import { NULL_REF } from '../model/kernel/types.ts'

/** The images that a VM has. */
export function imagesOf(store: Context['store'], vm: string): readonly string[] {
  const images = (store.get(VM, vm)?.VBDs ?? []).flatMap(vbd => store.get(VBD, vbd)?.VDI ?? NULL_REF)
  return images.filter(image => image !== NULL_REF)
}

/**
 * Forgets those of these images that were kept for the VMs alone that had them: they are in no repository, nothing refers to
 * them, and the host has no file of theirs. One whose host does not say so stays.
 */
export async function dropLost(
  { store, hosts }: Pick<Context, 'store' | 'hosts'>,
  host: string,
  images: readonly string[],
): Promise<void> {
  const { storage } = hosts.driver(host)
  for (const image of images) {
    const record = store.get(VDI, image)
    if (storage === undefined || record?.SR !== NULL_REF || store.usersOf(VDI, image).length > 0) continue
    if (!(await isGone(storage, record.location))) continue
    await store.transact(transaction => {
      const now = transaction.get(VDI, image)
      if (now?.SR === NULL_REF && store.usersOf(VDI, image).length === 0) transaction.remove(VDI, image)
    })
  }
}

async function isGone(storage: StorageOps, location: string): Promise<boolean> {
  try {
    await storage.getVolume(location)
    return false
  } catch (error) {
    if (!(error instanceof DriverError)) throw error
    return error.kind === 'not-found'
  }
}
