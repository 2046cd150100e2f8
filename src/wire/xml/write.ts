import { isCharacter, isName } from './characters.ts'
import { XmlError } from './error.ts'

/** What a text may hold that does not stand for itself, or cannot be carried at all: the rare case. */
const NEEDS_CARE_IN_TEXT = /[^\t\n\u0020-\u0025\u0027-\u003b\u003d\u003f-\ud7ff\ue000-\ufffd]/
const NEEDS_CARE_IN_ATTRIBUTE = /[^\u0020\u0021\u0023-\u0025\u0027-\u003b\u003d\u003f-\ud7ff\ue000-\ufffd]/
const ESCAPED = /[<>&"\t\n\r]/g

/**
 * `text` as the content of an element. The carriage return is written as a reference, since a reader would otherwise
 * take it for a line feed. Throws XmlError of kind `unwritable` for what XML has no way to carry: the controls but
 * tab, line feed and carriage return, unpaired surrogates, U+FFFE and U+FFFF. They are not replaced: a value that
 * comes back changed is worse than one refused; `isWritable` asks beforehand.
 * Source: Extensible Markup Language 1.0, §2.2, §2.4, §2.11.
 */
export function escapeText(text: string): string {
  if (!NEEDS_CARE_IN_TEXT.test(text)) return text
  requireWritable(text)
  return text.replace(ESCAPED, character => TEXT_ESCAPES[character] ?? character)
}

/**
 * `value` between the double quotes of an attribute; line ends and tabs become references, since a reader would
 * otherwise take them for spaces. Throws as `escapeText` does. Source: Extensible Markup Language 1.0, §3.3.3.
 */
export function escapeAttribute(value: string): string {
  if (!NEEDS_CARE_IN_ATTRIBUTE.test(value)) return value
  requireWritable(value)
  return value.replace(ESCAPED, character => ATTRIBUTE_ESCAPES[character] ?? character)
}

const TEXT_ESCAPES: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '\r': '&#13;' }
const ATTRIBUTE_ESCAPES: Readonly<Record<string, string>> = {
  ...TEXT_ESCAPES,
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
}

/** Whether XML can carry `text`: what `escapeText` and `escapeAttribute` do not throw for. */
export function isWritable(text: string): boolean {
  return unwritableAt(text) === -1
}

function requireWritable(text: string): void {
  const at = unwritableAt(text)
  if (at !== -1) throw new XmlError('unwritable', 'a character that XML cannot carry', at)
}

function unwritableAt(text: string): number {
  let at = 0
  for (const character of text) {
    if (!isCharacter(character.codePointAt(0) ?? 0)) return at
    at += character.length
  }
  return -1
}

/** As `escapeAttribute`, between apostrophes. */
function escapeBetweenApostrophes(value: string): string {
  return escapeAttribute(value).replaceAll("'", '&apos;')
}

/** An element to be written. Names are spelled with their prefix; declarations are attributes like any other. */
export interface XmlOutput {
  readonly name: string
  readonly attributes?: Readonly<Record<string, string>>
  /** Elements and text, in order. */
  readonly children?: readonly (XmlOutput | string)[]
}

/** How a document is to look. */
export interface XmlStyle {
  /** Whether the document begins with `<?xml version="1.0"?>`; without it where this is absent. */
  readonly declaration?: boolean
  /**
   * The spaces by which each level is indented; absent or 0, nothing is added. An element that holds text is left
   * in one line, so that its text stays what it is.
   */
  readonly indent?: number
  /** What stands around the values of attributes; absent, double quotes. */
  readonly quote?: '"' | "'"
}

/** How elements are written, as it does not change from one to the next. */
interface Pen {
  readonly quote: string
  readonly escape: (value: string) => string
}

const PENS: Readonly<Record<NonNullable<XmlStyle['quote']>, Pen>> = {
  '"': { quote: '"', escape: escapeAttribute },
  "'": { quote: "'", escape: escapeBetweenApostrophes },
}

/** How deep elements may be nested in what is written, so that a value that holds itself is an error and no hang. */
export const WRITE_DEPTH_MAX = 512

/**
 * Writes `root` and what is in it. An element without children closes itself. Throws XmlError of kind `unwritable`
 * for a name that is none, or a character that XML cannot carry; of kind `limit` beyond WRITE_DEPTH_MAX.
 */
export function writeXml(root: XmlOutput, style: XmlStyle = {}): string {
  const { declaration = false, indent = 0, quote = '"' } = style
  const lineEnd = indent > 0 ? '\n' : ''
  return `${declaration ? `<?xml version="1.0"?>${lineEnd}` : ''}${writeElement(root, PENS[quote], indent, 0)}${lineEnd}`
}

function writeElement(element: XmlOutput, pen: Pen, indent: number, depth: number): string {
  if (depth >= WRITE_DEPTH_MAX) throw new XmlError('limit', `more than ${WRITE_DEPTH_MAX} elements deep`, 0)
  const { name, attributes = {}, children = [] } = element
  requireName(name)
  let tag = `<${name}`
  for (const [attribute, value] of Object.entries(attributes)) {
    requireName(attribute)
    tag += ` ${attribute}=${pen.quote}${pen.escape(value)}${pen.quote}`
  }
  if (children.length === 0) return `${tag}/>`
  const inner = indent > 0 && children.every(child => typeof child !== 'string') ? indent : 0
  const before = inner > 0 ? `\n${' '.repeat(inner * (depth + 1))}` : ''
  const after = inner > 0 ? `\n${' '.repeat(inner * depth)}` : ''
  const content = children.map(child =>
    typeof child === 'string' ? escapeText(child) : before + writeElement(child, pen, inner, depth + 1),
  )
  return `${tag}>${content.join('')}${after}</${name}>`
}

function requireName(name: string): void {
  if (!isName(name)) throw new XmlError('unwritable', 'a name that XML does not allow', 0)
}
