import { type Charset, charsetOf, SOAP } from './charset.ts'
import { readContentType } from './content-type.ts'
import type { Sealed } from './sealing.ts'

/** Which handshake a message is sealed after: the one under `Negotiate`, or the one under `Kerberos`. */
export type SealProtocol = 'SPNEGO' | 'Kerberos'

/** A sealed message as a body. */
export interface SealedBody {
  readonly protocol: SealProtocol
  readonly charset: Charset
  readonly sealed: Sealed
}

export const SEALED_TYPE = 'multipart/encrypted'

const BOUNDARY = 'Encrypted Boundary'
const LINE_BYTES_MAX = 1024
/** Two boundaries, and three lines in all between and behind them, of clients that we know. */
const LINES_MAX = 16
/** NTLM's is 16 bytes, Kerberos' 60 or 76. A line break in its place reads as a larger number. */
const HEADER_BYTES_MAX = 1024
const LINE_FEED = 0x0a

/** The media type of a sealed body. */
export function sealedType(protocol: SealProtocol): string {
  return `${SEALED_TYPE};protocol="${mediaType(protocol)}";boundary="${BOUNDARY}"`
}

/** Source: MS-WSMV, §2.2.9.1, and what WinRM really sends: a tab before each header, and no line break behind the data. */
export function writeSealed({ protocol, charset, sealed }: SealedBody): Buffer {
  const head =
    `--${BOUNDARY}\r\n\tContent-Type: ${mediaType(protocol)}\r\n` +
    `\tOriginalContent: type=${SOAP};charset=${charset};Length=${sealed.data.length}\r\n` +
    `--${BOUNDARY}\r\n\tContent-Type: application/octet-stream\r\n`
  const length = Buffer.alloc(4)
  length.writeUInt32LE(sealed.header.length)
  const tail = Buffer.from(`--${BOUNDARY}--\r\n`, 'latin1')
  return Buffer.concat([Buffer.from(head, 'latin1'), length, sealed.header, sealed.data, tail])
}

/**
 * Reads a sealed body as leniently as its clients differ: blanks and tabs around lines and boundaries, line feeds
 * alone, an empty line before the data. What is data goes by the length that is told and never by the boundary, for
 * sealed bytes may be anything. Undefined for what cannot be read so.
 */
export function readSealed(body: Buffer): SealedBody | undefined {
  const lines = new Lines(body)
  if (!lines.take()?.startsWith('--')) return undefined
  const headers = lines.takeHeaders(line => line.startsWith('--'))
  const isData = (line: string) => /^content-type:\s*application\/octet-stream$/i.test(line)
  const original = readOriginal(headers?.get('originalcontent'))
  const protocol = protocolOf(headers?.get('content-type'))
  if (original === undefined || protocol === undefined || lines.takeHeaders(isData) === undefined) return undefined
  const sealed = splitData(body.subarray(lines.at), original.length)
  return sealed && { protocol, charset: original.charset, sealed }
}

/** The lines at the beginning of a body. */
class Lines {
  readonly #body: Buffer
  #left = LINES_MAX
  at = 0

  constructor(body: Buffer) {
    this.#body = body
  }

  /** The next line without what is blank around it; undefined where there is none, or one too many. */
  take(): string | undefined {
    const end = this.#body.indexOf(LINE_FEED, this.at)
    if (end < 0 || end - this.at > LINE_BYTES_MAX || this.#left === 0) return undefined
    const line = this.#body.toString('latin1', this.at, end).trim()
    this.at = end + 1
    this.#left--
    return line
  }

  /** Headers up to and with the line that ends them; undefined where that does not come. */
  takeHeaders(isEnd: (line: string) => boolean): Map<string, string> | undefined {
    const headers = new Map<string, string>()
    for (let line = this.take(); line !== undefined; line = this.take()) {
      if (isEnd(line)) return headers
      const colon = line.indexOf(':')
      if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
    }
    return undefined
  }
}

function splitData(data: Buffer, length: number): Sealed | undefined {
  const [first, second] = data
  const start = first === 0x0d && second === LINE_FEED && !isLength(data) ? 2 : 0
  const rest = data.subarray(start)
  if (!isLength(rest)) return undefined
  const headerEnd = 4 + rest.readUInt32LE(0)
  const end = headerEnd + length
  if (rest.length < end) return undefined
  const tail = rest
    .subarray(end, end + LINE_BYTES_MAX)
    .toString('latin1')
    .trim()
  if (tail !== '' && !tail.startsWith('--')) return undefined
  return { header: rest.subarray(4, headerEnd), data: rest.subarray(headerEnd, end) }
}

function isLength(data: Buffer): boolean {
  return data.length >= 4 && data.readUInt32LE(0) <= HEADER_BYTES_MAX
}

/** `type=application/soap+xml;charset=UTF-8;Length=1234`: the media type is a parameter of it. */
function readOriginal(value: string | undefined): { readonly charset: Charset; readonly length: number } | undefined {
  const stated = /^type\s*=\s*(.*)$/i.exec(value ?? '')?.[1]
  const contentType = readContentType(stated)
  const charset = charsetOf(contentType)
  const length = contentType?.parameters.get('length') ?? ''
  return charset === undefined || !/^\d{1,9}$/.test(length) ? undefined : { charset, length: Number(length) }
}

function mediaType(protocol: SealProtocol): string {
  return `application/HTTP-${protocol}-session-encrypted`
}

function protocolOf(value: string | undefined): SealProtocol | undefined {
  const stated = value?.toLowerCase()
  if (stated === mediaType('SPNEGO').toLowerCase()) return 'SPNEGO'
  return stated === mediaType('Kerberos').toLowerCase() ? 'Kerberos' : undefined
}
