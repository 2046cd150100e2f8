import { createHash, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import { AuthError } from './auth-error.ts'
import type { SealedMessage } from './auth-mechanism.ts'
import { hmacMd5 } from './ntlm-response.ts'
import { Rc4 } from './rc4.ts'

/** Bytes of a signature: version, checksum, sequence number. */
const SIGNATURE_BYTES = 16
const VERSION = 1
/** More messages than this cannot be told apart by their number. */
const SEQUENCE_MAX = 0xffff_ffff

/** What the sides agreed on. */
export interface NtlmKeys {
  /** The key of the session, 16 bytes. */
  readonly exportedKey: Uint8Array
  /** Whether the checksum of a signature is encrypted too. */
  readonly hasKeyExchange: boolean
}

/**
 * Protects messages in one direction: from the client to the server or back. Keys, stream and numbers of the two
 * directions have nothing to do with each other. Source: [MS-NLMP] 3.4, with extended session security and 128 bits.
 */
export class NtlmDirection {
  /** Made a key of once: node takes longer to do that than to sign. */
  readonly #signKey: KeyObject
  readonly #sealKey: Uint8Array
  readonly #encryptsChecksum: boolean
  #stream: Rc4
  #sequence = 0

  constructor({ exportedKey, hasKeyExchange }: NtlmKeys, direction: 'client-to-server' | 'server-to-client') {
    this.#signKey = createSecretKey(derive(exportedKey, `session key to ${direction} signing key magic constant\0`))
    this.#sealKey = derive(exportedKey, `session key to ${direction} sealing key magic constant\0`)
    this.#encryptsChecksum = hasKeyExchange
    this.#stream = new Rc4(this.#sealKey)
  }

  /** Encrypts the next message. The checksum goes through the stream after the message. */
  seal(message: Uint8Array): SealedMessage {
    const data = this.#stream.apply(message)
    return { data, signature: this.#sign(message) }
  }

  /** Decrypts the next message. Throws AuthError where it is not the next one, as it was sent. */
  unseal({ signature, data }: SealedMessage): Uint8Array {
    const message = this.#stream.apply(data)
    this.#verify(message, signature)
    return message
  }

  /**
   * The signature of what SPNEGO negotiates. It takes a number, and then the stream begins anew: both are as Windows,
   * pyspnego and gss-ntlmssp do it, and in no specification.
   */
  signMechanisms(list: Uint8Array): Uint8Array {
    const signature = this.#sign(list)
    this.#stream = new Rc4(this.#sealKey)
    return signature
  }

  /** Throws AuthError where the peer's signature of what SPNEGO negotiates is another. */
  verifyMechanisms(list: Uint8Array, signature: Uint8Array): void {
    this.#verify(list, signature)
    this.#stream = new Rc4(this.#sealKey)
  }

  #verify(message: Uint8Array, signature: Uint8Array): void {
    const expected = this.#sign(message)
    if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
      throw new AuthError('malformed', 'a message did not come as it was sent: its NTLM signature is wrong')
    }
  }

  #sign(message: Uint8Array): Uint8Array {
    if (this.#sequence > SEQUENCE_MAX) throw new AuthError('refused', 'the NTLM session has no message numbers left')
    const sequence = Buffer.alloc(4)
    sequence.writeUInt32LE(this.#sequence++)
    const checksum = hmacMd5(this.#signKey, sequence, message).subarray(0, 8)
    const signature = Buffer.alloc(SIGNATURE_BYTES)
    signature.writeUInt32LE(VERSION)
    signature.set(this.#encryptsChecksum ? this.#stream.apply(checksum) : checksum, 4)
    signature.set(sequence, 12)
    return signature
  }
}

function derive(key: Uint8Array, purpose: string): Uint8Array {
  return createHash('md5').update(key).update(purpose, 'latin1').digest()
}
