import {
  decodeFormat,
  encodeFormat,
  PIXEL_FORMAT_BYTES,
  PLAIN_FORMAT,
  type PixelFormat,
  writePixel,
} from './pixel-format.ts'
import type { Area, Screen } from './screen.ts'

/** What a client asks to see: `isIncremental` where only what has changed since. */
export interface UpdateRequest {
  readonly area: Area
  readonly isIncremental: boolean
  readonly format: PixelFormat
}

/** What the conversation is held with. */
export interface RfbPeer {
  readonly screen: Screen
  readonly name: string
  readonly send: (bytes: Uint8Array) => void
  readonly onRequest: (request: UpdateRequest) => void
}

const VERSION = 'RFB 003.008\n'
const SECURITY_NONE = 1
const RAW_ENCODING = 0
const PIECE_BYTES = 4096

/**
 * The server's side of a conversation by RFB 3.8, without security. It yields how many bytes it wants to go on with, and
 * throws where the client says what it does not understand. Source: RFC 6143, §7.1 to §7.6.
 */
export function* converse(peer: RfbPeer): Generator<number, void, Buffer> {
  yield* shakeHands(peer)
  let format = PLAIN_FORMAT
  for (;;) {
    const type = (yield 1).readUInt8()
    if (type === 0) format = yield* readFormat()
    else if (type === 2) yield* skip(4 * (yield 3).readUInt16BE(1))
    else if (type === 3) peer.onRequest(readRequest(yield 9, format))
    else if (type === 4) yield* skip(7)
    else if (type === 5) yield* skip(5)
    else if (type === 6) yield* skip((yield 7).readUInt32BE(3))
    else throw new Error(`the RFB client sends a message of the unknown type ${type}`)
  }
}

function* shakeHands({ screen, name, send }: RfbPeer): Generator<number, void, Buffer> {
  send(Buffer.from(VERSION))
  const version = (yield VERSION.length).toString('latin1')
  if (version !== VERSION) throw new Error(`the RFB client speaks ${JSON.stringify(version)}`)
  send(Uint8Array.of(1, SECURITY_NONE))
  const security = (yield 1).readUInt8()
  if (security !== SECURITY_NONE) {
    send(Buffer.concat([integer(1), text('there is no such security type here')]))
    throw new Error(`the RFB client wants security of the type ${security}`)
  }
  send(integer(0))
  yield 1 // Whether to share the display: it always is.
  const size = Buffer.alloc(4)
  size.writeUInt16BE(screen.width, 0)
  size.writeUInt16BE(screen.height, 2)
  send(Buffer.concat([size, encodeFormat(PLAIN_FORMAT), text(name)]))
}

function* readFormat(): Generator<number, PixelFormat, Buffer> {
  const PADDING_BYTES = 3
  const format = decodeFormat((yield PADDING_BYTES + PIXEL_FORMAT_BYTES).subarray(PADDING_BYTES))
  if (format === null) throw new Error('the RFB client wants pixels in a format that is none')
  return format
}

function* skip(bytes: number): Generator<number, void, Buffer> {
  for (let left = bytes; left > 0; left -= PIECE_BYTES) yield Math.min(left, PIECE_BYTES)
}

function readRequest(bytes: Buffer, format: PixelFormat): UpdateRequest {
  const at = (offset: number) => bytes.readUInt16BE(offset)
  return {
    isIncremental: bytes.readUInt8(0) !== 0,
    area: { x: at(1), y: at(3), width: at(5), height: at(7) },
    format,
  }
}

/** A FramebufferUpdate of one raw rectangle. Source: RFC 6143, §7.6.1 and §7.7.1. */
export function encodeUpdate(screen: Screen, { area, format }: UpdateRequest): Buffer {
  const HEAD_BYTES = 16
  const { x, y, width, height } = screen.clip(area)
  const update = Buffer.alloc(HEAD_BYTES + width * height * format.bytesPerPixel)
  update.writeUInt16BE(1, 2)
  for (const [index, value] of [x, y, width, height].entries()) update.writeUInt16BE(value, 4 + 2 * index)
  update.writeInt32BE(RAW_ENCODING, 12)
  let offset = HEAD_BYTES
  for (let row = y; row < y + height; row++) {
    for (let column = x; column < x + width; column++) {
      offset = writePixel(format, screen.colour(column, row), update, offset)
    }
  }
  return update
}

function integer(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([integer(bytes.length), bytes])
}
