/**
 * The codec has two decoders that must not differ: one for the usual spelling, and one for all of them. Here each
 * document is decoded by both, in its usual spelling, in random other ones that mean the same, and broken at random.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { openDocument } from '../../src/wire/xml/document.ts'
import { XmlError } from '../../src/wire/xml/error.ts'
import { decodeCall, decodeResponse } from '../../src/wire/xmlrpc/decode.ts'
import { encodeCall, encodeResponse } from '../../src/wire/xmlrpc/encode.ts'
import { ExactDecoder } from '../../src/wire/xmlrpc/exact.ts'
import { LenientDecoder } from '../../src/wire/xmlrpc/lenient.ts'
import { DEFAULT_XMLRPC_LIMITS, XmlRpcError, type XmlRpcResponse } from '../../src/wire/xmlrpc/value.ts'
import { wireValue } from './arbitraries.ts'

const RUNS = 1500
const QUICK_MS = 15_000
const DIALECTS = ['draft', 'released'] as const

/** What either decoder makes of a document: what it returns, or the message of its error. */
type Outcome = XmlRpcResponse | string | undefined

function exactly(bytes: Uint8Array): Outcome {
  return outcomeOf(() =>
    new ExactDecoder(openDocument(bytes, DEFAULT_XMLRPC_LIMITS.maxBytes), DEFAULT_XMLRPC_LIMITS).response(),
  )
}

function leniently(bytes: Uint8Array): Outcome {
  return outcomeOf(() =>
    new LenientDecoder(openDocument(bytes, DEFAULT_XMLRPC_LIMITS.maxBytes), DEFAULT_XMLRPC_LIMITS).response(),
  )
}

function outcomeOf(read: () => Outcome): Outcome {
  try {
    return read()
  } catch (error) {
    if (error instanceof XmlError || error instanceof XmlRpcError) return error.message
    throw error
  }
}

test('a document as the codec writes it is decoded by the short cut, and alike by both decoders', () => {
  fc.assert(
    fc.property(wireValue, fc.constantFrom(...DIALECTS), (value, dialect) => {
      const bytes = encodeResponse(value, dialect)
      const expected = { kind: 'value', value }

      assert.deepEqual(leniently(bytes), expected)
      const exact = exactly(bytes)
      assert.ok(exact !== undefined || bytes.includes('<base64>'), bytes.toString())
      if (exact !== undefined) assert.deepEqual(exact, expected)
    }),
    { numRuns: RUNS },
  )
})

test('white space between tags, as Python writes it, is no reason to leave the short cut', () => {
  const document = `<?xml version='1.0'?>
<methodResponse>
<params>
<param>
<value><struct>
<member>
<name>Status</name>
<value><string>Success</string></value>
</member>
<member>
<name>Value</name>
<value><array><data>
<value><string> a </string></value>
<value><i8>4294967296</i8></value>
<value>
  <boolean>1</boolean>
</value>
<value/>
</data></array></value>
</member>
</struct></value>
</param>
</params>
</methodResponse>
`
  const value = { Status: 'Success', Value: [' a ', 4294967296n, true, ''] }
  assert.deepEqual(exactly(Buffer.from(document)), { kind: 'value', value })
})

test('with any white space between tags both decoders read a document alike', () => {
  fc.assert(
    fc.property(wireValue, fc.constantFrom(...DIALECTS), fc.infiniteStream(fc.nat(99)), (value, dialect, dice) => {
      const bytes = Buffer.from(spaceOut(encodeResponse(value, dialect).toString(), dice))
      const expected = { kind: 'value', value }

      assert.deepEqual(leniently(bytes), expected, bytes.toString())
      const exact = exactly(bytes)
      if (exact !== undefined) assert.deepEqual(exact, expected, bytes.toString())
    }),
    { numRuns: RUNS },
  )
})

test('a document in any other spelling means the same', () => {
  fc.assert(
    fc.property(wireValue, fc.constantFrom(...DIALECTS), fc.infiniteStream(fc.nat(99)), (value, dialect, dice) => {
      const bytes = Buffer.from(respell(encodeResponse(value, dialect).toString(), dice))
      const expected = { kind: 'value', value }

      assert.deepEqual(leniently(bytes), expected, bytes.toString())
      const exact = exactly(bytes)
      if (exact !== undefined) assert.deepEqual(exact, expected, bytes.toString())
      assert.deepEqual(decodeResponse(bytes), expected)
    }),
    { numRuns: RUNS },
  )
})

test('a call in any other spelling means the same', () => {
  fc.assert(
    fc.property(fc.array(wireValue, { maxLength: 3 }), fc.infiniteStream(fc.nat(99)), (params, dice) => {
      const bytes = Buffer.from(respell(encodeCall('VM.start', params, 'draft').toString(), dice))
      assert.deepEqual(decodeCall(bytes), { method: 'VM.start', params }, bytes.toString())
    }),
    { numRuns: RUNS },
  )
})

test('of a document broken at random both decoders make the same, and nothing but the declared error', () => {
  const cut = fc.record({
    at: fc.nat(),
    length: fc.nat(6),
    put: fc.oneof(
      fc.constantFrom(...FRAGMENTS).map(text => Buffer.from(text)),
      fc.uint8Array({ maxLength: 3 }),
    ),
  })
  fc.assert(
    fc.property(
      wireValue,
      fc.constantFrom(...DIALECTS),
      fc.array(cut, { minLength: 1, maxLength: 3 }),
      (value, dialect, cuts) => {
        let bytes: Uint8Array = encodeResponse([value, value], dialect)
        for (const { at, length, put } of cuts) {
          const from = at % (bytes.length + 1)
          bytes = Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(from + length)])
        }
        const start = performance.now()

        const lenient = leniently(bytes)

        const exact = exactly(bytes)
        if (exact !== undefined) assert.deepEqual(exact, lenient, JSON.stringify(Buffer.from(bytes).toString()))
        for (const decode of [decodeResponse, decodeCall]) {
          try {
            decode(bytes)
          } catch (error) {
            assert.ok(error instanceof XmlRpcError, String(error))
          }
        }
        assert.ok(performance.now() - start < QUICK_MS)
      },
    ),
    { numRuns: RUNS * 2 },
  )
})

test('bytes of no meaning at all are refused with the declared error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
      assert.throws(() => decodeCall(bytes), { name: 'XmlRpcError' })
    }),
  )
})

const FRAGMENTS = [
  '<',
  '>',
  '&',
  '/',
  ' ',
  '\n',
  '\r',
  ']]>',
  '<value>',
  '</value>',
  '<value/>',
  '<string>',
  '</string>',
  '<int>',
  '</int>',
  '<nil/>',
  '<array>',
  '</array>',
  '<data>',
  '</data>',
  '<struct>',
  '</struct>',
  '<member>',
  '</member>',
  '<name>',
  '</name>',
  '&amp;',
  '&#0;',
  '&x;',
  '<!-- -->',
  '<![CDATA[',
  '\u0000',
  '\ufffe',
] as const

/** Where white space would become part of a text. */
const HOLDS_TEXT = new Set(['string', 'value'])
/** Scalars whose text may have white space at its ends. */
const TRIMMED = new Set(['int', 'i8', 'boolean', 'double', 'dateTime.iso8601', 'base64', 'name', 'methodName'])

/** Spells a document that the codec wrote in another way, as the dice have it. */
function respell(document: string, dice: Iterator<number>): string {
  const roll = (): number => Number(dice.next().value)
  const pieces = document.slice(document.indexOf('?>') + 2).match(/<[^>]*>|[^<]+/g) ?? []
  let respelled = pick(roll, [
    '',
    '\ufeff',
    '<?xml version="1.0"?>',
    '<!-- x --> ',
    '<?xml version="1.0" encoding="utf-8" ?>\n',
  ])
  let last = ''
  for (const [index, piece] of pieces.entries()) {
    const next = pieces[index + 1] ?? ''
    if (piece.startsWith('<')) respelled += respellTag(piece, roll) + between(piece, next, roll)
    else respelled += respellText(piece, nameOf(last), roll)
    last = piece
  }
  return respelled
}

/** Puts white space where a document may have any, and changes nothing else. */
function spaceOut(document: string, dice: Iterator<number>): string {
  const pieces = document.slice(document.indexOf('?>') + 2).match(/<[^>]*>|[^<]+/g) ?? []
  return pieces
    .map((piece, index) => {
      const isGap = piece.startsWith('<') && mayHoldSpace(piece, pieces[index + 1] ?? '<')
      return isGap ? piece + pick(() => Number(dice.next().value), ['', '', '', ' ', '\n\t', '\r\n']) : piece
    })
    .join('')
}

function respellTag(tag: string, roll: () => number): string {
  if (tag === '<nil/>') return pick(roll, ['<nil/>', '<nil />', '<nil></nil>', '<ex:nil/>', '<nil a="1"> </nil>'])
  if (tag.startsWith('</')) return `${tag.slice(0, -1)}${pick(roll, ['', '', ' ', '\r\n'])}>`
  return `${tag.slice(0, -1)}${pick(roll, ['', '', '', ' ', '\n', ' a="1"', "\tb = '>'\n"])}>`
}

/** What may stand between two tags without text: nothing that adds to a text, where a text may be. */
function between(tag: string, next: string, roll: () => number): string {
  const isGap = mayHoldSpace(tag, next)
  return isGap
    ? pick(roll, ['', '', '', ' ', '\n\t', '\r\n', '<!-- x -->', ' <?p?>\n'])
    : pick(roll, ['', '', '<!--x-->'])
}

function respellText(text: string, element: string, roll: () => number): string {
  const space = TRIMMED.has(element) ? pick(roll, ['', '', ' ', '\r\n\t']) : ''
  const [first = ''] = text
  const rest = text.slice(first.length)
  const isCut = first === '&' // The first half of a reference is no text.
  const spelled = pick(roll, [
    text,
    text,
    isCut ? text : `<![CDATA[${first}]]>${rest}`,
    isCut ? text : `&#x${first.codePointAt(0)?.toString(16)};${rest}`,
    isCut ? text : `${first === '\r' ? '&#13;' : first}<!-- & -->${rest}`,
  ])
  return space + spelled + space
}

function mayHoldSpace(tag: string, next: string): boolean {
  return next.startsWith('<') && !(HOLDS_TEXT.has(nameOf(tag)) && isPair(tag, next))
}

function isPair(tag: string, next: string): boolean {
  return !tag.startsWith('</') && next === `</${nameOf(tag)}>`
}

function nameOf(tag: string): string {
  return /^<\/?([^\s/>]+)/.exec(tag)?.[1] ?? ''
}

function pick(roll: () => number, choices: readonly string[]): string {
  return choices[roll() % choices.length] ?? ''
}
