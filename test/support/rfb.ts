import assert from 'node:assert/strict'
import type { Readable } from 'node:stream'

/** A screen as a VNC server draws it. */
export interface Picture {
  readonly name: string
  readonly width: number
  readonly height: number
  /** Four bytes for each pixel, row by row, what was not drawn being zero. */
  readonly pixels: Buffer
}

/**
 * Goes through the handshake of the Remote Framebuffer protocol and asks for one picture, which answers it whole.
 * Source: RFC 6143, §7.
 */
export async function takePicture(stream: Readable & { write(bytes: Buffer): unknown }): Promise<Picture> {
  const read = reader(stream)
  const version = await read(12)
  assert.equal(version.toString('latin1'), 'RFB 003.008\n')
  stream.write(version)
  const types = await read((await read(1)).readUInt8())
  assert.ok(types.includes(1), 'a server that wants no password')
  stream.write(Buffer.of(1))
  assert.equal((await read(4)).readUInt32BE(), 0)
  stream.write(Buffer.of(0)) // Exclusive, as many viewers ask for.
  const init = await read(24)
  const [width, height] = [init.readUInt16BE(0), init.readUInt16BE(2)]
  const name = (await read(init.readUInt32BE(20))).toString()
  assert.equal(init.readUInt8(4), 32, 'bits for each pixel')

  const RAW = [2, 0, 0, 1, 0, 0, 0, 0]
  stream.write(Buffer.from(RAW))
  const request = Buffer.alloc(10)
  request.writeUInt8(3, 0)
  request.writeUInt16BE(width, 6)
  request.writeUInt16BE(height, 8)
  stream.write(request)
  const pixels = Buffer.alloc(width * height * 4)
  const head = await read(4)
  assert.equal(head.readUInt8(), 0, 'a picture')
  for (let rectangles = head.readUInt16BE(2); rectangles > 0; rectangles--) {
    const at = await read(12)
    const [x, y, w, h] = [at.readUInt16BE(0), at.readUInt16BE(2), at.readUInt16BE(4), at.readUInt16BE(6)]
    assert.equal(at.readInt32BE(8), 0, 'raw')
    for (let row = y; row < y + h; row++) (await read(w * 4)).copy(pixels, (row * width + x) * 4)
  }
  return { name, width, height, pixels }
}

/** Reads exactly so many bytes. Rejects when the stream ends before. */
function reader(stream: Readable): (bytes: number) => Promise<Buffer> {
  const pieces: AsyncIterator<Buffer> = stream.iterator({ destroyOnReturn: false })
  let rest = Buffer.alloc(0)
  return async bytes => {
    while (rest.length < bytes) {
      const { value, done } = await pieces.next()
      if (done === true) assert.fail(`the stream ends ${bytes - rest.length} bytes too early`)
      rest = Buffer.concat([rest, value])
    }
    const wanted = rest.subarray(0, bytes)
    rest = rest.subarray(bytes)
    return wanted
  }
}
