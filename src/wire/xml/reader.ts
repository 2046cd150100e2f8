import type { Buffer } from 'node:buffer'
import { BYTE, isName, NAME, NAME_FIRST, SPACE, skipSpace } from './characters.ts'
import type { XmlDocument } from './document.ts'
import { malformed, XmlError } from './error.ts'
import type { XmlLimits } from './limits.ts'
import { decodeText, requireCharacters } from './text.ts'

/** An attribute as it is spelled: the name with its prefix, the value with its references resolved. */
export interface RawAttribute {
  readonly name: string
  readonly value: string
}

/** What the reader stands on. An element that closes itself is a `start` and an `end`. */
export type XmlToken = 'start' | 'text' | 'end' | 'document-end'

/** An element that is open: where its name stands, so that its end tag can be compared byte by byte. */
interface OpenElement {
  readonly nameStart: number
  readonly nameEnd: number
}

/** A name that was read before, and where. */
interface KnownName {
  readonly start: number
  readonly length: number
  readonly text: string
}

/** How many names are remembered, so that one that comes again is not decoded again; a power of two. */
const KNOWN_NAMES_MAX = 256
const NO_ATTRIBUTES: readonly RawAttribute[] = []
const COMMENT_OPEN = Uint8Array.of(0x3c, 0x21, 0x2d, 0x2d) // <!--
const CDATA_OPEN = Uint8Array.of(0x3c, 0x21, 0x5b, 0x43, 0x44, 0x41, 0x54, 0x41, 0x5b) // <![CDATA[

/**
 * Reads a document token by token. Comments, processing instructions and the XML declaration are checked and passed
 * over; text and CDATA on either side of them are one `text`, so that two never follow each other, and it is never
 * empty. A DTD is refused, and so is anything that is not well-formed, at the token where that shows. Prefixes are
 * left alone: see tree.ts for namespaces.
 *
 * Every method may throw XmlError; a reader that has thrown is not to be used again. Time is linear in the bytes.
 * Source: Extensible Markup Language 1.0, fifth edition.
 */
export class XmlReader {
  readonly #bytes: Buffer
  readonly #limits: XmlLimits
  readonly #open: OpenElement[] = []
  /** By a hash of their bytes; of two with the same hash the later stays. */
  readonly #knownNames: (KnownName | undefined)[] = []
  #at: number
  #tokenAt = 0
  #elements = 0
  /** The start tag just read closed itself: its `end` is the next token. */
  #endIsPending = false
  #name = ''
  #text = ''
  #attributes: readonly RawAttribute[] = NO_ATTRIBUTES

  constructor({ bytes, start }: XmlDocument, limits: XmlLimits) {
    this.#bytes = bytes
    this.#at = start
    this.#limits = limits
  }

  /** The element's name as spelled, prefix included; of the last `start`. */
  get name(): string {
    return this.#name
  }

  /** In document order; of the last `start`. */
  get attributes(): readonly RawAttribute[] {
    return this.#attributes
  }

  /** Of the last `text`. */
  get text(): string {
    return this.#text
  }

  /** Where the last token begins, in bytes. */
  get offset(): number {
    return this.#tokenAt
  }

  /** Moves to the next token. At the end of the document it says `document-end`, as often as it is asked. */
  next(): XmlToken {
    this.#tokenAt = this.#at
    if (this.#endIsPending) {
      this.#endIsPending = false
      this.#open.pop()
      return 'end'
    }
    return this.#readText() ? 'text' : this.#readTag()
  }

  /** Takes text, CDATA, comments and instructions up to the next tag; false when that comes to no text. */
  #readText(): boolean {
    const bytes = this.#bytes
    let text = ''
    while (this.#at < bytes.length) {
      const start = this.#at
      if (bytes[start] !== BYTE.less) text += this.#readCharacters(start)
      else if (bytes[start + 1] === BYTE.question) this.#skipInstruction(start)
      else if (bytes[start + 1] !== BYTE.exclamation) break
      else if (startsWith(bytes, start, COMMENT_OPEN)) this.#skipComment(start)
      else if (startsWith(bytes, start, CDATA_OPEN)) text += this.#readCdata(start)
      else throw new XmlError('forbidden', 'a DTD or another declaration', start)
    }
    this.#text = text
    return text !== ''
  }

  #readCharacters(start: number): string {
    const less = this.#bytes.indexOf(BYTE.less, start)
    const end = less === -1 ? this.#bytes.length : less
    this.#at = end
    if (this.#open.length > 0) return decodeText(this.#bytes, start, end, 'content')
    const stray = skipSpace(this.#bytes, start)
    if (stray < end) throw malformed('text outside the root element', stray)
    return ''
  }

  #readCdata(start: number): string {
    if (this.#open.length === 0) throw malformed('CDATA outside the root element', start)
    const end = this.#find(']]>', start, CDATA_OPEN.length)
    this.#at = end + 3
    return decodeText(this.#bytes, start + CDATA_OPEN.length, end, 'cdata')
  }

  #skipComment(start: number): void {
    const end = this.#find('--', start, COMMENT_OPEN.length)
    if (this.#bytes[end + 2] !== BYTE.greater) throw malformed('-- in a comment', end)
    requireCharacters(this.#bytes, start, end)
    this.#at = end + 3
  }

  #skipInstruction(start: number): void {
    this.#at = start + 2
    const target = this.#readName()
    if (target.toLowerCase() === 'xml') throw malformed('an XML declaration that is not at the beginning', start)
    const end = this.#find('?>', start, this.#at - start)
    if (end !== this.#at && SPACE[this.#bytes[this.#at] ?? 0] !== 1) throw malformed('a broken instruction', this.#at)
    requireCharacters(this.#bytes, start, end)
    this.#at = end + 2
  }

  /** Where `mark` next stands in what began at `start`, whose opening is so many bytes long. */
  #find(mark: string, start: number, opening: number): number {
    const at = this.#bytes.indexOf(mark, start + opening, 'latin1')
    if (at === -1) throw malformed('a comment, CDATA section or instruction without an end', start)
    return at
  }

  #readTag(): XmlToken {
    const start = this.#at
    this.#tokenAt = start
    if (start < this.#bytes.length) {
      return this.#bytes[start + 1] === BYTE.slash ? this.#readEnd(start) : this.#readStart(start)
    }
    if (this.#open.length > 0) throw malformed('the document breaks off', start)
    if (this.#elements === 0) throw malformed('no root element', start)
    return 'document-end'
  }

  #readEnd(start: number): XmlToken {
    const bytes = this.#bytes
    const opened = this.#open.pop()
    if (opened === undefined) throw malformed('an end tag without a start tag', start)
    let at = start + 2
    for (let nameAt = opened.nameStart; nameAt < opened.nameEnd; nameAt++, at++) {
      if (bytes[at] !== bytes[nameAt]) throw malformed('an end tag that does not match its start tag', start)
    }
    at = skipSpace(bytes, at)
    if (bytes[at] !== BYTE.greater) throw malformed('an end tag that does not match its start tag', start)
    this.#at = at + 1
    return 'end'
  }

  #readStart(start: number): XmlToken {
    const { maxDepth, maxElements } = this.#limits
    if (this.#open.length === 0 && this.#elements > 0) throw malformed('a second root element', start)
    if (this.#open.length >= maxDepth) throw new XmlError('limit', `more than ${maxDepth} elements deep`, start)
    if (++this.#elements > maxElements) throw new XmlError('limit', `more than ${maxElements} elements`, start)
    this.#at = start + 1
    this.#name = this.#readName()
    this.#open.push({ nameStart: start + 1, nameEnd: this.#at })
    this.#attributes = this.#bytes[this.#at] === BYTE.greater ? NO_ATTRIBUTES : this.#readAttributes()
    this.#endIsPending = this.#bytes[this.#at] === BYTE.slash
    this.#at += this.#endIsPending ? 2 : 1
    return 'start'
  }

  /** Reads up to the `>` or `/>` of a start tag. */
  #readAttributes(): readonly RawAttribute[] {
    const bytes = this.#bytes
    const { maxAttributes } = this.#limits
    if (bytes[this.#at] === BYTE.slash && bytes[this.#at + 1] === BYTE.greater) return NO_ATTRIBUTES
    const attributes = new Map<string, RawAttribute>()
    for (;;) {
      const at = skipSpace(bytes, this.#at)
      const isEnd = bytes[at] === BYTE.greater || (bytes[at] === BYTE.slash && bytes[at + 1] === BYTE.greater)
      const isApart = at > this.#at
      this.#at = at
      if (isEnd) return attributes.size === 0 ? NO_ATTRIBUTES : [...attributes.values()]
      if (!isApart) throw malformed('a broken start tag', at)
      if (attributes.size >= maxAttributes) throw new XmlError('limit', `more than ${maxAttributes} attributes`, at)
      const name = this.#readName()
      if (attributes.has(name)) throw malformed('the same attribute twice', at)
      attributes.set(name, { name, value: this.#readAttributeValue() })
    }
  }

  /** Reads `= "value"`. */
  #readAttributeValue(): string {
    const bytes = this.#bytes
    const equals = skipSpace(bytes, this.#at)
    if (bytes[equals] !== BYTE.equals) throw malformed('an attribute without a value', equals)
    const open = skipSpace(bytes, equals + 1)
    const quote = bytes[open]
    if (quote !== BYTE.quote && quote !== BYTE.apostrophe) throw malformed('an attribute value without quotes', open)
    const close = bytes.indexOf(quote, open + 1)
    if (close === -1) throw malformed('an attribute value without an end', open)
    const less = bytes.subarray(open + 1, close).indexOf(BYTE.less)
    if (less !== -1) throw malformed('< in an attribute value', open + 1 + less)
    this.#at = close + 1
    return decodeText(bytes, open + 1, close, 'attribute')
  }

  /** Reads the name that stands here, and moves behind it. */
  #readName(): string {
    const bytes = this.#bytes
    const start = this.#at
    let end = start
    let hash = 0
    for (let byte = bytes[end] ?? 0; NAME[byte] === 1; byte = bytes[++end] ?? 0) hash = (hash * 31 + byte) | 0
    this.#at = end
    const slot = hash & (KNOWN_NAMES_MAX - 1)
    const known = this.#knownNames[slot]
    if (known !== undefined && known.length === end - start && isSame(bytes, known.start, start, end)) return known.text
    const text = this.#decodeName(start, end)
    this.#knownNames[slot] = { start, length: end - start, text }
    return text
  }

  #decodeName(start: number, end: number): string {
    const bytes = this.#bytes
    if (end - start > this.#limits.maxNameBytes) throw new XmlError('limit', 'a name that is too long', start)
    let bits = 0 // The eighth is set once a byte is not ASCII.
    for (let at = start; at < end; at++) bits |= bytes[at] ?? 0
    const isPlain = bits < 0x80 && NAME_FIRST[bytes[start] ?? 0] === 1
    const name = bytes.toString(isPlain ? 'latin1' : 'utf8', start, end)
    if (!isPlain && !isName(name)) throw malformed('no name where a name must stand', start)
    return name
  }
}

/** Whether the bytes at `known` are those from `start` to `end`. */
function isSame(bytes: Uint8Array, known: number, start: number, end: number): boolean {
  for (let at = start, other = known; at < end; at++, other++) if (bytes[at] !== bytes[other]) return false
  return true
}

function startsWith(bytes: Buffer, at: number, start: Uint8Array): boolean {
  for (let index = 0; index < start.length; index++) if (bytes[at + index] !== start[index]) return false
  return true
}
