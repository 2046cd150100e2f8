import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { decodeCall, decodeResponse, decodeValue } from '../../src/wire/xmlrpc/decode.ts'
import {
  encodeCall,
  encodeFault,
  encodeResponse,
  encodeValue,
  type XmlRpcDialect,
} from '../../src/wire/xmlrpc/encode.ts'
import { FAULT, NESTING_MAX, type WireValue } from '../../src/wire/xmlrpc/value.ts'
import { text, wireValue } from './arbitraries.ts'

const DIALECTS: readonly XmlRpcDialect[] = ['draft', 'released']

/** Value to its bytes in both dialects. */
const GOLDEN: readonly (readonly [value: WireValue, draft: string, released: string])[] = [
  ['Success', '<string>Success</string>', 'Success'],
  ['', '<string></string>', ''],
  [' <é & 😀>\r\n', '<string> &lt;é &amp; 😀&gt;&#13;\n</string>', ' &lt;é &amp; 😀&gt;&#13;\n'],
  [true, '<boolean>1</boolean>', '<boolean>1</boolean>'],
  [false, '<boolean>0</boolean>', '<boolean>0</boolean>'],
  [42n, '<int>42</int>', '<int>42</int>'],
  [-(2n ** 31n), '<int>-2147483648</int>', '<int>-2147483648</int>'],
  [2n ** 31n, '<i8>2147483648</i8>', '<i8>2147483648</i8>'],
  [-(2n ** 63n), '<i8>-9223372036854775808</i8>', '<i8>-9223372036854775808</i8>'],
  [0.1, '<double>0.1</double>', '<double>0.1</double>'],
  [-0, '<double>-0</double>', '<double>-0</double>'],
  [5e-324, '<double>5e-324</double>', '<double>5e-324</double>'],
  [1e300, '<double>1e+300</double>', '<double>1e+300</double>'],
  [
    new Date('2006-11-22T08:00:00.999Z'),
    '<dateTime.iso8601>20061122T08:00:00Z</dateTime.iso8601>',
    '<dateTime.iso8601>20061122T08:00:00Z</dateTime.iso8601>',
  ],
  [Uint8Array.of(0, 255, 16), '<base64>AP8Q</base64>', '<base64>AP8Q</base64>'],
  [new Uint8Array(), '<base64></base64>', '<base64></base64>'],
  [null, '<nil/>', '<nil/>'],
  [[], '<array><data></data></array>', '<array><data></data></array>'],
  [
    ['a', ['b']],
    '<array><data><value><string>a</string></value><value><array><data><value><string>b</string></value></data></array></value></data></array>',
    '<array><data><value>a</value><value><array><data><value>b</value></data></array></value></data></array>',
  ],
  [{}, '<struct></struct>', '<struct></struct>'],
  [
    { Status: 'Success', 'a<b': '' },
    '<struct><member><name>Status</name><value><string>Success</string></value></member><member><name>a&lt;b</name><value><string></string></value></member></struct>',
    '<struct><member><name>Status</name><value>Success</value></member><member><name>a&lt;b</name><value></value></member></struct>',
  ],
]

test('each kind of value has its bytes in either dialect', () => {
  for (const [value, draft, released] of GOLDEN) {
    assert.equal(encodeValue(value, 'draft'), `<value>${draft}</value>`)
    assert.equal(encodeValue(value, 'released'), `<value>${released}</value>`)
  }
})

test('a call, an answer and a fault have their bytes in either dialect', () => {
  const golden: readonly (readonly [bytes: Buffer, text: string])[] = [
    [
      encodeCall('VM.start', ['a&b', true], 'draft'),
      '<methodCall><methodName>VM.start</methodName><params><param><value><string>a&amp;b</string></value></param><param><value><boolean>1</boolean></value></param></params></methodCall>',
    ],
    [
      encodeCall('session.logout', ['OpaqueRef:1'], 'released'),
      '<methodCall><methodName>session.logout</methodName><params><param><value>OpaqueRef:1</value></param></params></methodCall>',
    ],
    [encodeCall('a', [], 'draft'), '<methodCall><methodName>a</methodName><params></params></methodCall>'],
    [
      encodeResponse('', 'draft'),
      '<methodResponse><params><param><value><string></string></value></param></params></methodResponse>',
    ],
    [
      encodeResponse('', 'released'),
      '<methodResponse><params><param><value></value></param></params></methodResponse>',
    ],
    [
      encodeFault(-32700, 'no XML', 'draft'),
      '<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>-32700</int></value></member><member><name>faultString</name><value><string>no XML</string></value></member></struct></value></fault></methodResponse>',
    ],
    [
      encodeFault(4, 'x', 'released'),
      '<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>4</int></value></member><member><name>faultString</name><value>x</value></member></struct></value></fault></methodResponse>',
    ],
  ]
  for (const [bytes, expected] of golden) assert.equal(bytes.toString(), `<?xml version="1.0"?>${expected}`)
})

test('what XML-RPC cannot carry is refused', () => {
  const knot: WireValue[] = []
  knot.push(knot)
  const bad: readonly WireValue[] = [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2n ** 63n,
    -(2n ** 63n) - 1n,
    new Date(Number.NaN),
    new Date('+010000-01-01T00:00:00Z'),
    new Date('-000001-01-01T00:00:00Z'),
    'a\u0000b',
    '\ud800',
    { 'a\u0001': '' },
    knot,
  ]
  for (const value of bad) {
    for (const dialect of DIALECTS) {
      assert.throws(() => encodeResponse([value], dialect), {
        name: 'XmlRpcError',
        code: FAULT.internalError,
        offset: undefined,
      })
    }
  }
  assert.throws(() => encodeCall('\u0000', [], 'draft'), { name: 'XmlRpcError' })
  assert.throws(() => encodeFault(1, '\uffff', 'draft'), { name: 'XmlRpcError' })
  assert.throws(() => encodeFault(1.5, '', 'draft'), { name: 'XmlRpcError' })
  const holed: Record<string, WireValue> = JSON.parse('{}')
  Object.assign(holed, { a: undefined })
  assert.throws(() => encodeValue(holed, 'draft'), { name: 'XmlRpcError' })
})

test('nesting is bounded alike when written and when read', () => {
  const nested = (depth: number): WireValue => (depth === 0 ? '' : [nested(depth - 1)])

  const bytes = encodeResponse(nested(NESTING_MAX), 'draft')

  assert.deepEqual(decodeResponse(bytes, { maxDepth: NESTING_MAX }), { kind: 'value', value: nested(NESTING_MAX) })
  assert.throws(() => encodeResponse(nested(NESTING_MAX + 1), 'draft'), { name: 'XmlRpcError' })
})

test('any value comes back as it was, in a call, an answer or alone', () => {
  fc.assert(
    fc.property(wireValue, fc.constantFrom(...DIALECTS), (value, dialect) => {
      assert.deepEqual(decodeResponse(encodeResponse(value, dialect)), { kind: 'value', value })
      assert.deepEqual(decodeCall(encodeCall('a.b', [value, value], dialect)), {
        method: 'a.b',
        params: [value, value],
      })
      assert.deepEqual(decodeValue(Buffer.from(encodeValue(value, dialect))), value)
    }),
    { numRuns: 1000 },
  )
})

test('a fault comes back as it was', () => {
  fc.assert(
    fc.property(fc.integer(), text, fc.constantFrom(...DIALECTS), (code, message, dialect) => {
      assert.deepEqual(decodeResponse(encodeFault(code, message, dialect)), { kind: 'fault', code, message })
    }),
  )
})

test('a document of many pieces is one document', () => {
  const value = Array.from({ length: 20_000 }, (_, index) => ({ name: `virtual machine ${index}`, note: 'é' }))

  for (const dialect of DIALECTS) {
    assert.deepEqual(decodeResponse(encodeResponse(value, dialect)), { kind: 'value', value })
  }
})
