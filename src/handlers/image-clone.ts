/**
 * Copies of images: snapshots, children, and the disks of cloned VMs. They share blocks where the host can do that; else
 * everything is copied.
 */

import { randomUUID } from 'node:crypto'
import { DriverError, type OperationOptions, type Volume } from '../drivers/driver.ts'
import type { Context } from '../engine/context.ts'
import { fail } from '../model/errors.ts'
import { SR, VDI } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { newRecord } from '../model/kernel/operations.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { abandon, plan, settle } from './intent.ts'
import { lookAfterFailure, observeRepository, recordVolume, storageOf } from './repository.ts'

type VdiRecord = RecordOf<typeof VDI>

/** How an image is to be cloned. */
export interface CloneOptions {
  /** What the clone's record says other than its original's. */
  readonly values?: Partial<VdiRecord>
  /** The VM that is being made with the clone: until it is there, the clone is not to stay after a crash. */
  readonly forVm?: string
  /** The name of the operation, for errors. */
  readonly operation: string
}

/** A clone, and the note of it that is to be settled together with the VM it was made for. */
export interface Clone {
  readonly vdi: string
  readonly plan: string
}

/**
 * Clones an image; one that a VM is writing to only where blocks are shared. A failure leaves no clone. Throws VDI_IN_USE or
 * DRIVER_UNSUPPORTED.
 */
export async function cloneImage(context: Context, vdi: string, options: CloneOptions): Promise<Clone> {
  const sr = context.store.get(VDI, vdi)?.SR ?? NULL_REF
  if (sr === NULL_REF) {
    throw fail('OPERATION_NOT_ALLOWED', { reason: `VDI ${vdi} is in no repository; scan the one it lies in` })
  }
  const clone = await context.hosts.holdRepositories([sr], () => cloneHeld(context, vdi, options))
  await observeRepository(context, sr)
  return clone
}

async function cloneHeld(context: Context, vdi: string, options: CloneOptions): Promise<Clone> {
  const { store, task } = context
  const original = store.get(VDI, vdi)
  if (original === undefined) throw fail('HANDLE_INVALID', { class: 'VDI', handle: vdi })
  const { config } = storageOf(context, original.SR)
  const host = store.get(SR, original.SR)?.host ?? NULL_REF
  const make = copierOf(context, original, options)
  const uuid = options.values?.uuid ?? randomUUID()
  const keeper = options.forVm === undefined ? `VDI:${uuid}` : `VM:${options.forVm}`
  const noted = await plan(context, { host, repository: config, names: [uuid], keeper })
  const wanted = { name: uuid, ...sizeOf(original, options.values) }
  const progress = { signal: task.signal, onProgress: task.progress }
  try {
    const made = await make(wanted, progress)
    await store.transact(transaction => {
      if (made.original !== undefined) recordVolume(transaction, vdi, made.original)
      // What shares nothing with its original is nobody's child, unless that was asked for.
      const parent = made.original === undefined ? (options.values?.parent ?? NULL_REF) : vdi
      const copy = { ...original, ...options.values, uuid, parent, children: [], VBDs: [] }
      transaction.insert(VDI, newRecord(VDI, copy))
      recordVolume(transaction, uuid, made.clone)
      if (options.forVm === undefined) settle(transaction, noted)
    })
  } catch (error) {
    await abandon(context, noted)
    // The original may be another one by now, also where nobody was told.
    await lookAfterFailure(context, original.SR)
    const isBusy = error instanceof DriverError && error.kind === 'bad-state'
    throw isBusy ? fail('VDI_IN_USE', { vdi, operation: options.operation }, { cause: error }) : error
  }
  return { vdi: uuid, plan: noted }
}

/** What makes the second image; `original` is the first one afterwards, where that may have changed. */
type Copier = (
  wanted: { readonly name: string; readonly virtualBytes?: number },
  options: OperationOptions,
) => Promise<{ readonly original?: Volume; readonly clone: Volume }>

/** Sharing blocks with the first, else copying it. Throws DRIVER_UNSUPPORTED where the host can make no such image. */
function copierOf(
  context: Context,
  { SR: sr, location, image_format }: VdiRecord,
  { operation }: CloneOptions,
): Copier {
  const { storage, config } = storageOf(context, sr)
  const { clones, name: driver } = context.hosts.driver(context.store.get(SR, sr)?.host ?? NULL_REF)
  if (clones !== undefined) return (wanted, options) => clones.cloneVolume(location, wanted, options)
  if (storage.formats.length === 0) throw fail('DRIVER_UNSUPPORTED', { driver, operation })
  const format = storage.formats.includes(image_format) ? { format: image_format } : {}
  return async (wanted, options) => ({
    clone: await storage.copyVolume(location, config, { ...wanted, ...format }, options),
  })
}

/** A clone may be larger than its original, never smaller: one for which that was said is refused before. */
function sizeOf(original: VdiRecord, values: Partial<VdiRecord> = {}): { readonly virtualBytes?: number } {
  const sectors = values.virtual_size ?? original.virtual_size
  const bytes = sectors * (values.sector_size ?? original.sector_size)
  return bytes > original.virtual_size * original.sector_size ? { virtualBytes: Number(bytes) } : {}
}
