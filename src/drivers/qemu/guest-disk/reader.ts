import { DriverError } from '../../driver.ts'

/** A disk, a part of one, or an image: bytes by their place. What is read is what a guest wrote, and may be anything. */
export interface BlockReader {
  readonly bytes: number
  /** Exactly these bytes. Rejects as `refused` where they lie beyond the end, or are more than `READ_BYTES_MAX`. */
  read(offset: number, length: number): Promise<Buffer>
}

/** The most that is read at once. */
export const READ_BYTES_MAX = 4 * 1_048_576

/** The refusal of something that is wrong with a guest's disk. */
export const damaged = (what: string): DriverError => new DriverError('refused', `on the guest's disk, ${what}`)

/** Refuses a read that the reader's size does not allow. */
export function assertWithin({ bytes }: Pick<BlockReader, 'bytes'>, offset: number, length: number): void {
  const isSound = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0
  if (!isSound || offset + length > bytes) {
    throw damaged(`something points beyond the end: ${length} bytes at ${offset} of ${bytes}`)
  }
  if (length > READ_BYTES_MAX) throw damaged(`something is too large to be read: ${length} bytes`)
}

/** A part of a disk as a disk of its own. What of it lies beyond the end is cut off. */
export function part(disk: BlockReader, start: number, length: number): BlockReader {
  const whole = { bytes: Math.max(0, Math.min(length, disk.bytes - start)) }
  return {
    ...whole,
    read: async (offset, count) => {
      assertWithin(whole, offset, count)
      return disk.read(start + offset, count)
    },
  }
}

/** A number of 64 bits that is used as a place or size. */
export function toPlace(value: bigint, what: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged(`${what} is beyond all measure: ${value}`)
  return Number(value)
}

/** Bytes in the spelling of a UUID. */
export const uuidOf = (bytes: Buffer): string =>
  bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
