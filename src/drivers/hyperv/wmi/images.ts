import { setTimeout as pause } from 'node:timers/promises'
import { type EndpointReference, wql } from '../../../protocols/wsman/index.ts'
import { DriverError } from '../../driver.ts'
import type { Attachment, ImageKind } from '../storage-back-end.ts'
import type { Link } from './link.ts'

// What both namespaces say of images in the same way. Source: Microsoft Learn, "Msvm_ImageManagementService" of each.

export const IMAGE_SERVICE = 'Msvm_ImageManagementService'

/** Type of an image. Source: the ValueMaps of Msvm_VirtualHardDiskSettingData (v2) and Msvm_VirtualHardDiskInfo (v1). */
export const IMAGE_TYPES: Readonly<Record<ImageKind, number>> = { fixed: 2, dynamic: 3, differencing: 4 }

export function kindOf(type: number | undefined): ImageKind {
  if (type === IMAGE_TYPES.differencing) return 'differencing'
  return type === IMAGE_TYPES.fixed ? 'fixed' : 'dynamic'
}

const OWNER = /^Microsoft:([0-9a-f-]{36})\\/i
/** Every machine has its controllers of IDE under one GUID. Source: as real hosts have it, in both namespaces. */
const ON_IDE = /\\83f8638b-8dca-4152-9eda-2ca8b33039b4\\/i

/** That a file lies in a drive, by the InstanceID of what says so; undefined for a definition row, and for no file. */
export function attachmentOf(instanceId: string | undefined, path: string | undefined): Attachment | undefined {
  const ownerGuid = OWNER.exec(instanceId ?? '')?.[1]?.toUpperCase()
  if (ownerGuid === undefined || path === undefined) return undefined
  return { ownerGuid, path, isOnIde: ON_IDE.test(instanceId ?? '') }
}

/** The service for images, looked for once, when it is wanted first. */
export function imageServiceOf({ client }: Link): () => Promise<EndpointReference> {
  let known: Promise<EndpointReference> | undefined
  const find = async () => {
    const [service] = await client.queryReferences(IMAGE_SERVICE)
    if (service === undefined) throw new DriverError('refused', 'the host manages no images')
    return service
  }
  return async () => {
    known ??= find()
    try {
      return await known
    } catch (error) {
      known = undefined
      throw error
    }
  }
}

/** The first JobState of Msvm_StorageJob that is an end. Source: its ValueMap, the same in both namespaces. */
const COMPLETED = 7
const IDLE_MS_MAX = 15 * 60_000
const PAUSE_MS = 20
const PAUSE_MS_MAX = 2_000

/** Waits until the jobs have ended that work on images now; what a lost answer began is among them. */
export async function untilIdle({ client }: Link): Promise<void> {
  const unfinished = async () => {
    const rows = await client.query(wql`SELECT InstanceID FROM Msvm_StorageJob WHERE JobState < ${COMPLETED}`)
    return new Set(rows.map(row => row.string('InstanceID')))
  }
  const deadline = performance.now() + IDLE_MS_MAX
  let left = await unfinished()
  for (let wait = PAUSE_MS; left.size > 0; wait = Math.min(wait * 2, PAUSE_MS_MAX)) {
    if (performance.now() > deadline) throw new DriverError('unreachable', 'the host works on images for too long')
    await pause(wait)
    const now = await unfinished()
    left = new Set([...left].filter(id => now.has(id)))
  }
}
