const STATE_BYTES = 256

/**
 * An RC4 stream: each call goes on where the last one ended. Broken as a cipher; NTLM seals with it, and the OpenSSL in
 * Node no longer offers it. Source: RFC 6229 has vectors; the cipher itself was never published by its owner.
 */
export class Rc4 {
  readonly #state = Uint8Array.from({ length: STATE_BYTES }, (_, index) => index)
  #i = 0
  #j = 0

  /** `key` has 1 to 256 bytes. */
  constructor(key: Uint8Array) {
    if (key.length < 1 || key.length > STATE_BYTES) throw new RangeError(`an RC4 key of ${key.length} bytes`)
    const state = this.#state
    for (let i = 0, j = 0; i < STATE_BYTES; i++) {
      const held = state[i] ?? 0
      j = (j + held + (key[i % key.length] ?? 0)) & 0xff
      state[i] = state[j] ?? 0
      state[j] = held
    }
  }

  /** The bytes, encrypted or decrypted: both are the same. */
  apply(bytes: Uint8Array): Uint8Array {
    const state = this.#state
    const result = new Uint8Array(bytes.length)
    let [i, j] = [this.#i, this.#j]
    for (let at = 0; at < bytes.length; at++) {
      i = (i + 1) & 0xff
      const one = state[i] ?? 0
      j = (j + one) & 0xff
      const other = state[j] ?? 0
      state[i] = other
      state[j] = one
      result[at] = (bytes[at] ?? 0) ^ (state[(one + other) & 0xff] ?? 0)
    }
    this.#i = i
    this.#j = j
    return result
  }
}
