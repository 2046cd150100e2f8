import { isUtf8 } from 'node:buffer'

import type { ContentType } from './content-type.ts'

/** The encodings that envelopes come in, with their names as WinRM spells them. Source: DSP0226, §13.1. */
export type Charset = 'UTF-8' | 'UTF-16'

export const SOAP = 'application/soap+xml'

const LITTLE_MARK = Buffer.from([0xff, 0xfe])
const BIG_MARK = Buffer.from([0xfe, 0xff])
const DECLARATION = /^<\?xml[^>]*?(\s+encoding\s*=\s*(?:"[^"]*"|'[^']*'))/
const DECLARATION_MAX = 256

/** The encoding of an envelope by its media type; undefined for what is none. Without a name it is UTF-8. */
export function charsetOf(contentType: ContentType | undefined): Charset | undefined {
  if (contentType?.type !== SOAP) return undefined
  const name = (contentType.parameters.get('charset') ?? 'utf-8').toLowerCase()
  if (name === 'utf-8' || name === 'utf8') return 'UTF-8'
  return /^utf-?16(le|be)?$/.test(name) ? 'UTF-16' : undefined
}

/** The envelope in UTF-8, with no declaration that says otherwise; undefined where the bytes are not what they are said to be. */
export function toUtf8(bytes: Buffer, charset: Charset): Buffer | undefined {
  if (charset === 'UTF-8') return isUtf8(bytes) ? bytes : undefined
  if (bytes.length % 2 !== 0) return undefined
  const text = decodeUtf16(bytes)
  if (!text.isWellFormed()) return undefined
  const encoding = DECLARATION.exec(text.slice(0, DECLARATION_MAX))?.[1]
  return Buffer.from(encoding === undefined ? text : text.replace(encoding, ''), 'utf8')
}

/** What answers an envelope of this encoding. In UTF-16 with a mark, as the client that comes with Windows does it. */
export function fromUtf8(bytes: Uint8Array, charset: Charset): Buffer {
  const utf8 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  return charset === 'UTF-8' ? utf8 : Buffer.concat([LITTLE_MARK, Buffer.from(utf8.toString('utf8'), 'utf16le')])
}

function decodeUtf16(bytes: Buffer): string {
  if (bytes.subarray(0, 2).equals(LITTLE_MARK)) return bytes.toString('utf16le', 2)
  if (bytes.subarray(0, 2).equals(BIG_MARK)) return Buffer.from(bytes.subarray(2)).swap16().toString('utf16le')
  const isBig = bytes[0] === 0 && bytes.length > 0
  return (isBig ? Buffer.from(bytes).swap16() : bytes).toString('utf16le')
}
