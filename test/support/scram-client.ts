import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'

const hmac = (key: Uint8Array, text: string) => createHmac('sha256', key).update(text).digest()

/** What a client of SCRAM-SHA-256 says, step by step. Source: RFC 5802 §3; written apart from the server's side. */
export class ScramClient {
  readonly #name: string
  readonly #password: string
  readonly #nonce: string
  readonly #header: string
  #serverSignature = ''

  constructor(name: string, password: string, nonce = 'rOprNGfwEbeRWgbNEkqO', header = 'n,,') {
    this.#name = name
    this.#password = password
    this.#nonce = nonce
    this.#header = header
  }

  get #bare(): string {
    return `n=${this.#name.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${this.#nonce}`
  }

  first(): Buffer {
    return Buffer.from(this.#header + this.#bare)
  }

  /** `change` spoils what is sent, for tests. */
  last(challenge: string, change: (message: string) => string = message => message): Buffer {
    const [, nonce = '', salt = '', iterations = ''] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(challenge) ?? []
    const salted = pbkdf2Sync(this.#password, Buffer.from(salt, 'base64'), Number(iterations), 32, 'sha256')
    const clientKey = hmac(salted, 'Client Key')
    const begin = `c=${Buffer.from(this.#header).toString('base64')},r=${nonce}`
    const signed = [this.#bare, challenge, begin].join(',')
    const mask = hmac(createHash('sha256').update(clientKey).digest(), signed)
    const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (mask[index] ?? 0)))
    this.#serverSignature = hmac(hmac(salted, 'Server Key'), signed).toString('base64')
    return Buffer.from(change(`${begin},p=${proof.toString('base64')}`))
  }

  /** Whether the server has shown that it knows the password's keys. */
  trusts(signature: string): boolean {
    return signature === `v=${this.#serverSignature}`
  }
}
