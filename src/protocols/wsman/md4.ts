const BLOCK_BYTES = 64

/** Which word of the block each of the 16 steps of a round takes. */
const WORDS = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15],
  [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
] as const
/** By how many bits each step of a round turns; they repeat every four steps. */
const TURNS = [
  [3, 7, 11, 19],
  [3, 5, 9, 13],
  [3, 9, 11, 15],
] as const
const CONSTANTS = [0, 0x5a827999, 0x6ed9eba1] as const

/**
 * The MD4 digest, 16 bytes. Broken long since; NTLM makes its keys with it, and the OpenSSL in Node no longer offers it.
 * Source: RFC 1320.
 */
export function md4(message: Uint8Array): Uint8Array {
  const state = Uint32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476)
  const padded = pad(message)
  const block = new Uint32Array(BLOCK_BYTES / 4)
  for (let at = 0; at < padded.byteLength; at += BLOCK_BYTES) {
    for (let word = 0; word < block.length; word++) block[word] = padded.getUint32(at + 4 * word, true)
    mix(state, block)
  }
  const digest = new DataView(new ArrayBuffer(16))
  state.forEach((word, index) => digest.setUint32(4 * index, word, true))
  return new Uint8Array(digest.buffer)
}

/** A one bit, zeros up to a whole block, and the length in bits. */
function pad(message: Uint8Array): DataView {
  const blocks = Math.floor((message.length + 8) / BLOCK_BYTES) + 1
  const bytes = new Uint8Array(blocks * BLOCK_BYTES)
  bytes.set(message)
  bytes[message.length] = 0x80
  const view = new DataView(bytes.buffer)
  view.setBigUint64(bytes.length - 8, 8n * BigInt(message.length), true)
  return view
}

function mix(state: Uint32Array, block: Uint32Array): void {
  let [a = 0, b = 0, c = 0, d = 0] = state
  for (const [round, words] of WORDS.entries()) {
    for (const [step, word] of words.entries()) {
      const sum = a + select(round, b, c, d) + (block[word] ?? 0) + (CONSTANTS[round] ?? 0)
      const turned = turn(sum, TURNS[round]?.[step % 4] ?? 0)
      ;[a, b, c, d] = [d, turned, b, c]
    }
  }
  for (const [index, word] of [a, b, c, d].entries()) state[index] = (state[index] ?? 0) + word
}

/** The functions F, G and H of the RFC: choose, majority, parity. */
function select(round: number, b: number, c: number, d: number): number {
  if (round === 0) return (b & c) | (~b & d)
  if (round === 1) return (b & c) | (b & d) | (c & d)
  return b ^ c ^ d
}

function turn(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}
