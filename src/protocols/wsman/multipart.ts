import { AuthError } from './auth-error.ts'
import type { SealedMessage } from './auth-mechanism.ts'

const BOUNDARY = 'Encrypted Boundary'
const SOAP_TYPE = 'application/soap+xml;charset=UTF-8'
/** Far more than the lines before the encrypted message have. */
const HEAD_BYTES_MAX = 4_096
const HEAD_LINES_MAX = 32
/** Kerberos has the longest signature, some 76 bytes. */
const SIGNATURE_BYTES_MAX = 1_024
/** How much longer than the message its encrypted form may be; ciphers pad to whole blocks. */
const PADDING_BYTES_MAX = 16

/** The name under which a message is sealed; hosts refuse the name of another way to authenticate. */
export type SealProtocol = 'application/HTTP-SPNEGO-session-encrypted' | 'application/HTTP-Kerberos-session-encrypted'

/** A sealed message as the body of a request or reply. */
export interface SealedBody {
  readonly contentType: string
  readonly body: Uint8Array
}

/** A sealed message that came, and how long it said to be before it was encrypted. */
export interface ReceivedMessage extends SealedMessage {
  readonly length: number
}

/**
 * Writes a sealed message as Windows expects it, to the byte: lines of the parts begin with a tab, and no line ends
 * before the closing boundary. Source: [MS-WSMV] 2.2.9.1.
 */
export function writeSealed(protocol: SealProtocol, length: number, { signature, data }: SealedMessage): SealedBody {
  const head = [
    `--${BOUNDARY}`,
    `\tContent-Type: ${protocol}`,
    `\tOriginalContent: type=${SOAP_TYPE};Length=${length}`,
    `--${BOUNDARY}`,
    '\tContent-Type: application/octet-stream',
    '',
  ].join('\r\n')
  const signatureLength = Buffer.alloc(4)
  signatureLength.writeUInt32LE(signature.length)
  return {
    contentType: `multipart/encrypted;protocol="${protocol}";boundary="${BOUNDARY}"`,
    body: Buffer.concat([Buffer.from(head), signatureLength, signature, data, Buffer.from(`--${BOUNDARY}--\r\n`)]),
  }
}

/** Whether a body of this type is a sealed message. */
export function isSealed(contentType: string): boolean {
  return /^\s*multipart\/encrypted\s*(;|$)/i.test(contentType)
}

/**
 * Reads a sealed message. Blanks, cases and empty lines are as they may be; where the encrypted message ends, its
 * length says and not its text, which may hold anything. Throws AuthError where it is none.
 */
export function readSealed(contentType: string, bytes: Uint8Array): ReceivedMessage {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const boundary = boundaryOf(contentType)
  // Exchange puts a blank between the dashes and the boundary.
  const delimiters = [`--${boundary}`, `-- ${boundary}`]
  const { length, end } = readHead(body, delimiters)
  if (end + 4 > body.length) throw garbage('its encrypted part is missing')
  const signatureLength = body.readUInt32LE(end)
  if (signatureLength > SIGNATURE_BYTES_MAX) throw garbage(`its signature is ${signatureLength} bytes long`)
  const start = end + 4 + signatureLength
  const dataEnd = findEnd(body, delimiters, start + length)
  return { length, signature: body.subarray(end + 4, start), data: body.subarray(start, dataEnd) }
}

function boundaryOf(contentType: string): string {
  const [, quoted, plain] = /;\s*boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType) ?? []
  const boundary = quoted ?? plain
  if (boundary === undefined) throw garbage('its type names no boundary')
  return boundary
}

/** The lines up to that of the encrypted part: how long the message was, and where the encrypted part begins. */
function readHead(body: Buffer, delimiters: readonly string[]): { length: number; end: number } {
  const head = body.toString('latin1', 0, HEAD_BYTES_MAX)
  let length: number | undefined
  let at = 0
  for (let line = 0; line < HEAD_LINES_MAX; line++) {
    const end = head.indexOf('\n', at)
    if (end < 0) break
    const text = head.slice(at, end).trim()
    at = end + 1
    length ??= readLength(text)
    if (!/^content-type\s*:\s*application\/octet-stream$/i.test(text)) continue
    if (length === undefined || !delimiters.some(delimiter => head.startsWith(delimiter))) break
    // A signature's length is never that of a line end, so an empty line cannot be mistaken.
    return { length, end: head.startsWith('\r\n', at) ? at + 2 : at }
  }
  throw garbage('its parts are not as they must be')
}

function readLength(line: string): number | undefined {
  const [, digits] = /^originalcontent\s*:.*;\s*length\s*=\s*(\d{1,9})\s*(?:;|$)/i.exec(line) ?? []
  return digits === undefined ? undefined : Number(digits)
}

/** Where the closing boundary stands: at the end of the message, or of the padding behind it. */
function findEnd(body: Buffer, delimiters: readonly string[], messageEnd: number): number {
  for (let end = messageEnd; end <= messageEnd + PADDING_BYTES_MAX && end < body.length; end++) {
    const isThere = delimiters.some(delimiter => body.toString('latin1', end, end + delimiter.length) === delimiter)
    if (isThere) return end
  }
  throw garbage('it is longer or shorter than it says')
}

function garbage(why: string): AuthError {
  return new AuthError('malformed', `what came is no sealed message: ${why}`)
}
