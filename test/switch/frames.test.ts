import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { ADDRESSES_MAX, AddressTable } from '../../src/drivers/qemu/switch/address-table.ts'
import { FRAME_BYTES_MAX, FrameError, FrameSplitter, HEADER_BYTES } from '../../src/drivers/qemu/switch/frames.ts'

const framed = (payload: Uint8Array): Buffer => {
  const frame = Buffer.alloc(HEADER_BYTES + payload.length)
  frame.writeUInt32BE(payload.length)
  frame.set(payload, HEADER_BYTES)
  return frame
}

/** The bytes, cut into pieces at these places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map(place => place % (bytes.length + 1)))].toSorted((a, b) => a - b)
  return [0, ...ends].map((start, index) => bytes.subarray(start, ends[index] ?? bytes.length))
}

describe('The splitter of frames', () => {
  it('gives every frame as it was sent, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 }),
        fc.array(fc.nat(), { maxLength: 30 }),
        (payloads, places) => {
          const splitter = new FrameSplitter()
          const frames = payloads.map(framed)

          const seen = cut(Buffer.concat(frames), places).flatMap(piece => splitter.push(piece))

          assert.deepEqual(seen, frames)
          assert.equal(splitter.waitingBytes, 0)
        },
      ),
    )
  })

  it('gives frames or a FrameError for any bytes, and never keeps more than a frame', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 5_000 }), { maxLength: 30 }), pieces => {
        const splitter = new FrameSplitter()
        try {
          for (const piece of pieces) {
            splitter.push(Buffer.from(piece))
            assert(splitter.waitingBytes <= HEADER_BYTES + FRAME_BYTES_MAX)
          }
        } catch (error) {
          assert(error instanceof FrameError)
        }
      }),
    )
  })

  it('takes a frame of the greatest length, and none of more', () => {
    assert.equal(new FrameSplitter().push(framed(Buffer.alloc(FRAME_BYTES_MAX))).length, 1)
    assert.throws(() => new FrameSplitter().push(framed(Buffer.alloc(FRAME_BYTES_MAX + 1))), FrameError)
  })
})

describe('The table of addresses', () => {
  it('forgets an address that was not heard of for five minutes', () => {
    let nowMs = 0
    const table = new AddressTable<string>(() => nowMs)
    table.learn(1, 'left')
    nowMs = 300_000
    assert.equal(table.find(1), 'left')
    nowMs = 300_001
    assert.equal(table.find(1), undefined)
  })

  it('forgets the oldest address where there are too many', () => {
    const table = new AddressTable<string>(() => 0)
    for (let address = 0; address < ADDRESSES_MAX; address++) table.learn(address, 'left')
    table.learn(0, 'right')
    table.learn(ADDRESSES_MAX, 'left')
    assert.equal(table.size, ADDRESSES_MAX)
    assert.equal(table.find(0), 'right')
    assert.equal(table.find(1), undefined)
  })
})
