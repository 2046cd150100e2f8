import { readTokens, type Token } from './lexer.ts'
import { syntaxError } from './wql-error.ts'

const END: Token = { kind: 'end', text: '' }

/** Walks over the pieces of a query. */
export class Cursor {
  readonly #tokens: readonly Token[]
  #at = 0

  /** Throws WqlError for what has no pieces. */
  constructor(query: string) {
    this.#tokens = readTokens(query)
  }

  get token(): Token {
    return this.#tokens[this.#at] ?? END
  }

  isAtEnd(): boolean {
    return this.token.kind === 'end'
  }

  /** Moves on. */
  next(): Token {
    const token = this.token
    this.#at++
    return token
  }

  isWord(word: string): boolean {
    return this.token.kind === 'word' && this.token.text.toLowerCase() === word
  }

  /** Passes over a word, in any case, that comes next; false where it does not. */
  takeWord(word: string): boolean {
    if (!this.isWord(word)) return false
    this.#at++
    return true
  }

  takeSymbol(symbol: string): boolean {
    if (this.token.kind !== 'symbol' || this.token.text !== symbol) return false
    this.#at++
    return true
  }

  takeString(): string | undefined {
    return this.token.kind === 'string' ? this.next().text : undefined
  }

  expectName(what: string): string {
    if (this.token.kind !== 'word') throw syntaxError(`${what} is missing`)
    return this.next().text
  }

  expectBraces(): string {
    if (this.token.kind !== 'braces') throw syntaxError('an object path in braces is missing')
    return this.next().text
  }

  expectEnd(): void {
    if (!this.isAtEnd()) throw syntaxError('something stands behind the end of the query')
  }
}
