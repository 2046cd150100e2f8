/**
 * What the generated operations do: accessors of fields, constructor, delete, look-ups.
 * Source: Xen Management API rev 0.2, §1.1 and §1.2.
 */

import { randomUUID } from 'node:crypto'
import { fail } from '../model/errors.ts'
import { storedClasses } from '../model/index.ts'
import { type Class, type Field, wireName } from '../model/kernel/define.ts'
import { type Operation, untypedChange, untypedRecord, visibleFields } from '../model/kernel/operations.ts'
import type { Store, Transaction } from '../store/store.ts'
import type { Context, Hooks } from './context.ts'
import { recordToXml } from './record-xml.ts'

type Values = Readonly<Record<string, unknown>>

/** What an operation does once its arguments are decoded. */
export type Run = (context: Context, args: Values) => unknown

/** The function behind a generated operation; `messages` have theirs from the handlers. */
export function runGenerated(operation: Operation, hooks: Hooks): Run {
  const { class: of, kind } = operation
  switch (kind) {
    case 'get':
      return getter(operation)
    case 'set':
    case 'add':
    case 'remove':
      return writer(operation, hooks)
    case 'create':
      return (context, args) => create(context, of, hooks, args)
    case 'delete':
      return (context, { self }) => deleteObject(context, of, hooks, String(self))
    case 'get_all':
      return ({ store }) => store.all(of)
    case 'get_by_uuid':
      return ({ store }, { uuid }) => {
        const ref = String(uuid).trim()
        if (store.get(of, ref) === undefined) throw fail('UUID_INVALID', { type: of.name, uuid: ref.slice(0, 100) })
        return ref
      }
    case 'get_by_short_name':
    case 'get_by_name_label': {
      const field = kind.slice('get_by_'.length)
      return ({ store }, { name }) => store.findBy(of, field, name)
    }
    case 'to_XML':
      return ({ store }, { self }) => recordToXml(of, existing(store, of, String(self)))
    default:
      throw new TypeError(`${operation.name} is not generated`)
  }
}

/** What a call waits its turn at: nothing, its first object, or one field of it. */
export type Turn = 'none' | 'object' | 'field'

/** The turn of a generated operation: it waits only where more happens to the object than storing. */
export function turnOf(operation: Operation, hooks: Hooks): Turn {
  const { kind, field } = operation
  if (kind === 'delete') return 'object'
  if (field === undefined || !(wireName(field) in (hooks.set ?? {}))) return 'none'
  return hooks.lockedApart?.includes(wireName(field)) === true ? 'field' : 'object'
}

function existing(objects: Pick<Store, 'get'>, of: Class, ref: string): Values {
  const record = objects.get(of, ref)
  if (record === undefined) throw fail('HANDLE_INVALID', { class: of.name, handle: ref.slice(0, 100) })
  return record
}

function getter({ class: of, field = '' }: Operation): Run {
  const name = wireName(field)
  return ({ store }, { self }) => existing(store, of, String(self))[name]
}

function writer(operation: Operation, hooks: Hooks): Run {
  const { class: of, kind, field = '' } = operation
  const name = wireName(field)
  const hook = hooks.set?.[name]
  const next = { set: replace, add: addTo, remove: removeFrom }[kind as 'set' | 'add' | 'remove']
  return async (context, args) => {
    const self = String(args['self'])
    if (hook !== undefined) {
      const before = existing(context.store, of, self)
      const value = next(before[name], args)
      hooks.check?.(untypedRecord(of, { ...before, [name]: value }), context)
      await hook(context, self, value)
      return null
    }
    await context.store.transact(transaction => {
      const before = existing(transaction, of, self)
      const value = next(before[name], args)
      hooks.check?.(untypedRecord(of, { ...before, [name]: value }), context)
      transaction.patch(of, self, untypedChange({ [name]: value }))
    })
    return null
  }
}

const replace = (_before: unknown, { value }: Values): unknown => value

function addTo(before: unknown, { key, value }: Values): unknown {
  if (before instanceof Map) return new Map(before).set(key, value)
  return [...new Set([...(before as readonly unknown[]), value])]
}

function removeFrom(before: unknown, { key, value }: Values): unknown {
  if (before instanceof Map) return new Map([...before].filter(([present]) => present !== key))
  return (before as readonly unknown[]).filter(element => element !== value)
}

async function create(context: Context, of: Class, hooks: Hooks, values: Values): Promise<string> {
  const uuid = randomUUID()
  const record = untypedRecord(of, { ...values, uuid })
  hooks.check?.(record, context)
  if (hooks.create === undefined) await context.store.transact(transaction => transaction.insert(of, record))
  else await hooks.create(context, record, new Set(Object.keys(values)))
  return uuid
}

async function deleteObject(context: Context, of: Class, hooks: Hooks, ref: string): Promise<null> {
  const { store } = context
  existing(store, of, ref)
  checkUnused(store, of, ref, hooks)
  if (hooks.delete === undefined) await store.transact(transaction => removeUnused(store, transaction, of, ref, hooks))
  else await hooks.delete(context, ref)
  return null
}

/** Removes an object, unless others have come to refer to it. Throws OBJECT_IN_USE. To be called first in its transaction. */
export function removeUnused(store: Store, transaction: Transaction, of: Class, ref: string, hooks: Hooks = {}): void {
  checkUnused(store, of, ref, hooks)
  transaction.remove(of, ref)
}

const USERS_SHOWN_MAX = 20

/**
 * Throws OBJECT_IN_USE where another object cannot do without this one: where a field of it is this reference.
 * A set that contains the reference only lists it, and is kept in step.
 */
function checkUnused(store: Store, of: Class, ref: string, hooks: Hooks): void {
  const users = referrers(of, hooks).flatMap(([other, name]) =>
    store.findBy(other, name, ref).map(user => `${other.name}:${user}`),
  )
  const others = users.filter(user => user !== `${of.name}:${ref}`).slice(0, USERS_SHOWN_MAX)
  if (others.length > 0) throw fail('OBJECT_IN_USE', { class: of.name, object: ref, users: others.join(',') })
}

/** The fields of all classes that hold one reference to an object of this class, and keep it from being deleted. */
function referrers(of: Class, hooks: Hooks): (readonly [Class, string])[] {
  const holds = (field: Field) => field.type.kind === 'ref' && field.type.class === of.name
  return storedClasses.flatMap(other =>
    visibleFields(other)
      .filter(([path, field]) => holds(field) && hooks.ownedThrough?.includes(`${other.name}.${path}`) !== true)
      .map(([path]) => [other, wireName(path)] as const),
  )
}
