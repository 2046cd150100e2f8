import { VIR_ERR_INVALID_ARG } from './error-numbers.ts'
import { LibvirtError } from './errors.ts'
import type { FunctionName } from './flag-check.ts'
import { parseUuid } from './xml/identity.ts'

/** Octets of a UUID. Source: libvirt, VIR_UUID_BUFLEN. */
const UUID_BYTES = 16

/** A UUID as text or as its 16 octets, in lower case with hyphens. Throws `VIR_ERR_INVALID_ARG` for what is none. */
export function uuidOf(name: FunctionName, uuid: string | Uint8Array): string {
  const text = typeof uuid === 'string' ? uuid : uuid.length === UUID_BYTES ? Buffer.from(uuid).toString('hex') : ''
  const parsed = parseUuid(text)
  if (parsed !== undefined) return parsed
  throw new LibvirtError(VIR_ERR_INVALID_ARG, `uuidstr in ${name} must be a valid UUID`)
}

/** The 16 octets of a UUID that is written as `uuidOf` gives it. */
export const uuidBytes = (uuid: string): Uint8Array => new Uint8Array(Buffer.from(uuid.replaceAll('-', ''), 'hex'))
