import { Wbem } from '../cim/provider.ts'

/**
 * What is wrong with a query: `syntax` is not WQL, `unsupported` is WQL that asks for what no answer can carry,
 * `limit` is larger than is read, `class` and `property` do not exist, `type` compares what cannot be compared,
 * `object` begins at an object that does not exist.
 */
export type WqlErrorKind = 'syntax' | 'unsupported' | 'limit' | 'class' | 'property' | 'type' | 'object'

const HRESULTS: Readonly<Record<WqlErrorKind, number>> = {
  syntax: Wbem.invalidQuery,
  unsupported: Wbem.invalidQuery,
  limit: Wbem.invalidQuery,
  class: Wbem.invalidClass,
  property: Wbem.invalidQuery,
  type: Wbem.invalidQuery,
  object: Wbem.notFound,
}

/** A query that is not answered. Nothing of the query is repeated in it but names. */
export class WqlError extends Error {
  readonly kind: WqlErrorKind
  /** WMI's own code for it. */
  readonly hresult: number

  constructor(kind: WqlErrorKind, message: string) {
    super(message)
    this.name = 'WqlError'
    this.kind = kind
    this.hresult = HRESULTS[kind]
  }
}

/** The error for what is not WQL. */
export function syntaxError(message: string): WqlError {
  return new WqlError('syntax', message)
}
