import { timingSafeEqual } from 'node:crypto'

import { type Accounts, type KnownAccount, splitUser, type UserName } from '../accounts.ts'
import { type Channel, isBoundTo } from '../channel-bindings.ts'
import { type Handshake, REFUSED, type Step } from '../handshake.ts'
import { type Attributes, AV, HAS_MIC, readAttributes, writeAttributes } from './attributes.ts'
import { agreeOn, FLAG, has } from './flags.ts'
import { hmacMd5, responseKey } from './keys.ts'
import { MessageError } from '../message-error.ts'
import {
  type Authenticate,
  CHALLENGE_BYTES,
  KEY_BYTES,
  type OsVersion,
  readAuthenticate,
  readNegotiate,
  withoutMic,
  writeChallenge,
} from './messages.ts'
import { NtlmSealing } from './ntlm-sealing.ts'
import { Rc4 } from './rc4.ts'

/** What an acceptor must know of its host. */
export interface NtlmHost {
  /** The NetBIOS name. */
  readonly name: string
  readonly dnsName: string
  readonly osVersion: OsVersion
  readonly accounts: Accounts
  /** Milliseconds since 1970. */
  now(): number
  /** So many bytes that nobody can foretell. */
  random(bytes: number): Buffer
}

/** What was said before the last message. */
interface Opening {
  readonly negotiate: Buffer
  readonly challenge: Buffer
  readonly flags: number
  readonly serverChallenge: Buffer
}

const PROOF_BYTES = 16
/** A response of NTLMv2 is the proof, and what it is over: a header of so many bytes and the attributes. */
const BLOB_HEADER_BYTES = 28
/** The names in a NEGOTIATE_MESSAGE decide nothing; a longer one is nobody's. */
const NEGOTIATE_BYTES_MAX = 1024
/** From 1601 to 1970. Source: MS-DTYP, §2.3.3. */
const EPOCH_MS = 11_644_473_600_000

/** The server's side of NTLMv2; older responses are refused. Source: MS-NLMP, §3.2.5.1. */
export class NtlmAcceptor implements Handshake {
  readonly #host: NtlmHost
  readonly #channel: Channel
  #opening: Opening | undefined
  #signing: NtlmSealing | undefined

  constructor(host: NtlmHost, channel: Channel) {
    this.#host = host
    this.#channel = channel
  }

  /** What signs for the two sides once somebody was granted something, also where nothing is to be sealed. */
  get signing(): NtlmSealing | undefined {
    return this.#signing
  }

  step(token: Buffer): Step {
    if (this.#opening === undefined) return this.#challenge(token)
    const opening = this.#opening
    this.#opening = undefined // A challenge is answered once.
    return this.#grant(opening, token)
  }

  end(): void {
    this.#opening = undefined
  }

  #challenge(token: Buffer): Step {
    if (token.length > NEGOTIATE_BYTES_MAX) throw new MessageError('too long a NEGOTIATE_MESSAGE')
    const flags = agreeOn(readNegotiate(token))
    const { name, osVersion } = this.#host
    const serverChallenge = this.#host.random(CHALLENGE_BYTES)
    const targetInfo = writeAttributes(this.#describe())
    const challenge = writeChallenge({ flags, serverChallenge, targetName: name, targetInfo, osVersion })
    this.#opening = { negotiate: Buffer.from(token), challenge, flags, serverChallenge }
    return { kind: 'continue', token: challenge }
  }

  /** Of a host in a workgroup, which is its own domain. */
  #describe(): Attributes {
    const { name, dnsName } = this.#host
    const timestamp = Buffer.alloc(8)
    timestamp.writeBigUInt64LE(BigInt(Math.trunc(this.#host.now()) + EPOCH_MS) * 10_000n)
    return new Map([
      [AV.domainName, Buffer.from(name, 'utf16le')],
      [AV.computerName, Buffer.from(name, 'utf16le')],
      [AV.dnsDomainName, Buffer.from(dnsName, 'utf16le')],
      [AV.dnsComputerName, Buffer.from(dnsName, 'utf16le')],
      [AV.timestamp, timestamp],
    ])
  }

  #grant(opening: Opening, token: Buffer): Step {
    const message = readAuthenticate(token)
    const { accounts } = this.#host
    // `user@domain` comes as the user of no domain; what it proves is computed of the names as they come.
    const found = accounts.find(message.domain === '' ? splitUser(message.user) : userOf(message))
    const account = found?.ntHash === undefined ? accounts.nobody : found
    const sessionKey = proveResponse(opening, message, account)
    if (sessionKey === undefined || account === accounts.nobody) return REFUSED
    const flags = (message.flags & opening.flags) >>> 0
    const key = exchangedKey(message, flags, sessionKey)
    const attributes = readAttributes(message.ntResponse.subarray(PROOF_BYTES + BLOB_HEADER_BYTES))
    if (!isWhole(opening, token, message, attributes, key)) return REFUSED
    if (!isBoundTo(this.#channel, attributes.get(AV.channelBindings))) return REFUSED
    this.#signing = has(flags, FLAG.extendedSecurity) ? new NtlmSealing(key, flags, 'server') : undefined
    const sealing = has(flags, FLAG.seal) ? this.#signing : undefined
    const principal = { user: account.user, isAdministrator: account.isAdministrator }
    return { kind: 'granted', principal, mechanism: 'ntlm', sealing, token: undefined }
  }
}

function userOf({ user, domain }: Authenticate): UserName {
  return { name: user, domain }
}

/** The session's base key where the response proves the password. Source: MS-NLMP, §3.3.2. */
function proveResponse(opening: Opening, message: Authenticate, account: KnownAccount): Buffer | undefined {
  const { ntResponse, user, domain } = message
  if (ntResponse.length < PROOF_BYTES + BLOB_HEADER_BYTES || has(message.flags, FLAG.anonymous)) return undefined
  const proof = ntResponse.subarray(0, PROOF_BYTES)
  const key = responseKey(account.ntHash ?? Buffer.alloc(KEY_BYTES), user, domain)
  const expected = hmacMd5(key, opening.serverChallenge, ntResponse.subarray(PROOF_BYTES))
  return timingSafeEqual(expected, proof) ? hmacMd5(key, proof) : undefined
}

function exchangedKey(message: Authenticate, flags: number, sessionKey: Buffer): Buffer {
  if (!has(flags, FLAG.keyExchange)) return sessionKey
  if (message.encryptedKey.length !== KEY_BYTES) throw new MessageError('no session key')
  return new Rc4(sessionKey).apply(message.encryptedKey)
}

/** Whether the three messages are those that the client sent and saw, as far as it says. */
function isWhole(opening: Opening, token: Buffer, message: Authenticate, attributes: Attributes, key: Buffer): boolean {
  const flags = attributes.get(AV.flags)
  const claimsMic = flags !== undefined && flags.length === 4 && (flags.readUInt32LE() & HAS_MIC) !== 0
  if (!claimsMic) return true
  if (message.mic === undefined) return false
  const expected = hmacMd5(key, opening.negotiate, opening.challenge, withoutMic(token))
  return timingSafeEqual(expected, message.mic)
}
