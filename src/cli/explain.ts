/** What the UUIDs in an error stand for, in the names that people gave. */

import { ApiError, type Ref, TransportError, type XenApiClient } from '../client/index.ts'
import { apiSentence, Failure } from './failure.ts'

/** Users that are told by name; of more, only how many. */
const USERS_MAX = 10

/** How to make an object free of what uses it. */
const WAYS_OUT: Readonly<Record<string, string>> = {
  VBD: 'take it from the VM with: polyvisor disk detach DISK VM; a CD with: polyvisor cd eject VM',
  VIF: 'take the card from it with: polyvisor nic disconnect VM NIC, or nic remove VM NIC',
  VDI: 'delete its disks with: polyvisor disk delete DISK',
}

/** The same failure with names, where it is that an object is in use and names can be had; else what was given. */
export async function explained(failure: unknown, client: XenApiClient): Promise<unknown> {
  if (!(failure instanceof ApiError)) return failure
  try {
    if (failure.code === 'OBJECT_IN_USE') return await inUse(failure, client)
    if (failure.code === 'VDI_IN_USE') return await imageInUse(failure, client)
    return failure
  } catch (trouble) {
    // The names are a service; what failed is told without them.
    if (trouble instanceof ApiError || trouble instanceof TransportError) return failure
    throw trouble
  }
}

/** Source: the third parameter of OBJECT_IN_USE lists `class:uuid`, separated by commas. */
async function inUse(failure: ApiError, client: XenApiClient): Promise<Failure> {
  const users = (failure.params[2] ?? '').split(',').map(user => user.split(':'))
  const lines = users.slice(0, USERS_MAX).map(([of = '', ref = '']) => lineOf(client, of, ref))
  const hint = WAYS_OUT[users[0]?.[0] ?? '']
  const details = [...(await Promise.all(lines)), ...moreLine(users.length)]
  return new Failure(`${failure.code}: ${apiSentence(failure)}`, hint === undefined ? { details } : { details, hint })
}

const moreLine = (count: number): string[] => (count > USERS_MAX ? [`  and ${count - USERS_MAX} more`] : [])

async function imageInUse(failure: ApiError, client: XenApiClient): Promise<Failure> {
  const self = failure.params[0] ?? ''
  const name = await client.VDI.get_name_label({ self })
  const users = await client.VDI.get_VBDs({ self })
  const lines = await Promise.all(users.slice(0, USERS_MAX).map(vbd => lineOf(client, 'VBD', vbd)))
  const details = [...lines.map(line => `${line}, whose disk is ${name}`), ...moreLine(users.length)]
  return new Failure(`${failure.code}: ${apiSentence(failure)}`, { details })
}

async function lineOf(client: XenApiClient, of: string, ref: string): Promise<string> {
  switch (of) {
    case 'VBD':
      return `  used as ${await client.VBD.get_device({ self: ref })} by ${await vmLine(client, await client.VBD.get_VM({ self: ref }))}`
    case 'VIF':
      return `  used by ${await client.VIF.get_device({ self: ref })} of ${await vmLine(client, await client.VIF.get_VM({ self: ref }))}`
    case 'VM':
    case 'VDI':
    case 'SR':
    case 'host':
    case 'network':
      return `  used by ${of} ${await client[of].get_name_label({ self: ref })}`
    default:
      return `  used by ${of} ${ref}`
  }
}

const vmLine = async (client: XenApiClient, self: Ref<'VM'>): Promise<string> =>
  `VM ${await client.VM.get_name_label({ self })} (${await client.VM.get_power_state({ self })})`
