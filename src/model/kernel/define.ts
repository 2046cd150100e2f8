/**
 * The language of the declaration: classes, fields, qualifiers, messages. Everything regular about the API is
 * derived from these values; the types of records, arguments and results follow by inference.
 */

import type { ErrorCode } from '../errors.ts'
import type { Type, ValueOf } from './types.ts'

/**
 * Who decides a field's value. `RO_run`: computed at run time, read only. `RO_ins`: chosen when the object is made,
 * then read only. `RW`: may be written. `internal`: ours alone, on no wire.
 * Source: Xen Management API rev 0.2, chapter 1.
 */
export type Qualifier = 'RO_run' | 'RO_ins' | 'RW' | 'internal'

/** What a field may say of itself beyond type and meaning. */
export interface FieldOptions<T extends Type = Type> {
  /** The bound partner, `class.field`: writing either end updates the other. */
  readonly boundTo?: string
  /** The value where a constructor names none; without it, the type's own zero (see `defaultOf`). */
  readonly default?: ValueOf<T>
  readonly unit?: 'bytes' | 'sectors' | 'KiB/s' | 'octets'
  /** Not in the draft: ours, or taken from the released API. */
  readonly extension?: true
  /** An RO_run field that a constructor takes all the same. */
  readonly onCreate?: true
  /** Computed from its bound partner; a constructor does not store it. */
  readonly derived?: true
  /** What writing it may answer, besides what writing any field may. */
  readonly errors?: readonly ErrorCode[]
  /** Measured again and again: held in memory alone, never logged, its default in new objects and after a restart. */
  readonly volatile?: true
}

/** A field of a class. */
export interface Field<T extends Type = Type, Q extends Qualifier = Qualifier> extends FieldOptions<T> {
  readonly qualifier: Q
  readonly type: T
  readonly doc: string
}

const field =
  <const Q extends Qualifier>(qualifier: Q) =>
  <T extends Type, const O extends FieldOptions<T> = FieldOptions<T>>(
    type: T,
    doc: string,
    options?: O,
  ): Field<T, Q> & O =>
    ({ qualifier, type, doc, ...options }) as Field<T, Q> & O

/** A field computed at run time. */
export const roRun = field('RO_run')
/** A field chosen when the object is made. */
export const roIns = field('RO_ins')
/** A field that may be written. */
export const rw = field('RW')
/** A field that no client sees. */
export const internal = field('internal')

/** A parameter of a message: its type, its meaning, and whether it must never be logged. */
export type Param<T extends Type = Type> = readonly [type: T, doc: string, options?: { readonly secret?: true }]

/** A message of a class: an RPC that is more than an accessor. */
export interface Message {
  readonly doc: string
  readonly params: Readonly<Record<string, Param>>
  readonly result: Type
  readonly resultDoc?: string
  /** The power states in which the message's first object may be; elsewhere VM_BAD_POWER_STATE. */
  readonly allowedIn?: readonly string[]
  /** The errors that are this message's own; those of every call are in `commonErrors`. */
  readonly errors: readonly ErrorCode[]
  readonly extension?: true
  /** Takes no session: the one message that makes one. */
  readonly withoutSession?: true
  /** Has no `Async.` twin that makes a task, and runs without the lock of its first object. */
  readonly immediate?: true
  /** Only an administrator may call it. */
  readonly adminOnly?: true
}

/** A class of the API. */
export interface Class<Name extends string = string> {
  readonly name: Name
  readonly doc: string
  readonly source: string
  readonly fields: Readonly<Record<string, Field>>
  readonly messages: Readonly<Record<string, Message>>
  /**
   * `client`: clients construct and delete its objects. `host`: they come and go with a hypervisor.
   * `none`: none of the generated RPCs exists (session, task).
   */
  readonly objects: 'client' | 'host' | 'none'
  /** What making and deleting its objects may answer, besides what it may for any class. */
  readonly errors?: { readonly create?: readonly ErrorCode[]; readonly delete?: readonly ErrorCode[] }
  /** Only an administrator constructs and deletes its objects. */
  readonly adminOnly?: true
}

/** Declares a class; the identity function, for its inference. */
export const defineClass = <const C extends Class>(declaration: C): C => declaration
/** Declares a message; the identity function, for its inference. */
export const message = <const M extends Message>(declaration: M): M => declaration

/** A field path as RPC names and record keys spell it: `name/label` is `name_label`. */
export type WireName<F extends string> = F extends `${infer Head}/${infer Tail}` ? `${Head}_${WireName<Tail>}` : F

/** The wire name of a field path. */
export function wireName<F extends string>(path: F): WireName<F> {
  return path.replaceAll('/', '_') as WireName<F>
}

/** The values of all fields of an object, by wire name, internal fields included. */
export type RecordOf<C extends Class> = {
  readonly [F in keyof C['fields'] & string as WireName<F>]: ValueOf<C['fields'][F]['type']>
}

/** The arguments of a message, by name, without the session. */
export type ArgsOf<M extends Message> = { readonly [P in keyof M['params']]: ValueOf<M['params'][P][0]> }

/** What a message answers. */
export type ResultOf<M extends Message> = ValueOf<M['result']>

/** The zero of a type: what a field holds where nobody chose a value. An enumeration's zero is its first value. */
export function defaultOf(type: Type): unknown {
  switch (type.kind) {
    case 'string':
    case 'ref':
      return ''
    case 'int':
    case 'int32':
      return 0n
    case 'float':
      return 0
    case 'bool':
      return false
    case 'dateTime':
      return new Date(0)
    case 'enum':
      return Object.keys(type.values)[0]
    case 'set':
      return []
    case 'map':
      return new Map()
    default:
      return null
  }
}

/** A field's default: the declared one, else its type's zero. */
export const defaultOfField = (field: Field): unknown => field.default ?? defaultOf(field.type)
