import { elementOf, wire } from '../draft/operations.ts'
import { type DraftField, ENUMS } from '../draft/table.ts'
import type { Value } from '../support/value.ts'

/** Characters that XML, a shell, a path or a database might stumble over. */
export const AWKWARD = 'a<b>&amp;"\'é漢😀\t\n ]]> $(x) ..;--\u{fffd}'

const INT_MAX = 2n ** 63n - 1n

/** Values for the fields that do not take just any value of their type. */
const PARTICULAR: Readonly<Record<string, readonly Value[]>> = {
  'VM.memory/dynamic_max': ['33554432', '0'],
  'VM.memory/dynamic_min': ['16777216', '0'],
  'VIF.MAC': ['02:00:00:00:00:01', 'FE:ff:FF:ff:ff:ff', ''],
  'VIF.MTU': ['68', '9000', '65535'],
  'VBD.device': ['hda', 'xvdb1', ''],
  'VDI.virtual_size': ['4096', '8192'], // An image only grows.
}

/** Values that a field may be given one after another; the last is one that is in nobody's way. */
export function samplesOf(of: string, [, path, type]: DraftField): readonly Value[] {
  return PARTICULAR[`${of}.${path}`] ?? ofType(type)
}

function ofType(type: string): readonly Value[] {
  const element = elementOf(type)
  if (element !== undefined) return ENUMS[element] === undefined ? [] : [ENUMS[element].slice(3, 9), ENUMS[element], []]
  const values = ENUMS[type]
  if (values !== undefined) return [...values, values[0] ?? '']
  switch (type) {
    case 'string':
      return [AWKWARD, 'x'.repeat(100_000), '  around  ', '', 'plain']
    case 'int':
      return [String(INT_MAX), String(-INT_MAX - 1n), '9007199254740993', '0']
    case 'bool':
      return [true, false]
    case '(string -> string) Map':
      return [{ [AWKWARD]: AWKWARD, plain: '' }, { 'a, (b)': '(c), d' }, {}]
    default:
      return []
  }
}

/** The name under which a field is read, written, and spelled in a record. */
export const accessor = (verb: string, of: string, path: string): string => `${of}.${verb}_${wire(path)}`
