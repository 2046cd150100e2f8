/**
 * What is wrong: `truncated` ends before its value does, `malformed` breaks the rules of XDR, `limit` is larger than
 * its type or the reader allows, `unwritable` is a value that its type cannot carry.
 */
export type XdrErrorKind = 'truncated' | 'malformed' | 'limit' | 'unwritable'

/** Bytes that cannot be read as their type, or a value that cannot be written as its. Repeats nothing of the value. */
export class XdrError extends Error {
  override readonly name = 'XdrError'
  readonly kind: XdrErrorKind
  /** A short clause in English, without the place. */
  readonly reason: string
  /** Which member of which structure, from the outermost on: `params[3].value`; empty at the top. */
  readonly path: string

  constructor(kind: XdrErrorKind, reason: string, path = '') {
    super(path === '' ? reason : `${path}: ${reason}`)
    this.kind = kind
    this.reason = reason
    this.path = path
  }

  /** The same error, seen from the structure or array that holds the value as `member`. */
  inside(member: string): XdrError {
    const separator = this.path === '' || this.path.startsWith('[') ? '' : '.'
    return new XdrError(this.kind, this.reason, `${member}${separator}${this.path}`)
  }
}

/** What is thrown on, so that an XdrError tells where it happened; a fault of another kind stays as it is. */
export function inside(member: string, error: unknown): unknown {
  return error instanceof XdrError ? error.inside(member) : error
}
