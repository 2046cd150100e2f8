import assert from 'node:assert/strict'
import type { Duplex } from 'node:stream'

const VERSION = 'RFB 003.008\n'

/** A picture as an RFB server sends it in raw rectangles. */
export interface Picture {
  readonly width: number
  readonly height: number
  /** 32 bits for each pixel. */
  readonly pixels: Buffer
}

/**
 * The client's side of RFB 3.8 as far as one picture: it shakes hands without security, asks for 32 bits a pixel and raw
 * rectangles, and waits until all of the screen has been sent. Source: RFC 6143, §7.
 */
export class RfbClient {
  readonly #wire: Duplex
  readonly #incoming: AsyncIterator<Buffer>
  #input = Buffer.alloc(0)
  name = ''
  width = 0
  height = 0

  constructor(wire: Duplex) {
    this.#wire = wire
    this.#incoming = wire[Symbol.asyncIterator]()
  }

  async shakeHands(): Promise<void> {
    assert.match((await this.#read(12)).toString('latin1'), /^RFB 003\.00\d\n$/)
    this.#wire.write(VERSION)
    const types = await this.#read((await this.#read(1)).readUInt8())
    assert(types.includes(1), `no security among ${types.toString('hex')}`)
    this.#wire.write(Uint8Array.of(1))
    assert.equal((await this.#read(4)).readUInt32BE(), 0)
    this.#wire.write(Uint8Array.of(1))
    const init = await this.#read(24)
    this.width = init.readUInt16BE(0)
    this.height = init.readUInt16BE(2)
    this.name = (await this.#read(init.readUInt32BE(20))).toString()
    this.#wire.write(Buffer.from('000000002018000100ff00ff00ff100800000000', 'hex'))
    this.#wire.write(Buffer.from('0200000100000000', 'hex'))
  }

  /** Asks for the whole screen and waits for it. */
  async picture({ isIncremental = false } = {}): Promise<Picture> {
    const request = Buffer.from([3, Number(isIncremental), 0, 0, 0, 0, 0, 0, 0, 0])
    request.writeUInt16BE(this.width, 6)
    request.writeUInt16BE(this.height, 8)
    this.#wire.write(request)
    const pixels = Buffer.alloc(this.width * this.height * 4)
    for (let left = await this.#updateHead(); left > 0; left--) await this.#rectangle(pixels)
    return { width: this.width, height: this.height, pixels }
  }

  /** How many rectangles follow; what else the server says, it skips. */
  async #updateHead(): Promise<number> {
    for (;;) {
      const type = (await this.#read(1)).readUInt8()
      if (type === 0) return (await this.#read(3)).readUInt16BE(1)
      if (type === 2) continue
      assert.equal(type, 3, 'an update, a bell or a text')
      await this.#read((await this.#read(7)).readUInt32BE(3))
    }
  }

  async #rectangle(pixels: Buffer): Promise<void> {
    const head = await this.#read(12)
    const [x, y, width, height] = [0, 2, 4, 6].map(offset => head.readUInt16BE(offset))
    assert(x !== undefined && y !== undefined && width !== undefined && height !== undefined)
    assert.equal(head.readInt32BE(8), 0, 'the encoding is raw')
    const rows = await this.#read(width * height * 4)
    for (let row = 0; row < height; row++) {
      rows.copy(pixels, ((y + row) * this.width + x) * 4, row * width * 4, (row + 1) * width * 4)
    }
  }

  async #read(bytes: number): Promise<Buffer> {
    while (this.#input.length < bytes) {
      const { value, done } = await this.#incoming.next()
      assert(!done, 'the server ended')
      this.#input = Buffer.concat([this.#input, value])
    }
    const read = this.#input.subarray(0, bytes)
    this.#input = this.#input.subarray(bytes)
    return read
  }
}
