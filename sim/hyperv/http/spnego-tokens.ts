import { type DerNode, field, readNode, readOid, TAG, writeNode, writeOid } from './der.ts'
import { MessageError } from './message-error.ts'

/** Mechanisms as SPNEGO names them. Source: RFC 4178; MS-SPNG, §1.9. */
export const OID = {
  spnego: '1.3.6.1.5.5.2',
  kerberos: '1.2.840.113554.1.2.2',
  /** What Windows 2000 made of it by a slip, and all since then keep to. */
  kerberosOfWindows: '1.2.840.48018.1.2.2',
  ntlm: '1.3.6.1.4.1.311.2.2.10',
} as const

export const STATE = { completed: 0, incomplete: 1, rejected: 2, requestMic: 3 } as const

/** The first token of a client. */
export interface InitToken {
  /** The one that it would like best comes first. */
  readonly mechanisms: readonly string[]
  /** The same in DER: what is signed in the end. */
  readonly mechanismList: Buffer
  /** The first token of its favourite. */
  readonly token: Buffer | undefined
}

/** Every other token, of client and server. */
export interface ResponseToken {
  readonly state?: number
  readonly mechanism?: string
  readonly token?: Buffer
  /** Signature of the list of mechanisms. */
  readonly mic?: Buffer
}

const MECHANISMS_MAX = 16
const INIT = field(0)
const RESPONSE = field(1)

/** The mechanism that a token says it is of; undefined for one that does not say. Source: RFC 2743, §3.1. */
export function mechanismOf(token: Buffer): string | undefined {
  if (token[0] !== TAG.application0) return undefined
  const name = readNode(readNode(token).content)
  return name.tag === TAG.oid ? readOid(name.content) : undefined
}

/** Whether this goes on with a negotiation. */
export function isResponse(token: Buffer): boolean {
  return token[0] === RESPONSE
}

/** Throws MessageError. Source: RFC 4178, §4.2.1. */
export function readInit(token: Buffer): InitToken {
  const whole = readNode(token)
  if (whole.tag !== TAG.application0) throw new MessageError('not a NegTokenInit')
  const [name, choice] = whole.children()
  if (name === undefined || choice?.tag !== INIT || readOid(name.content) !== OID.spnego) {
    throw new MessageError('not a NegTokenInit')
  }
  const fields = fieldsOf(choice)
  const list = fields.get(0)?.only(TAG.sequence)
  const mechanisms = list?.children().map(({ content }) => readOid(content)) ?? []
  if (list === undefined || mechanisms.length === 0 || mechanisms.length > MECHANISMS_MAX) {
    throw new MessageError('no mechanisms')
  }
  return { mechanisms, mechanismList: list.whole, token: fields.get(2)?.only(TAG.octets).content }
}

/** Throws MessageError. Source: RFC 4178, §4.2.2. */
export function readResponse(token: Buffer): ResponseToken {
  const whole = readNode(token)
  if (whole.tag !== RESPONSE || whole.whole.length !== token.length) throw new MessageError('not a NegTokenResp')
  const fields = fieldsOf(whole)
  const [state, mechanism] = [fields.get(0)?.only(TAG.enumerated).content[0], fields.get(1)?.only(TAG.oid).content]
  const [inner, mic] = [fields.get(2)?.only(TAG.octets).content, fields.get(3)?.only(TAG.octets).content]
  return {
    ...(state === undefined ? {} : { state }),
    ...(mechanism === undefined ? {} : { mechanism: readOid(mechanism) }),
    ...(inner === undefined ? {} : { token: inner }),
    ...(mic === undefined ? {} : { mic }),
  }
}

export function writeResponse({ state, mechanism, token, mic }: ResponseToken): Buffer {
  const parts: Buffer[] = []
  if (state !== undefined) parts.push(writeNode(field(0), writeNode(TAG.enumerated, Buffer.from([state]))))
  if (mechanism !== undefined) parts.push(writeNode(field(1), writeNode(TAG.oid, writeOid(mechanism))))
  if (token !== undefined) parts.push(writeNode(field(2), writeNode(TAG.octets, token)))
  if (mic !== undefined) parts.push(writeNode(field(3), writeNode(TAG.octets, mic)))
  return writeNode(RESPONSE, writeNode(TAG.sequence, ...parts))
}

/** The fields of the sequence inside, by their numbers. */
function fieldsOf(choice: DerNode): Map<number, DerNode> {
  const fields = new Map<number, DerNode>()
  for (const child of choice.only(TAG.sequence).children()) {
    if (fields.has(child.tag - INIT)) throw new MessageError('a field that comes twice')
    fields.set(child.tag - INIT, child)
  }
  return fields
}
