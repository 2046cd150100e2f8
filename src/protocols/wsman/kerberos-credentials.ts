import { createHash } from 'node:crypto'
import { DerTag, readOnly, writeOid } from './der.ts'
import type { GssBuffer, GssFunction, GssHandle, GssLibrary, GssOid } from './kerberos-library.ts'

/** Kerberos' object identifier. Source: RFC 4121, section 1. */
export const KERBEROS_OID = '1.2.840.113554.1.2.2'
/** Of names like `HTTP@host`. Source: RFC 2744, section 4.1. */
export const SERVICE_NAME_OID = '1.2.840.113554.1.2.1.4'
/** Of names like `user@REALM`. Source: RFC 2744, section 4.1. */
const USER_NAME_OID = '1.2.840.113554.1.2.1.1'
/** Credentials to begin with, not to accept. Source: RFC 2744, section 3.4, GSS_C_INITIATE. */
const INITIATE = 1
/** As long as the tickets themselves are good. */
const INDEFINITE = 0xffff_ffff

/** As whom we go, and what proves it; what is left out is the system's default. */
export interface KerberosUser {
  /** `user@REALM`. */
  readonly user?: string
  readonly password?: () => string | Promise<string>
  readonly cache?: string
  readonly keytab?: string
}

/** Credentials of the user; null where the library is to take the system's default. Rejects with AuthError. */
export async function acquireCredentials(library: GssLibrary, as: KerberosUser): Promise<GssHandle> {
  const isDefault = as.user === undefined && as.cache === undefined && as.keytab === undefined
  if (isDefault) return null
  const name = as.user === undefined ? null : await importName(library, as.user, USER_NAME_OID)
  const credentials: GssHandle[] = [null]
  const mechanisms = { count: 1, elements: [gssOid(KERBEROS_OID)] }
  try {
    if (as.password === undefined) {
      const store = storeOf(as)
      const rest = [INDEFINITE, mechanisms, INITIATE, store, credentials, null, null]
      await library.call('gss_acquire_cred_from', name, ...rest)
    } else {
      const password = gssBuffer(Buffer.from(await as.password(), 'utf8'))
      const rest = [INDEFINITE, mechanisms, INITIATE, credentials, null, null]
      await library.call('gss_acquire_cred_with_password', name, password, ...rest)
    }
  } finally {
    await releaseHandle(library, 'gss_release_name', name)
  }
  return credentials[0] ?? null
}

/** A name in the library's form; to be released. Rejects with AuthError. */
export async function importName(library: GssLibrary, name: string, kind: string): Promise<GssHandle> {
  const imported: GssHandle[] = [null]
  await library.call('gss_import_name', gssBuffer(Buffer.from(name, 'utf8')), gssOid(kind), imported)
  return imported[0] ?? null
}

/** Lets the library forget; what cannot be released is left to the end of the process. */
export async function releaseHandle(library: GssLibrary, how: GssFunction, handle: GssHandle): Promise<void> {
  if (handle === null) return
  await library.call(how, [handle], ...(how === 'gss_delete_sec_context' ? [null] : []))
}

/** Bytes of ours as the library takes them; `null` where there are none. */
export function gssBuffer(bytes: Uint8Array): GssBuffer {
  return { length: bytes.length, value: bytes.length === 0 ? null : bytes }
}

/** An object identifier as the library takes it. */
export function gssOid(oid: string): GssOid {
  const elements = readOnly(writeOid(oid), DerTag.oid)
  return { length: elements.length, elements }
}

/** Where the library looks. Source: MIT Kerberos documentation, "Credential store extensions". */
function storeOf(as: KerberosUser): unknown {
  const { cache, keytab } = as
  const elements: { key: string; value: string }[] = []
  if (keytab !== undefined) elements.push({ key: 'client_keytab', value: keytab })
  if (cache !== undefined) elements.push({ key: 'ccache', value: cache })
  else if (keytab !== undefined) elements.push({ key: 'ccache', value: ownCache(as) })
  return elements.length === 0 ? null : { count: elements.length, elements }
}

/**
 * Tickets made with a key go where nobody else looks, for the system's cache may hold those of somebody else. There is one
 * such cache for a key, and not one for each connection, since the library never lets go of one.
 */
function ownCache({ user = '', keytab = '' }: KerberosUser): string {
  return `MEMORY:polyvisor-${createHash('sha256').update(`${user}\0${keytab}`).digest('hex')}`
}
