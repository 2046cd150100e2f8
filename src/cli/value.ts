/** Words of the command line to values of the model, by their declared type. */

import { type Class, type Field, wireName } from '../model/kernel/define.ts'
import { constructorFields } from '../model/kernel/operations.ts'
import { type EnumType, type Type, typeName } from '../model/kernel/types.ts'
import { UsageError } from './failure.ts'
import { parseBytes } from './size.ts'

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['yes', true],
  ['false', false],
  ['no', false],
])

const NUMBER = 'a number, or a size such as 512M'

/**
 * The value that a word spells. Sets are JSON arrays or `a,b`, maps are JSON objects or `a=1,b=2`; integers may be
 * sizes, `512M`. Throws UsageError, which names `what`.
 */
export function parseValue(type: Type, text: string, what: string): unknown {
  const refuse = (kind = `of type ${typeName(type)}`): never => {
    throw new UsageError(`${what} must be ${kind}, and "${text}" is not`)
  }
  switch (type.kind) {
    case 'int':
    case 'int32':
      return /^[+-]?\d{1,20}$/.test(text) ? BigInt(text.replace('+', '')) : (parseBytes(text) ?? refuse(NUMBER))
    case 'float':
      return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : refuse()
    case 'bool':
      return BOOLEANS.get(text) ?? refuse()
    case 'dateTime':
      return Number.isNaN(Date.parse(text)) ? refuse() : new Date(text)
    case 'enum':
      return parseEnum(type, text, what)
    case 'set':
      return listOf(text, what).map(element => parseValue(type.of, element, what))
    case 'map':
      return new Map(
        entriesOf(text, what).map(([key, value]) => [
          parseValue(type.key, key, what),
          parseValue(type.value, value, what),
        ]),
      )
    default:
      return text
  }
}

/** The value of an enumeration that a word spells. Throws UsageError, which names `what` and all values. */
export function parseEnum<V extends string>(type: EnumType<V>, text: string, what: string): V {
  for (const value in type.values) if (value === text) return value
  throw new UsageError(`${what} cannot be "${text}"; it is one of ${Object.keys(type.values).join(', ')}`)
}

function listOf(text: string, what: string): readonly string[] {
  if (text.trim() === '') return []
  if (!text.startsWith('[')) return text.split(',').map(element => element.trim())
  const list = parseJson(text, what)
  if (!Array.isArray(list)) throw new UsageError(`${what} must be a JSON array`)
  return list.map(String)
}

function entriesOf(text: string, what: string): ReadonlyArray<readonly [string, string]> {
  if (text.trim() === '') return []
  if (text.startsWith('{')) return Object.entries(parseObject(text, what)).map(([key, value]) => [key, asText(value)])
  return text.split(',').map(pair => {
    const at = pair.indexOf('=')
    if (at === -1) throw new UsageError(`${what} must be a JSON object, or KEY=VALUE,KEY=VALUE`)
    return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()]
  })
}

/** The field values of a constructor's JSON object, by wire name; either spelling of a name is taken. */
export function parseRecord(of: Class, text: string): Readonly<Record<string, unknown>> {
  const members = Object.entries(parseObject(text, `the record of the ${of.name}`))
  return parseFields(
    of,
    members.map(([name, value]) => [name, asText(value)]),
  )
}

/** A field, the text of its value, and what the user knows it as, where that is not its name: an option. */
export type FieldWord = readonly [name: string, text: string, what?: string | undefined]

/** The values of fields that a constructor takes, by wire name. Throws UsageError for one that it does not take. */
export function parseFields(of: Class, words: readonly FieldWord[]): Readonly<Record<string, unknown>> {
  const fields = constructorFields(of)
  return Object.fromEntries(
    words.map(([name, text, what = name]) => {
      const [path, field] = fieldNamed(fields, name) ?? refuseField(of, name, fields)
      return [wireName(path), parseValue(field.type, text, what)]
    }),
  )
}

type NamedField = readonly [path: string, field: Field]

/** The field of a name in either spelling, `name/label` or `name_label`. */
export const fieldNamed = (fields: readonly NamedField[], name: string): NamedField | undefined =>
  fields.find(([path]) => path === name || wireName(path) === name)

/** Throws UsageError, which lists the fields there are. */
export function refuseField(of: Class, name: string, fields: readonly NamedField[]): never {
  const names = fields.map(([path]) => wireName(path)).join(', ')
  throw new UsageError(`no field ${name} of a ${of.name} can be chosen here; there are ${names}`)
}

function parseObject(text: string, what: string): object {
  const value = parseJson(text, what)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new UsageError(`${what} must be a JSON object`)
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new UsageError(`${what} is not JSON: ${text}`)
  }
}

const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
