import { DriverError } from '../drivers/driver.ts'
import { host_, SR, VBD, VDI, VM } from '../model/index.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { type Store, StoreFailure } from '../store/store.ts'
import type { Hosts } from './hosts.ts'
import type { Log } from './log.ts'

/** How often the images of running VMs are looked at. */
export const IMAGES_MS = 30_000
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
  let isLooking = false
  const look = async () => {
    if (isLooking) return
    isLooking = true
    try {
      await lookAtImages(options, over.signal)
    } catch (error) {
      const isForeseen = error instanceof DriverError || error instanceof StoreFailure
      options.log[isForeseen ? 'debug' : 'error']({ error: String(error) }, 'could not look at images')
    } finally {
      isLooking = false
    }
  }
  const timer = setInterval(() => void look(), options.everyMs ?? IMAGES_MS)
  timer.unref()
  return () => {
    clearInterval(timer)
    over.abort()
  }
}

/** Looks at each image of a running VM once. */
export async function lookAtImages(options: ImageUseOptions, signal?: AbortSignal): Promise<void> {
  const { store, hosts, observeRepository } = options
  for (const { host, driver } of hosts.connected()) {
    const images = imagesInUse(store, host)
    const grown = new Set<string>()
    for (let first = 0; first < images.length; first += IMAGES_AT_ONCE_MAX) {
      if (signal?.aborted === true) return
      const part = images.slice(first, first + IMAGES_AT_ONCE_MAX)
      const changed = await Promise.all(part.map(vdi => lookAt(options, driver.storage, vdi)))
      for (const sr of changed) if (sr !== undefined && sr !== NULL_REF) grown.add(sr)
    }
    for (const sr of grown) if (store.get(SR, sr) !== undefined) await observeRepository(sr)
  }
}

function imagesInUse(store: Store, host: string): readonly string[] {
  const vms = (store.get(host_, host)?.resident_VMs ?? []).flatMap(vm => store.get(VM, vm) ?? [])
  const vdis = vms.flatMap(({ VBDs }) => VBDs.map(vbd => store.get(VBD, vbd)?.VDI ?? NULL_REF))
  return [...new Set(vdis)].filter(vdi => vdi !== NULL_REF)
}

/** Answers the repository of an image that takes another room than before. */
async function lookAt(
  { store, log }: ImageUseOptions,
  storage: ReturnType<Hosts['connected']>[number]['driver']['storage'],
  ref: string,
): Promise<string | undefined> {
  const location = store.get(VDI, ref)?.location ?? ''
  if (storage === undefined || location === '') return undefined
  try {
    const physical_utilisation = BigInt((await storage.getVolume(location)).physicalBytes)
    return await store.transact(transaction => {
      const vdi = transaction.get(VDI, ref)
      if (vdi === undefined || vdi.location !== location) return undefined
      if (vdi.physical_utilisation === physical_utilisation) return undefined
      transaction.patch(VDI, ref, { physical_utilisation })
      return vdi.SR
    })
  } catch (error) {
    if (!(error instanceof DriverError)) throw error
    log.debug({ ref, error: error.message }, 'could not look at an image')
    return undefined
  }
}
