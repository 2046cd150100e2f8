import { type Context, implement } from '../engine/context.ts'
import { DriverError } from '../drivers/driver.ts'
import { fail } from '../model/errors.ts'
import { SR, VBD, VDI, VM } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { observeRepository, recordVolume, storageOf } from './repository.ts'

type VdiRecord = RecordOf<typeof VDI>

const SECTORS_MAX = 2n ** 53n

/** Disk images. */
export const vdiHandlers = implement(
  VDI,
  {
    snapshot: ({ hosts, store }, { vdi }) =>
      unsupported({ hosts, store }, store.get(VDI, vdi)?.SR ?? NULL_REF, 'VDI.snapshot'),
  },
  { check, create, delete: deleteImage, set: { virtual_size: resize, SR: moveImage } },
)

function unsupported({ store, hosts }: Pick<Context, 'store' | 'hosts'>, sr: string, operation: string): never {
  const { name } = hosts.driver(store.get(SR, sr)?.host ?? NULL_REF)
  throw fail('DRIVER_UNSUPPORTED', { driver: name, operation })
}

function record({ store }: Context, vdi: string): VdiRecord {
  const found = store.get(VDI, vdi)
  if (found === undefined) throw fail('HANDLE_INVALID', { class: 'VDI', handle: vdi })
  return found
}

function check({ virtual_size, sector_size }: VdiRecord): void {
  if (sector_size !== 512n && sector_size !== 4096n) {
    throw fail('VALUE_NOT_SUPPORTED', { field: 'sector_size', value: String(sector_size), reason: '512 or 4096' })
  }
  if (virtual_size <= 0n || virtual_size * sector_size > SECTORS_MAX) {
    throw fail('INVALID_VALUE', { field: 'virtual_size', value: String(virtual_size) })
  }
}

/** The image comes first: a record without an image would be a disk that is not there. */
async function create(context: Context, values: VdiRecord): Promise<void> {
  const sr = values.SR === NULL_REF ? defaultRepository(context) : values.SR
  if (values.parent !== NULL_REF) return unsupported(context, sr, 'VDI.create with a parent')
  await context.hosts.holdRepositories([sr], () => createHeld(context, { ...values, SR: sr }))
  await observeRepository(context, sr)
}

async function createHeld(context: Context, values: VdiRecord): Promise<void> {
  const { store, task } = context
  const { storage, config } = storageOf(context, values.SR)
  const virtualBytes = Number(values.virtual_size * values.sector_size)
  const wanted = { name: values.uuid, format: values.image_format, virtualBytes }
  const volume = await storage.createVolume(config, wanted, { signal: task.signal, onProgress: task.progress })
  try {
    await store.transact(transaction => {
      transaction.insert(VDI, { ...values, location: volume.location })
      recordVolume(transaction, values.uuid, volume)
    })
  } catch (error) {
    await storage.deleteVolume(volume.location)
    throw error
  }
}

/** The repository of an image that names none: the oldest. */
function defaultRepository({ store }: Context): string {
  const [sr] = store.all(SR)
  if (sr === undefined) throw fail('HANDLE_INVALID', { class: 'SR', handle: NULL_REF })
  return sr
}

/** The image goes first: a file without a record would be left behind. A second call finishes what a crash left. */
async function deleteImage(context: Context, vdi: string): Promise<void> {
  const { SR: sr } = record(context, vdi)
  await context.hosts.holdRepositories(sr === NULL_REF ? [] : [sr], () => deleteHeld(context, vdi))
  if (sr !== NULL_REF) await observeRepository(context, sr)
}

async function deleteHeld(context: Context, vdi: string): Promise<void> {
  const { store } = context
  const { SR: sr, location } = record(context, vdi)
  if (sr !== NULL_REF) {
    const { storage } = storageOf(context, sr)
    try {
      await storage.deleteVolume(location)
    } catch (error) {
      if (error instanceof DriverError && error.kind === 'bad-state') throw inUse(vdi, 'VDI.delete', error)
      if (!(error instanceof DriverError && error.kind === 'not-found')) throw error
    }
  }
  // A VBD that came in the meantime is left with an empty drive.
  await store.transact(transaction => transaction.remove(VDI, vdi))
}

async function resize(context: Context, vdi: string, sectors: bigint): Promise<void> {
  const { store } = context
  const current = record(context, vdi)
  if (sectors === current.virtual_size) return
  checkUnused(context, vdi, 'VDI.set_virtual_size')
  const { storage } = storageOf(context, current.SR)
  if (sectors < current.virtual_size) {
    throw fail('VDI_TOO_SMALL', { vdi, 'minimum size': String(current.virtual_size * current.sector_size) })
  }
  const volume = await storage.resizeVolume(current.location, Number(sectors * current.sector_size))
  await store.transact(transaction => recordVolume(transaction, vdi, volume))
  await observeRepository(context, current.SR)
}

/** Moves an image to another repository of the same host, while no VM uses it. */
export async function moveImage(context: Context, vdi: string, sr: string): Promise<void> {
  const from = record(context, vdi).SR
  if (from === sr) return
  if (from === NULL_REF)
    throw fail('OPERATION_NOT_ALLOWED', { reason: `VDI ${vdi} is in no repository; scan the one it lies in` })
  if (sr === NULL_REF) throw fail('HANDLE_INVALID', { class: 'SR', handle: sr })
  await context.hosts.holdRepositories([from, sr], () => moveHeld(context, vdi, sr))
  await observeRepository(context, from)
  await observeRepository(context, sr)
}

async function moveHeld(context: Context, vdi: string, sr: string): Promise<void> {
  const { store, task } = context
  const current = record(context, vdi)
  if (current.SR === sr) return
  checkUnused(context, vdi, 'VDI.set_SR')
  const source = storageOf(context, current.SR)
  const { storage } = source
  const target = storageOf(context, sr)
  if (target.storage !== storage) return unsupported(context, sr, 'VDI.set_SR between hosts')
  const progress = { signal: task.signal, onProgress: task.progress }
  const volume = await storage.moveVolume(current.location, target.config, progress)
  try {
    await store.transact(transaction => {
      transaction.patch(VDI, vdi, { SR: sr })
      recordVolume(transaction, vdi, volume)
    })
  } catch (error) {
    await storage.moveVolume(volume.location, source.config)
    throw error
  }
}

const inUse = (vdi: string, operation: string, cause?: unknown) => fail('VDI_IN_USE', { vdi, operation }, { cause })

function checkUnused(context: Context, vdi: string, operation: string): void {
  const { store } = context
  for (const vbd of record(context, vdi).VBDs.flatMap(ref => store.get(VBD, ref) ?? [])) {
    const user = vbd.VM === NULL_REF ? undefined : store.get(VM, vbd.VM)
    const isBusy = user !== undefined && (user.power_state !== 'Halted' || context.hosts.isStarting(user.uuid))
    if (isBusy) throw inUse(vdi, operation)
  }
}
