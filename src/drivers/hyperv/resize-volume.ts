import { DriverError, type Volume } from '../driver.ts'
import { assertChildless, inUse, sayIfInUse, type Use, useOf } from './image-use.ts'
import { growImage, lockOf, sizeFor } from './new-volume.ts'
import type { StorageParts } from './storage-parts.ts'
import { type Found, findVolume } from './volumes.ts'

/** Makes an image larger; see `StorageOps.resizeVolume`. */
export async function resizeVolume(parts: StorageParts, location: string, virtualBytes: number): Promise<Volume> {
  const { storage, locks } = parts
  const bytes = sizeFor(virtualBytes)
  return locks.run(lockOf(location), async () => {
    const found = await findVolume(storage, location)
    const { volume } = found
    if (volume.format === 'raw') throw new DriverError('refused', `${location} is a medium, whose size stays`)
    if (virtualBytes < volume.virtualBytes && bytes !== volume.virtualBytes) {
      throw new DriverError('refused', `${location} has ${volume.virtualBytes} bytes and would lose some`)
    }
    assertMayGrow(parts, found, await useOf(storage, parts.machines, found))
    if (bytes === volume.virtualBytes) return volume
    await sayIfInUse(storage, volume.location, () => growImage(storage, volume.location, bytes))
    parts.known.forget(location)
    return (await findVolume(storage, location, async () => found.attachments)).volume
  })
}

/** Throws DriverError, `bad-state`, where it cannot grow under those who have it. */
function assertMayGrow({ storage }: StorageParts, { volume: { location, format } }: Found, use: Use): void {
  assertChildless(use, location)
  const [user, ...others] = use.users.filter(({ machine }) => machine.state !== 'halted')
  if (user === undefined) return
  const { machine, attachment } = user
  if (others.length > 0) throw inUse(location, `${others.length + 1} machines have it`)
  if (machine.state === 'suspended') throw inUse(location, `${machine.name}, which is suspended, has it`)
  if (storage.growsInUse && format === 'vhdx' && !attachment.isOnIde) return
  throw inUse(location, `${machine.name} runs with it, and the host makes only vhdx in drives of SCSI larger then`)
}
