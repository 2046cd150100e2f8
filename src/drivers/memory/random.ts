/** A stream of numbers that its seed decides: the same seed and the same questions give the same answers. */
export class Random {
  #a: number
  #b: number
  #c: number
  #counter: number

  /** The generator is sfc32: 128 bits of state, so that the streams of two seeds do not meet. */
  constructor(seed: string) {
    // Any four different salts serve: they make the four words of the state differ.
    this.#a = hash(seed, 0x811c9dc5)
    this.#b = hash(seed, 0x9e3779b9)
    this.#c = hash(seed, 0x85ebca6b)
    this.#counter = hash(seed, 0xc2b2ae35)
    for (let round = 0; round < WARM_UP_ROUNDS; round++) this.#word()
  }

  /** A number of at least 0 and below 1. */
  next(): number {
    return this.#word() / WORD_VALUES
  }

  /** One of `items`. */
  pick<T>(items: readonly [T, ...T[]]): T {
    return items[Math.floor(this.next() * items.length)] ?? items[0]
  }

  /** A UUID of version 4, in lower case. Source: RFC 9562, §5.4. */
  uuid(): string {
    let hex = ''
    for (let word = 0; word < 4; word++) hex += this.#word().toString(16).padStart(8, '0')
    const variant = (8 + (this.#word() % 4)).toString(16)
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`
  }

  #word(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }
}

const WARM_UP_ROUNDS = 16
const WORD_VALUES = 2 ** 32
const FNV_PRIME = 0x01000193

/** FNV-1a over the UTF-16 units of a text, from a salt. */
function hash(text: string, salt: number): number {
  let value = salt
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), FNV_PRIME)
  return value >>> 0
}
