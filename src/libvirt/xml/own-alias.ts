import type { XmlOutput } from '../../wire/xml/write.ts'
import { VIR_ERR_XML_ERROR } from '../error-numbers.ts'
import { parseUuid } from './identity.ts'
import type { Reading } from './reading.ts'
import { element } from './writing.ts'

/** What an alias begins with that a user chose. Source: libvirt, formatdomain, "Devices", alias. */
const PREFIX = 'ua-'
/** What such an alias is made of; others are passed over. Source: libvirt, src/conf/domain_conf.c, USER_ALIAS_CHARS. */
const CHOSEN = /^[a-zA-Z0-9._-]{1,200}$/

/** What a device is known by. */
export interface Known {
  readonly id: string
  readonly alias?: string
}

/**
 * What a device was written with here: its id, where an alias of the user's is a UUID, or what the user calls it. Other
 * aliases name the device within the domain while it runs, and are none.
 */
export function readOwnAlias(device: Reading): Partial<Known> {
  const name = device.child('alias')?.attribute('name') ?? ''
  const chosen = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : ''
  const id = parseUuid(chosen)
  if (id !== undefined) return { id }
  return CHOSEN.test(chosen) ? { alias: chosen } : {}
}

/** What a device is called within its domain: as its user does, or by its id. */
export const ownAlias = ({ id, alias = id }: Known): string => `${PREFIX}${alias}`

/** The alias of a device whose id is not `usual`, what it would be given for its place, or that its user calls something. */
export function writeOwnAlias({ id, alias }: Known, usual: string): XmlOutput | undefined {
  if (id !== usual) return element('alias', { name: ownAlias({ id }) })
  return alias === undefined ? undefined : element('alias', { name: ownAlias({ id, alias }) })
}

/** Fails where two devices of a domain are called the same. Source of the text: libvirt, virDomainDefValidateAliases. */
export function assertAliases(inside: Reading, devices: readonly Known[]): void {
  const names = devices.flatMap(({ alias }) => alias ?? [])
  const twin = names.find((name, index) => names.indexOf(name) < index)
  if (twin !== undefined) inside.fail(VIR_ERR_XML_ERROR, `non unique alias detected: ${PREFIX}${twin}`)
}
