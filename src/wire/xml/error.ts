/**
 * What is wrong with a document: `malformed` breaks the rules of XML, `encoding` is not UTF-8, `forbidden` is XML
 * that this reader does not take (a DTD, an entity of one's own), `limit` is larger than the reader was allowed,
 * `unwritable` is a value that no XML document can carry.
 */
export type XmlErrorKind = 'malformed' | 'encoding' | 'forbidden' | 'limit' | 'unwritable'

/** A document that cannot be read, or a value that cannot be written. Nothing of the document is repeated in it. */
export class XmlError extends Error {
  override readonly name = 'XmlError'
  readonly kind: XmlErrorKind
  /** A short clause in English, without the place. */
  readonly reason: string
  /** Where in the bytes of the document, counted from 0; of an `unwritable` value, the UTF-16 unit of its text. */
  readonly offset: number

  constructor(kind: XmlErrorKind, reason: string, offset: number) {
    super(`${reason} at offset ${offset}`)
    this.kind = kind
    this.reason = reason
    this.offset = offset
  }
}

/** The error for a document that breaks the rules of XML. */
export function malformed(reason: string, offset: number): XmlError {
  return new XmlError('malformed', reason, offset)
}
