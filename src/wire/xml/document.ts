import { Buffer, isUtf8 } from 'node:buffer'
import { BYTE } from './characters.ts'
import { malformed, XmlError } from './error.ts'

/** The bytes of a document, known to be UTF-8, and where what follows the XML declaration begins. */
export interface XmlDocument {
  readonly bytes: Buffer
  readonly start: number
}

/** A declaration is looked for in so many bytes; with all it may say it is much shorter. */
const DECLARATION_MAX = 256
const DECLARATION =
  /^<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"1\.\d+"|'1\.\d+')(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:"([A-Za-z][\w.-]*)"|'([A-Za-z][\w.-]*)'))?(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\r\n]*\?>/
const ENCODINGS: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii'])

/**
 * Takes the first look at a document: its size, its encoding, its declaration. A byte order mark is passed over.
 * Throws XmlError unless the document is UTF-8 from end to end and does not say otherwise.
 * Source: Extensible Markup Language 1.0, §2.8, §4.3.3, appendix F.
 */
export function openDocument(input: Uint8Array, maxBytes: number): XmlDocument {
  if (input.byteLength > maxBytes) throw new XmlError('limit', `more than ${maxBytes} bytes`, maxBytes)
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength)
  refuseWideEncodings(bytes)
  if (!isUtf8(bytes)) throw new XmlError('encoding', 'not UTF-8', firstInvalidByte(bytes))
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  return { bytes, start: skipDeclaration(bytes, start) }
}

/** UTF-16 and UTF-32 show by their byte order mark, or by a zero beside the first `<`. */
function refuseWideEncodings(bytes: Buffer): void {
  const [first, second] = bytes
  const hasMark = (first === 0xfe && second === 0xff) || (first === 0xff && second === 0xfe)
  const hasZero = (first === 0 && bytes.length > 1) || (first === BYTE.less && second === 0)
  if (hasMark || hasZero) throw new XmlError('encoding', 'UTF-16 or UTF-32 instead of UTF-8', 0)
}

function skipDeclaration(bytes: Buffer, start: number): number {
  if (!/^<\?xml[ \t\r\n?]/.test(bytes.toString('latin1', start, start + 6))) return start
  const match = DECLARATION.exec(bytes.toString('latin1', start, start + DECLARATION_MAX))
  if (match === null) throw malformed('a broken XML declaration', start)
  const encoding = (match[1] ?? match[2] ?? 'utf-8').toLowerCase()
  if (!ENCODINGS.has(encoding)) throw new XmlError('encoding', 'an encoding other than UTF-8 is declared', start)
  if (encoding.endsWith('ascii')) requireAscii(bytes)
  return start + match[0].length
}

function requireAscii(bytes: Buffer): void {
  const at = bytes.findIndex(byte => byte >= 0x80)
  if (at !== -1) throw new XmlError('encoding', 'a byte that is not the declared ASCII', at)
}

/** Where UTF-8 breaks off, or at most two bytes behind: decoding puts U+FFFD there, whose own bytes differ. */
function firstInvalidByte(bytes: Buffer): number {
  const repaired = Buffer.from(bytes.toString('utf8'), 'utf8')
  return bytes.findIndex((byte, at) => byte !== repaired[at])
}
