/** Arguments of a call: wire values in, named model values out. */

import { fail } from '../model/errors.ts'
import { type Class, type Field, wireName } from '../model/kernel/define.ts'
import { constructorFields, type Operation, positionalFields, visibleFields } from '../model/kernel/operations.ts'
import { isStruct, type WireValue } from '../wire/xmlrpc/value.ts'
import { type DecodeOptions, decodeValue } from './marshal.ts'

/** The decoded arguments, by name. */
export type Arguments = Readonly<Record<string, unknown>>

/**
 * Checks and names the arguments after the session. Throws MESSAGE_PARAMETER_COUNT_MISMATCH, FIELD_TYPE_ERROR,
 * HANDLE_INVALID, INVALID_VALUE, and for constructors FIELD_UNKNOWN and FIELD_READ_ONLY.
 */
export function decodeArguments(operation: Operation, values: readonly WireValue[], options: DecodeOptions): Arguments {
  if (operation.kind === 'create') return decodeConstructor(operation, values, options)
  checkCount(operation, operation.params.length, values.length)
  // An accessor's value is the field itself, so an error names the field.
  const named: Record<string, unknown> = {}
  for (const [index, { name, type, nullable }] of operation.params.entries()) {
    const field = name === 'value' && operation.field !== undefined ? wireName(operation.field) : name
    named[name] = decodeValue(type, values[index] ?? '', field, options, nullable)
  }
  return named
}

function checkCount(operation: Operation, expected: number, received: number): void {
  if (expected === received) return
  const session = operation.withoutSession ? 0 : 1
  throw fail('MESSAGE_PARAMETER_COUNT_MISMATCH', {
    method: operation.name,
    expected: String(expected + session),
    received: String(received + session),
  })
}

/** One struct of fields in either spelling, or the values of all fields that a client chooses, in the table's order. */
function decodeConstructor(operation: Operation, values: readonly WireValue[], options: DecodeOptions): Arguments {
  const { class: of } = operation
  const [first] = values
  if (values.length === 1 && first !== undefined && isStruct(first)) {
    return Object.fromEntries(
      Object.entries(first).flatMap(([name, value]) => {
        const [path, field] = constructorField(of, name)
        const decoded = decodeValue(field.type, value, wireName(path), options, true)
        return field.derived === true ? [] : [[wireName(path), decoded] as const]
      }),
    )
  }
  const fields = positionalFields(of)
  if (values.length === 1 && fields.length !== 1) throw fail('FIELD_TYPE_ERROR', { field: 'record' })
  checkCount(operation, values.length === 0 ? 1 : fields.length, values.length)
  return Object.fromEntries(
    fields.flatMap(([path, field], index) => {
      const decoded = decodeValue(field.type, values[index] ?? '', wireName(path), options, true)
      return field.derived === true ? [] : [[wireName(path), decoded] as const]
    }),
  )
}

function constructorField(of: Class, name: string): readonly [string, Field] {
  const isIt = ([path]: readonly [string, Field]) => path === name || wireName(path) === name
  const found = constructorFields(of).find(isIt)
  if (found !== undefined) return found
  const isVisible = visibleFields(of).some(isIt)
  throw fail(isVisible ? 'FIELD_READ_ONLY' : 'FIELD_UNKNOWN', { class: of.name, field: name.slice(0, 100) })
}
