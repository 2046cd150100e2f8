/** What stands before each frame on the socket: its length, 4 bytes, most significant first. Source: QEMU net/stream.c. */
export const HEADER_BYTES = 4
/** The longest frame that QEMU sends or takes. Source: QEMU include/net/net.h, NET_BUFSIZE. */
export const FRAME_BYTES_MAX = 4_096 + 65_536
/** Two addresses and a type; what is shorter is no Ethernet frame. */
export const FRAME_BYTES_MIN = 14

/** The bytes are no sequence of frames; the connection they came on is of no further use. */
export class FrameError extends Error {
  override readonly name = 'FrameError'
}

/**
 * Cuts a stream of bytes into frames, each given with its header, ready to be passed on. A frame may share memory with
 * the chunk that it came in.
 */
export class FrameSplitter {
  #rest: Buffer = Buffer.alloc(0)

  /** How many bytes wait for the end of their frame; never more than one frame. */
  get waitingBytes(): number {
    return this.#rest.length
  }

  /** The frames that this chunk completes. Throws FrameError at a length that no frame has. */
  push(chunk: Buffer): Buffer[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const frames: Buffer[] = []
    let start = 0
    while (bytes.length - start >= HEADER_BYTES) {
      const length = bytes.readUInt32BE(start)
      if (length > FRAME_BYTES_MAX) throw new FrameError(`a frame of ${length} bytes`)
      const end = start + HEADER_BYTES + length
      if (end > bytes.length) break
      frames.push(bytes.subarray(start, end))
      start = end
    }
    // A copy: a view of a few bytes would keep the whole chunk in memory.
    this.#rest = Buffer.from(bytes.subarray(start))
    return frames
  }
}

/** The hardware address that a frame goes to, as a number that is a key. */
export const targetOf = (frame: Buffer): number => frame.readUIntBE(HEADER_BYTES, 6)
/** The hardware address that a frame comes from. */
export const originOf = (frame: Buffer): number => frame.readUIntBE(HEADER_BYTES + 6, 6)
/** Bytes of the frame itself. */
export const lengthOf = (frame: Buffer): number => frame.length - HEADER_BYTES

/** Whether a frame is for several: broadcast or multicast. Source: IEEE 802, the I/G bit. */
export const isForSeveral = (frame: Buffer): boolean => (frame[HEADER_BYTES] ?? 0) % 2 === 1

/** Addresses that a bridge keeps to itself: spanning trees, pauses and their like. Source: IEEE 802.1D, table 7-10. */
export function isForBridges(frame: Buffer): boolean {
  const FIRST = 0x01_80_c2_00_00_00
  const target = targetOf(frame)
  return target >= FIRST && target <= FIRST + 0x0f
}
