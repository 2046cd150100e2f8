/**
 * The operations that follow from a class: what §1.1 gives to each field and §1.2 to each class, and the messages
 * the class declares. Dispatch, the typed client, the reference pages and the CLI are all made from this list.
 */

import type { ErrorCode } from '../errors.ts'
import { type Class, defaultOfField, type Field, type Message, type RecordOf, wireName } from './define.ts'
import { type Type, t } from './types.ts'

/** Which rule an operation comes from. */
export type OperationKind =
  | 'get'
  | 'set'
  | 'add'
  | 'remove'
  | 'create'
  | 'delete'
  | 'get_all'
  | 'get_by_uuid'
  | 'get_by_short_name'
  | 'get_by_name_label'
  | 'to_XML'
  | 'message'

/** A parameter of an operation. The session, which every call but one takes first, is not among them. */
export interface OperationParam {
  readonly name: string
  readonly type: Type
  readonly doc: string
  /** Whether a reference may be null here. */
  readonly nullable?: true
  /** Never logged. */
  readonly secret?: true
}

/** An operation of the API. */
export interface Operation {
  /** Canonical, such as `VM.get_name_label`. */
  readonly name: string
  readonly class: Class
  readonly kind: OperationKind
  /** The name of the message, where `kind` is `message`. */
  readonly message?: string
  /** Path of the field that the operation is about, where it is about one. */
  readonly field?: string
  readonly doc: string
  readonly params: readonly OperationParam[]
  readonly result: Type
  readonly resultDoc?: string
  /** The operation's own errors, besides those of every call. */
  readonly errors: readonly ErrorCode[]
  readonly allowedIn?: readonly string[]
  /** Reads only, or must not wait: runs without the lock of its first object. */
  readonly immediate: boolean
  /** Whether `Async.` in front of it makes a task. */
  readonly hasAsync: boolean
  readonly withoutSession: boolean
  readonly adminOnly: boolean
  /** Not in the draft. */
  readonly extension: boolean
}

type Draft = Partial<Operation> & Pick<Operation, 'kind' | 'doc' | 'params' | 'result'>

const make = (of: Class, method: string, draft: Draft): Operation => ({
  name: `${of.name}.${method}`,
  class: of,
  errors: [],
  immediate: false,
  hasAsync: of.objects !== 'none',
  withoutSession: false,
  adminOnly: false,
  extension: false,
  ...draft,
})

/** Every operation of a class, in the order in which the reference pages list them. */
export function operationsOf(of: Class): readonly Operation[] {
  const generated = of.objects === 'none' ? [] : [...classOperations(of), ...fieldOperations(of)]
  const messages = Object.entries(of.messages).map(([name, message]) => messageOperation(of, name, message))
  return [...generated, ...messages]
}

/** The fields of a class that clients see, with their paths, in the draft's order. */
export function visibleFields(of: Class): readonly (readonly [path: string, field: Field])[] {
  return Object.entries(of.fields).filter(([, field]) => field.qualifier !== 'internal')
}

/** The fields that a constructor takes, with their paths. The positional form takes those of the draft, RW and RO_ins. */
export function constructorFields(of: Class): readonly (readonly [path: string, field: Field])[] {
  return visibleFields(of).filter(([, field]) => field.qualifier !== 'RO_run' || field.onCreate === true)
}

/** The fields that the positional form of a constructor takes, in order. Source: Xen Management API rev 0.2, §1.2. */
export function positionalFields(of: Class): readonly (readonly [path: string, field: Field])[] {
  return constructorFields(of).filter(([, field]) => field.qualifier !== 'RO_run' && field.extension !== true)
}

/** A record of the class: the values given, by wire name, and every other field at its default. */
export function newRecord<C extends Class>(of: C, values: Partial<RecordOf<C>>): RecordOf<C> {
  const defaults = Object.entries(of.fields).map(([path, field]) => [wireName(path), defaultOfField(field)])
  return { ...Object.fromEntries(defaults), ...values } as RecordOf<C>
}

/** The same for a class that is known only at run time; `values` must have been checked by their types. */
export function untypedRecord(of: Class, values: Readonly<Record<string, unknown>>): RecordOf<Class> {
  return newRecord(of, values as Partial<RecordOf<Class>>)
}

/** A change to an object of a class that is known only at run time; `values` must have been checked by their types. */
export function untypedChange(values: Readonly<Record<string, unknown>>): Partial<RecordOf<Class>> {
  return values as Partial<RecordOf<Class>>
}

const self = (of: Class): OperationParam => ({ name: 'self', type: t.ref(of.name), doc: `the ${of.name}` })

function classOperations(of: Class): Operation[] {
  const list: Operation[] = []
  const set = t.set(t.ref(of.name))
  const read = { immediate: true } as const
  if (of.objects === 'client') {
    const open = { name: 'record', type: t.open('record'), doc: 'field values by name, in either spelling' }
    const adminOnly = of.adminOnly ?? false
    const denied = adminOnly ? (['PERMISSION_DENIED'] as const) : []
    const { create = [], delete: remove = [] } = of.errors ?? {}
    list.push(
      make(of, 'create', {
        kind: 'create',
        doc: `Makes a new ${of.name}. Takes a struct of field values, or the values of all RW and RO_ins fields in the order of the table.`,
        params: [open],
        result: t.ref(of.name),
        errors: ['FIELD_UNKNOWN', 'FIELD_READ_ONLY', 'INVALID_VALUE', ...create, ...denied],
        adminOnly,
      }),
      make(of, 'delete', {
        kind: 'delete',
        doc: `Deletes the ${of.name}.`,
        params: [self(of)],
        result: t.void,
        errors: ['OBJECT_IN_USE', 'OPERATION_NOT_ALLOWED', ...remove, ...denied],
        adminOnly,
      }),
    )
  }
  list.push(
    make(of, 'get_all', {
      kind: 'get_all',
      doc: `All objects of class ${of.name} that the system knows.`,
      params: [],
      result: set,
      ...read,
    }),
    make(of, 'get_by_uuid', {
      kind: 'get_by_uuid',
      doc: `The ${of.name} with this UUID.`,
      params: [{ name: 'uuid', type: t.string, doc: 'the UUID' }],
      result: t.ref(of.name),
      errors: ['UUID_INVALID'],
      ...read,
    }),
  )
  if ('short_name' in of.fields) list.push(byName(of, 'short_name', false))
  if ('name/label' in of.fields) list.push(byName(of, 'name_label', true))
  list.push(
    make(of, 'to_XML', {
      kind: 'to_XML',
      doc: `The state of all fields of the ${of.name} as an XML document.`,
      params: [self(of)],
      result: t.string,
      ...read,
    }),
  )
  return list
}

function byName(of: Class, field: 'short_name' | 'name_label', extension: boolean): Operation {
  return make(of, `get_by_${field}`, {
    kind: `get_by_${field}`,
    doc: `All objects of class ${of.name} with this ${field.replace('_', ' ')}.`,
    params: [{ name: 'name', type: t.string, doc: 'the name, compared exactly' }],
    result: t.set(t.ref(of.name)),
    immediate: true,
    extension,
  })
}

function fieldOperations(of: Class): Operation[] {
  return visibleFields(of).flatMap(([path, field]) => {
    const wire = wireName(path)
    const extension = field.extension ?? false
    const common = { field: path, extension }
    const list = [
      make(of, `get_${wire}`, {
        ...common,
        kind: 'get',
        doc: `The value of ${path}: ${field.doc}.`,
        params: [self(of)],
        result: field.type,
        immediate: true,
      }),
    ]
    if (field.qualifier === 'RW') list.push(...writers(of, path, field, common))
    return list
  })
}

function writers(of: Class, path: string, field: Field, common: { field: string; extension: boolean }): Operation[] {
  const { type } = field
  const errors: readonly ErrorCode[] = ['INVALID_VALUE', 'VALUE_NOT_SUPPORTED', ...(field.errors ?? [])]
  const wire = wireName(path)
  const writer = (kind: 'set' | 'add' | 'remove', method: string, doc: string, params: OperationParam[], more = {}) =>
    make(of, method, { ...common, kind, doc, params: [self(of), ...params], result: t.void, errors, ...more })
  const value = (of_: Type): OperationParam => ({ name: 'value', type: of_, doc: field.doc, nullable: true })
  if (type.kind === 'set') {
    return [
      writer('add', `add_to_${wire}`, `Adds an element to ${path}; one that is there already changes nothing.`, [
        { name: 'value', type: type.of, doc: 'the element' },
      ]),
      writer(
        'remove',
        `remove_from_${wire}`,
        `Removes an element from ${path}; one that is not there changes nothing.`,
        [{ name: 'value', type: type.of, doc: 'the element' }],
      ),
      writer('set', `set_${wire}`, `Replaces the set ${path}.`, [value(type)], { extension: true }),
    ]
  }
  if (type.kind === 'map') {
    const key: OperationParam = { name: 'key', type: type.key, doc: 'the key' }
    return [
      writer('add', `add_to_${wire}`, `Maps a key to a value in ${path}, overwriting an earlier one.`, [
        key,
        { name: 'value', type: type.value, doc: 'the value' },
      ]),
      writer('remove', `remove_from_${wire}`, `Removes a key from ${path}; one that is not there changes nothing.`, [
        key,
      ]),
      writer('set', `set_${wire}`, `Replaces the map ${path}.`, [value(type)], { extension: true }),
    ]
  }
  return [writer('set', `set_${wire}`, `Sets ${path}: ${field.doc}.`, [value(type)])]
}

function messageOperation(of: Class, name: string, message: Message): Operation {
  return make(of, name, {
    kind: 'message',
    message: name,
    doc: message.doc,
    params: Object.entries(message.params).map(([param, [type, doc, options]]) => ({
      name: param,
      type,
      doc,
      ...options,
    })),
    result: message.result,
    ...(message.resultDoc === undefined ? {} : { resultDoc: message.resultDoc }),
    errors: message.errors,
    ...(message.allowedIn === undefined ? {} : { allowedIn: message.allowedIn }),
    immediate: message.immediate ?? false,
    withoutSession: message.withoutSession ?? false,
    adminOnly: message.adminOnly ?? false,
    extension: message.extension ?? false,
  })
}
