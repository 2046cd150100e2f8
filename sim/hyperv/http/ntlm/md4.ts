const BLOCK_BYTES = 64
const LENGTH_BYTES = 8

/** Where a round takes its words from, how far it rotates, what it adds. Source: RFC 1320, §3.4. */
const ROUNDS = [
  { order: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], shifts: [3, 7, 11, 19], add: 0, mix: choose },
  { order: [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15], shifts: [3, 5, 9, 13], add: 0x5a827999, mix: most },
  { order: [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15], shifts: [3, 9, 11, 15], add: 0x6ed9eba1, mix: odd },
] as const

type State = [a: number, b: number, c: number, d: number]

/** MD4, which OpenSSL 3 keeps among what it does not load. Only for what NTLM takes it for. Source: RFC 1320. */
export function md4(message: Uint8Array): Buffer {
  const padded = pad(message)
  let state: State = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]
  for (let start = 0; start < padded.length; start += BLOCK_BYTES) state = compress(state, padded, start)
  const digest = Buffer.alloc(16)
  state.forEach((word, index) => digest.writeUInt32LE(word, index * 4))
  return digest
}

/** A one, zeros, and the length in bits. */
function pad(message: Uint8Array): Buffer {
  const blocks = Math.floor((message.length + LENGTH_BYTES) / BLOCK_BYTES) + 1
  const padded = Buffer.alloc(blocks * BLOCK_BYTES)
  padded.set(message)
  padded[message.length] = 0x80
  padded.writeBigUInt64LE(BigInt(message.length) * 8n, padded.length - LENGTH_BYTES)
  return padded
}

function compress(before: State, bytes: Buffer, start: number): State {
  let [a, b, c, d] = before
  for (const { order, shifts, add, mix } of ROUNDS) {
    order.forEach((word, step) => {
      const sum = (a + mix(b, c, d) + bytes.readUInt32LE(start + word * 4) + add) >>> 0
      const shift = shifts[step % 4] ?? 0
      const turned = ((sum << shift) | (sum >>> (32 - shift))) >>> 0
      ;[a, b, c, d] = [d, turned, b, c]
    })
  }
  return [(a + before[0]) >>> 0, (b + before[1]) >>> 0, (c + before[2]) >>> 0, (d + before[3]) >>> 0]
}

function choose(x: number, y: number, z: number): number {
  return ((x & y) | (~x & z)) >>> 0
}

function most(x: number, y: number, z: number): number {
  return ((x & y) | (x & z) | (y & z)) >>> 0
}

function odd(x: number, y: number, z: number): number {
  return (x ^ y ^ z) >>> 0
}
