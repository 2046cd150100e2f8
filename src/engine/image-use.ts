import { setTimeout as sleep } from 'node:timers/promises'
import { DriverError, type StorageOps, type Volume } from '../drivers/driver.ts'
import { host_, SR, VBD, VDI, VM } from '../model/index.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { type Store, StoreFailure, type Transaction } from '../store/store.ts'
import type { Hosts } from './hosts.ts'
import type { Log } from './log.ts'

/** How often the images of running VMs are looked at. */
export const IMAGES_MS = 30_000
/** How much longer than a look took the pause after it is at least, so that hosts with many images are not kept busy. */
const REST_FACTOR = 10
/** How many images are looked at together. */
const IMAGES_AT_ONCE_MAX = 8

/** Whose images are looked at, and where it goes. */
export interface ImageUseOptions {
  readonly store: Store
  readonly hosts: Pick<Hosts, 'connected'>
  readonly log: Log
  /** Reads a repository's use back. */
  readonly observeRepository: (sr: string) => Promise<void>
  /** In milliseconds; absent: `IMAGES_MS`. */
  readonly everyMs?: number
}

/**
 * Reads again and again how much room the images of running VMs take; those of others do not grow by themselves. Other
 * than what a sampler measures this is durable, and written where it has changed. Answers the function that ends it.
 */
export function watchImages(options: ImageUseOptions): () => void {
  const over = new AbortController()
  const { everyMs = IMAGES_MS } = options
  const keepLooking = async () => {
    for (let restMs = everyMs; ; ) {
      await sleep(restMs, undefined, { signal: over.signal, ref: false })
      const beganMs = performance.now()
      await quietly(options, over.signal)
      restMs = Math.max(everyMs, (performance.now() - beganMs) * REST_FACTOR)
    }
  }
  keepLooking().catch((error: unknown) => {
    if (!over.signal.aborted) throw error
  })
  return () => over.abort()
}

async function quietly(options: ImageUseOptions, signal: AbortSignal): Promise<void> {
  try {
    await lookAtImages(options, signal)
  } catch (error) {
    const isForeseen = error instanceof DriverError || error instanceof StoreFailure
    options.log[isForeseen ? 'debug' : 'error']({ error: String(error) }, 'could not look at images')
  }
}

/**
 * Looks at each image of a running VM once: at a whole repository where most of its images are in use, for that takes a host
 * less than one by one.
 */
export async function lookAtImages(options: ImageUseOptions, signal?: AbortSignal): Promise<void> {
  const { store, hosts, observeRepository } = options
  for (const { host, driver } of hosts.connected()) {
    const { storage } = driver
    if (storage === undefined) continue
    const images = imagesInUse(store, host)
    const whole = new Set(
      [...Map.groupBy(images, vdi => repositoryOf(store, vdi))].filter(isMost(store)).map(([sr]) => sr),
    )
    const alone = images.filter(vdi => !whole.has(repositoryOf(store, vdi)))
    const grown = new Set<string>()
    for (const sr of whole) if (await lookAtRepository(options, storage, sr)) grown.add(sr)
    for (let first = 0; first < alone.length; first += IMAGES_AT_ONCE_MAX) {
      if (signal?.aborted === true) return
      const part = alone.slice(first, first + IMAGES_AT_ONCE_MAX)
      const changed = await Promise.all(part.map(vdi => lookAt(options, storage, vdi)))
      for (const sr of changed) if (sr !== undefined && sr !== NULL_REF) grown.add(sr)
    }
    for (const sr of grown) if (store.get(SR, sr) !== undefined) await observeRepository(sr)
  }
}

const repositoryOf = (store: Store, vdi: string): string => store.get(VDI, vdi)?.SR ?? NULL_REF

const isMost =
  (store: Store) =>
  ([sr, images]: readonly [string, readonly string[]]): boolean =>
    sr !== NULL_REF && images.length > 1 && images.length * 2 > (store.get(SR, sr)?.VDIs.length ?? 0)

function imagesInUse(store: Store, host: string): readonly string[] {
  const vms = (store.get(host_, host)?.resident_VMs ?? []).flatMap(vm => store.get(VM, vm) ?? [])
  const vdis = vms.flatMap(({ VBDs }) => VBDs.map(vbd => store.get(VBD, vbd)?.VDI ?? NULL_REF))
  return [...new Set(vdis)].filter(vdi => vdi !== NULL_REF)
}

/** Answers the repository of an image that takes another room than before. */
async function lookAt({ store, log }: ImageUseOptions, storage: StorageOps, ref: string): Promise<string | undefined> {
  const location = store.get(VDI, ref)?.location ?? ''
  if (location === '') return undefined
  try {
    const volume = await storage.getVolume(location)
    return await store.transact(transaction =>
      record(transaction, ref, location, volume) ? transaction.get(VDI, ref)?.SR : undefined,
    )
  } catch (error) {
    if (!(error instanceof DriverError)) throw error
    log.debug({ ref, error: error.message }, 'could not look at an image')
    return undefined
  }
}

/** Answers whether one of its images takes another room than before. */
async function lookAtRepository({ store, log }: ImageUseOptions, storage: StorageOps, sr: string): Promise<boolean> {
  const { type = '', location = '' } = store.get(SR, sr) ?? {}
  try {
    const volumes = new Map((await storage.listVolumes({ type, location })).map(volume => [volume.location, volume]))
    return await store.transact(transaction => {
      const changed = (transaction.get(SR, sr)?.VDIs ?? []).filter(vdi => {
        const place = transaction.get(VDI, vdi)?.location ?? ''
        const volume = volumes.get(place)
        return volume !== undefined && record(transaction, vdi, place, volume)
      })
      return changed.length > 0
    })
  } catch (error) {
    if (!(error instanceof DriverError)) throw error
    log.debug({ sr, error: error.message }, 'could not look at a repository')
    return false
  }
}

/** Answers whether the image is still there and takes another room than before. */
function record(transaction: Transaction, ref: string, location: string, { physicalBytes }: Volume): boolean {
  const vdi = transaction.get(VDI, ref)
  const physical_utilisation = BigInt(physicalBytes)
  if (vdi === undefined || vdi.location !== location) return false
  if (vdi.physical_utilisation === physical_utilisation) return false
  transaction.patch(VDI, ref, { physical_utilisation })
  return true
}
