import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto'
import { saslPrepared } from './saslprep.ts'

/** The one mechanism that is spoken here. Source: RFC 7677. */
export const SCRAM_MECHANISM = 'SCRAM-SHA-256'

/** What a server keeps of a password, by which it can check it and not know it. Source: RFC 5802 §3. */
export interface ScramKeys {
  readonly iterations: number
  readonly salt: Buffer
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

/** Source: RFC 7677 §4. */
const ITERATIONS_MIN = 4096
/** More would keep a thread busy for longer than a client waits. */
const ITERATIONS_MAX = 10_000_000
const SALT_BYTES = 16
/** SHA-256. */
export const KEY_BYTES = 32

/**
 * The keys of a password, with a new salt. Undefined for a password that cannot be prepared (`saslPrepared`), with
 * which nobody can log in so.
 */
export async function makeScramKeys(
  password: string,
  iterations: number,
  salt: Buffer = randomBytes(SALT_BYTES),
): Promise<ScramKeys | undefined> {
  const prepared = saslPrepared(password)
  if (prepared === undefined) return undefined
  const salted = await saltedPassword(prepared, salt, iterations)
  const storedKey = sha256(hmac(salted, 'Client Key'))
  return { iterations, salt, storedKey, serverKey: hmac(salted, 'Server Key') }
}

function saltedPassword(password: string, salt: Buffer, iterations: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, key: Buffer) => (error === null ? resolve(key) : reject(error))
    pbkdf2(password, salt, iterations, KEY_BYTES, 'sha256', done)
  })
}

/** The keys as a line of text. Source: RFC 5803, as PostgreSQL writes it. */
export function scramKeysText({ iterations, salt, storedKey, serverKey }: ScramKeys): string {
  const [saltText, stored, server] = [salt, storedKey, serverKey].map(bytes => bytes.toString('base64'))
  return `${SCRAM_MECHANISM}$${iterations}:${saltText}$${stored}:${server}`
}

/** The keys that a text holds; undefined for one that holds none. */
export function parseScramKeys(text: string): ScramKeys | undefined {
  const parts = /^SCRAM-SHA-256\$(\d{4,8}):([\w+/]{1,128}={0,2})\$([\w+/]{43}=):([\w+/]{43}=)$/.exec(text)
  if (parts === null) return undefined
  const iterations = Number(parts[1])
  if (iterations < ITERATIONS_MIN || iterations > ITERATIONS_MAX) return undefined
  const [salt, storedKey, serverKey] = parts.slice(2).map(part => Buffer.from(part, 'base64'))
  if (salt === undefined || storedKey === undefined || serverKey === undefined) return undefined
  return { iterations, salt, storedKey, serverKey }
}

/**
 * What stands for the keys of somebody who has none: always the same salt for a name, so that nobody learns by asking
 * again who is known. Only `secret` makes it, and no password fits it.
 */
export function pretendedScramKeys(name: string, { iterations, storedKey, serverKey }: ScramKeys): ScramKeys {
  return { iterations, salt: hmac(storedKey, name).subarray(0, SALT_BYTES), storedKey, serverKey }
}

/** HMAC with SHA-256. */
export const hmac = (key: Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest()

/** SHA-256. */
export const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()
