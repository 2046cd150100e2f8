import type { WsmanReply } from '../wsman/exchange.ts'
import { type Authentication, offersOf, type Session } from './authentication.ts'
import { type Charset, charsetOf, fromUtf8, SOAP, toUtf8 } from './charset.ts'
import { type ContentType, readContentType } from './content-type.ts'
import type { Front } from './front.ts'
import { isIdentify } from './identify.ts'
import { readSealed, SEALED_TYPE, sealedType, writeSealed } from './multipart.ts'
import { bodyReply, emptyReply, PAGE, refusal, type Reply } from './reply.ts'
import { SealError } from './sealing.ts'

/** A request with its body. */
export interface Incoming {
  readonly body: Buffer
  readonly contentType: string | undefined
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[]
  readonly signal: AbortSignal
}

/** What a body turned out to hold. */
interface Opened {
  /** In UTF-8. */
  readonly envelope: Buffer
  readonly charset: Charset
  readonly isSealed: boolean
}

interface Granted {
  readonly session: Session
  /** The last word of a handshake. */
  readonly answer: string | undefined
}

/** A sealed message that cannot be opened: a bare 400, as WinRM is reported to answer. */
const UNREADABLE = emptyReply(400, { isLast: true })

/** Has the service carry out what somebody asks who is known, and seals its answer where the request was sealed. */
export async function carryOut(
  front: Front,
  incoming: Incoming,
  granted: Granted,
  authentication: Authentication,
): Promise<Reply | 'lost'> {
  const { session, answer } = granted
  const opened = open(front, incoming, session, answer)
  if ('status' in opened) {
    if (opened.isLast) authentication.end()
    return opened
  }
  const { user, isAdministrator } = session.principal
  const reply = await ask(front, incoming, opened, { user, isAdministrator })
  return typeof reply === 'string' || 'reason' in reply ? reply : close(session, opened, reply, answer)
}

/** Has the service say what the host is, if that is all that is asked. */
export async function carryOutIdentify(front: Front, incoming: Incoming): Promise<Reply | 'lost'> {
  const contentType = readContentType(incoming.contentType)
  const opened = openClear(contentType, incoming.body)
  if (opened === undefined || !isIdentify(opened.envelope)) return refusal(offersOf(front.authority))
  const reply = await ask(front, incoming, opened, { user: undefined, isAdministrator: false })
  if (typeof reply === 'string' || 'reason' in reply) return reply
  return bodyReply(reply.status, clearType(opened.charset), fromUtf8(reply.envelope, opened.charset), undefined)
}

async function ask(
  front: Front,
  { rawHeaders, signal }: Incoming,
  { envelope, isSealed }: Opened,
  who: { readonly user: string | undefined; readonly isAdministrator: boolean },
): Promise<WsmanReply | Reply | 'lost'> {
  if (front.handled >= front.limits.handled) return PAGE.unavailable
  front.handled++
  try {
    return await front.service({ envelope, signal, rawHeaders, isSealed, ...who })
  } finally {
    front.handled--
  }
}

/** The envelope of a body, or what is answered in its place. */
function open(front: Front, incoming: Incoming, session: Session, answer: string | undefined): Opened | Reply {
  const contentType = readContentType(incoming.contentType)
  if (contentType?.type === SEALED_TYPE) return openSealed(incoming.body, session) ?? UNREADABLE
  if (incoming.body.length === 0) {
    return emptyReply(200, answer === undefined ? {} : { first: ['WWW-Authenticate', answer] })
  }
  const refused = refuseClear(front, session)
  if (refused !== undefined) return refused
  if (charsetOf(contentType) === undefined) return emptyReply(415)
  return openClear(contentType, incoming.body) ?? emptyReply(400)
}

/**
 * What a host says that wants its messages sealed. Source: reports of users: packer#6205 for NTLM; pywinrm#129 and
 * winrm4j#151 for Kerberos.
 */
function refuseClear({ authority }: Front, { mechanism }: Session): Reply | undefined {
  if (authority.isEncrypted || authority.policy.allowUnencrypted) return undefined
  return mechanism === 'kerberos' ? emptyReply(500, { isLast: true }) : refusal(offersOf(authority))
}

function openSealed(body: Buffer, { sealing, protocol }: Session): Opened | undefined {
  const read = readSealed(body)
  if (read === undefined || sealing === undefined || read.protocol !== protocol) return undefined
  const message = unlessBroken(() => sealing.unseal(read.sealed))
  const envelope = message && toUtf8(message, read.charset)
  return envelope && { envelope, charset: read.charset, isSealed: true }
}

function openClear(contentType: ContentType | undefined, body: Buffer): Opened | undefined {
  const charset = charsetOf(contentType)
  const envelope = charset && toUtf8(body, charset)
  return envelope && charset && { envelope, charset, isSealed: false }
}

function close(session: Session, opened: Opened, reply: WsmanReply, answer: string | undefined): Reply | 'lost' {
  const { charset, isSealed } = opened
  const message = fromUtf8(reply.envelope, charset)
  const { sealing, protocol } = session
  if (!isSealed || sealing === undefined) return bodyReply(reply.status, clearType(charset), message, answer)
  const sealed = unlessBroken(() => sealing.seal(message))
  if (sealed === undefined) return 'lost'
  return bodyReply(reply.status, sealedType(protocol), writeSealed({ protocol, charset, sealed }), answer)
}

function clearType(charset: Charset): string {
  return `${SOAP};charset=${charset}`
}

function unlessBroken<Result>(seal: () => Result): Result | undefined {
  try {
    return seal()
  } catch (error) {
    if (error instanceof SealError) return undefined
    throw error
  }
}
