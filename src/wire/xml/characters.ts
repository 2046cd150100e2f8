/** Bytes that mean something in XML. */
export const BYTE = {
  tab: 0x09,
  lineFeed: 0x0a,
  carriageReturn: 0x0d,
  space: 0x20,
  exclamation: 0x21,
  quote: 0x22,
  hash: 0x23,
  ampersand: 0x26,
  apostrophe: 0x27,
  dash: 0x2d,
  slash: 0x2f,
  semicolon: 0x3b,
  less: 0x3c,
  equals: 0x3d,
  greater: 0x3e,
  question: 0x3f,
  bracket: 0x5b,
  closingBracket: 0x5d,
} as const

/**
 * By byte: 1 where a byte of text stands for itself and needs no second look. Those that do need one are `<`, `&`,
 * the carriage return, `>` (it may end a forbidden `]]>`), the controls, and whatever is not ASCII.
 */
export const PLAIN: Uint8Array = table(
  byte => (byte >= 0x20 && byte < 0x80 && !'<>&'.includes(String.fromCharCode(byte))) || byte === 0x09 || byte === 0x0a,
)

/** By byte: 1 for the four bytes that are white space in XML. */
export const SPACE: Uint8Array = table(byte => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d)

/** By byte: 1 where a byte may be part of a name; what is not ASCII is looked at by `isName`. */
export const NAME: Uint8Array = table(byte => byte >= 0x80 || /[-.:\w]/.test(String.fromCharCode(byte)))

/** By byte: 1 for ASCII that may begin a name. */
export const NAME_FIRST: Uint8Array = table(byte => byte < 0x80 && /[:A-Z_a-z]/.test(String.fromCharCode(byte)))

const NAME_START = String.raw`:A-Z_a-z\u{C0}-\u{D6}\u{D8}-\u{F6}\u{F8}-\u{2FF}\u{370}-\u{37D}\u{37F}-\u{1FFF}\u{200C}\u{200D}\u{2070}-\u{218F}\u{2C00}-\u{2FEF}\u{3001}-\u{D7FF}\u{F900}-\u{FDCF}\u{FDF0}-\u{FFFD}\u{10000}-\u{EFFFF}`
const NAME_PATTERN = new RegExp(
  `^[${NAME_START}][${NAME_START}${String.raw`\-.0-9\u{B7}\u{300}-\u{36F}\u{203F}\u{2040}`}]*$`,
  'u',
)

/** Whether `text` is a name. Source: Extensible Markup Language 1.0, fifth edition, [4] to [5]. */
export function isName(text: string): boolean {
  return NAME_PATTERN.test(text)
}

/** Whether XML can carry the character at all. Source: Extensible Markup Language 1.0, fifth edition, [2]. */
export function isCharacter(codePoint: number): boolean {
  if (codePoint < 0x20) return codePoint === 0x09 || codePoint === 0x0a || codePoint === 0x0d
  if (codePoint < 0xd800) return true
  return codePoint > 0xdfff && codePoint <= 0x10ffff && codePoint !== 0xfffe && codePoint !== 0xffff
}

/** Whether `text` is empty or holds nothing but XML's white space. */
export function isSpace(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (!isSpaceCode(text.charCodeAt(index))) return false
  return true
}

/** Where the white space ends that begins at `from`; `from` itself where there is none. */
export function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from
  while (SPACE[bytes[at] ?? 0] === 1) at++
  return at
}

/** `text` without XML's white space at its ends; other kinds of space, such as U+00A0, are content and stay. */
export function trimSpace(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isSpaceCode(text.charCodeAt(start))) start++
  while (end > start && isSpaceCode(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

function isSpaceCode(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d && code !== 0x0b && code !== 0x0c)
}

function table(holds: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (holds(byte) ? 1 : 0))
}
