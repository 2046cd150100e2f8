import type { XmlOutput } from '../../wire/xml/write.ts'
import { parseUuid } from './identity.ts'
import type { Reading } from './reading.ts'
import { element } from './writing.ts'

/** What an alias begins with that a user chose. Source: libvirt, formatdomain, "Devices", alias. */
const PREFIX = 'ua-'

/**
 * The id that a device was written with here: an alias of the user's that is a UUID. Undefined for other aliases, which
 * name the device within the domain while it runs.
 */
export function readOwnAlias(device: Reading): string | undefined {
  const name = device.child('alias')?.attribute('name') ?? ''
  return name.startsWith(PREFIX) ? parseUuid(name.slice(PREFIX.length)) : undefined
}

/** What a device of this id is called within its domain. */
export const ownAlias = (id: string): string => `${PREFIX}${id}`

/** The alias of a device whose id is not what it would be given for its place. */
export const writeOwnAlias = (id: string): XmlOutput => element('alias', { name: ownAlias(id) })
