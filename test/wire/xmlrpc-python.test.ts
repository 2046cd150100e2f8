/** Holds the codec against Python's, which most clients of the API use: each reads what the other writes. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { decodeCall, decodeResponse } from '../../src/wire/xmlrpc/decode.ts'
import { encodeCall, encodeResponse } from '../../src/wire/xmlrpc/encode.ts'
import { isArray, isStruct, setMember, type WireValue } from '../../src/wire/xmlrpc/value.ts'
import { wireValue } from './arbitraries.ts'

const DOCUMENTS = 400
const PEER_TIMEOUT_MS = 60_000
const PEER_OUTPUT_MAX = 64 * 1024 * 1024

/** What Python makes of one document: see peer.py. */
interface Answer {
  readonly method: string | null
  readonly read: unknown
  readonly written: string
}

/** Python writes no reference for a carriage return, so that what it writes is read as a line feed. */
const afterPython = (text: string) => text.replace(/\r\n?/g, '\n')

test('what the codec writes Python reads as it was meant, and what Python writes of it the codec reads', () => {
  const samples = fc.sample(fc.tuple(wireValue, fc.constantFrom('draft', 'released')), DOCUMENTS)
  const documents = samples.map(([value, dialect], index) =>
    index % 2 === 0 ? encodeResponse(value, dialect) : encodeCall('VM.start', [value, ''], dialect),
  )

  const answers = askPython(documents)

  assert.equal(answers.length, samples.length)
  for (const [index, [value]] of samples.entries()) {
    const answer = answers[index]
    assert.ok(answer)
    const params = index % 2 === 0 ? [value] : [value, '']
    assert.deepEqual(answer.read, show(params), documents[index]?.toString())
    const written = Buffer.from(answer.written, 'base64')
    const expected = params.map(rewritten)
    if (index % 2 === 0)
      assert.deepEqual(decodeResponse(written), { kind: 'value', value: expected[0] }, written.toString())
    else assert.deepEqual(decodeCall(written), { method: answer.method, params: expected }, written.toString())
  }
})

function askPython(documents: readonly Buffer[]): readonly Answer[] {
  const input = JSON.stringify(documents.map(document => document.toString('base64')))
  const script = join(import.meta.dirname, 'peer.py')
  const output = execFileSync('python3', [script], { input, timeout: PEER_TIMEOUT_MS, maxBuffer: PEER_OUTPUT_MAX })
  return JSON.parse(output.toString())
}

/** A value as peer.py shows it. */
function show(value: WireValue): unknown {
  if (value === null) return ['nil']
  if (typeof value === 'boolean') return ['boolean', value]
  if (typeof value === 'bigint') return ['int', String(value)]
  if (typeof value === 'number') return ['double', pythonHex(value)]
  if (typeof value === 'string') return ['string', value]
  if (value instanceof Date) return ['dateTime', value.toISOString().replace(/[-]|\.\d+/g, '')]
  if (value instanceof Uint8Array) return ['base64', Buffer.from(value).toString('hex')]
  if (isArray(value)) return ['array', value.map(show)]
  const members = Object.entries(value).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return ['struct', members.map(([name, member]) => [name, show(member)])]
}

/** Python's float.hex(), which shows every bit. */
function pythonHex(value: number): string {
  const bits = new DataView(new ArrayBuffer(8))
  bits.setFloat64(0, value)
  const sign = bits.getUint8(0) >= 0x80 ? '-' : ''
  const exponent = (bits.getUint16(0) >> 4) & 0x7ff
  const mantissa = bits.getBigUint64(0) & 0xfffffffffffffn
  if (exponent === 0 && mantissa === 0n) return `${sign}0x0.0p+0`
  const power = exponent === 0 ? -1022 : exponent - 1023
  return `${sign}0x${exponent === 0 ? 0 : 1}.${mantissa.toString(16).padStart(13, '0')}p${power < 0 ? '' : '+'}${power}`
}

/** A value as it is once Python has read and written it. */
function rewritten(value: WireValue): WireValue {
  if (typeof value === 'string') return afterPython(value)
  if (isArray(value)) return value.map(rewritten)
  if (!isStruct(value)) return value
  const struct: Record<string, WireValue> = {}
  for (const [name, member] of Object.entries(value)) setMember(struct, afterPython(name), rewritten(member))
  return struct
}
