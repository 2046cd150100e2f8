import { type Context, implement } from '../engine/context.ts'
import { fail } from '../model/errors.ts'
import { SR, VDI } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { hostOfType, scan, startRepository } from './repository.ts'
import { cloneRepository } from './sr-clone.ts'
import { placeNamed, repositoryAt } from './sr-place.ts'
import { relate } from './plug.ts'
import { takeBack } from './take-back.ts'
import { moveImage } from './vdi.ts'

/** Storage repositories. */
export const srHandlers = implement(
  SR,
  {
    list: ({ store }) => store.all(SR),

    clone: (context, { sr, loc, name }) => cloneRepository(context, sr, loc, name),

    async scan(context, { sr }) {
      if (context.store.get(SR, sr)?.stopped === true) await startRepository(context, sr)
      else await scan(context, sr)
      return null
    },
  },
  { create, set: { VDIs: setImages } },
)

async function create(context: Context, values: RecordOf<typeof SR>): Promise<void> {
  const { store, hosts, paths } = context
  const host = values.host === NULL_REF ? hostOfType(context, values.type) : values.host
  const { storage } = hosts.driver(host)
  if (storage?.types.includes(values.type) !== true) throw fail('SR_UNKNOWN_DRIVER', { driver: values.type })
  const isPath = values.location.startsWith('/')
  const named = placeNamed(context, 'location', values.location, 'SR.create')
  const location = named === '' ? storage.defaultLocation(values.uuid) : named
  if (repositoryAt(store, host, location)) throw fail('OBJECT_NAME_TAKEN', { class: 'SR', name: location })
  await storage.openRepository({ type: values.type, location })
  if (isPath) paths.check('location', location) // A link may have come in its way meanwhile.
  await store.transact(transaction => {
    // Another may have come while the folder was being opened.
    if (repositoryAt(store, host, location)) throw fail('OBJECT_NAME_TAKEN', { class: 'SR', name: location })
    transaction.insert(SR, { ...values, location, host, VDIs: [] })
  })
  try {
    await scan(context, values.uuid)
    await setImages(context, values.uuid, [...(store.get(SR, values.uuid)?.VDIs ?? []), ...values.VDIs])
  } catch (error) {
    const forget = () =>
      store.transact(transaction => {
        const left = transaction.get(SR, values.uuid)?.VDIs ?? []
        // What could not be moved back keeps its repository.
        if (left.some(vdi => values.VDIs.includes(vdi))) return
        for (const vdi of left) transaction.remove(VDI, vdi)
        transaction.remove(SR, values.uuid)
      })
    throw await takeBack(error, [forget])
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
  await relate(present, vdis, async vdi => {
    const from = context.store.get(VDI, vdi)?.SR ?? NULL_REF
    const back = () => moveImage(context, vdi, from)
    try {
      await moveImage(context, vdi, sr)
    } catch (error) {
      // Where only the answer was lost, it is here already.
      const isHere = context.store.get(VDI, vdi)?.SR === sr
      throw isHere ? await takeBack(error, [back]) : error
    }
    return back
  })
}
