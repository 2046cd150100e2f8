import { AuthError } from './auth-error.ts'
import { contextTag, type DerElement, DerTag, readDer, readOid, readOnly, writeDer, writeOid } from './der.ts'

const SPNEGO_OID = '1.3.6.1.5.5.2'
/** More than any host says; Kerberos tickets with many groups reach some 64 KB. */
const TOKEN_BYTES_MAX = 262_144

const STATES = ['accept-completed', 'accept-incomplete', 'reject', 'request-mic'] as const
/** How far the acceptor is. Source: RFC 4178, section 4.2.2. */
export type SpnegoState = (typeof STATES)[number]

/** What the acceptor answers; what it leaves out is undefined. */
export interface SpnegoResponse {
  readonly state: SpnegoState | undefined
  readonly mechanism: string | undefined
  readonly token: Uint8Array | undefined
  readonly mic: Uint8Array | undefined
}

/** The list of mechanisms, which is also what mechListMIC is made over. Source: RFC 4178, section 4.1. */
export function writeMechanisms(oids: readonly string[]): Uint8Array {
  return writeDer(DerTag.sequence, ...oids.map(writeOid))
}

/** The first token: the mechanisms, and the token of the first of them. Source: RFC 4178, section 4.2.1. */
export function writeInit(mechanisms: Uint8Array, token: Uint8Array): Uint8Array {
  const init = writeDer(
    DerTag.sequence,
    writeDer(contextTag(0), mechanisms),
    writeDer(contextTag(2), writeDer(DerTag.octetString, token)),
  )
  return writeDer(DerTag.application0, writeOid(SPNEGO_OID), writeDer(contextTag(0), init))
}

/** A later token of the initiator; a part that is undefined is left out. Source: RFC 4178, section 4.2.2. */
export function writeResponse({ token, mic }: Pick<SpnegoResponse, 'token' | 'mic'>): Uint8Array {
  const parts = [
    ...(token === undefined ? [] : [writeDer(contextTag(2), writeDer(DerTag.octetString, token))]),
    ...(mic === undefined ? [] : [writeDer(contextTag(3), writeDer(DerTag.octetString, mic))]),
  ]
  return writeDer(contextTag(1), writeDer(DerTag.sequence, ...parts))
}

/** Reads a token of the acceptor. Throws AuthError where it is none. */
export function readResponse(bytes: Uint8Array): SpnegoResponse {
  if (bytes.length > TOKEN_BYTES_MAX) throw new AuthError('malformed', `a SPNEGO token of ${bytes.length} bytes`)
  const parts = readDer(readOnly(readOnly(bytes, contextTag(1)), DerTag.sequence))
  const mechanism = part(parts, 1, DerTag.oid)
  return {
    state: readState(part(parts, 0, DerTag.enumerated)),
    mechanism: mechanism && readOid(mechanism),
    token: part(parts, 2, DerTag.octetString),
    mic: part(parts, 3, DerTag.octetString),
  }
}

function part(parts: readonly DerElement[], number: number, tag: number): Uint8Array | undefined {
  const found = parts.find(element => element.tag === contextTag(number))
  return found && readOnly(found.content, tag)
}

function readState(content: Uint8Array | undefined): SpnegoState | undefined {
  if (content === undefined) return undefined
  const state = content.length === 1 ? STATES[content[0] ?? STATES.length] : undefined
  if (state === undefined) throw new AuthError('malformed', 'a SPNEGO token in a state that there is not')
  return state
}
