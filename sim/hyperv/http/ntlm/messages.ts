import { FLAG, has } from './flags.ts'
import { MessageError } from '../message-error.ts'

const SIGNATURE = Buffer.from('NTLMSSP\0', 'latin1')
const TYPE_AT = 8
const TYPE = { negotiate: 1, challenge: 2, authenticate: 3 } as const

const NEGOTIATE_BYTES_MIN = 16
const NEGOTIATE_HEADER_BYTES = 40
const CHALLENGE_BYTES_MIN = 48
const CHALLENGE_HEADER_BYTES = 56
const AUTHENTICATE_BYTES_MIN = 64
/** Where the MIC of an AUTHENTICATE_MESSAGE lies, and the payload behind it begins at the earliest. */
const MIC_AT = 72
const MIC_END = 88
const REVISION = 15
/** What a client says it is, which decides nothing: Windows 10. */
const CLIENT_VERSION = Buffer.from([10, 0, 0x63, 0x45, 0, 0, 0, REVISION])

export const CHALLENGE_BYTES = 8
export const KEY_BYTES = 16

/** Whether this is a message of NTLM and not one wrapped in something else. */
export function isNtlm(token: Uint8Array): boolean {
  return SIGNATURE.equals(token.subarray(0, SIGNATURE.length))
}

/** Whether this is the message that a handshake begins with. */
export function isNegotiate(token: Uint8Array): boolean {
  return isNtlm(token) && typeOf(Buffer.from(token)) === TYPE.negotiate
}

/** The flags of a NEGOTIATE_MESSAGE; the names it may carry decide nothing. Source: MS-NLMP, §2.2.1.1. */
export function readNegotiate(token: Buffer): number {
  if (!isNtlm(token) || token.length < NEGOTIATE_BYTES_MIN || typeOf(token) !== TYPE.negotiate) {
    throw new MessageError('not a NEGOTIATE_MESSAGE')
  }
  return token.readUInt32LE(12)
}

/** A NEGOTIATE_MESSAGE without names. */
export function writeNegotiate(flags: number): Buffer {
  const message = Buffer.alloc(NEGOTIATE_HEADER_BYTES)
  message.set(SIGNATURE)
  message.writeUInt32LE(TYPE.negotiate, TYPE_AT)
  message.writeUInt32LE(flags, 12)
  message.set(CLIENT_VERSION, 32)
  return message
}

/** What a CHALLENGE_MESSAGE says. */
export interface Challenge {
  readonly flags: number
  readonly serverChallenge: Buffer
  readonly targetName: string
  /** As `writeAttributes` makes it. */
  readonly targetInfo: Buffer
  readonly osVersion: OsVersion
}

/** As a host prints it in its version field. */
export interface OsVersion {
  readonly major: number
  readonly minor: number
  readonly build: number
}

/** Source: MS-NLMP, §2.2.1.2. */
export function writeChallenge(challenge: Challenge): Buffer {
  const name = encodeText(challenge.targetName, challenge.flags)
  const header = Buffer.alloc(CHALLENGE_HEADER_BYTES)
  header.set(SIGNATURE)
  header.writeUInt32LE(TYPE.challenge, TYPE_AT)
  writeField(header, 12, name.length, header.length)
  header.writeUInt32LE(challenge.flags, 20)
  header.set(challenge.serverChallenge, 24)
  writeField(header, 40, challenge.targetInfo.length, header.length + name.length)
  if (has(challenge.flags, FLAG.version)) {
    const { major, minor, build } = challenge.osVersion
    header.set([major, minor], 48)
    header.writeUInt16LE(build, 50)
    header[55] = REVISION
  }
  return Buffer.concat([header, name, challenge.targetInfo])
}

/** What decides in a CHALLENGE_MESSAGE. Throws MessageError. */
export function readChallenge(token: Buffer): Pick<Challenge, 'flags' | 'serverChallenge' | 'targetInfo'> {
  if (!isNtlm(token) || token.length < CHALLENGE_BYTES_MIN || typeOf(token) !== TYPE.challenge) {
    throw new MessageError('not a CHALLENGE_MESSAGE')
  }
  const serverChallenge = token.subarray(24, 24 + CHALLENGE_BYTES)
  return { flags: token.readUInt32LE(20), serverChallenge, targetInfo: readField(token, 40) }
}

/** What an AUTHENTICATE_MESSAGE says. */
export interface Authenticate {
  readonly flags: number
  readonly ntResponse: Buffer
  readonly domain: string
  readonly user: string
  /** RC4 of the session key; empty where keys are not exchanged. */
  readonly encryptedKey: Buffer
  /** Undefined where the header is too short to hold one. */
  readonly mic: Buffer | undefined
}

/** Source: MS-NLMP, §2.2.1.3. Throws MessageError. */
export function readAuthenticate(token: Buffer): Authenticate {
  if (!isNtlm(token) || token.length < AUTHENTICATE_BYTES_MIN || typeOf(token) !== TYPE.authenticate) {
    throw new MessageError('not an AUTHENTICATE_MESSAGE')
  }
  const flags = token.readUInt32LE(60)
  const filled = [12, 20, 28, 36, 44, 52].filter(at => token.readUInt16LE(at) > 0) // An empty one may lie anywhere.
  const payloadAt = Math.min(token.length, ...filled.map(at => token.readUInt32LE(at + 4)))
  return {
    flags,
    ntResponse: readField(token, 20),
    domain: decodeText(readField(token, 28), flags),
    user: decodeText(readField(token, 36), flags),
    encryptedKey: readField(token, 52),
    mic: payloadAt >= MIC_END && token.length >= MIC_END ? token.subarray(MIC_AT, MIC_END) : undefined,
  }
}

/** A message to write. */
export interface AuthenticateParts
  extends Pick<Authenticate, 'flags' | 'ntResponse' | 'domain' | 'user' | 'encryptedKey'> {
  readonly lmResponse: Buffer
}

/** The message with room for its MIC, which is zeros. Source: MS-NLMP, §2.2.1.3. */
export function writeAuthenticate(parts: AuthenticateParts): Buffer {
  const { flags } = parts
  const header = Buffer.alloc(MIC_END)
  header.set(SIGNATURE)
  header.writeUInt32LE(TYPE.authenticate, TYPE_AT)
  header.writeUInt32LE(flags, 60)
  header.set(CLIENT_VERSION, 64)
  const [domain, user] = [encodeText(parts.domain, flags), encodeText(parts.user, flags)]
  const fields = [parts.lmResponse, parts.ntResponse, domain, user, Buffer.alloc(0), parts.encryptedKey]
  let start = header.length
  fields.forEach((bytes, index) => {
    writeField(header, 12 + index * 8, bytes.length, start)
    start += bytes.length
  })
  return Buffer.concat([header, ...fields])
}

/** The message with its MIC in its place. */
export function withMic(token: Buffer, mic: Buffer): Buffer {
  const copy = Buffer.from(token)
  copy.set(mic, MIC_AT)
  return copy
}

/** The message as its MIC was computed over it: with zeros in place of the MIC. */
export function withoutMic(token: Buffer): Buffer {
  const copy = Buffer.from(token)
  copy.fill(0, MIC_AT, MIC_END)
  return copy
}

function typeOf(token: Buffer): number {
  return token.length < TYPE_AT + 4 ? 0 : token.readUInt32LE(TYPE_AT)
}

/** A field is its length, the room it has, and where it lies. */
function readField(token: Buffer, at: number): Buffer {
  const [length, start] = [token.readUInt16LE(at), token.readUInt32LE(at + 4)]
  if (start + length > token.length) throw new MessageError('a field that lies outside its message')
  return token.subarray(start, start + length)
}

function writeField(header: Buffer, at: number, length: number, start: number): void {
  header.writeUInt16LE(length, at)
  header.writeUInt16LE(length, at + 2)
  header.writeUInt32LE(start, at + 4)
}

function encodeText(text: string, flags: number): Buffer {
  return Buffer.from(text, has(flags, FLAG.unicode) ? 'utf16le' : 'latin1')
}

function decodeText(bytes: Buffer, flags: number): string {
  return bytes.toString(has(flags, FLAG.unicode) ? 'utf16le' : 'latin1')
}
