import { syntaxError, WqlError } from './wql-error.ts'

/**
 * A piece of a query. `text` of a `string` has its escapes resolved; that of a `braces` is what stands between them,
 * untouched; that of a `word` or `symbol` is as spelled. After the last piece comes an `end`.
 */
export interface Token {
  readonly kind: 'word' | 'string' | 'number' | 'symbol' | 'braces' | 'end'
  readonly text: string
}

/** The longest text of a query, in UTF-16 units: far beyond what clients send. */
export const QUERY_MAX = 16_384

const SPACE = /\s+/y
const WORD = /[A-Za-z_]\w*/y
const NUMBER = /[+-]?(?:0[xX][\da-fA-F]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)(?![\w.])/y
const SYMBOL = /<>|<=|>=|!=|[=<>(),*.]/y

/** Splits a query into its pieces. Throws WqlError. Time is linear in the text. */
export function readTokens(query: string): Token[] {
  if (query.length > QUERY_MAX) throw new WqlError('limit', `a query of more than ${QUERY_MAX} characters`)
  const tokens: Token[] = []
  let at = 0
  while (at < query.length) {
    const space = match(SPACE, query, at)
    if (space !== undefined) {
      at += space.length
      continue
    }
    const { token, end } = readToken(query, at)
    tokens.push(token)
    at = end
  }
  tokens.push({ kind: 'end', text: '' })
  return tokens
}

function readToken(query: string, at: number): { readonly token: Token; readonly end: number } {
  const first = query[at]
  if (first === '"' || first === "'") return readString(query, at, first)
  if (first === '{') return readBraces(query, at)
  for (const [kind, pattern] of [
    ['word', WORD],
    ['number', NUMBER],
    ['symbol', SYMBOL],
  ] as const) {
    const text = match(pattern, query, at)
    if (text !== undefined) return { token: { kind, text }, end: at + text.length }
  }
  throw syntaxError(`a character that has no meaning, at ${at}`)
}

/**
 * A backslash stands for what follows it only before another one and before quotes: clients send single ones in paths
 * and patterns as well. Sources: Microsoft Knowledge Base 242507; the queries of production clients.
 */
function readString(query: string, start: number, quote: string): { readonly token: Token; readonly end: number } {
  let text = ''
  for (let at = start + 1; at < query.length; at++) {
    const character = query[at] ?? ''
    if (character === quote) return { token: { kind: 'string', text }, end: at + 1 }
    if (character === '\\' && isEscaped(query[at + 1])) text += query[++at] ?? ''
    else text += character
  }
  throw syntaxError(`a string without an end, from ${start}`)
}

/** Up to the brace that closes, which may also stand in the quotes of a key. */
function readBraces(query: string, start: number): { readonly token: Token; readonly end: number } {
  let quote: string | undefined
  for (let at = start + 1; at < query.length; at++) {
    const character = query[at]
    if (quote === undefined && character === '}') {
      return { token: { kind: 'braces', text: query.slice(start + 1, at) }, end: at + 1 }
    }
    if (quote === undefined && (character === '"' || character === "'")) quote = character
    else if (character === quote) quote = undefined
    else if (quote !== undefined && character === '\\' && isEscaped(query[at + 1])) at++
  }
  throw syntaxError(`a brace that is not closed, from ${start}`)
}

function isEscaped(character: string | undefined): boolean {
  return character === '\\' || character === '"' || character === "'"
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}
