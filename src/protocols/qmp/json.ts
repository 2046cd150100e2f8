/** A JSON object whose members are not known yet. */
export type JsonObject = Readonly<Record<string, unknown>>

/** A JSON value is not of the shape it should have; the message names the member. */
export class JsonShapeError extends Error {
  override readonly name = 'JsonShapeError'
}

/** Whether a value is a JSON object: no array, not null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value as an object. Throws JsonShapeError for anything else; `what` names it in the message. */
export function toJsonObject(value: unknown, what: string): JsonObject {
  if (!isJsonObject(value)) throw new JsonShapeError(`${what} is no object`)
  return value
}

/** A member that must be a string. Throws JsonShapeError. */
export function stringMember(object: JsonObject, name: string): string {
  const value = object[name]
  if (typeof value !== 'string') throw new JsonShapeError(`${name} is no string`)
  return value
}

/** A member that must be a whole number that JavaScript holds exactly. Throws JsonShapeError. */
export function integerMember(object: JsonObject, name: string): number {
  const value = object[name]
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new JsonShapeError(`${name} is no integer`)
  return value
}

/** A member that must be a number. Throws JsonShapeError. */
export function numberMember(object: JsonObject, name: string): number {
  const value = object[name]
  if (typeof value !== 'number') throw new JsonShapeError(`${name} is no number`)
  return value
}

/** A member that must be a truth value. Throws JsonShapeError. */
export function booleanMember(object: JsonObject, name: string): boolean {
  const value = object[name]
  if (typeof value !== 'boolean') throw new JsonShapeError(`${name} is no boolean`)
  return value
}

/** A member that must be an array. Throws JsonShapeError. */
export function arrayMember(object: JsonObject, name: string): readonly unknown[] {
  const value: unknown = object[name]
  if (!Array.isArray(value)) throw new JsonShapeError(`${name} is no array`)
  return value
}
