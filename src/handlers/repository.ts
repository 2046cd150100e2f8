/** What SR and VDI share: finding the driver behind a repository, and reading repositories and images back. */

import { randomUUID } from 'node:crypto'
import type { Repository, RepositoryConfig, StorageOps, Volume } from '../drivers/driver.ts'
import type { Services, Transaction } from '../engine/context.ts'
import { fail } from '../model/errors.ts'
import { host_, SR, VDI } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { newRecord } from '../model/kernel/operations.ts'
import { NULL_REF } from '../model/kernel/types.ts'

type Parts = Pick<Services, 'store' | 'hosts'>

/** The storage operations behind a repository, and how the driver is told of it. Throws HOST_OFFLINE. */
export function storageOf({ store, hosts }: Parts, sr: string): { storage: StorageOps; config: RepositoryConfig } {
  const record = store.get(SR, sr)
  if (record === undefined) throw fail('HANDLE_INVALID', { class: 'SR', handle: sr })
  const { storage, name } = hosts.driver(record.host)
  if (storage === undefined) throw fail('DRIVER_UNSUPPORTED', { driver: name, operation: 'storage' })
  return { storage, config: { type: record.type, location: record.location } }
}

/** The first connected host that knows a type of repository. Throws SR_UNKNOWN_DRIVER. */
export function hostOfType({ hosts }: Parts, type: string): string {
  const found = hosts.connected().find(({ driver }) => driver.storage?.types.includes(type))
  if (found === undefined) throw fail('SR_UNKNOWN_DRIVER', { driver: type })
  return found.host
}

/** Gives a host that can store images its first repository, where it has none. */
export async function ensureRepository(parts: Parts, host: string): Promise<void> {
  const { store, hosts } = parts
  const { storage } = hosts.driver(host)
  const [type] = storage?.types ?? []
  if (storage === undefined || type === undefined || store.findBy(SR, 'host', host).length > 0) return
  const config = { type, location: storage.defaultLocation('default') }
  const repository = await storage.openRepository(config)
  const uuid = randomUUID()
  const name_label = 'Default repository'
  const name_description = `Images on ${store.get(host_, host)?.name_label ?? 'the host'}`
  await store.transact(transaction =>
    transaction.insert(
      SR,
      newRecord(SR, {
        ...config,
        uuid,
        host,
        name_label,
        name_description,
        physical_size: BigInt(repository.capacityBytes),
      }),
    ),
  )
  await scan(parts, uuid)
}

/** Looks through a repository: images nobody told us of become VDIs; sizes and use are read again. */
export async function scan(parts: Parts, sr: string): Promise<void> {
  const { storage, config } = storageOf(parts, sr)
  const [repository, volumes] = [await storage.openRepository(config), await storage.listVolumes(config)]
  await parts.store.transact(transaction => {
    const known = new Map(
      (transaction.get(SR, sr)?.VDIs ?? []).map(ref => [transaction.get(VDI, ref)?.location, ref] as const),
    )
    for (const volume of volumes) {
      const vdi = known.get(volume.location)
      if (vdi === undefined) adopt(transaction, sr, volume)
      else recordVolume(transaction, vdi, volume)
    }
    recordRepository(transaction, sr, repository)
  })
}

/** Reads a repository's use back after one of its images changed. */
export async function observeRepository(parts: Parts, sr: string): Promise<void> {
  const { storage, config } = storageOf(parts, sr)
  const repository = await storage.openRepository(config)
  await parts.store.transact(transaction => {
    if (transaction.get(SR, sr) !== undefined) recordRepository(transaction, sr, repository)
  })
}

function recordRepository(transaction: Transaction, sr: string, repository: Repository): void {
  const vdis = (transaction.get(SR, sr)?.VDIs ?? []).flatMap(ref => transaction.get(VDI, ref) ?? [])
  transaction.patch(SR, sr, {
    virtual_allocation: vdis.reduce((sum, vdi) => sum + vdi.virtual_size * vdi.sector_size, 0n),
    physical_utilisation: BigInt(repository.usedBytes),
    physical_size: BigInt(repository.capacityBytes),
  })
}

/** Writes what the host says of an image. A size that is no whole number of sectors is shown rounded down. */
export function recordVolume(transaction: Transaction, vdi: string, volume: Volume): void {
  const sector = transaction.get(VDI, vdi)?.sector_size ?? SECTOR_BYTES
  transaction.patch(VDI, vdi, {
    virtual_size: BigInt(volume.virtualBytes) / sector,
    physical_utilisation: BigInt(volume.physicalBytes),
    location: volume.location,
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
    virtual_size: BigInt(volume.virtualBytes) / SECTOR_BYTES,
    physical_utilisation: BigInt(volume.physicalBytes),
  }
  transaction.insert(VDI, newRecord(VDI, values))
}
