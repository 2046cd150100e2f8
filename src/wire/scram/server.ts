import { randomBytes, timingSafeEqual } from 'node:crypto'
import { ScramError } from './error.ts'
import { hmac, type ScramKeys, sha256 } from './keys.ts'
import { type ClientFirst, parseClientFinal, parseClientFirst } from './messages.ts'
import { saslPrepared } from './saslprep.ts'

const NONCE_BYTES = 18

/** The keys of a user, or what stands for them (`pretendedScramKeys`). */
export type KeysOf = (name: string) => ScramKeys

/** The server's side of one login: a challenge to the client's first message, and a signature to its last. */
export class ScramServer {
  readonly #ownNonce: string
  #begun: { readonly first: ClientFirst; readonly keys: ScramKeys; readonly challenge: string } | undefined

  constructor(ownNonce: string = randomBytes(NONCE_BYTES).toString('base64')) {
    this.#ownNonce = ownNonce
  }

  /** Who says that it is who; undefined before the first message. */
  get name(): string | undefined {
    return this.#begun?.first.name
  }

  /** Whether the challenge was made with these keys, or the same. */
  isOf(keys: ScramKeys | undefined): boolean {
    return keys !== undefined && this.#begun?.keys.storedKey.equals(keys.storedKey) === true
  }

  /** Answers the first message. Throws ScramError for what is none, or the second one of it. */
  challenge(message: Uint8Array, keysOf: KeysOf): string {
    if (this.#begun !== undefined) throw new ScramError('a second first message')
    const read = parseClientFirst(message)
    const name = saslPrepared(read.name)
    if (name === undefined) throw new ScramError('a name with a character that is prohibited')
    if (read.authorization !== '' && read.authorization !== read.name) {
      throw new ScramError('somebody who wants to act as somebody else')
    }
    const first = { ...read, name }
    const keys = keysOf(name)
    const challenge = `r=${first.nonce}${this.#ownNonce},s=${keys.salt.toString('base64')},i=${keys.iterations}`
    this.#begun = { first, keys, challenge }
    return challenge
  }

  /**
   * Answers the last message with the server's signature; undefined where the proof does not fit the keys. Throws
   * ScramError for what is no such message, or comes at another time.
   */
  signature(message: Uint8Array): string | undefined {
    const begun = this.#begun
    if (begun === undefined) throw new ScramError('a last message before the first')
    const { first, keys, challenge } = begun
    const { header, nonce, proof, withoutProof } = parseClientFinal(message)
    if (header !== first.header) throw new ScramError('another beginning than was sent')
    if (nonce !== first.nonce + this.#ownNonce) throw new ScramError('another nonce than was sent')
    const signed = `${first.bare},${challenge},${withoutProof}`
    const clientKey = xor(proof, hmac(keys.storedKey, signed))
    if (!timingSafeEqual(sha256(clientKey), keys.storedKey)) return undefined
    return `v=${hmac(keys.serverKey, signed).toString('base64')}`
  }
}

const xor = (one: Buffer, other: Buffer): Buffer => Buffer.from(one.map((byte, index) => byte ^ (other[index] ?? 0)))
