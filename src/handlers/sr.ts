import { type Context, implement } from '../engine/context.ts'
import { fail } from '../model/errors.ts'
import { SR, VDI } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { hostOfType, scan } from './repository.ts'
import { cloneRepository } from './sr-clone.ts'
import { plainPath, repositoryAt } from './sr-place.ts'
import { moveImage } from './vdi.ts'

/** Storage repositories. */
export const srHandlers = implement(
  SR,
  {
    list: ({ store }) => store.all(SR),

    clone: (context, { sr, loc, name }) => cloneRepository(context, sr, loc, name),

    async scan(context, { sr }) {
      await scan(context, sr)
      return null
    },
  },
  { create, set: { VDIs: setImages } },
)

async function create(context: Context, values: RecordOf<typeof SR>): Promise<void> {
  const { store, hosts, paths } = context
  const host = hostOfType(context, values.type)
  const { storage } = hosts.driver(host)
  if (storage === undefined) throw fail('SR_UNKNOWN_DRIVER', { driver: values.type })
  // Of a host that is not of files, a location need be no path.
  const isPath = values.location.startsWith('/')
  const named = isPath ? paths.check('location', plainPath(values.location)) : values.location
  const location = named === '' ? storage.defaultLocation(values.uuid) : named
  if (repositoryAt(store, host, location)) throw fail('OBJECT_NAME_TAKEN', { class: 'SR', name: location })
  await storage.openRepository({ type: values.type, location })
  if (isPath) paths.check('location', location) // A link may have come in its way meanwhile.
  await store.transact(transaction => {
    // Another may have come while the folder was being opened.
    if (repositoryAt(store, host, location)) throw fail('OBJECT_NAME_TAKEN', { class: 'SR', name: location })
    transaction.insert(SR, { ...values, location, host, VDIs: [] })
  })
  const from = new Map(values.VDIs.map(vdi => [vdi, store.get(VDI, vdi)?.SR ?? NULL_REF]))
  try {
    await scan(context, values.uuid)
    await setImages(context, values.uuid, [...(store.get(SR, values.uuid)?.VDIs ?? []), ...values.VDIs])
  } catch (error) {
    // What was moved here already goes back first; its record must not go with the repository.
    for (const [vdi, sr] of from) if (sr !== NULL_REF) await moveImage(context, vdi, sr)
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
