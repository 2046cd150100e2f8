import { isUtf8 } from 'node:buffer'

import { splitUser, type UserName } from './accounts.ts'

/** What a client says of itself in clear. */
export interface BasicCredentials {
  readonly user: UserName
  readonly password: string
}

/** Undefined for what is no such thing. Text that is not UTF-8 is read as Latin-1. Source: RFC 7617. */
export function readBasic(credentials: string): BasicCredentials | undefined {
  const bytes = Buffer.from(credentials, 'base64')
  const text = bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1')
  const colon = text.indexOf(':')
  if (colon < 0) return undefined
  return { user: splitUser(text.slice(0, colon)), password: text.slice(colon + 1) }
}
