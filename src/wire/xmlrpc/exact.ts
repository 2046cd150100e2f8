import type { Buffer } from 'node:buffer'
import { BYTE, PLAIN, skipSpace, trimSpace } from '../xml/characters.ts'
import type { XmlDocument } from '../xml/document.ts'
import { decodeText } from '../xml/text.ts'
import { readScalar } from './scalar.ts'
import { setMember, type WireValue, type XmlRpcCall, type XmlRpcLimits, type XmlRpcResponse } from './value.ts'

/**
 * A member as it stood in the document before, and what followed it there. Records of one class come one after the
 * other with the same members in the same order, and many of their values are the same, so that both the next name
 * and the next text are often known beforehand; comparing bytes is much cheaper than making a string of them.
 */
interface Member {
  /** Where its `<member>` begins, and where the `<value` behind its name ends. */
  readonly start: number
  readonly end: number
  readonly name: string
  /** The text that last stood in it, and where; empty until there was one. */
  text: string
  textStart: number
  textEnd: number
  /** The member that last followed this one. */
  next: Member | undefined
  /** The member with which a struct in this one, or in an array in this one, last began. */
  first: Member | undefined
}

/**
 * Decodes documents in which each tag is spelled exactly as most peers spell it, with white space only between tags.
 * It gives up, by returning undefined, at the first byte that is anything else, right or wrong: LenientDecoder then
 * reads the document again from its beginning and has the last word. What this one does return is what that one
 * would have returned (a property test holds them against each other); it exists because it is several times faster.
 *
 * A broken reference or a character that XML does not allow throws XmlError. An instance reads one document once.
 */
export class ExactDecoder {
  readonly #bytes: Buffer
  readonly #maxDepth: number
  readonly #maxValues: number
  readonly #members = new Map<string, Member>()
  readonly #root = makeMember(0, 0, '')
  #at: number
  #values = 0

  constructor({ bytes, start }: XmlDocument, limits: XmlRpcLimits) {
    this.#bytes = bytes
    this.#at = start
    this.#maxDepth = limits.maxDepth
    this.#maxValues = limits.maxValues
  }

  /** The document as a call with its `<params>`. */
  call(): XmlRpcCall | undefined {
    if (!this.#takeTag(TAG.methodCall) || !this.#takeTag(TAG.methodName)) return undefined
    const method = trimSpace(this.#readText())
    if (method === '' || !this.#take(TAG.methodNameEnd) || !this.#takeTag(TAG.params)) return undefined
    const params: WireValue[] = []
    while (this.#takeTag(TAG.param)) {
      const value = this.#takeTag(TAG.value) ? this.#readValue(this.#root, 0) : undefined
      if (value === undefined || !this.#takeTag(TAG.paramEnd)) return undefined
      params.push(value)
    }
    return this.#takeTag(TAG.paramsEnd) && this.#isEnd(TAG.methodCallEnd) ? { method, params } : undefined
  }

  /** The document as an answer that is no fault. */
  response(): XmlRpcResponse | undefined {
    if (!this.#takeTag(TAG.methodResponse) || !this.#takeTag(TAG.params) || !this.#takeTag(TAG.param)) return undefined
    const value = this.#takeTag(TAG.value) ? this.#readValue(this.#root, 0) : undefined
    if (value === undefined || !this.#takeTag(TAG.paramEnd) || !this.#takeTag(TAG.paramsEnd)) return undefined
    return this.#isEnd(TAG.methodResponseEnd) ? { kind: 'value', value } : undefined
  }

  /** From behind `<value`, which may yet close itself, to the end. `owner` is the member it belongs to. */
  #readValue(owner: Member, depth: number): WireValue | undefined {
    if (++this.#values > this.#maxValues) return undefined
    const bytes = this.#bytes
    if (bytes[this.#at] === BYTE.slash) return this.#take(TAG.emptyEnd) ? '' : undefined
    if (bytes[this.#at] !== BYTE.greater) return undefined
    const start = ++this.#at
    if (bytes[start] !== BYTE.less) {
      const text = this.#readTextOf(owner)
      if (this.#take(TAG.valueEnd)) return text
      if (skipSpace(bytes, start) !== this.#at) return undefined
    } else if (bytes[start + 1] === BYTE.slash) return this.#take(TAG.valueEnd) ? '' : undefined
    const value = this.#readTyped(owner, depth)
    return value !== undefined && this.#takeTag(TAG.valueEnd) ? value : undefined
  }

  #readTyped(owner: Member, depth: number): WireValue | undefined {
    switch (this.#bytes[this.#at + 1]) {
      case LETTER.s:
        if (this.#take(TAG.string)) {
          const text = this.#readTextOf(owner)
          return this.#take(TAG.stringEnd) ? text : undefined
        }
        return this.#take(TAG.struct) ? this.#readStruct(owner, depth + 1) : undefined
      case LETTER.a:
        return this.#take(TAG.array) ? this.#readArray(owner, depth + 1) : undefined
      case LETTER.b:
        return this.#take(TAG.boolean) ? this.#readBoolean() : undefined
      case LETTER.d:
        if (this.#take(TAG.double)) return this.#readScalar('double', TAG.doubleEnd)
        return this.#take(TAG.dateTime) ? this.#readScalar('dateTime.iso8601', TAG.dateTimeEnd) : undefined
      case LETTER.i:
        if (this.#take(TAG.int)) return this.#readScalar('int', TAG.intEnd)
        if (this.#take(TAG.i4)) return this.#readScalar('i4', TAG.i4End)
        return this.#take(TAG.i8) ? this.#readScalar('i8', TAG.i8End) : undefined
      case LETTER.n:
        return this.#take(TAG.nil) ? null : undefined
      default:
        return undefined
    }
  }

  #readBoolean(): boolean | undefined {
    const digit = this.#bytes[this.#at]
    this.#at++
    if (!this.#take(TAG.booleanEnd)) return undefined
    return digit === DIGIT.one ? true : digit === DIGIT.zero ? false : undefined
  }

  #readScalar(type: string, end: Uint8Array): WireValue | undefined {
    const text = this.#readText()
    return this.#take(end) ? readScalar(type, text) : undefined
  }

  #readArray(owner: Member, depth: number): WireValue | undefined {
    if (depth > this.#maxDepth || !this.#takeTag(TAG.data)) return undefined
    const items: WireValue[] = []
    while (this.#takeTag(TAG.value)) {
      const item = this.#readValue(owner, depth)
      if (item === undefined) return undefined
      items.push(item)
    }
    return this.#take(TAG.dataEnd) && this.#takeTag(TAG.arrayEnd) ? items : undefined
  }

  #readStruct(owner: Member, depth: number): WireValue | undefined {
    if (depth > this.#maxDepth) return undefined
    const struct: Record<string, WireValue> = {}
    let previous: Member | undefined
    for (;;) {
      if (this.#bytes[this.#at] !== BYTE.less) this.#at = skipSpace(this.#bytes, this.#at)
      if (this.#take(TAG.structEnd)) return struct
      const guess: Member | undefined = previous === undefined ? owner.first : previous.next
      const member: Member | undefined =
        guess !== undefined && this.#takeSame(guess.start, guess.end) ? guess : this.#readMember()
      if (member === undefined) return undefined
      if (previous === undefined) owner.first = member
      else previous.next = member
      previous = member
      const value = this.#readValue(member, depth)
      if (value === undefined || !this.#takeTag(TAG.memberEnd)) return undefined
      setMember(struct, member.name, value)
    }
  }

  /** From `<member>` to behind the `<value` that follows its name. */
  #readMember(): Member | undefined {
    const start = this.#at
    if (!this.#take(TAG.member) || !this.#takeTag(TAG.name)) return undefined
    const spelled = this.#readText()
    if (!this.#take(TAG.nameEnd) || !this.#takeTag(TAG.value)) return undefined
    const found = this.#members.get(spelled)
    if (found !== undefined) return found
    const member = makeMember(start, this.#at, trimSpace(spelled))
    this.#members.set(spelled, member)
    return member
  }

  /** Moves on if the bytes here are those from `start` to `end` once more. */
  #takeSame(start: number, end: number): boolean {
    const bytes = this.#bytes
    let at = this.#at
    for (let known = start; known < end; known++, at++) if (bytes[at] !== bytes[known]) return false
    this.#at = at
    return true
  }

  /** The text up to the next tag, as part of a member, which may hold the same text each time. */
  #readTextOf(owner: Member): string {
    const start = this.#at
    if (this.#takeSame(owner.textStart, owner.textEnd)) {
      if (this.#bytes[this.#at] === BYTE.less) return owner.text
      this.#at = start
    }
    owner.text = this.#readText()
    owner.textStart = start
    owner.textEnd = this.#at
    return owner.text
  }

  /** The text up to the next tag, whatever that is. */
  #readText(): string {
    const bytes = this.#bytes
    const start = this.#at
    let end = start
    while (PLAIN[bytes[end] ?? 0] === 1) end++
    if (bytes[end] === BYTE.less) {
      this.#at = end
      return end === start ? '' : bytes.toString('latin1', start, end)
    }
    const less = bytes.indexOf(BYTE.less, end)
    this.#at = less === -1 ? bytes.length : less
    return decodeText(bytes, start, this.#at, 'content')
  }

  /** Moves behind `tag` if it stands here. */
  #take(tag: Uint8Array): boolean {
    const bytes = this.#bytes
    const start = this.#at
    for (let index = 0; index < tag.length; index++) if (bytes[start + index] !== tag[index]) return false
    this.#at = start + tag.length
    return true
  }

  /** Moves behind white space, and behind `tag` if it stands there. */
  #takeTag(tag: Uint8Array): boolean {
    if (this.#bytes[this.#at] !== BYTE.less) this.#at = skipSpace(this.#bytes, this.#at)
    return this.#take(tag)
  }

  /** Whether nothing but `tag` and white space is left. */
  #isEnd(tag: Uint8Array): boolean {
    return this.#takeTag(tag) && skipSpace(this.#bytes, this.#at) === this.#bytes.length
  }
}

function makeMember(start: number, end: number, name: string): Member {
  const [key = ''] = Object.keys({ [name]: true }) // The engine's own copy of the name, which is the quickest to set by.
  return { start, end, name: key, text: '', textStart: 0, textEnd: 0, next: undefined, first: undefined }
}

const LETTER = { a: 0x61, b: 0x62, d: 0x64, i: 0x69, n: 0x6e, s: 0x73 } as const
const DIGIT = { zero: 0x30, one: 0x31 } as const

const TAG = {
  array: tag('<array>'),
  arrayEnd: tag('</array>'),
  boolean: tag('<boolean>'),
  booleanEnd: tag('</boolean>'),
  data: tag('<data>'),
  dataEnd: tag('</data>'),
  dateTime: tag('<dateTime.iso8601>'),
  dateTimeEnd: tag('</dateTime.iso8601>'),
  double: tag('<double>'),
  doubleEnd: tag('</double>'),
  emptyEnd: tag('/>'),
  i4: tag('<i4>'),
  i4End: tag('</i4>'),
  i8: tag('<i8>'),
  i8End: tag('</i8>'),
  int: tag('<int>'),
  intEnd: tag('</int>'),
  member: tag('<member>'),
  memberEnd: tag('</member>'),
  methodCall: tag('<methodCall>'),
  methodCallEnd: tag('</methodCall>'),
  methodName: tag('<methodName>'),
  methodNameEnd: tag('</methodName>'),
  methodResponse: tag('<methodResponse>'),
  methodResponseEnd: tag('</methodResponse>'),
  name: tag('<name>'),
  nameEnd: tag('</name>'),
  nil: tag('<nil/>'),
  param: tag('<param>'),
  paramEnd: tag('</param>'),
  params: tag('<params>'),
  paramsEnd: tag('</params>'),
  string: tag('<string>'),
  stringEnd: tag('</string>'),
  struct: tag('<struct>'),
  structEnd: tag('</struct>'),
  value: tag('<value'),
  valueEnd: tag('</value>'),
} as const

function tag(text: string): Uint8Array {
  return Uint8Array.from(text, letter => letter.charCodeAt(0))
}
