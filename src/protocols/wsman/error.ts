import { XmlError } from '../../wire/xml/error.ts'

/** What came back is not what WS-Management answers (`garbage`), or more than is read (`limit`). */
export class WsmanReplyError extends Error {
  override readonly name = 'WsmanReplyError'
  readonly kind: 'garbage' | 'limit'

  constructor(kind: 'garbage' | 'limit', message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}

/**
 * Something cannot be said in CIM: a value to be sent is not of the type it is sent as, a name is none, a text holds
 * what XML or WQL cannot carry; or a value that a host sent is asked for as something that it is not.
 */
export class CimError extends Error {
  override readonly name = 'CimError'
}

/** The error for a reply that breaks the rules. */
export function garbage(message: string, options?: ErrorOptions): WsmanReplyError {
  return new WsmanReplyError('garbage', message, options)
}

/** What a document that cannot be read is told as; whatever is no fault of the document is thrown as it is. */
export function unreadable(error: unknown, what: string): WsmanReplyError {
  if (!(error instanceof XmlError)) throw error
  return new WsmanReplyError(error.kind === 'limit' ? 'limit' : 'garbage', `${what}: ${error.reason}`, { cause: error })
}
