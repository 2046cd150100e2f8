import { createHash, randomBytes } from 'node:crypto'

/** Chance. The same seed gives the same sequence. */
export interface Random {
  /** At least 0, less than 1. */
  fraction(): number
  /** At least `low`, at most `high`. */
  integer(low: number, high: number): number
  /** In upper case, without braces. */
  guid(): string
  /** In upper case, two digits a byte. */
  hex(bytes: number): string
}

/** Chance that `seed` decides; without one, true chance. */
export function randomOf(seed: string | undefined): Random {
  const bytes = seed === undefined ? randomBytes : seededBytes(seed)
  const hex = (count: number): string => bytes(count).toString('hex').toUpperCase()
  const fraction = (): number => bytes(6).readUIntBE(0, 6) / 2 ** 48
  return {
    fraction,
    hex,
    integer: (low, high) => low + Math.floor(fraction() * (high - low + 1)),
    guid: () => guidFrom(bytes(16)),
  }
}

/** A number from 0 to 1 that only `text` decides. */
export function fractionOf(text: string): number {
  return createHash('sha256').update(text).digest().readUIntBE(0, 6) / 2 ** 48
}

/** A GUID that only `text` decides. */
export function guidOf(text: string): string {
  return guidFrom(createHash('sha256').update(text).digest().subarray(0, 16))
}

// A random GUID of version 4. Source: RFC 9562, §5.4.
function guidFrom(bytes: Buffer): string {
  const raw = Buffer.from(bytes)
  raw.writeUInt8((raw.readUInt8(6) & 0x0f) | 0x40, 6)
  raw.writeUInt8((raw.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = raw.toString('hex').toUpperCase()
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** Hashes of the seed and a counter: enough for a simulation, and easily the same everywhere. */
function seededBytes(seed: string): (count: number) => Buffer {
  let block = 0
  let rest: Buffer = Buffer.alloc(0)
  return count => {
    while (rest.length < count) {
      const more = createHash('sha256').update(`${seed}\n${block++}`).digest()
      rest = Buffer.concat([rest, more])
    }
    const taken = rest.subarray(0, count)
    rest = rest.subarray(count)
    return taken
  }
}
