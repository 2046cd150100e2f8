/**
 * The language of the error table. A failure that a client can receive is a code of that table and named
 * parameters; on the wire it is an array of strings, the code first.
 * Source: Xen Management API rev 0.2, §1.3.1.
 */

/** One row of the error table: the names of the parameters, in wire order, and what the code means. */
export interface ErrorDeclaration {
  readonly params: readonly string[]
  readonly doc: string
}

type ParamsOf<D extends ErrorDeclaration> = { readonly [P in D['params'][number]]: string }

/** A failure that is the client's business. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: string
  /** The values of the parameters, in the order of the declaration. */
  readonly params: readonly string[]

  constructor(code: string, params: readonly string[], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.params = params
  }

  /** The wire form: the code, then its parameters. */
  get description(): readonly string[] {
    return [this.code, ...this.params]
  }
}

/** Declares the error table and gives the one function that makes its errors, with parameters by name. */
export function defineErrors<const T extends Readonly<Record<string, ErrorDeclaration>>>(table: T) {
  function fail<C extends keyof T & string>(code: C, params: ParamsOf<T[C]>, options?: ErrorOptions): ApiError {
    const declared: ErrorDeclaration = table[code] as ErrorDeclaration
    const values = declared.params.map(name => (params as Readonly<Record<string, string>>)[name] ?? '')
    const shown = declared.params.map((name, index) => `${name}=${values[index]}`).join(', ')
    return new ApiError(code, values, shown === '' ? code : `${code}: ${shown}`, options)
  }
  return { table, fail }
}
