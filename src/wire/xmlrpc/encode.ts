import { Buffer } from 'node:buffer'
import { XmlError } from '../xml/error.ts'
import { escapeText } from '../xml/write.ts'
import { writeDateTime, writeDouble } from './scalar.ts'
import { FAULT, INT_RANGE, isArray, NESTING_MAX, type WireValue, XmlRpcError } from './value.ts'

/**
 * A spelling of XML-RPC: `draft` writes strings as `<string>`, `released` without a type, as the released API does.
 * In all else they agree: no white space, integers as `int` or, beyond 32 bits, `i8`.
 */
export type XmlRpcDialect = 'draft' | 'released'

const DECLARATION = '<?xml version="1.0"?>'
/** Characters joined before they become bytes; 16 to 64 KiB measured best. */
const PIECE_LENGTH = 64 * 1024
const INT32 = { min: -(2n ** 31n), max: 2n ** 31n - 1n } as const

/** Encodes a `methodCall`. Throws XmlRpcError (FAULT.internalError) for a value that XML-RPC cannot carry. */
export function encodeCall(method: string, params: readonly WireValue[], dialect: XmlRpcDialect): Buffer {
  return encode(dialect, writer => {
    writer.write(`${DECLARATION}<methodCall><methodName>${escapeText(method)}</methodName><params>`)
    for (const param of params) {
      writer.write('<param>')
      writer.writeValue(param)
      writer.write('</param>')
    }
    writer.write('</params></methodCall>')
  })
}

/** Encodes a `methodResponse` with its one value; void is the empty string. Throws as `encodeCall` does. */
export function encodeResponse(value: WireValue, dialect: XmlRpcDialect): Buffer {
  return encode(dialect, writer => writeResponse(writer, value))
}

function writeResponse(writer: Writer, value: WireValue): void {
  writer.write(`${DECLARATION}<methodResponse><params><param>`)
  writer.writeValue(value)
  writer.write('</param></params></methodResponse>')
}

/**
 * The same as text, where it is short: an HTTP server sends headers and text in one piece, but headers and bytes in
 * two. Longer answers come as bytes.
 */
export function encodeResponseText(value: WireValue, dialect: XmlRpcDialect): string | Buffer {
  return encodeWith(dialect, writer => writeResponse(writer, value)).endAsText()
}

/** Encodes a fault, the answer to what could not be understood as a call. Throws as `encodeCall` does. */
export function encodeFault(code: number, message: string, dialect: XmlRpcDialect): Buffer {
  return encode(dialect, writer => {
    if (!Number.isSafeInteger(code)) refuse('a fault code that is no integer')
    writer.write(`${DECLARATION}<methodResponse><fault>`)
    writer.writeValue({ faultCode: BigInt(code), faultString: message })
    writer.write('</fault></methodResponse>')
  })
}

/** Encodes one value as `<value>…</value>`, as it stands in a document. Throws as `encodeCall` does. */
export function encodeValue(value: WireValue, dialect: XmlRpcDialect): string {
  return encode(dialect, writer => writer.writeValue(value)).toString('utf8')
}

function encode(dialect: XmlRpcDialect, write: (writer: Writer) => void): Buffer {
  return encodeWith(dialect, write).end()
}

function encodeWith(dialect: XmlRpcDialect, write: (writer: Writer) => void): Writer {
  const writer = new Writer(dialect)
  try {
    write(writer)
  } catch (error) {
    if (error instanceof XmlError) throw unwritable(error.reason, { cause: error })
    throw error
  }
  return writer
}

function unwritable(reason: string, options?: ErrorOptions): XmlRpcError {
  return new XmlRpcError(FAULT.internalError, reason, undefined, options)
}

/**
 * Writes values behind each other. Short strings are joined, which costs the engine next to nothing, and turned into
 * bytes a piece at a time, while they are still in the processor's cache.
 */
class Writer {
  readonly #stringStart: string
  readonly #stringEnd: string
  /** By member name, what stands before its value: records repeat their names. */
  #members: Map<string, string> | undefined
  #pieces: Buffer[] | undefined
  #text = ''
  #depth = 0

  constructor(dialect: XmlRpcDialect) {
    const isTyped = dialect === 'draft'
    this.#stringStart = isTyped ? '<value><string>' : '<value>'
    this.#stringEnd = isTyped ? '</string></value>' : '</value>'
  }

  write(text: string): void {
    this.#text += text
  }

  end(): Buffer {
    const last = Buffer.from(this.#text, 'utf8')
    return this.#pieces === undefined ? last : Buffer.concat([...this.#pieces, last])
  }

  endAsText(): string | Buffer {
    return this.#pieces === undefined ? this.#text : this.end()
  }

  /** Undefined is no wire value, but an object may hold it all the same. */
  writeValue(value: WireValue | undefined): void {
    if (typeof value === 'string') this.#text += this.#stringStart + escapeText(value) + this.#stringEnd
    else if (typeof value === 'object' && value !== null && !(value instanceof Date || value instanceof Uint8Array)) {
      this.#writeNested(value)
    } else this.#text += scalar(value)
    if (this.#text.length > PIECE_LENGTH) this.#turnIntoBytes()
  }

  #turnIntoBytes(): void {
    this.#pieces ??= []
    this.#pieces.push(Buffer.from(this.#text, 'utf8'))
    this.#text = ''
  }

  #writeNested(value: readonly WireValue[] | { readonly [member: string]: WireValue }): void {
    if (++this.#depth > NESTING_MAX) refuse(`more than ${NESTING_MAX} arrays and structs deep`)
    if (isArray(value)) this.#writeArray(value)
    else this.#writeStruct(value)
    this.#depth--
  }

  #writeArray(items: readonly WireValue[]): void {
    this.#text += '<value><array><data>'
    for (const item of items) this.writeValue(item)
    this.#text += '</data></array></value>'
  }

  #writeStruct(struct: { readonly [member: string]: WireValue }): void {
    this.#text += '<value><struct>'
    for (const name of Object.keys(struct)) {
      this.#text += this.#memberStart(name)
      this.writeValue(struct[name])
      this.#text += '</member>'
    }
    this.#text += '</struct></value>'
  }

  #memberStart(name: string): string {
    this.#members ??= new Map()
    let text = this.#members.get(name)
    if (text === undefined) {
      text = `<member><name>${escapeText(name)}</name>`
      this.#members.set(name, text)
    }
    return text
  }
}

/** Writes a value that holds no others and is no string. */
function scalar(value: bigint | number | boolean | Date | Uint8Array | null | undefined): string {
  if (value === undefined) return refuse('undefined, which is no value of XML-RPC')
  if (value === null) return '<value><nil/></value>'
  if (typeof value === 'bigint') return integer(value)
  if (typeof value === 'boolean') return `<value><boolean>${value ? 1 : 0}</boolean></value>`
  if (typeof value === 'number') {
    return `<value><double>${writeDouble(value) ?? refuse('a double that is not finite')}</double></value>`
  }
  if (value instanceof Date) {
    const text = writeDateTime(value) ?? refuse('a date that is none, or beyond the years 0 to 9999')
    return `<value><dateTime.iso8601>${text}</dateTime.iso8601></value>`
  }
  return `<value><base64>${toBase64(value)}</base64></value>`
}

function refuse(reason: string): never {
  throw unwritable(reason)
}

function integer(value: bigint): string {
  if (value >= INT32.min && value <= INT32.max) return `<value><int>${value}</int></value>`
  if (value < INT_RANGE.min || value > INT_RANGE.max) return refuse('an integer beyond 64 bits')
  return `<value><i8>${value}</i8></value>`
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}
