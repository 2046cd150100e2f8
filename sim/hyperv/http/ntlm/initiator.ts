import { randomBytes } from 'node:crypto'

import type { UserName } from '../accounts.ts'
import { bindingsHash } from '../channel-bindings.ts'
import { MessageError } from '../message-error.ts'
import { type Attributes, AV, HAS_MIC, readAttributes, writeAttributes } from './attributes.ts'
import { FLAG } from './flags.ts'
import { hmacMd5, ntHash, responseKey } from './keys.ts'
import { CHALLENGE_BYTES, KEY_BYTES, readChallenge, withMic, writeAuthenticate, writeNegotiate } from './messages.ts'
import { NtlmSealing } from './ntlm-sealing.ts'
import { Rc4 } from './rc4.ts'

/** As whom to log on. */
export interface Logon extends UserName {
  readonly password: string
}

/** What a logon comes to: the last token, and what to seal with from then on. */
export interface Established {
  readonly token: Buffer
  readonly sealing: NtlmSealing
}

const WANTED =
  (FLAG.unicode |
    FLAG.requestTarget |
    FLAG.ntlm |
    FLAG.sign |
    FLAG.seal |
    FLAG.alwaysSign |
    FLAG.extendedSecurity |
    FLAG.targetInfo |
    FLAG.version |
    FLAG.key128 |
    FLAG.keyExchange |
    FLAG.key56) >>>
  0
const BLOB_VERSION = Buffer.from([1, 1, 0, 0, 0, 0, 0, 0])
const LM_RESPONSE = Buffer.alloc(24)

/** The client's side of NTLMv2, with MIC. Source: MS-NLMP, §3.1.5.1. */
export class NtlmInitiator {
  readonly #logon: Logon
  readonly #negotiate = writeNegotiate(WANTED)

  constructor(logon: Logon) {
    this.#logon = logon
  }

  /** The first token. */
  negotiate(): Buffer {
    return this.#negotiate
  }

  /** Answers a challenge. `channel` is what binds to TLS. Throws MessageError for what is no challenge, or too weak. */
  authenticate(challenge: Buffer, channel: Buffer | undefined): Established {
    const { flags, serverChallenge, targetInfo } = readChallenge(challenge)
    const agreed = (flags & WANTED) >>> 0
    const needed = FLAG.extendedSecurity | FLAG.seal | FLAG.keyExchange | FLAG.unicode
    if ((agreed & needed) >>> 0 !== needed >>> 0) throw new MessageError('a host that does not seal')
    const { name, domain, password } = this.#logon
    const key = responseKey(ntHash(password), name, domain)
    const blob = blobOf(answerTo(readAttributes(targetInfo), channel))
    const proof = hmacMd5(key, serverChallenge, blob)
    const exported = randomBytes(KEY_BYTES)
    const encryptedKey = new Rc4(hmacMd5(key, proof)).apply(exported)
    const ntResponse = Buffer.concat([proof, blob])
    const bare = writeAuthenticate({
      flags: agreed,
      lmResponse: LM_RESPONSE,
      ntResponse,
      domain,
      user: name,
      encryptedKey,
    })
    const token = withMic(bare, hmacMd5(exported, this.#negotiate, challenge, bare))
    return { token, sealing: new NtlmSealing(exported, agreed, 'client') }
  }
}

/** The server's own attributes, and what the client says of the message and the channel. */
function answerTo(info: Attributes, channel: Buffer | undefined): Attributes {
  const flags = Buffer.alloc(4)
  flags.writeUInt32LE(HAS_MIC)
  return new Map([
    ...info,
    [AV.flags, flags],
    [AV.channelBindings, channel === undefined ? Buffer.alloc(KEY_BYTES) : bindingsHash(channel)],
  ])
}

function blobOf(attributes: Attributes): Buffer {
  const time = attributes.get(AV.timestamp)
  if (time?.length !== 8) throw new MessageError('a host that does not say what time it is')
  const gap = Buffer.alloc(4)
  return Buffer.concat([BLOB_VERSION, time, randomBytes(CHALLENGE_BYTES), gap, writeAttributes(attributes), gap])
}
