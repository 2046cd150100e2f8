import { lstatSync, renameSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { DriverError, type OperationOptions } from '../driver.ts'
import { basesBelow, type Member, readMembers } from './bases.ts'
import { copyFile } from './copy-file.ts'
import { syncFolder } from './files.ts'
import type { Base } from './qemu-img.ts'
import type { StorageTools } from './storage-tools.ts'

/** An overlay that is to need none of what lies between it and `below`; undefined: nothing at all. */
export interface Shortening {
  readonly top: Member
  readonly below: Base | undefined
}

/**
 * Lets an overlay hold itself what it shows of the bases right below it. A copy is made whole beside it and takes its
 * name in one step, only while no QEMU has it open; whoever is killed before leaves the overlay as it was, and after,
 * at most bases that nobody needs. Rejects as `bad-state` where it is used or has changed meanwhile.
 */
export async function takeIn(tools: StorageTools, { top, below }: Shortening, options: OperationOptions = {}) {
  const { folders, qemuImg } = tools
  const folder = dirname(top.path)
  await folders.partials.with(folder, async partial => {
    const before = lookAt(top)
    await copyFile(top.path, partial, options)
    await qemuImg.rebase(partial, below, options)
    await folders.inOrder(folder, async () => {
      const others = (await folders.partials.clear(folder)).filter(name => name !== basename(partial))
      const members = await readMembers(folder, others)
      // From the last question to the new file in one go: no start can come in between.
      const now = lookAt(top)
      const isSame = now?.ino === before?.ino && now?.mtimeNs === before?.mtimeNs && now?.size === before?.size
      if (now === undefined || !isSame || isBusy(tools, top, members)) {
        throw new DriverError('bad-state', `${top.path} is used, or has changed meanwhile`)
      }
      renameSync(partial, top.path)
      await syncFolder(folder)
      await folders.mend(folder)
    })
  })
}

const lookAt = ({ path }: Member) => lstatSync(path, { bigint: true, throwIfNoEntry: false })

/** Whether a domain has an overlay open or will, itself or by one that builds on it. */
export function isBusy({ inventory }: StorageTools, top: Member, members: readonly Member[]): boolean {
  const above = members.filter(member => basesBelow(member, members).some(({ name }) => name === top.name))
  return [top, ...above].some(({ key }) => inventory.isInUse(key))
}
