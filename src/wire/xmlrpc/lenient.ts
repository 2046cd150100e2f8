import { isSpace, trimSpace } from '../xml/characters.ts'
import type { XmlDocument } from '../xml/document.ts'
import { XmlError } from '../xml/error.ts'
import { DEFAULT_XML_LIMITS } from '../xml/limits.ts'
import { XmlReader, type XmlToken } from '../xml/reader.ts'
import { isScalarType, readScalar } from './scalar.ts'
import {
  FAULT,
  isStruct,
  setMember,
  type WireValue,
  type XmlRpcCall,
  XmlRpcError,
  type XmlRpcLimits,
  type XmlRpcResponse,
} from './value.ts'

/** Most elements that one level of nesting takes: `value`, `struct`, `member`. */
const ELEMENTS_PER_LEVEL = 3
/** Elements above the outermost value and below the innermost, with some to spare. */
const ELEMENTS_AROUND = 8
/** Most elements that one value takes: `member`, `name`, `value`, its type and, of an array, `data`. */
const ELEMENTS_PER_VALUE = 5

/**
 * Decodes every spelling of XML-RPC that this codec takes; it is what the codec accepts, and ExactDecoder is only its
 * short cut. Lenient: white space between all elements and round data that is no string; attributes, comments, CDATA
 * wherever XML has them; a typed value without `<value>` round it; a call without `<params>`. A string is kept as it
 * is, typed or not; text beside an element is ignored when it is white space and refused otherwise.
 *
 * Every method throws XmlError or XmlRpcError; an instance reads one document once.
 */
export class LenientDecoder {
  readonly #reader: XmlReader
  readonly #limits: XmlRpcLimits
  #depth = 0
  #values = 0

  constructor(document: XmlDocument, limits: XmlRpcLimits) {
    this.#limits = limits
    this.#reader = new XmlReader(document, {
      ...DEFAULT_XML_LIMITS,
      maxBytes: limits.maxBytes,
      maxDepth: limits.maxDepth * ELEMENTS_PER_LEVEL + ELEMENTS_AROUND,
      maxElements: limits.maxValues * ELEMENTS_PER_VALUE + ELEMENTS_AROUND,
    })
  }

  /** The document as a call. */
  call(): XmlRpcCall {
    this.#requireStart('methodCall')
    this.#requireStart('methodName')
    const method = trimSpace(this.#readText())
    if (method === '') throw this.#invalid('a call without a method')
    const params: WireValue[] = []
    if (this.#nextTag() === 'start') {
      this.#requireName('params')
      while (this.#nextTag() === 'start') params.push(this.#readParam())
      this.#requireEnd()
    }
    this.#reader.next() // Throws when anything follows the root.
    return { method, params }
  }

  /** The document as an answer. */
  response(): XmlRpcResponse {
    this.#requireStart('methodResponse')
    if (this.#nextTag() === 'end') throw this.#invalid('an answer without a value')
    const isFault = this.#reader.name === 'fault'
    if (!isFault) this.#requireName('params')
    if (this.#nextTag() === 'end') throw this.#invalid('an answer without a value')
    const value = isFault ? this.#readValue() : this.#readParam()
    this.#requireEnd()
    const response: XmlRpcResponse = isFault ? this.#toFault(value) : { kind: 'value', value }
    this.#requireEnd()
    this.#reader.next()
    return response
  }

  /** The document as one value, its root the `value` or the value's type. */
  value(): WireValue {
    this.#nextTag()
    const value = this.#readValue()
    this.#reader.next()
    return value
  }

  #toFault(value: WireValue): XmlRpcResponse {
    if (isStruct(value)) {
      const { faultCode, faultString } = value
      const code = typeof faultCode === 'bigint' ? Number(faultCode) : Number.NaN
      if (Number.isSafeInteger(code) && typeof faultString === 'string')
        return { kind: 'fault', code, message: faultString }
    }
    throw this.#invalid('a fault without faultCode and faultString')
  }

  /** From the start of `param`, or of a value without it. */
  #readParam(): WireValue {
    this.#requireName('param')
    if (this.#nextTag() === 'end') throw this.#invalid('a parameter without a value')
    const value = this.#readValue()
    this.#requireEnd()
    return value
  }

  /** From the start of `value`, or of a type that stands in its place, to the end of the same. */
  #readValue(): WireValue {
    if (++this.#values > this.#limits.maxValues) {
      throw new XmlError('limit', `more than ${this.#limits.maxValues} values`, this.#reader.offset)
    }
    if (this.#reader.name !== 'value') return this.#readTyped()
    let text = ''
    let token = this.#reader.next()
    if (token === 'text') {
      text = this.#reader.text
      token = this.#reader.next()
    }
    if (token === 'end') return text
    if (!isSpace(text)) throw this.#invalid('text beside an element')
    const value = this.#readTyped()
    this.#requireEnd()
    return value
  }

  #readTyped(): WireValue {
    const { name, offset } = this.#reader
    if (name === 'string') return this.#readText()
    if (name === 'array' || name === 'struct') return this.#readNested(name)
    if (name === 'nil' || name === 'ex:nil') {
      this.#requireEnd()
      return null
    }
    if (!isScalarType(name)) throw this.#invalid('an element that is no type of XML-RPC')
    const value = readScalar(name, this.#readText())
    if (value === undefined) throw new XmlRpcError(FAULT.invalidRequest, `text that is no ${name}`, offset)
    return value
  }

  #readNested(type: 'array' | 'struct'): WireValue {
    const { maxDepth } = this.#limits
    if (++this.#depth > maxDepth) {
      throw new XmlError('limit', `more than ${maxDepth} arrays and structs deep`, this.#reader.offset)
    }
    const value = type === 'array' ? this.#readArray() : this.#readStruct()
    this.#depth--
    return value
  }

  #readArray(): WireValue {
    const items: WireValue[] = []
    this.#requireStart('data')
    while (this.#nextTag() === 'start') items.push(this.#readValue())
    this.#requireEnd()
    return items
  }

  #readStruct(): WireValue {
    const struct: Record<string, WireValue> = {}
    while (this.#nextTag() === 'start') {
      this.#requireName('member')
      this.#requireStart('name')
      const name = trimSpace(this.#readText())
      if (this.#nextTag() === 'end') throw this.#invalid('a member without a value')
      setMember(struct, name, this.#readValue())
      this.#requireEnd()
    }
    return struct
  }

  /** The text up to the end of the element just started, which holds nothing else. */
  #readText(): string {
    const token = this.#reader.next()
    if (token === 'end') return ''
    const { text } = this.#reader
    if (token !== 'text' || this.#reader.next() !== 'end') throw this.#invalid('an element where only text may stand')
    return text
  }

  /** Moves to the next tag over white space. */
  #nextTag(): XmlToken {
    const token = this.#reader.next()
    if (token !== 'text') return token
    if (!isSpace(this.#reader.text)) throw this.#invalid('text beside an element')
    return this.#reader.next()
  }

  #requireStart(name: string): void {
    if (this.#nextTag() !== 'start') throw this.#invalid(`no ${name} where one must stand`)
    this.#requireName(name)
  }

  #requireName(name: string): void {
    if (this.#reader.name !== name) throw this.#invalid(`no ${name} where one must stand`)
  }

  #requireEnd(): void {
    if (this.#nextTag() !== 'end') throw this.#invalid('one element too many')
  }

  #invalid(reason: string): XmlRpcError {
    return new XmlRpcError(FAULT.invalidRequest, reason, this.#reader.offset)
  }
}
