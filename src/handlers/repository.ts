/** What SR and VDI share: finding the driver behind a repository, and reading repositories and images back. */

import { randomUUID } from 'node:crypto'
import { DriverError, type Repository, type RepositoryConfig, type StorageOps, type Volume } from '../drivers/driver.ts'
import { type Services, StoreFailure, type Transaction } from '../engine/context.ts'
import { hostOfImage, placeKey } from '../engine/images.ts'
import { fail } from '../model/errors.ts'
import { host_, SR, VDI } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { ApiError } from '../model/kernel/error.ts'
import { newRecord } from '../model/kernel/operations.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { type Parts as UndoParts, undoLeft } from './intent.ts'
import { takeBack } from './take-back.ts'

type Parts = Pick<Services, 'store' | 'hosts'>

/** The storage operations behind a repository, and how the driver is told of it. Throws HOST_OFFLINE. */
export function storageOf({ store, hosts }: Parts, sr: string): { storage: StorageOps; config: RepositoryConfig } {
  const record = store.get(SR, sr)
  if (record === undefined) throw fail('HANDLE_INVALID', { class: 'SR', handle: sr })
  const { storage, name } = hosts.driver(record.host)
  if (storage === undefined) throw fail('DRIVER_UNSUPPORTED', { driver: name, operation: 'storage' })
  if (record.stopped) {
    throw new DriverError('refused', `the repository ${record.name_label} was stopped; SR.scan starts it`)
  }
  return { storage, config: { type: record.type, location: record.location } }
}

/** The first connected host that knows a type of repository. Throws SR_UNKNOWN_DRIVER. */
export function hostOfType({ hosts }: Parts, type: string): string {
  const found = hosts.connected().find(({ driver }) => driver.storage?.types.includes(type))
  if (found === undefined) throw fail('SR_UNKNOWN_DRIVER', { driver: type })
  return found.host
}

/** What the first repository of all is called, and with the host's name after it that of another host. */
const FIRST_OF_ALL = 'Default repository'
const FIRST_OF_HOST = 'Repository of '

/** Whether a repository is where its host puts images by itself, and is called as it was when it was made. */
export function isFirstOfHost({ name_label, location }: RecordOf<typeof SR>, storage: StorageOps): boolean {
  const isAsGiven = name_label === FIRST_OF_ALL || name_label.startsWith(FIRST_OF_HOST)
  return isAsGiven && isIn(storage.defaultLocation('default'), location)
}

/** How many repositories that a host has by itself become ours: where every machine has a folder of its own, none of these. */
const OWN_REPOSITORIES_MAX = 16

/**
 * Gives a host that can store images its first repository, where it has none: the one where it puts images by itself. Those
 * where images of its machines lie become repositories too, if they are few and can be opened.
 */
export async function ensureRepository(parts: UndoParts, host: string): Promise<void> {
  const { store, hosts } = parts
  const { storage } = hosts.driver(host)
  const [type] = storage?.types ?? []
  if (storage === undefined || type === undefined || store.findBy(SR, 'host', host).length > 0) return
  const own = await storage.repositories()
  const place = storage.defaultLocation('default')
  const first = own.find(({ location }) => isIn(place, location)) ?? { type, location: place }
  const others = own.filter(each => each !== first)
  const host_name = store.get(host_, host)?.name_label ?? host
  const name_label = store.all(SR).length === 0 ? FIRST_OF_ALL : `${FIRST_OF_HOST}${host_name}`
  await addRepository(parts, host, first, name_label)
  for (const { name, ...config } of others.length <= OWN_REPOSITORIES_MAX ? others : []) {
    await addRepository(parts, host, config, `${name} on ${host_name}`).catch((error: unknown) => {
      if (!(error instanceof DriverError)) throw error
    })
  }
}

/** Whether a place is a folder, or in it. */
const isIn = (place: string, folder: string): boolean =>
  place.startsWith(folder) && /^($|[\\/])/.test(place.slice(folder.length))

async function addRepository(
  parts: UndoParts,
  host: string,
  { type, location }: RepositoryConfig,
  name_label: string,
): Promise<void> {
  const { store, hosts } = parts
  const repository = await hosts.driver(host).storage?.openRepository({ type, location })
  if (repository === undefined) return
  const uuid = randomUUID()
  const name_description = `Images on ${store.get(host_, host)?.name_label ?? host}`
  const physical_size = BigInt(repository.capacityBytes)
  const values = { type, location, uuid, host, name_label, name_description, physical_size }
  await store.transact(transaction => transaction.insert(SR, newRecord(SR, values)))
  await scan(parts, uuid)
}

/** Looks through a repository: images nobody told us of become VDIs; sizes and use are read again. */
export async function scan(parts: UndoParts, sr: string): Promise<void> {
  await parts.hosts.holdRepositories([sr], () => scanHeld(parts, sr))
}

/** Makes a repository usable that was stopped, and looks through it; where it cannot be used it stays as it was. */
export async function startRepository(parts: UndoParts, sr: string): Promise<void> {
  const setStopped = (stopped: boolean) =>
    parts.store.transact(transaction => {
      if (transaction.get(SR, sr) !== undefined) transaction.patch(SR, sr, { stopped })
    })
  const wasStopped = parts.store.get(SR, sr)?.stopped === true
  await setStopped(false)
  try {
    await scan(parts, sr)
  } catch (error) {
    throw await takeBack(error, wasStopped ? [() => setStopped(true)] : [])
  }
}

/**
 * As `scan`, for those who hold the repository; answers the images that there are. First what was left half-made goes, or
 * it would be taken for somebody's.
 */
export async function scanHeld(parts: UndoParts, sr: string): Promise<readonly Volume[]> {
  const { store } = parts
  const { storage, config } = storageOf(parts, sr)
  const host = store.get(SR, sr)?.host ?? NULL_REF
  await undoLeft(parts, host, config)
  const [repository, volumes] = [await storage.openRepository(config), await storage.listVolumes(config)]
  const strayed = await strayedImages(parts, storage, volumes, knownImages(store, host))
  await store.transact(transaction => {
    const left = new Set<string>()
    const known = knownImages(transaction, host)
    for (const volume of volumes) {
      const vdi = known.get(placeKey(volume.location)) ?? strayed.get(volume.location)
      if (vdi === undefined) adopt(transaction, sr, volume)
      else recordVolume(transaction, vdi, volume)
      const from = vdi === undefined ? sr : transaction.get(VDI, vdi)?.SR
      if (vdi === undefined || from === undefined || from === sr) continue
      transaction.patch(VDI, vdi, { SR: sr, host: NULL_REF, ...(from === NULL_REF && told(transaction, vdi, volume)) })
      left.add(from)
    }
    for (const from of left) recordAllocation(transaction, from)
    recordRepository(transaction, sr, repository)
  })
  return volumes
}

/**
 * Takes images that are not there any more out of a repository that was just looked through: those of VMs are in none then,
 * and of the others nothing remains. For those who hold the repository.
 */
export async function dropGone({ store }: Parts, sr: string, volumes: readonly Volume[]): Promise<void> {
  const present = new Set(volumes.map(({ location }) => placeKey(location)))
  await store.transact(transaction => {
    const images = transaction.get(SR, sr)?.VDIs ?? []
    const gone = images.filter(ref => !present.has(placeKey(transaction.get(VDI, ref)?.location ?? '')))
    letGo(transaction, sr, gone)
    if (gone.length > 0) recordAllocation(transaction, sr)
  })
}

/** Lets images of a repository be in none, where VMs have them; the others are forgotten. */
export function letGo(transaction: Transaction, sr: string, images: readonly string[]): void {
  const host = transaction.get(SR, sr)?.host ?? NULL_REF
  for (const ref of images) {
    if (transaction.get(VDI, ref)?.VBDs.length === 0) transaction.remove(VDI, ref)
    else transaction.patch(VDI, ref, { SR: NULL_REF, host })
  }
}

/** What is known of an image once it is in a repository: before, it had its place for a name, where nobody gave it one. */
function told(transaction: Transaction, vdi: string, { name, readOnly }: Volume): Partial<RecordOf<typeof VDI>> {
  const { name_label, location, read_only = false } = transaction.get(VDI, vdi) ?? {}
  return { ...(name_label === location && { name_label: name }), read_only: read_only || readOnly === true }
}

/** The images of a host by location, those that are in no repository among them. */
function knownImages(objects: Pick<Transaction, 'all' | 'get'>, host: string): ReadonlyMap<string, string> {
  return new Map(
    objects.all(VDI).flatMap(ref => {
      const place = hostOfImage(objects, ref)
      const isHere = place === host || place === NULL_REF
      return isHere ? [[placeKey(objects.get(VDI, ref)?.location ?? ''), ref] as const] : []
    }),
  )
}

/**
 * Looks through a repository after something failed half-way in it, so that the records say what there is. Where this
 * fails too, the next look does it. For those who hold the repository.
 */
export async function lookAfterFailure(parts: UndoParts, sr: string): Promise<void> {
  try {
    await scanHeld(parts, sr)
  } catch (error) {
    if (!(error instanceof DriverError || error instanceof ApiError || error instanceof StoreFailure)) throw error
  }
}

/**
 * Images whose VDI says that they are elsewhere, where nothing is: what a crash cut off was a move, which keeps the name,
 * or a clone, which may have changed the format and so the ending. By location.
 */
async function strayedImages(
  { store }: Parts,
  storage: StorageOps,
  volumes: readonly Volume[],
  known: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, string>> {
  const byPlace = new Map([...known].map(([place, vdi]) => [withoutEnding(place), vdi]))
  const strayed = new Map<string, string>()
  for (const { name, location } of volumes) {
    if (known.has(placeKey(location))) continue
    const vdi =
      byPlace.get(withoutEnding(placeKey(location))) ?? (store.get(VDI, name) === undefined ? undefined : name)
    const recorded = vdi === undefined ? undefined : store.get(VDI, vdi)?.location
    if (vdi === undefined || recorded === undefined || recorded === location) continue
    const isThere = await storage.getVolume(recorded).then(
      () => true,
      (error: unknown) => !(error instanceof DriverError && error.kind === 'not-found'),
    )
    if (!isThere) strayed.set(location, vdi)
  }
  return strayed
}

/** The folder and name of an image, whatever its format. */
const withoutEnding = (location: string): string => location.replace(/\.[^./\\]+$/, '')

/**
 * Reads a repository's use back after one of its images changed. What was done is done: a host that does not answer
 * now, or a store that cannot keep it, leaves the old figures until the next look.
 */
export async function observeRepository(parts: Parts, sr: string): Promise<void> {
  let repository: Repository
  try {
    const { storage, config } = storageOf(parts, sr)
    repository = await storage.openRepository(config)
  } catch (error) {
    if (error instanceof DriverError || error instanceof ApiError) return
    throw error
  }
  try {
    await parts.store.transact(transaction => {
      if (transaction.get(SR, sr) !== undefined) recordRepository(transaction, sr, repository)
    })
  } catch (error) {
    if (!(error instanceof StoreFailure)) throw error
  }
}

function recordAllocation(transaction: Transaction, sr: string): void {
  const current = transaction.get(SR, sr)
  if (current === undefined) return
  const vdis = current.VDIs.flatMap(ref => transaction.get(VDI, ref) ?? [])
  const virtual_allocation = vdis.reduce((sum, vdi) => sum + vdi.virtual_size * vdi.sector_size, 0n)
  transaction.patch(SR, sr, { virtual_allocation })
}

function recordRepository(transaction: Transaction, sr: string, repository: Repository): void {
  recordAllocation(transaction, sr)
  transaction.patch(SR, sr, {
    physical_utilisation: BigInt(repository.usedBytes),
    physical_size: BigInt(repository.capacityBytes),
  })
}

/** Writes what the host says of an image. A size that is no whole number of sectors is shown rounded down. */
export function recordVolume(transaction: Transaction, vdi: string, volume: Volume): void {
  const { sector_size: sector = SECTOR_BYTES, location: recorded = '' } = transaction.get(VDI, vdi) ?? {}
  // As machines that have it spell it, where there are several ways.
  const location = placeKey(recorded) === placeKey(volume.location) ? recorded : volume.location
  transaction.patch(VDI, vdi, {
    virtual_size: BigInt(volume.virtualBytes) / sector,
    physical_utilisation: BigInt(volume.physicalBytes),
    location,
    image_format: volume.format,
  })
}

/** The size of a sector where nobody chose another. */
export const SECTOR_BYTES = 512n

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

function adopt(transaction: Transaction, sr: string, volume: Volume): void {
  const isFree = UUID.test(volume.name) && transaction.get(VDI, volume.name) === undefined
  const values: Partial<RecordOf<typeof VDI>> = {
    uuid: isFree ? volume.name : randomUUID(),
    name_label: volume.name,
    SR: sr,
    parent: NULL_REF,
    image_format: volume.format,
    location: volume.location,
    read_only: volume.readOnly === true,
    virtual_size: BigInt(volume.virtualBytes) / SECTOR_BYTES,
    physical_utilisation: BigInt(volume.physicalBytes),
  }
  transaction.insert(VDI, newRecord(VDI, values))
}
