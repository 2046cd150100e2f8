import { linkSync, renameSync, unlinkSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join, parse, resolve } from 'node:path'
import type { Member } from './bases.ts'
import { syncFolder } from './files.ts'
import { forgetName } from './freeze.ts'
import type { Inventory } from './inventory.ts'
import { isEmptyOverlay, locationOf } from './volume.ts'

/**
 * Mends what a clone left that was killed between two of its steps (`clone-volume.ts` has them), for guests that were
 * running: one that writes to the overlay already, or has written to it, gives the overlay the image's name; else the
 * overlay goes. Names by which no QEMU may open an overlay any more go as well.
 */
export async function healLive(folder: string, members: readonly Member[], inventory: Inventory): Promise<void> {
  const images = members.filter(({ kind }) => kind === 'image')
  for (const live of members.filter(({ kind }) => kind === 'live')) {
    const base = members.find(({ name }) => name === live.base)
    const original = images.find(({ key }) => key === base?.key)
    const hasName = images.some(({ key }) => key === live.key)
    const isNeeded = inventory.isInUse(live.key)
    if (!hasName && base !== undefined && original !== undefined && (isNeeded || !(await isEmptyOverlay(live.path)))) {
      await forgetNames(inventory, live, { base, original })
      await nameAfter(folder, live, original)
    } else if (!isNeeded) {
      await rm(live.path, { force: true })
    }
  }
}

/** As `freezeDisk` does: no QEMU may have the base open by a name that becomes the overlay's. */
async function forgetNames(
  inventory: Inventory,
  live: Member,
  found: { base: Member; original: Member },
): Promise<void> {
  const { base, original } = found
  const below = base.backing === undefined ? undefined : resolve(dirname(base.path), base.backing)
  const users = inventory.users(live.key)
  await inventory.holding(users, async () => {
    for (const user of users) await forgetName(user, original.path, { base: base.path, format: base.format, below })
  })
}

async function nameAfter(folder: string, live: Member, original: Member): Promise<void> {
  const place = locationOf(folder, parse(original.name).name, 'qcow2')
  if (place !== original.path) return linkSync(live.path, place)
  // From one file to the other in one step. A killed process leaves at most a name that is cleared like any other.
  const next = join(folder, `.${live.name.slice('.live-'.length, -'.qcow2'.length)}.partial`)
  await rm(next, { force: true })
  linkSync(live.path, next)
  renameSync(next, place)
  await syncFolder(folder)
}

/**
 * Mends the same where the base is still the original itself, by another name: the clone had not come far, or a raw
 * original had not lost its name.
 */
export async function healTwins(members: readonly Member[], inventory: Inventory): Promise<void> {
  const images = members.filter(({ kind }) => kind === 'image')
  for (const base of members.filter(({ kind }) => kind === 'base')) {
    const twin = images.find(({ key }) => key === base.key)
    const overlays = images.filter(image => image.base === base.name)
    if (twin !== undefined) await healTwin(base, twin, overlays, inventory)
  }
}

async function healTwin(base: Member, twin: Member, overlays: readonly Member[], inventory: Inventory): Promise<void> {
  const converted = overlays.find(overlay => parse(overlay.name).name === parse(twin.name).name)
  if (converted === undefined) return overlays.length === 0 ? rm(base.path, { force: true }) : undefined
  const isPristine = overlays.length === 1 && (await isEmptyOverlay(converted.path))
  if (isPristine && !isTaken(converted, inventory)) {
    unlinkSync(converted.path)
    return rm(base.path, { force: true })
  }
  await inventory.relocate(twin.key, converted.path)
  unlinkSync(twin.path)
}

/** Whether a domain runs with the image or would be started with it. */
const isTaken = ({ key }: Member, inventory: Inventory): boolean =>
  inventory.isInUse(key) || inventory.naming(key).length > 0
