/**
 * The form in which transactions are logged: JSON that knows no class, so that a log can fold deltas into stored
 * records without the declaration.
 */

/** A record whose values are encoded by their codecs; by wire name. */
export type EncodedRecord = Readonly<Record<string, unknown>>

/**
 * One object's part in a transaction: `a`dded with its record; `m`odified: whole values of fields, then steps in sets
 * (`+ref` appends, `-ref` takes out), which keep the deltas of a set of thousands short; `d`eleted.
 */
export type EncodedChange =
  | readonly ['a', className: string, ref: string, record: EncodedRecord]
  | readonly ['m', className: string, ref: string, fields: EncodedRecord, steps: SetSteps]
  | readonly ['d', className: string, ref: string]

/** Steps in sets, by field, in order. */
export type SetSteps = Readonly<Record<string, readonly string[]>>

/** One committed transaction as the log carries it. */
export interface Delta {
  readonly generation: number
  /** The JSON of its list of EncodedChange. */
  readonly changes: string
}

/** Stored text is not what was once written. */
export class Damaged extends Error {
  override readonly name = 'Damaged'
}

/** One text for several deltas. */
export const joinDeltas = (deltas: readonly Delta[]): string =>
  `[${deltas.map(delta => `${delta.generation},${delta.changes}`).join(',')}]`

/** The deltas that `joinDeltas` joined. Throws Damaged. */
export function splitDeltas(text: string): { generation: number; changes: readonly EncodedChange[] }[] {
  const flat = parseJson(text)
  if (!Array.isArray(flat) || flat.length % 2 !== 0) throw new Damaged('a batch of deltas is not a list of pairs')
  return Array.from({ length: flat.length / 2 }, (_, index) => {
    const [generation, changes]: readonly unknown[] = flat.slice(2 * index, 2 * index + 2)
    if (typeof generation !== 'number' || !isChanges(changes)) throw new Damaged('a delta has another shape')
    return { generation, changes }
  })
}

/** The changes of one delta's text. Throws Damaged. */
export function parseChanges(text: string): readonly EncodedChange[] {
  const changes = parseJson(text)
  if (!isChanges(changes)) throw new Damaged('a delta has another shape')
  return changes
}

/** A stored record. Throws Damaged. */
export function parseRecord(text: string): EncodedRecord {
  const record = parseJson(text)
  if (!isRecord(record)) throw new Damaged('a stored record is not an object')
  return record
}

/** The record after the change; undefined once deleted. Throws Damaged for a change that does not fit what is there. */
export function applyChange(record: EncodedRecord | undefined, change: EncodedChange): EncodedRecord | undefined {
  const [kind, className, ref] = change
  if ((kind === 'a') !== (record === undefined)) {
    throw new Damaged(
      `the log ${kind === 'a' ? 'adds' : 'changes'} ${className} '${ref}', which is ${record === undefined ? 'not' : 'already'} there`,
    )
  }
  if (kind === 'a') return change[3]
  if (kind === 'd') return undefined
  const [, , , fields, steps] = change
  const changed: Record<string, unknown> = { ...record, ...fields }
  for (const [field, list] of Object.entries(steps)) changed[field] = takeSteps(changed[field], list)
  return changed
}

function takeSteps(set: unknown, steps: readonly string[]): readonly unknown[] {
  const members = new Set<unknown>(Array.isArray(set) ? set : [])
  for (const step of steps) {
    const member = step.slice(1)
    if (step.startsWith('+')) members.add(member)
    else members.delete(member)
  }
  return [...members]
}

/** All objects of a log, encoded: what a snapshot and the deltas after it come to. */
export class EncodedObjects {
  readonly #classes = new Map<string, Map<string, EncodedRecord>>()

  /** The objects of a class by reference, in order of creation. */
  of(className: string): ReadonlyMap<string, EncodedRecord> {
    return this.#class(className)
  }

  /** The names of the classes that have been spoken of. */
  classNames(): readonly string[] {
    return [...this.#classes.keys()]
  }

  put(className: string, ref: string, record: EncodedRecord): void {
    this.#class(className).set(ref, record)
  }

  /** Throws Damaged for a change that does not fit what is there. */
  apply(change: EncodedChange): void {
    const [, className, ref] = change
    const objects = this.#class(className)
    const record = applyChange(objects.get(ref), change)
    if (record === undefined) objects.delete(ref)
    else objects.set(ref, record)
  }

  #class(className: string): Map<string, EncodedRecord> {
    const known = this.#classes.get(className)
    if (known !== undefined) return known
    const fresh = new Map<string, EncodedRecord>()
    this.#classes.set(className, fresh)
    return fresh
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Damaged('a stored text is not JSON', { cause })
  }
}

const isRecord = (value: unknown): value is EncodedRecord =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function isChanges(value: unknown): value is readonly EncodedChange[] {
  return Array.isArray(value) && value.every(isChange)
}

function isChange(value: unknown): boolean {
  if (!Array.isArray(value) || typeof value[1] !== 'string' || typeof value[2] !== 'string') return false
  if (value[0] === 'a') return isRecord(value[3])
  if (value[0] === 'm') return isRecord(value[3]) && isRecord(value[4]) && Object.values(value[4]).every(Array.isArray)
  return value[0] === 'd'
}
