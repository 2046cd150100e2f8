import { type Context, implement } from '../engine/context.ts'
import { DriverError, type ImageFormat, type StorageOps } from '../drivers/driver.ts'
import { fail } from '../model/errors.ts'
import { SR, VBD, VDI, VM } from '../model/index.ts'
import { defaultOfField, type RecordOf } from '../model/kernel/define.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { cloneImage } from './image-clone.ts'
import { abandon, deletionOf, plan, settle, settleNow } from './intent.ts'
import { changeVbd, relate } from './plug.ts'
import { lookAfterFailure, observeRepository, recordVolume, storageOf } from './repository.ts'
import { takeBack } from './take-back.ts'

type VdiRecord = RecordOf<typeof VDI>

const SECTORS_MAX = 2n ** 53n

/** Disk images. */
export const vdiHandlers = implement(
  VDI,
  {
    snapshot: async (context, { vdi }) => (await cloneImage(context, vdi, { operation: 'VDI.snapshot' })).vdi,
  },
  {
    check,
    create,
    delete: deleteImage,
    set: { virtual_size: resize, SR: moveImage, VBDs: setVbds, sharable: setSharable, read_only: setReadOnly },
  },
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
async function create(context: Context, { VBDs, ...values }: VdiRecord, chosen: ReadonlySet<string>): Promise<void> {
  const sr = values.SR === NULL_REF ? defaultRepository(context) : values.SR
  if (values.parent === NULL_REF) {
    const image_format = formatOf(context, sr, chosen.has('image_format') ? values.image_format : undefined)
    const wanted = { ...values, VBDs: [], SR: sr, image_format }
    await context.hosts.holdRepositories([sr], () => createHeld(context, wanted))
    await observeRepository(context, sr)
  } else await createChild(context, { ...values, VBDs: [] })
  try {
    await setVbds(context, values.uuid, VBDs)
  } catch (error) {
    throw await takeBack(error, [() => deleteImage(context, values.uuid)])
  }
}

/** The format of a new image: the one that was chosen, if its host makes such images, else what the host makes first of all. */
function formatOf(context: Context, sr: string, chosen: VdiRecord['image_format'] | undefined): ImageFormat {
  const { formats } = storageOf(context, sr).storage
  const format = chosen ?? formats[0]
  if (format === undefined) return unsupported(context, sr, 'VDI.create')
  if (formats.includes(format)) return format
  const reason = `the host of this repository makes ${formats.join(', ')}`
  throw fail('VALUE_NOT_SUPPORTED', { field: 'image_format', value: format, reason })
}

/** A child begins as its parent is at this moment; then both go on independently. */
async function createChild(context: Context, values: VdiRecord): Promise<void> {
  const parent = record(context, values.parent)
  if (values.SR !== NULL_REF && values.SR !== parent.SR) {
    throw fail('INVALID_VALUE', { field: 'SR', value: values.SR })
  }
  const bytes = parent.virtual_size * parent.sector_size
  const isUnsaid = values.virtual_size === defaultOfField(VDI.fields.virtual_size)
  const sectors = isUnsaid ? bytes / values.sector_size : values.virtual_size
  if (sectors * values.sector_size < bytes) {
    throw fail('VDI_TOO_SMALL', { vdi: values.parent, 'minimum size': String(bytes) })
  }
  const { children: _, ...chosen } = values
  const wanted = { ...chosen, SR: parent.SR, virtual_size: sectors }
  await cloneImage(context, values.parent, { values: wanted, operation: 'VDI.create' })
}

async function createHeld(context: Context, values: VdiRecord): Promise<void> {
  const { store, task } = context
  const { storage, config } = storageOf(context, values.SR)
  const host = store.get(SR, values.SR)?.host ?? NULL_REF
  const repository = { host, repository: config, names: [values.uuid], keeper: `VDI:${values.uuid}` }
  const noted = await plan(context, repository)
  const virtualBytes = Number(values.virtual_size * values.sector_size)
  const wanted = { name: values.uuid, format: values.image_format, virtualBytes }
  const options = { signal: task.signal, onProgress: task.progress }
  try {
    const volume = await storage.createVolume(config, wanted, options)
    await store.transact(transaction => {
      transaction.insert(VDI, { ...values, location: volume.location })
      recordVolume(transaction, values.uuid, volume)
      settle(transaction, noted)
    })
  } catch (error) {
    await abandon(context, noted)
    throw error
  }
}

/** The repository of an image that names none: the oldest that nobody has stopped. */
function defaultRepository({ store }: Context): string {
  const all = store.all(SR)
  const sr = all.find(ref => store.get(SR, ref)?.stopped === false) ?? all[0]
  if (sr === undefined) throw fail('HANDLE_INVALID', { class: 'SR', handle: NULL_REF })
  return sr
}

/** The image goes first: a file without a record would be left behind. What fails in between is finished at the next look. */
export async function deleteImage(context: Context, vdi: string): Promise<void> {
  const { SR: sr } = record(context, vdi)
  await context.hosts.holdRepositories(sr === NULL_REF ? [] : [sr], () => deleteHeld(context, vdi))
  if (sr !== NULL_REF) await observeRepository(context, sr)
}

async function deleteHeld(context: Context, vdi: string): Promise<void> {
  const { store } = context
  const { SR: sr, location } = record(context, vdi)
  // A VBD that came in the meantime is left with an empty drive.
  if (sr === NULL_REF) return store.transact(transaction => transaction.remove(VDI, vdi))
  const { storage, config } = storageOf(context, sr)
  const host = store.get(SR, sr)?.host ?? NULL_REF
  const noted = await plan(context, { host, repository: config, names: [location], keeper: deletionOf(vdi) })
  try {
    await storage.deleteVolume(location)
  } catch (error) {
    if (await isThere(storage, location, error)) {
      await settleNow(store, noted)
      const isBusy = error instanceof DriverError && error.kind === 'bad-state'
      throw isBusy ? inUse(vdi, 'VDI.delete', error) : error
    }
  }
  try {
    await store.transact(transaction => {
      transaction.remove(VDI, vdi)
      settle(transaction, noted)
    })
  } catch (error) {
    await abandon(context, noted)
    throw error
  }
}

/** Whether an image is still there after its deletion failed: the deed may be done and only the answer lost. */
async function isThere(storage: StorageOps, location: string, error: unknown): Promise<boolean> {
  if (!(error instanceof DriverError)) return true
  if (error.kind === 'not-found') return false
  return storage.getVolume(location).then(
    () => true,
    (failure: unknown) => !(failure instanceof DriverError && failure.kind === 'not-found'),
  )
}

/** A clone may give the image another name and format, so nobody is to make one meanwhile. */
async function resize(context: Context, vdi: string, sectors: bigint): Promise<void> {
  const { SR: sr } = record(context, vdi)
  await context.hosts.holdRepositories([sr], () => resizeHeld(context, vdi, sectors))
  if (sr !== NULL_REF) await observeRepository(context, sr)
}

async function resizeHeld(context: Context, vdi: string, sectors: bigint): Promise<void> {
  const { store } = context
  const current = record(context, vdi)
  if (sectors === current.virtual_size) return
  const { storage } = storageOf(context, current.SR)
  if (sectors < current.virtual_size) {
    throw fail('VDI_TOO_SMALL', { vdi, 'minimum size': String(current.virtual_size * current.sector_size) })
  }
  const bytes = Number(sectors * current.sector_size)
  const volume = await storage.resizeVolume(current.location, bytes).catch((error: unknown) => {
    const isBusy = error instanceof DriverError && error.kind === 'bad-state'
    throw isBusy ? inUse(vdi, 'VDI.set_virtual_size', error) : error
  })
  await store.transact(transaction => recordVolume(transaction, vdi, volume))
}

/** The other end of `VBD.VDI`. */
function setVbds(context: Context, vdi: string, vbds: readonly string[]): Promise<void> {
  return relate(record(context, vdi).VBDs, vbds, (vbd, isIn) => changeVbd(context, vbd, { VDI: isIn ? vdi : NULL_REF }))
}

/** A machine that has an image has it for itself alone or shared, for as long as it has it. */
async function setSharable(context: Context, vdi: string, sharable: boolean): Promise<void> {
  if (sharable !== record(context, vdi).sharable) checkUnused(context, vdi, 'VDI.set_sharable')
  await context.store.transact(transaction => transaction.patch(VDI, vdi, { sharable }))
}

/** Nobody who writes to an image now can be stopped from it. */
async function setReadOnly(context: Context, vdi: string, read_only: boolean): Promise<void> {
  const isWritten = usersOf(context, vdi).some(({ mode, type }) => mode === 'RW' && type !== 'CD')
  if (read_only && isWritten) throw inUse(vdi, 'VDI.set_read_only')
  await context.store.transact(transaction => transaction.patch(VDI, vdi, { read_only }))
}

/** The block devices of VMs that are not Halted through which an image is used. */
function usersOf(context: Context, vdi: string): RecordOf<typeof VBD>[] {
  const { store, hosts } = context
  return record(context, vdi)
    .VBDs.flatMap(ref => store.get(VBD, ref) ?? [])
    .filter(({ VM: ref }) => {
      const user = ref === NULL_REF ? undefined : store.get(VM, ref)
      return user !== undefined && (user.power_state !== 'Halted' || hosts.isStarting(user.uuid))
    })
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
  let moved: string | undefined
  try {
    const volume = await storage.moveVolume(current.location, target.config, progress)
    moved = volume.location
    await store.transact(transaction => {
      transaction.patch(VDI, vdi, { SR: sr })
      recordVolume(transaction, vdi, volume)
    })
  } catch (error) {
    const back = moved
    const told = await takeBack(
      error,
      back === undefined ? [] : [() => storage.moveVolume(back, source.config).then(() => undefined)],
    )
    // Wherever it is now, its record follows.
    await lookAfterFailure(context, sr)
    throw told
  }
}

const inUse = (vdi: string, operation: string, cause?: unknown) => fail('VDI_IN_USE', { vdi, operation }, { cause })

function checkUnused(context: Context, vdi: string, operation: string): void {
  if (usersOf(context, vdi).length > 0) throw inUse(vdi, operation)
}
