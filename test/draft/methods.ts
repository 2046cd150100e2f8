import {
  EXTENSION_FIELDS,
  EXTENSION_MESSAGES,
  MADE_BY_HOSTS,
  MESSAGES_OF_CHAPTER_1,
  WITHOUT_OBJECTS,
} from './extensions.ts'
import { type DraftField, FIELDS, MESSAGES } from './table.ts'

/** A field path as RPC names and record keys spell it. */
export const wire = (path: string): string => path.replaceAll('/', '_')

const isCollection = (type: string) => type.endsWith(' Set') || type.endsWith(' Map')

/** The RPCs that §1.1 gives to a field, and `set_` for sets and maps, which is ours. */
export function fieldMethods(of: string, [qualifier, path, type]: DraftField): string[] {
  const f = wire(path)
  if (qualifier !== 'RW') return [`${of}.get_${f}`]
  const writers = isCollection(type) ? [`add_to_${f}`, `remove_from_${f}`, `set_${f}`] : [`set_${f}`]
  return [`get_${f}`, ...writers].map(method => `${of}.${method}`)
}

/** The RPCs that §1.2 gives to a class, and `get_by_name_label`, which is ours. */
export function classMethods(of: string): string[] {
  if (WITHOUT_OBJECTS.has(of)) return []
  const paths = (FIELDS[of] ?? []).map(([, path]) => path)
  const methods = ['get_all', 'get_by_uuid', 'to_XML']
  if (!MADE_BY_HOSTS.has(of)) methods.push('create', 'delete')
  if (paths.includes('short_name')) methods.push('get_by_short_name')
  if (paths.includes('name/label')) methods.push('get_by_name_label')
  return methods.map(method => `${of}.${method}`)
}

/** Every method that the draft promises, with those of our extensions, `Async.` twins not among them. */
export function draftMethods(): string[] {
  const ofClasses = Object.entries(FIELDS).flatMap(([of, fields]) => [
    ...classMethods(of),
    ...fields.flatMap(field => fieldMethods(of, field)),
    ...(MESSAGES[of] ?? []).map(([, name]) => `${of}.${name}`),
  ])
  return [...ofClasses, ...MESSAGES_OF_CHAPTER_1, ...EXTENSION_MESSAGES, ...EXTENSION_METHODS]
}

/** §1.4.3: each has an asynchronous analogue, apart from those of session and task. */
export function asyncTwins(methods: readonly string[]): string[] {
  return methods.filter(name => !WITHOUT_OBJECTS.has(name.slice(0, name.indexOf('.')))).map(name => `Async.${name}`)
}

const EXTENSION_METHODS = EXTENSION_FIELDS.flatMap(name => {
  const [of = '', field = ''] = name.split('.')
  return name === 'VM.affinity' ? [`${of}.get_${field}`, `${of}.set_${field}`] : [`${of}.get_${field}`]
})
