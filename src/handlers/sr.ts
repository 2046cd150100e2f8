import { type Context, implement } from '../engine/context.ts'
import { fail } from '../model/errors.ts'
import { SR, VDI } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { hostOfType, scan, storageOf } from './repository.ts'
import { moveImage } from './vdi.ts'

/** Storage repositories. */
export const srHandlers = implement(
  SR,
  {
    list: ({ store }) => store.all(SR),

    clone(context, { sr }) {
      const { hosts, store } = context
      storageOf(context, sr)
      const { name } = hosts.driver(store.get(SR, sr)?.host ?? NULL_REF)
      throw fail('DRIVER_UNSUPPORTED', { driver: name, operation: 'SR.clone' })
    },

    async scan(context, { sr }) {
      await scan(context, sr)
      return null
    },
  },
  { create, set: { VDIs: setImages } },
)

async function create(context: Context, values: RecordOf<typeof SR>): Promise<void> {
  const { store, hosts } = context
  const host = hostOfType(context, values.type)
  const { storage } = hosts.driver(host)
  if (storage === undefined) throw fail('SR_UNKNOWN_DRIVER', { driver: values.type })
  const location = values.location === '' ? storage.defaultLocation(values.uuid) : values.location
  const taken = store.findBy(SR, 'location', location).find(ref => store.get(SR, ref)?.host === host)
  if (taken !== undefined) throw fail('OBJECT_NAME_TAKEN', { class: 'SR', name: location })
  await storage.openRepository({ type: values.type, location })
  await store.transact(transaction => transaction.insert(SR, { ...values, location, host, VDIs: [] }))
  try {
    await scan(context, values.uuid)
    await setImages(context, values.uuid, [...(store.get(SR, values.uuid)?.VDIs ?? []), ...values.VDIs])
  } catch (error) {
    await store.transact(transaction => {
      for (const vdi of transaction.get(SR, values.uuid)?.VDIs ?? []) transaction.remove(VDI, vdi)
      transaction.remove(SR, values.uuid)
    })
    throw error
  }
}

/** Listing an image moves it here; an image cannot be in no repository at all. */
async function setImages(context: Context, sr: string, vdis: readonly string[]): Promise<void> {
  const present = context.store.get(SR, sr)?.VDIs ?? []
  const left = present.find(vdi => !vdis.includes(vdi))
  if (left !== undefined) {
    throw fail('OPERATION_NOT_ALLOWED', {
      reason: `VDI ${left} must be in a repository: move it with set_SR or delete it`,
    })
  }
  for (const vdi of vdis) if (!present.includes(vdi)) await moveImage(context, vdi, sr)
}
