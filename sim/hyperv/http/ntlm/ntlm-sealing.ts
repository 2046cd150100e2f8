import { createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'

import { type Sealed, SealError, type Sealing } from '../sealing.ts'
import { FLAG, has } from './flags.ts'
import { hmacMd5, type Sender, sealingKey, signingKey } from './keys.ts'
import { Rc4 } from './rc4.ts'

const SIGNATURE_BYTES = 16
const CHECKSUM_BYTES = 8
const SEQUENCE_AT = 12

/** One way of the conversation. */
interface Way {
  /** Made a key of once: node takes longer to do that than to sign. */
  readonly signingKey: KeyObject
  readonly sealingKey: Buffer
  stream: Rc4
  sequence: number
}

/** Signs and seals as NTLM does with extended session security. Source: MS-NLMP, §3.4. */
export class NtlmSealing implements Sealing {
  readonly #outgoing: Way
  readonly #incoming: Way
  readonly #encryptsChecksums: boolean

  /** `side` is who seals here. */
  constructor(key: Uint8Array, flags: number, side: Sender) {
    this.#outgoing = openWay(key, flags, side)
    this.#incoming = openWay(key, flags, side === 'server' ? 'client' : 'server')
    this.#encryptsChecksums = has(flags, FLAG.keyExchange)
  }

  seal(message: Uint8Array): Sealed {
    const data = this.#outgoing.stream.apply(message)
    return { header: this.sign(message), data }
  }

  unseal(sealed: Sealed): Buffer {
    const message = this.#incoming.stream.apply(sealed.data)
    this.verify(message, sealed.header)
    return message
  }

  /** The signature of the next message that goes out. */
  sign(message: Uint8Array): Buffer {
    return this.#signature(this.#outgoing, message)
  }

  /** Throws SealError unless this is the signature of the next message that comes in. */
  verify(message: Uint8Array, signature: Uint8Array): void {
    const expected = this.#signature(this.#incoming, message)
    if (signature.length !== SIGNATURE_BYTES || !timingSafeEqual(expected, signature)) {
      throw new SealError('not the signature of the next message')
    }
  }

  /**
   * Begins the streams anew and goes on counting: what Windows does when SPNEGO has had its list of mechanisms
   * signed. Source: facts of WinRM clients (pyspnego, `_reset_ntlm_crypto_state`).
   */
  restartStreams(): void {
    for (const way of [this.#outgoing, this.#incoming]) way.stream = new Rc4(way.sealingKey)
  }

  end(): void {
    this.#outgoing.sealingKey.fill(0)
    this.#incoming.sealingKey.fill(0)
  }

  #signature(way: Way, message: Uint8Array): Buffer {
    const signature = Buffer.alloc(SIGNATURE_BYTES)
    signature.writeUInt32LE(1, 0)
    signature.writeUInt32LE(way.sequence, SEQUENCE_AT)
    const checksum = hmacMd5(way.signingKey, signature.subarray(SEQUENCE_AT), message).subarray(0, CHECKSUM_BYTES)
    signature.set(this.#encryptsChecksums ? way.stream.apply(checksum) : checksum, 4)
    way.sequence = (way.sequence + 1) >>> 0
    return signature
  }
}

function openWay(key: Uint8Array, flags: number, sender: Sender): Way {
  const sealing = sealingKey(key, sender, flags)
  return {
    signingKey: createSecretKey(signingKey(key, sender)),
    sealingKey: sealing,
    stream: new Rc4(sealing),
    sequence: 0,
  }
}
