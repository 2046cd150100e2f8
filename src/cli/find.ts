import { NULL_REF, type Ref, type XenApiClient } from '../client/index.ts'
import { ApiError } from '../model/kernel/error.ts'
import { Failure } from './failure.ts'

/** The classes whose objects people name, and what they call them. */
const WORDS = {
  VM: 'VM',
  host: 'host',
  VDI: 'disk',
  SR: 'repository',
  network: 'network',
  user: 'user',
} as const satisfies Readonly<Partial<Record<keyof XenApiClient, string>>>

/** A class whose objects people name. */
export type Named = keyof typeof WORDS

/** How to see what there is. */
const LISTS: Readonly<Record<Named, string>> = {
  VM: 'polyvisor vm list',
  host: 'polyvisor host list',
  VDI: 'polyvisor disk list',
  SR: 'polyvisor sr list',
  network: 'polyvisor network list',
  user: 'polyvisor user list',
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** The object that `name` is the UUID or the name of. Throws Failure where there is none, or more than one. */
export async function find<N extends Named>(client: XenApiClient, of: N, name: string): Promise<Ref<N>> {
  const byUuid = UUID.test(name) ? await findByUuid(client, of, name.toLowerCase()) : undefined
  if (byUuid !== undefined) return byUuid
  const [first, ...others] = await findByName(client, of, name)
  if (first === undefined)
    throw new Failure(`there is no ${WORDS[of]} ${name}`, { hint: `see what there is with: ${LISTS[of]}` })
  if (others.length === 0) return first
  throw new Failure(`${name} is the name of ${others.length + 1} objects of class ${of}; use the UUID of one`, {
    details: await Promise.all([first, ...others].map(ref => lineOf(client, of, ref, name))),
  })
}

/** Disks of clones have the names of their originals; what has them tells them apart. */
async function lineOf(client: XenApiClient, of: Named, ref: string, name: string): Promise<string> {
  if (of !== 'VDI') return `  ${ref}  ${name}`
  const [vbd] = await client.VDI.get_VBDs({ self: ref })
  const vm = vbd === undefined ? NULL_REF : await client.VBD.get_VM({ self: vbd })
  if (vm === NULL_REF) return `  ${ref}  ${name}, attached to no VM`
  return `  ${ref}  ${name}, attached to ${await client.VM.get_name_label({ self: vm })}`
}

async function findByUuid(client: XenApiClient, of: Named, uuid: string): Promise<string | undefined> {
  try {
    return await client[of].get_by_uuid({ uuid })
  } catch (error) {
    if (error instanceof ApiError && error.code === 'UUID_INVALID') return undefined
    throw error
  }
}

async function findByName(client: XenApiClient, of: Named, name: string): Promise<readonly string[]> {
  return of === 'user' ? client.user.get_by_short_name({ name }) : client[of].get_by_name_label({ name })
}
