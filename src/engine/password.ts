import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { makeScramKeys, type ScramKeys } from '../wire/scram/index.ts'

/**
 * Password hashing with argon2id, written down as PHC strings. The cost is OWASP's first choice: 19 MiB, two passes.
 * Source: RFC 9106; PHC string format; OWASP Password Storage Cheat Sheet.
 */
const COST = { memoryKib: 19_456, passes: 2, parallelism: 1 } as const
/**
 * What the keys of SCRAM cost, in rounds of PBKDF2: sixteen times what RFC 7677 demands. Clients pay it at each login, and
 * those of libvirt, with Cyrus SASL, take a quarter of a second for it, which is what a command may well take longer; OWASP's
 * 600,000 would be more than two seconds each time. Here it is a fortieth of a second, once for each new password.
 */
const SCRAM_ITERATIONS = 65_536
const SALT_BYTES = 16
const TAG_BYTES = 32
/** Hashing is memory-bound and blocks a thread of the pool; the rest must stay free for files. */
const HASHES_AT_ONCE_MAX = 2
const WAITING_MAX = 100

/** Too many logins are waiting to be checked. */
export class HashingBusy extends Error {
  override readonly name = 'HashingBusy'
}

/** Makes and checks password hashes, a bounded number at a time. */
export class PasswordHasher {
  #running = 0
  readonly #waiting: (() => void)[] = []

  /** The PHC string of a password. */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES)
    const tag = await this.#derive(password, salt, COST)
    const { memoryKib, passes, parallelism } = COST
    return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${parallelism}$${base64(salt)}$${base64(tag)}`
  }

  /** Whether the password belongs to the PHC string, compared in constant time. An unreadable string belongs to none. */
  async verify(password: string, phc: string): Promise<boolean> {
    const parts = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d)\$([\w+/]+)\$([\w+/]+)$/.exec(phc)
    if (parts === null) return false
    const [, memoryKib, passes, parallelism, salt = '', expected = ''] = parts
    const cost = { memoryKib: Number(memoryKib), passes: Number(passes), parallelism: Number(parallelism) }
    const tag = await this.#derive(password, Buffer.from(salt, 'base64'), cost)
    const wanted = Buffer.from(expected, 'base64')
    return wanted.length === tag.length && timingSafeEqual(wanted, tag)
  }

  /** The keys of a password that SCRAM needs; undefined for one with characters that it does not allow. */
  async scramKeys(password: string): Promise<ScramKeys | undefined> {
    return this.#inTurn(() => makeScramKeys(password, SCRAM_ITERATIONS))
  }

  #derive(password: string, nonce: Uint8Array, cost: Cost): Promise<Buffer> {
    return this.#inTurn(() => derive(password, nonce, cost))
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    await this.#enter()
    try {
      return await work()
    } finally {
      this.#leave()
    }
  }

  async #enter(): Promise<void> {
    if (this.#running < HASHES_AT_ONCE_MAX) {
      this.#running++
      return
    }
    if (this.#waiting.length >= WAITING_MAX) throw new HashingBusy('too many passwords to check')
    await new Promise<void>(resolve => this.#waiting.push(resolve))
  }

  /** The place is handed on rather than freed, so that nobody slips in between. */
  #leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#running--
    else next()
  }
}

interface Cost {
  readonly memoryKib: number
  readonly passes: number
  readonly parallelism: number
}

function derive(password: string, nonce: Uint8Array, cost: Cost): Promise<Buffer> {
  const { memoryKib: memory, passes, parallelism } = cost
  const options = { message: password, nonce, memory, passes, parallelism, tagLength: TAG_BYTES }
  return new Promise((resolve, reject) => {
    argon2('argon2id', options, (error, tag) => (error === null ? resolve(Buffer.from(tag)) : reject(error)))
  })
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replace(/=+$/, '')
