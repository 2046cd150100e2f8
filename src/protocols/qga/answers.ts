import { isJsonObject, type JsonObject } from '../qmp/json.ts'
import { QgaError } from './error.ts'

// Reading what a guest has answered: whatever is not as QEMU's schema has it, or is more than anybody needs, is garbage.

/** The longest text of a guest that is taken. */
export const TEXT_LENGTH_MAX = 4_096

/** What was asked, for the errors. */
type Command = string

const garbage = (command: Command, problem: string): QgaError =>
  new QgaError('garbage', `${problem} in the reply of ${command}`)

/** An array of objects, of so many at the most. */
export function objectsIn(answer: unknown, command: Command, max: number): readonly JsonObject[] {
  if (!Array.isArray(answer)) throw garbage(command, 'no array')
  if (answer.length > max) throw garbage(command, `${answer.length} entries, of ${max} at most,`)
  const entries: readonly unknown[] = answer
  return entries.map(entry => objectIn(entry, command))
}

/** An object. */
export function objectIn(answer: unknown, command: Command): JsonObject {
  if (!isJsonObject(answer)) throw garbage(command, 'no object')
  return answer
}

/** A member that must be a text that can be shown. */
export function textIn(object: JsonObject, name: string, command: Command): string {
  const text = textIfIn(object, name)
  if (text === undefined) throw garbage(command, `no '${name}'`)
  return text
}

/** A text that can be shown; undefined where there is none. */
export function textIfIn(object: JsonObject, name: string): string | undefined {
  const value = object[name]
  return typeof value === 'string' && isShown(value) ? value : undefined
}

const isShown = (text: string): boolean =>
  text !== '' && text.length <= TEXT_LENGTH_MAX && text.isWellFormed() && !/\p{Cc}/u.test(text)

/** A member that must be a whole number from `min` to `max`. */
export function wholeIn(object: JsonObject, name: string, command: Command, [min, max]: Range = NATURAL): number {
  const value = wholeIfIn(object, name, [min, max])
  if (value === undefined) throw garbage(command, `no '${name}'`)
  return value
}

/** A whole number from `min` to `max`; undefined where there is none. */
export function wholeIfIn(object: JsonObject, name: string, [min, max]: Range = NATURAL): number | undefined {
  const value = object[name]
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max ? value : undefined
}

type Range = readonly [min: number, max: number]
const NATURAL: Range = [0, Number.MAX_SAFE_INTEGER]

/** A number that is an answer by itself, from `min` to `max`. */
export function wholeAnswer(answer: unknown, command: Command, range: Range = NATURAL): number {
  return wholeIn({ answer }, 'answer', command, range)
}

/** A member that must be a truth. */
export function truthIn(object: JsonObject, name: string, command: Command): boolean {
  const value = object[name]
  if (typeof value !== 'boolean') throw garbage(command, `no '${name}'`)
  return value
}

/** A member that may be an array. */
export const membersIn = (object: JsonObject, name: string, command: Command, max: number): readonly JsonObject[] =>
  object[name] === undefined ? [] : objectsIn(object[name], command, max)

/** The texts among the entries of a member that may be an array, of so many at the most. */
export function textsIn(object: JsonObject, name: string, command: Command, max: number): readonly string[] {
  const value: unknown = object[name]
  if (value === undefined) return []
  if (!Array.isArray(value)) throw garbage(command, `no array '${name}'`)
  if (value.length > max) throw garbage(command, `${value.length} entries of '${name}', of ${max} at most,`)
  return value.filter((text: unknown) => typeof text === 'string').filter(isShown)
}
