/** Right and wrong arguments by the types that the draft's tables give. */

import { elementOf } from '../draft/operations.ts'
import { ENUMS } from '../draft/table.ts'
import { DateTime, type Value } from '../support/value.ts'
import { NOBODY, type Objects } from './world.ts'

/** An argument of the right type, harmless in a call that is refused for another reason. */
export function rightArgument(type: string, objects: Objects): Value {
  const of = refOf(type)
  if (of !== undefined) return objects[of] ?? NOBODY
  if (elementOf(type) !== undefined) return []
  if (ENUMS[type] !== undefined) return ENUMS[type][0] ?? ''
  if (type === 'record' || isMap(type)) return {}
  return { int: '1', float: 1.5, bool: true }[type] ?? 'text'
}

/** A wrong argument, and the error that it earns when the parameter is called `name`. */
export interface WrongArgument {
  readonly value: Value
  readonly error: readonly string[]
}

/** Arguments that do not fit the type, each in its own way. */
export function wrongArguments(type: string, name: string, objects: Objects): WrongArgument[] {
  const element = elementOf(type)
  const ofWrongType = [...MISFITS.filter(misfit => !fits(type, misfit)), ...(NUMERALS_THAT_ARE_NONE[type] ?? [])]
  const typeErrors = ofWrongType.map(value => ({ value, error: ['FIELD_TYPE_ERROR', name] }))
  if (element === undefined) return [...typeErrors, ...wrongNames(type, name, objects)]
  const inside = wrongArguments(element, name, objects).filter(({ value }) => !Array.isArray(value))
  return [...typeErrors, ...inside.map(({ value, error }) => ({ value: [value], error }))]
}

/** One value of every type of the wire. */
const MISFITS: readonly Value[] = [
  'text',
  true,
  7n,
  2.5,
  new DateTime('20061122T08:00:00Z'),
  Buffer.from('bytes'),
  [],
  {},
]

const NUMERALS_THAT_ARE_NONE: Readonly<Record<string, readonly Value[]>> = {
  int: ['', '1.5', '0x10', '1e3', '9223372036854775808', '-9223372036854775809', '1 2', '１'],
  bool: ['true', '1', ''],
}

function fits(type: string, value: Value): boolean {
  if (type === 'record' || isMap(type))
    return (
      typeof value === 'object' && !Array.isArray(value) && !(value instanceof DateTime || value instanceof Uint8Array)
    )
  if (elementOf(type) !== undefined) return Array.isArray(value)
  if (type === 'int') return typeof value === 'bigint'
  if (type === 'bool') return typeof value === 'boolean'
  return typeof value === 'string'
}

/** Values that are spelled like the type and name nothing of it. */
function wrongNames(type: string, name: string, objects: Objects): WrongArgument[] {
  const of = refOf(type)
  if (ENUMS[type] !== undefined) {
    return ['Nonsense', 'toString', ''].map(value => ({ value, error: ['INVALID_VALUE', name, value] }))
  }
  if (of === undefined) return []
  const stranger = Object.entries(objects).find(([other]) => other !== of)?.[1] ?? NOBODY
  return [NOBODY, stranger, 'no reference at all'].map(value => ({ value, error: ['HANDLE_INVALID', of, value] }))
}

const isMap = (type: string): boolean => type.endsWith(' Map')

const refOf = (type: string): string | undefined => /^(\w+) ref$/.exec(type)?.[1]
