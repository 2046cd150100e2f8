import {
  EXTENSION_FIELDS,
  EXTENSION_MESSAGES,
  MADE_BY_HOSTS,
  MESSAGES_OF_CHAPTER_1,
  WITHOUT_OBJECTS,
} from './extensions.ts'
import { type DraftField, type DraftMessage, FIELDS, MESSAGES } from './table.ts'

/** An RPC of the draft or of ours, as a reader of the draft would expect it. */
export interface DraftOperation {
  /** Such as `VM.get_name_label`. */
  readonly name: string
  readonly of: string
  /** Type and name of each parameter after the session; `record` stands for a constructor's fields. */
  readonly params: readonly (readonly [type: string, name: string])[]
  readonly result: string
}

/** A field path as RPC names and record keys spell it. */
export const wire = (path: string): string => path.replaceAll('/', '_')

/** The fields of a class, ours after the draft's. */
export const fieldsOf = (of: string): readonly DraftField[] => [...(FIELDS[of] ?? []), ...(EXTENSION_FIELDS[of] ?? [])]

/** The messages of a class, ours after the draft's. */
export const messagesOf = (of: string): readonly DraftMessage[] =>
  [MESSAGES, MESSAGES_OF_CHAPTER_1, EXTENSION_MESSAGES].flatMap(table => table[of] ?? [])

/** Every operation of a class, without `Async.` twins. */
export function operationsOf(of: string): DraftOperation[] {
  const messages = messagesOf(of).map(([result, name, ...params]) => ({ name: `${of}.${name}`, of, params, result }))
  if (WITHOUT_OBJECTS.has(of)) return messages
  return [...classOperations(of), ...fieldsOf(of).flatMap(field => fieldOperations(of, field)), ...messages]
}

/** Every operation of the API, without `Async.` twins. */
export const allOperations = (): DraftOperation[] => Object.keys(FIELDS).flatMap(of => operationsOf(of))

/** §1.4.3: whether the operation has an asynchronous analogue; those of session and task have none. */
export const hasAsync = ({ of }: DraftOperation): boolean => !WITHOUT_OBJECTS.has(of)

/** The element type of a set, and the types of a map; undefined of any other type. */
export const elementOf = (type: string): string | undefined => /^\((.*)\) Set$/.exec(type)?.[1]

const isMap = (type: string) => type.endsWith(' Map')

/** What §1.2 gives to a class, and `get_by_name_label`, which is ours. */
function classOperations(of: string): DraftOperation[] {
  const self = [`${of} ref`, 'self'] as const
  const operation = (name: string, params: DraftOperation['params'], result: string) => [
    { name: `${of}.${name}`, of, params, result },
  ]
  const has = (path: string) => fieldsOf(of).some(([, candidate]) => candidate === path)
  const set = `(${of} ref) Set`
  return [
    ...(MADE_BY_HOSTS.has(of) ? [] : operation('create', [['record', 'record']], `${of} ref`)),
    ...(MADE_BY_HOSTS.has(of) ? [] : operation('delete', [self], 'void')),
    ...operation('get_all', [], set),
    ...operation('get_by_uuid', [['string', 'uuid']], `${of} ref`),
    ...(has('short_name') ? operation('get_by_short_name', [['string', 'name']], set) : []),
    ...(has('name/label') ? operation('get_by_name_label', [['string', 'name']], set) : []),
    ...operation('to_XML', [self], 'string'),
  ]
}

/** What §1.1 gives to a field, and `set_` for sets and maps, which is ours. */
function fieldOperations(of: string, [qualifier, path, type]: DraftField): DraftOperation[] {
  const name = wire(path)
  const operation = (verb: string, params: DraftOperation['params'], result: string) => ({
    name: `${of}.${verb}_${name}`,
    of,
    params: [[`${of} ref`, 'self'] as const, ...params],
    result,
  })
  const get = operation('get', [], type)
  if (qualifier !== 'RW') return [get]
  const element = elementOf(type)
  const set = operation('set', [[type, name]], 'void')
  if (isMap(type)) {
    const pair = [['string', 'key'] as const, ['string', name] as const]
    return [get, operation('add_to', pair, 'void'), operation('remove_from', pair.slice(0, 1), 'void'), set]
  }
  if (element === undefined) return [get, set]
  return [get, operation('add_to', [[element, name]], 'void'), operation('remove_from', [[element, name]], 'void'), set]
}
