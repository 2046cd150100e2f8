import { type ErrorDeclaration, ApiError } from '../model/kernel/error.ts'
import { errors } from '../model/errors.ts'
import { isArray, isStruct, type WireValue } from '../wire/xmlrpc/value.ts'
import { UnexpectedAnswer } from './decode.ts'

const table: Readonly<Record<string, ErrorDeclaration>> = errors.table

/**
 * The value inside an answer, the struct `Status` with `Value` or `ErrorDescription`. Throws the ApiError that the
 * answer tells of, with `secret` struck out of it, or UnexpectedAnswer. Source: Xen Management API rev 0.2, §1.3.1.
 */
export function valueOf(answer: WireValue, secret: string): WireValue {
  if (!isStruct(answer)) throw new UnexpectedAnswer('the answer is no struct with a Status')
  const { Status: status, Value: value, ErrorDescription: description } = answer
  if (status === 'Success' && value !== undefined) return value
  if (status === 'Failure' && description !== undefined) throw toApiError(description, secret)
  throw new UnexpectedAnswer('the answer has neither a Value nor an ErrorDescription')
}

/** The error that a description tells of: an array of strings, the code first; the draft's example has a bare code. */
function toApiError(description: WireValue, secret: string): ApiError {
  const parts = (isArray(description) ? description : [description]).map(part =>
    strike(typeof part === 'string' ? part : '', secret),
  )
  const [code = 'INTERNAL_ERROR', ...params] = parts
  const names = Object.hasOwn(table, code) ? (table[code]?.params ?? []) : []
  const shown = params.map((value, index) => `${names[index] ?? index + 1}=${value}`).join(', ')
  return new ApiError(code, params, shown === '' ? code : `${code}: ${shown}`)
}

const strike = (text: string, secret: string): string => (secret === '' ? text : text.replaceAll(secret, '(session)'))
