import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { type TokenKind, tokenize } from './lexer.ts'

const texts = (text: string, kind: TokenKind) =>
  tokenize(text)
    .filter(token => token.kind === kind)
    .map(token => token.text)

test('words, numbers and signs are told apart', () => {
  const tokens = tokenize('const #a = x?.b => 0x1f_n + größe')

  assert.deepEqual(
    tokens.map(({ kind, text }) => `${kind} ${text}`),
    [
      'word const',
      'word #a',
      'punct =',
      'word x',
      'punct ?.',
      'word b',
      'punct =>',
      'number 0x1f_n',
      'punct +',
      'word größe',
    ],
  )
})

test('a token knows its line, also after tokens of several lines', () => {
  const tokens = tokenize('#!/bin/node\n/* a\n b */ x\n`one\ntwo` y\n')

  assert.deepEqual(
    tokens.map(({ text, line }) => [text, line]),
    [
      ['/* a\n b */', 2],
      ['x', 3],
      ['`one\ntwo`', 4],
      ['y', 5],
    ],
  )
})

test('what looks like code in a string or comment is not code', () => {
  const text = `a('x as y // no', "it's { any }") // as any "\n/* import '../x' */ b`

  assert.deepEqual(texts(text, 'word'), ['a', 'b'])
  assert.deepEqual(texts(text, 'string'), ["'x as y // no'", `"it's { any }"`])
})

test('a quote in a string is no end where it is escaped', () => {
  assert.deepEqual(texts(String.raw`'it\'s' + "a\\" + 'b'`, 'string'), [String.raw`'it\'s'`, String.raw`"a\\"`, "'b'"])
})

test('an apostrophe that no second one follows on its line is a sign, as in JSX text', () => {
  assert.deepEqual(texts("<p>Don't stop</p>\n<b title='x' />", 'string'), ["'x'"])
})

test('the substitutions of a template are code, the rest is not', () => {
  const sample = ['`a ', '$', '{ f({ b: `c ', '$', '{d}`}) } as ', '$', '{e} \\` \\', '$', '{no}` as g'].join('')

  assert.deepEqual(texts(sample, 'word'), ['f', 'b', 'd', 'e', 'as', 'g'])
})

test('a slash begins a regular expression where no operand stands before it', () => {
  assert.deepEqual(texts('x = /a"b[/"]\\//gu; return /c/', 'regex'), ['/a"b[/"]\\//gu', '/c/'])
  assert.deepEqual(texts('a / b / c; (d) / e / f; g[0] / 2 / h', 'regex'), [])
  assert.deepEqual(texts('<b>x</b>; <i />', 'regex'), [])
})

test('a comment with two stars is a docstring, one with none between them is not', () => {
  assert.deepEqual(texts('/** a */ /**/ /* b */ // c', 'doc'), ['/** a */'])
  assert.deepEqual(texts('/** a */ /**/ /* b */ // c', 'comment'), ['/**/', '/* b */', '// c'])
})

test('whatever the text, its tokens are its parts in order, and only blanks lie between them', () => {
  const alphabet = fc.constantFrom(...'a b \n \' " ` $ { } ( ) [ ] / \\ * < > = . ? # 9 ü'.split(' '), ' ')
  fc.assert(
    fc.property(fc.string({ unit: alphabet, maxLength: 60 }), text => {
      let offset = 0
      for (const token of tokenize(text)) {
        const at = text.indexOf(token.text, offset)
        assert.match(text.slice(offset, at), /^\s*(#!.*)?\s*$/)
        offset = at + token.text.length
      }
      assert.match(text.slice(offset), /^\s*(#!.*)?\s*$/)
    }),
    { seed: 1, numRuns: 2000 },
  )
})
