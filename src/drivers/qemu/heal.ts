import { renameSync, unlinkSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { parse } from 'node:path'
import { basesBelow, type Member } from './bases.ts'
import { syncFolder } from './files.ts'
import type { Inventory } from './inventory.ts'
import { isEmptyOverlay } from './volume.ts'

/**
 * Mends what a clone left that was killed between two of its steps (`clone-volume.ts` has them). Bases that nobody needs
 * are not its business. What a guest runs with is not touched, and no image loses anything of its content.
 */
export async function heal(folder: string, members: readonly Member[], inventory: Inventory): Promise<void> {
  for (const base of members.filter(({ isBase }) => isBase)) {
    const overlays = members.filter(member => member.base === base.name)
    const twin = members.find(member => !member.isBase && member.key === base.key)
    if (twin !== undefined) await healTwin(base, twin, overlays, inventory)
    else if (isBehind(base, members, inventory)) await healBehind(base, overlays, inventory)
  }
  await syncFolder(folder)
}

/** The base is still the original itself: the clone had not come far, or a raw original had not lost its old name. */
async function healTwin(base: Member, twin: Member, overlays: readonly Member[], inventory: Inventory): Promise<void> {
  const converted = overlays.find(overlay => !overlay.isBase && parse(overlay.name).name === parse(twin.name).name)
  if (converted === undefined) return overlays.length === 0 ? rm(base.path, { force: true }) : undefined
  const isPristine = overlays.length === 1 && !isTaken(converted, inventory) && (await isEmptyOverlay(converted.path))
  if (isPristine && !isTaken(converted, inventory)) {
    unlinkSync(converted.path)
    return rm(base.path, { force: true })
  }
  await inventory.relocate(twin.key, converted.path)
  unlinkSync(twin.path)
}

/** Whether a domain runs with the image or would be started with it. */
function isTaken({ key }: Member, inventory: Inventory): boolean {
  return inventory.isInUse(key) || inventory.naming(key).length > 0
}

/** Whether a guest writes to what is to be a base: it runs with it, and with no image above it. */
function isBehind(base: Member, members: readonly Member[], inventory: Inventory): boolean {
  const above = members.filter(member => basesBelow(member, members).includes(base))
  return inventory.all().some(domain => domain.uses(base.key) && !above.some(({ key }) => domain.uses(key)))
}

/** The guest had not been told yet: the original takes its name back, in one step. */
async function healBehind(base: Member, overlays: readonly Member[], inventory: Inventory): Promise<void> {
  const [overlay, ...others] = overlays
  if (overlay === undefined || others.length > 0 || overlay.isBase || inventory.isInUse(overlay.key)) return
  if (await isEmptyOverlay(overlay.path)) renameSync(base.path, overlay.path)
}
