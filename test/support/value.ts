/** What XML-RPC can carry, as the tests see it: every type of the wire is told apart from every other. */
export type Value =
  | string
  | boolean
  /** `<double>` */
  | number
  /** `<int>`, `<i4>` or `<i8>` */
  | bigint
  | DateTime
  | Uint8Array
  | readonly Value[]
  | Struct

/** `<struct>`, its members in the order of the wire. */
export interface Struct {
  readonly [member: string]: Value
}

/** `<dateTime.iso8601>`, as it is spelled. */
export class DateTime {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** The value as a string; a failed test otherwise. */
export function asString(value: Value | undefined): string {
  if (typeof value !== 'string') throw new TypeError(`not a string: ${show(value)}`)
  return value
}

/** The value as an array of strings; a failed test otherwise. */
export function asStrings(value: Value | undefined): readonly string[] {
  if (!Array.isArray(value)) throw new TypeError(`not an array: ${show(value)}`)
  return value.map((element: Value) => asString(element))
}

/** The value as a struct; a failed test otherwise. */
export function asStruct(value: Value | undefined): Struct {
  if (!isStruct(value)) throw new TypeError(`not a struct: ${show(value)}`)
  return value
}

export function isStruct(value: Value | undefined): value is Struct {
  return (
    typeof value === 'object' && !Array.isArray(value) && !(value instanceof DateTime || value instanceof Uint8Array)
  )
}

/** A value in a message about a failed test. */
export const show = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? `${inner}n` : inner))?.slice(0, 500) ??
  'nothing'
