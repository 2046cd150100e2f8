import { randomUUID } from 'node:crypto'
import { DriverError, type Volume } from '../drivers/driver.ts'
import type { Context } from '../engine/context.ts'
import { fail } from '../model/errors.ts'
import { SR, VBD, VDI, VM } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { newRecord } from '../model/kernel/operations.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { abandon, plan, settle } from './intent.ts'
import { observeRepository, recordVolume, scan, storageOf } from './repository.ts'
import { placeNamed, repositoryAt } from './sr-place.ts'

type SrRecord = RecordOf<typeof SR>
/** What a client of libvirt has made of the original is not so of its copy. */
const FRESH = { stopped: false, transient: false, autostart: true } as const

type Copies = readonly { readonly from: string; readonly volume: Volume }[]

/** Copies a repository with all its images to a new place on the same host. A failure leaves neither. */
export async function cloneRepository(context: Context, sr: string, loc: string, name: string): Promise<string> {
  await scan(context, sr)
  const uuid = await context.hosts.holdRepositories([sr], () => cloneHeld(context, sr, loc, name))
  await observeRepository(context, uuid)
  return uuid
}

async function cloneHeld(context: Context, sr: string, loc: string, name_label: string): Promise<string> {
  const { store, hosts, task } = context
  const original = store.get(SR, sr)
  if (original === undefined) throw fail('HANDLE_INVALID', { class: 'SR', handle: sr })
  const { storage, config } = storageOf(context, sr)
  const { clones, name: driver } = hosts.driver(original.host)
  if (clones === undefined) throw fail('DRIVER_UNSUPPORTED', { driver, operation: 'SR.clone' })
  checkQuiet(context, original)
  const uuid = randomUUID()
  const named = placeNamed(context, 'loc', loc, 'SR.clone')
  const location = named === '' ? storage.defaultLocation(uuid) : named
  const { host } = original
  if (repositoryAt(store, host, location)) throw fail('OBJECT_NAME_TAKEN', { class: 'SR', name: location })
  const names = new Map(original.VDIs.map(vdi => [vdi, randomUUID()]))
  const target = { type: config.type, location }
  const noted = await plan(context, { host, repository: target, names: [...names.values()], keeper: `SR:${uuid}` })
  const nameOf = (name: string) => names.get(vdiNamed(context, original, name)) ?? randomUUID()
  try {
    const options = { signal: task.signal, onProgress: task.progress }
    const copies = await clones.copyRepository(config, target, nameOf, options)
    await record(context, original, { ...original, ...FRESH, uuid, name_label, location, VDIs: [] }, copies, noted)
  } catch (error) {
    await abandon(context, noted)
    const [vdi = ''] = original.VDIs
    const isBusy = error instanceof DriverError && error.kind === 'bad-state'
    throw isBusy ? fail('VDI_IN_USE', { vdi, operation: 'SR.clone' }, { cause: error }) : error
  }
  return uuid
}

/** Throws VDI_IN_USE where a VM may be writing to an image: a copy of it would be of no one moment. */
function checkQuiet({ store }: Context, { VDIs }: SrRecord): void {
  for (const vbd of VDIs.flatMap(vdi => store.get(VDI, vdi)?.VBDs ?? []).flatMap(ref => store.get(VBD, ref) ?? [])) {
    const user = vbd.VM === NULL_REF ? undefined : store.get(VM, vbd.VM)
    const writes = vbd.mode === 'RW' && vbd.type !== 'CD'
    if (writes && user !== undefined && user.power_state !== 'Halted') {
      throw fail('VDI_IN_USE', { vdi: vbd.VDI, operation: 'SR.clone' })
    }
  }
}

/** The image of a repository whose volume has this name. */
function vdiNamed({ store }: Context, { VDIs }: SrRecord, name: string): string {
  const hasName = (vdi: string) => store.get(VDI, vdi)?.location.split('/').at(-1)?.startsWith(`${name}.`) === true
  return VDIs.includes(name) ? name : (VDIs.find(hasName) ?? '')
}

/** Makes the objects of what was copied; parents become the copies of parents. Deletes the copies where that fails. */
async function record(
  { store }: Context,
  { VDIs }: SrRecord,
  values: SrRecord,
  copies: Copies,
  noted: string,
): Promise<void> {
  const originals = new Map(
    VDIs.flatMap(ref => {
      const vdi = store.get(VDI, ref)
      return vdi === undefined ? [] : [[vdi.location, vdi] as const]
    }),
  )
  const made = copies.map(({ from, volume }) => ({ volume, original: originals.get(from), uuid: volume.name }))
  const copyOf = new Map(made.map(({ original, uuid }) => [original?.uuid, uuid]))
  await store.transact(transaction => {
    transaction.insert(SR, values)
    for (const { volume, original, uuid } of made) {
      const fresh = { uuid, SR: values.uuid, VBDs: [], children: [], parent: NULL_REF }
      transaction.insert(VDI, newRecord(VDI, { ...original, ...fresh }))
      recordVolume(transaction, uuid, volume)
    }
    for (const { original, uuid } of made) {
      const parent = copyOf.get(original?.parent)
      if (parent !== undefined) transaction.patch(VDI, uuid, { parent })
    }
    settle(transaction, noted)
  })
}
