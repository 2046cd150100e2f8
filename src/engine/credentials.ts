import { randomBytes } from 'node:crypto'
import { fail } from '../model/errors.ts'
import { credential, user } from '../model/index.ts'
import type { Store } from '../store/store.ts'
import { parseScramKeys, pretendedScramKeys, type ScramKeys, scramKeysText } from '../wire/scram/index.ts'
import { PasswordHasher } from './password.ts'

/** How long a password should be is the operator's to demand; an empty one is a mistake. */
const PASSWORD_CHARACTERS_MIN = 1
const PASSWORD_CHARACTERS_MAX = 1024

/** What an unknown user's password is checked against, so that it takes as long as a known one's. */
const NOBODY_HASH = '$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'

/** Whose credential makes the salts of users who are not known; it is nobody's, and no password fits it. */
const NOBODY = 'nobody'
const NOBODY_PASSWORD_BYTES = 32

/**
 * What the server keeps of passwords: a hash, for those that are shown to it, and the keys of SCRAM, for those that
 * are not. Of passwords that an older version has set there is only the hash, until they are shown once.
 */
export class Credentials {
  readonly #store: Store
  readonly #hasher = new PasswordHasher()

  constructor(store: Store) {
    this.#store = store
  }

  /** Sets a user's password. Throws INVALID_VALUE for one that is too short or absurdly long. */
  async set(ref: string, password: string): Promise<void> {
    const { length } = password
    if (length < PASSWORD_CHARACTERS_MIN || length > PASSWORD_CHARACTERS_MAX) {
      const value = `${length} characters; ${PASSWORD_CHARACTERS_MIN} to ${PASSWORD_CHARACTERS_MAX} are allowed`
      throw fail('INVALID_VALUE', { field: 'password', value })
    }
    const [hash, scram] = await Promise.all([this.#hasher.hash(password), this.#scramOf(password)])
    await this.#store.transact(transaction => {
      if (transaction.get(user, ref) === undefined) throw fail('HANDLE_INVALID', { class: 'user', handle: ref })
      if (transaction.get(credential, ref) === undefined) transaction.insert(credential, { uuid: ref, hash, scram })
      else transaction.patch(credential, ref, { hash, scram })
    })
  }

  /**
   * Whether a password is a user's; of no user, none is, and it takes as long. Where it is, and the keys of SCRAM are
   * missing, they are made. Throws HashingBusy.
   */
  async verify(ref: string | undefined, password: string): Promise<boolean> {
    const kept = ref === undefined ? undefined : this.#store.get(credential, ref)
    const known = password.slice(0, PASSWORD_CHARACTERS_MAX)
    const matches = await this.#hasher.verify(known, kept?.hash ?? NOBODY_HASH)
    if (!matches || kept === undefined) return false
    if (kept.scram === '') await this.#complete(kept.uuid, kept.hash, known)
    return true
  }

  /** The keys of SCRAM of a user; undefined where there are none. */
  scramKeys(ref: string): ScramKeys | undefined {
    return parseScramKeys(this.#store.get(credential, ref)?.scram ?? '')
  }

  /** What stands for the keys of SCRAM of a user who has none, or does not exist. */
  async pretender(): Promise<(name: string) => ScramKeys> {
    const keys = this.scramKeys(NOBODY) ?? (await this.#makeNobody())
    return name => pretendedScramKeys(name, keys)
  }

  /** The names of those who have a password and no keys of SCRAM. */
  namesWithoutScram(): readonly string[] {
    const store = this.#store
    return store.all(user).flatMap(ref => {
      const isWithout = store.get(credential, ref)?.scram === ''
      return isWithout ? (store.get(user, ref)?.short_name ?? []) : []
    })
  }

  async #scramOf(password: string): Promise<string> {
    const keys = await this.#hasher.scramKeys(password)
    return keys === undefined ? '' : scramKeysText(keys)
  }

  async #complete(ref: string, hash: string, password: string): Promise<void> {
    const scram = await this.#scramOf(password)
    await this.#store.transact(transaction => {
      // The password may have been changed meanwhile.
      if (transaction.get(credential, ref)?.hash === hash) transaction.patch(credential, ref, { scram })
    })
  }

  async #makeNobody(): Promise<ScramKeys> {
    const scram = await this.#scramOf(randomBytes(NOBODY_PASSWORD_BYTES).toString('base64'))
    await this.#store.transact(transaction => {
      if (transaction.get(credential, NOBODY) === undefined) {
        transaction.insert(credential, { uuid: NOBODY, hash: NOBODY_HASH, scram })
      }
    })
    const keys = this.scramKeys(NOBODY)
    if (keys === undefined) throw new Error('the credential of nobody cannot be read')
    return keys
  }
}
