import { BYTE, isCharacter } from './characters.ts'
import { malformed, XmlError } from './error.ts'

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
/** No named entity is longer than this, so that a stray `&` does not make us look far for its `;`. */
const ENTITY_NAME_MAX = 4

/** Where a piece of text stands: references mean nothing in CDATA, and line ends are spaces in an attribute. */
export type TextPlace = 'content' | 'attribute' | 'cdata'

/**
 * The text of `bytes` from `start` to `end`, which are known to be UTF-8: references resolved, line ends normalised.
 * Throws XmlError on a character or a reference that XML does not allow there.
 * Source: Extensible Markup Language 1.0, §2.2, §2.4, §2.11, §3.3.3, §4.1.
 */
export function decodeText(bytes: Buffer, start: number, end: number, place: TextPlace): string {
  let text = ''
  let from = start // Where the bytes begin that stand for themselves.
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0
    if (byte >= 0x20 && byte < 0x7f && byte !== BYTE.ampersand && byte !== BYTE.greater) continue
    if (byte === BYTE.ampersand && place !== 'cdata') {
      const close = findSemicolon(bytes, at, end)
      text += bytes.toString('utf8', from, at) + resolve(bytes, at, close)
      from = close + 1
      at = close
    } else if (byte === BYTE.carriageReturn || (byte < 0x20 && place === 'attribute')) {
      if (byte !== BYTE.carriageReturn) requireCharacter(bytes, at)
      text += bytes.toString('utf8', from, at) + (place === 'attribute' ? ' ' : '\n')
      if (byte === BYTE.carriageReturn && bytes[at + 1] === BYTE.lineFeed && at + 1 < end) at++
      from = at + 1
    } else if (byte === BYTE.greater) {
      if (place === 'content' && at - 2 >= start && isCdataEnd(bytes, at)) throw malformed(']]> in text', at)
    } else requireCharacter(bytes, at)
  }
  return text + bytes.toString('utf8', from, end)
}

function isCdataEnd(bytes: Buffer, greater: number): boolean {
  return bytes[greater - 1] === BYTE.closingBracket && bytes[greater - 2] === BYTE.closingBracket
}

/** Refuses characters that XML does not allow between `start` and `end`, where nothing needs decoding. */
export function requireCharacters(bytes: Buffer, start: number, end: number): void {
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0
    if (byte < 0x20 || byte === 0xef) requireCharacter(bytes, at)
  }
}

/** In valid UTF-8 only the controls below U+0020 and the pair U+FFFE, U+FFFF (EF BF BE, EF BF BF) are left to refuse. */
function requireCharacter(bytes: Buffer, at: number): void {
  const byte = bytes[at] ?? 0
  const isControl = byte < 0x20 && !isCharacter(byte)
  const isNoncharacter = byte === 0xef && bytes[at + 1] === 0xbf && (bytes[at + 2] ?? 0) >= 0xbe
  if (isControl || isNoncharacter) throw malformed('a character that XML does not allow', at)
}

/** The semicolon of the reference at `at`. A reference to a character may have any number of leading zeros. */
function findSemicolon(bytes: Buffer, at: number, end: number): number {
  const limit = bytes[at + 1] === BYTE.hash ? end : Math.min(end, at + ENTITY_NAME_MAX + 2)
  for (let close = at + 1; close < limit; close++) {
    const byte = bytes[close] ?? 0
    if (byte === BYTE.semicolon) return close
    if (byte === BYTE.ampersand || byte >= 0x80) break
  }
  throw new XmlError('forbidden', 'a reference that is neither a character nor one of the five entities', at)
}

function resolve(bytes: Buffer, at: number, close: number): string {
  if (bytes[at + 1] === BYTE.hash) return String.fromCodePoint(characterNumber(bytes, at, close))
  const name = bytes.toString('latin1', at + 1, close)
  const entity = Object.hasOwn(ENTITIES, name) ? ENTITIES[name] : undefined
  if (entity === undefined) throw new XmlError('forbidden', 'an entity other than the five of XML', at)
  return entity
}

function characterNumber(bytes: Buffer, at: number, close: number): number {
  const isHex = bytes[at + 2] === 0x78
  const base = isHex ? 16 : 10
  let value = 0
  for (let digitAt = at + (isHex ? 3 : 2); digitAt < close; digitAt++) {
    const digit = digitValue(bytes[digitAt] ?? 0)
    if (digit >= base) throw malformed('a broken character reference', at)
    value = Math.min(value * base + digit, 0x110000) // Stays put once it is beyond Unicode.
  }
  // An empty reference comes out as 0, which is refused as well.
  if (!isCharacter(value)) throw malformed('a reference to a character that XML does not allow', at)
  return value
}

function digitValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : 255
}
