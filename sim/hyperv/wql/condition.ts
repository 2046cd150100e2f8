import type { Cursor } from './cursor.ts'
import { syntaxError, WqlError } from './wql-error.ts'

export type Comparator = '=' | '!=' | '<' | '>' | '<=' | '>='

/** Numbers that are whole are `bigint`, so that no digit of a uint64 is lost. */
export type Literal = string | number | bigint | boolean

/** What stands behind WHERE. */
export type Condition =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition }
  | Comparison

export type Comparison =
  | {
      readonly kind: 'compare'
      readonly property: string
      readonly comparator: Comparator
      readonly literal: Literal
    }
  /** Property to property: `Name != __SERVER`. */
  | {
      readonly kind: 'compare-properties'
      readonly property: string
      readonly comparator: Comparator
      readonly other: string
    }
  | { readonly kind: 'like'; readonly property: string; readonly pattern: string }
  | { readonly kind: 'isa'; readonly property: string; readonly className: string }
  | { readonly kind: 'null'; readonly property: string; readonly isNull: boolean }

type Operand = { readonly property: string } | { readonly literal: Literal } | 'null'

/** How deep parentheses and NOT may be nested. */
const DEPTH_MAX = 64
/** Comparisons in one query. */
const TERMS_MAX = 1024

const COMPARATORS: ReadonlyMap<string, Comparator> = new Map([
  ['=', '='],
  ['!=', '!='],
  ['<>', '!='],
  ['<', '<'],
  ['>', '>'],
  ['<=', '<='],
  ['>=', '>='],
])
/** What a comparison becomes when its sides are exchanged. */
const MIRRORED: Readonly<Record<Comparator, Comparator>> = {
  '=': '=',
  '!=': '!=',
  '<': '>',
  '>': '<',
  '<=': '>=',
  '>=': '<=',
}
/** Words that cannot be a property's name, where one is due. */
const RESERVED: ReadonlySet<string> = new Set(['and', 'or', 'not', 'like', 'isa', 'is', 'where', 'from', 'select'])

/** Reads what stands behind WHERE; NOT binds closest, then AND, then OR. Throws WqlError. */
export function readCondition(cursor: Cursor): Condition {
  return new ConditionReader(cursor).read()
}

class ConditionReader {
  readonly #cursor: Cursor
  #depth = 0
  #terms = 0

  constructor(cursor: Cursor) {
    this.#cursor = cursor
  }

  read(): Condition {
    return this.#readChain('or', () => this.#readChain('and', () => this.#readPart()))
  }

  #readChain(kind: 'and' | 'or', readPart: () => Condition): Condition {
    const first = readPart()
    if (!this.#cursor.isWord(kind)) return first
    const parts = [first]
    while (this.#cursor.takeWord(kind)) parts.push(readPart())
    return { kind, parts }
  }

  #readPart(): Condition {
    const isNot = this.#cursor.takeWord('not')
    const isGroup = !isNot && this.#cursor.takeSymbol('(')
    if (!isNot && !isGroup) return this.#readComparison()
    if (++this.#depth > DEPTH_MAX) throw new WqlError('limit', `a condition more than ${DEPTH_MAX} deep`)
    const part = isNot ? this.#readPart() : this.read()
    this.#depth--
    if (isGroup && !this.#cursor.takeSymbol(')')) throw syntaxError('a parenthesis is not closed')
    return isNot ? { kind: 'not', part } : part
  }

  #readComparison(): Comparison {
    if (++this.#terms > TERMS_MAX) throw new WqlError('limit', `more than ${TERMS_MAX} comparisons`)
    const left = this.#readOperand()
    const property = nameIn(left)
    if (property !== undefined) {
      if (this.#cursor.takeWord('like')) return { kind: 'like', property, pattern: this.#expectString() }
      if (this.#cursor.takeWord('isa')) return { kind: 'isa', property, className: this.#expectString() }
      if (this.#cursor.takeWord('is')) return this.#readIsNull(property)
    }
    const comparator = this.#expectComparator()
    const right = this.#readOperand()
    if (property !== undefined) return compare(property, comparator, right)
    const other = nameIn(right)
    if (other === undefined) throw syntaxError('a comparison without a property')
    return compare(other, MIRRORED[comparator], left)
  }

  #readIsNull(property: string): Comparison {
    const isNull = !this.#cursor.takeWord('not')
    if (!this.#cursor.takeWord('null')) throw syntaxError('NULL is missing behind IS')
    return { kind: 'null', property, isNull }
  }

  #readOperand(): Operand {
    const { kind, text } = this.#cursor.next()
    if (kind === 'string') return { literal: text }
    if (kind === 'number') return { literal: numberOf(text) }
    if (kind !== 'word') throw syntaxError('a property or a value is missing')
    const word = text.toLowerCase()
    if (word === 'null') return 'null'
    if (word === 'true' || word === 'false') return { literal: word === 'true' }
    if (RESERVED.has(word)) throw syntaxError(`${word} where a property or a value is due`)
    return { property: text }
  }

  #expectComparator(): Comparator {
    const { kind, text } = this.#cursor.next()
    const comparator = kind === 'symbol' ? COMPARATORS.get(text) : undefined
    if (comparator === undefined) throw syntaxError('an operator is missing')
    return comparator
  }

  #expectString(): string {
    const text = this.#cursor.takeString()
    if (text === undefined) throw syntaxError('a string is missing')
    return text
  }
}

function nameIn(operand: Operand): string | undefined {
  return operand !== 'null' && 'property' in operand ? operand.property : undefined
}

function compare(property: string, comparator: Comparator, right: Operand): Comparison {
  if (right === 'null') {
    if (comparator !== '=' && comparator !== '!=') throw syntaxError('NULL is neither less nor greater')
    return { kind: 'null', property, isNull: comparator === '=' }
  }
  return 'property' in right
    ? { kind: 'compare-properties', property, comparator, other: right.property }
    : { kind: 'compare', property, comparator, literal: right.literal }
}

function numberOf(text: string): number | bigint {
  const isNegative = text.startsWith('-')
  const digits = text.replace(/^[+-]/, '')
  if (!/^(?:\d+|0[xX][\da-fA-F]+)$/.test(digits)) return Number(text)
  const value = BigInt(digits)
  return isNegative ? -value : value
}
