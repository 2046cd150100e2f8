import assert from 'node:assert/strict'
import type { Type } from '../../src/model/kernel/types.ts'

/** The values of a set, or the keys and values of a map in turn, of a simple string. Source: draft, §2.15, and its readings. */
function parts(text: string): readonly string[] {
  // Brackets outside of quotation marks only pair what they hold, which its place tells as well.
  const found = [...text.matchAll(/\s*\(*("(?:\\.|[^"\\])*"|[^,()"\\]+?)\s*\)*\s*(?:,|$)/gsuy)]
  assert.equal(found.map(([whole]) => whole).join(''), text, 'a set or map that cannot be read')
  return found.map(([, part = '']) => (part.startsWith('"') ? part.slice(1, -1).replace(/\\(.)/gsu, '$1') : part))
}

/** Reads back what `to_XML` says of a field. Knows the rule, not the code that writes. */
export function readSimpleString(type: Type, text: string): unknown {
  switch (type.kind) {
    case 'set':
      return parts(text).map(part => readSimpleString(type.of, part))
    case 'map': {
      const all = parts(text)
      const pairs = all.flatMap((key, at) => (at % 2 === 0 ? [[key, all[at + 1] ?? assert.fail(text)] as const] : []))
      return new Map(
        pairs.map(([key, value]) => [readSimpleString(type.key, key), readSimpleString(type.value, value)]),
      )
    }
    case 'int':
      return BigInt(text)
    case 'float':
      return Number(text)
    case 'bool':
      return text === 'true'
    case 'dateTime':
      return new Date(text.replace(/^(\d{4})(\d\d)(\d\d)T/, '$1-$2-$3T'))
    default:
      return text
  }
}
