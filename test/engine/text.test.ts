import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { unfinishedBytes } from '../../src/engine/text.ts'

test('a text that is cut anywhere has no broken character before what is left for the next piece', () => {
  const text = fc.string({ unit: 'binary', minLength: 1 })
  fc.assert(
    fc.property(text, fc.double({ min: 0, max: 1, noNaN: true }), (whole, share) => {
      const bytes = Buffer.from(whole, 'utf8')
      const piece = bytes.subarray(0, Math.floor(bytes.length * share))
      const rest = unfinishedBytes(piece)

      const shown = piece.subarray(0, piece.length - rest)

      if (piece.length >= 4) assert.ok(bytes.toString('utf8').startsWith(shown.toString('utf8')))
      assert.ok(rest < 4)
    }),
  )
})

test('bytes that are no UTF-8 are not held back for ever', () => {
  for (const piece of [[0xff, 0xff, 0xff, 0xff], [0x80, 0x80, 0x80, 0x80], [0xf0], [0xe2, 0x82]]) {
    assert.equal(unfinishedBytes(Uint8Array.from(piece)) < piece.length, true)
  }
})
