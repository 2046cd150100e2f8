const STATE_BYTES = 256

/**
 * A stream of RC4: each call goes on where the one before ended. Broken as a cipher, and what NTLM seals with.
 * Source: MS-NLMP, §3.4.3; RFC 6229 has its vectors.
 */
export class Rc4 {
  readonly #state: Uint8Array
  #i = 0
  #j = 0

  constructor(key: Uint8Array) {
    const state = Uint8Array.from({ length: STATE_BYTES }, (_, index) => index)
    for (let i = 0, j = 0; i < STATE_BYTES; i++) {
      const held = state[i] ?? 0
      j = (j + held + (key[i % key.length] ?? 0)) & 0xff
      state[i] = state[j] ?? 0
      state[j] = held
    }
    this.#state = state
  }

  /** Encrypts or decrypts, which are the same. */
  apply(input: Uint8Array): Buffer {
    const output = Buffer.allocUnsafe(input.length)
    const state = this.#state
    let [i, j] = [this.#i, this.#j]
    for (let at = 0; at < input.length; at++) {
      i = (i + 1) & 0xff
      const one = state[i] ?? 0
      j = (j + one) & 0xff
      const other = state[j] ?? 0
      state[i] = other
      state[j] = one
      output[at] = (input[at] ?? 0) ^ (state[(one + other) & 0xff] ?? 0)
    }
    this.#i = i
    this.#j = j
    return output
  }
}
