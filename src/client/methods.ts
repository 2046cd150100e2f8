/** The methods of the typed client, inferred from the declaration: what `operationsOf` derives at run time, as types. */

import type { classes } from '../model/index.ts'
import type { ArgsOf, Class, Field, ResultOf, WireName } from '../model/kernel/define.ts'
import type { MapType, Ref, SetType, ValueOf } from '../model/kernel/types.ts'

/** What any call may be told. */
export interface CallOptions {
  /** Gives up waiting for the answer; whether the call took effect is unknown then. */
  readonly signal?: AbortSignal
  /** Until the answer is there in whole; without it, the client's own. */
  readonly timeoutMs?: number
}

declare const taskResult: unique symbol
/** A reference to a task that will give an `R`. */
export type TaskRef<R = unknown> = Ref<'task'> & { readonly [taskResult]?: R }

/** A method with arguments by name. One without any takes none, or an empty object before its options. */
export type Method<Args, Result> = keyof Args extends never
  ? (args?: Readonly<Record<string, never>>, options?: CallOptions) => Promise<Result>
  : (args: Args, options?: CallOptions) => Promise<Result>

type FieldOf<C extends Class, F extends keyof C['fields']> = C['fields'][F]
type TypeOf<C extends Class, F extends keyof C['fields']> = FieldOf<C, F>['type']
type Self<C extends Class> = { readonly self: Ref<C['name']> }
type SelfAnd<C extends Class, Rest> = Self<C> & { readonly [R in keyof Rest]: Rest[R] }

/** The fields whose qualifier may be one of `Q`. */
type FieldsWith<C extends Class, Q extends Field['qualifier']> = {
  [F in keyof C['fields'] & string]: [Extract<FieldOf<C, F>['qualifier'], Q>] extends [never] ? never : F
}[keyof C['fields'] & string]

type Visible<C extends Class> = FieldsWith<C, 'RO_run' | 'RO_ins' | 'RW'>
type Writable<C extends Class> = FieldsWith<C, 'RW'>
type OnCreate<C extends Class> = {
  [F in keyof C['fields'] & string]: FieldOf<C, F> extends { readonly onCreate: true } ? F : never
}[keyof C['fields'] & string]
type Chosen<C extends Class> = FieldsWith<C, 'RO_ins' | 'RW'> | OnCreate<C>

/** The fields of an object that clients see, by wire name. */
export type VisibleRecordOf<C extends Class> = { readonly [F in Visible<C> as WireName<F>]: ValueOf<TypeOf<C, F>> }

/** What a constructor takes: every field may be left out, and then has its default. */
export type NewRecordOf<C extends Class> = { readonly [F in Chosen<C> as WireName<F>]?: ValueOf<TypeOf<C, F>> }

type MessageMethods<C extends Class> = {
  readonly [M in keyof C['messages']]: Method<ArgsOf<C['messages'][M]>, ResultOf<C['messages'][M]>>
}

type Getters<C extends Class> = {
  readonly [F in Visible<C> as `get_${WireName<F>}`]: Method<Self<C>, ValueOf<TypeOf<C, F>>>
}

type Setters<C extends Class> = {
  readonly [F in Writable<C> as `set_${WireName<F>}`]: Method<SelfAnd<C, { value: ValueOf<TypeOf<C, F>> }>, null>
}

type Element<T> = T extends SetType<infer E> ? { readonly value: ValueOf<E> } : never
type Entry<T> = T extends MapType<infer K, infer V> ? { readonly key: ValueOf<K>; readonly value: ValueOf<V> } : never
type Key<T> = T extends MapType<infer K> ? { readonly key: ValueOf<K> } : never
type Collection = { readonly kind: 'set' | 'map' }

type Adders<C extends Class> = {
  readonly [F in Writable<C> as TypeOf<C, F> extends Collection ? `add_to_${WireName<F>}` : never]: Method<
    SelfAnd<C, Element<TypeOf<C, F>> | Entry<TypeOf<C, F>>>,
    null
  >
}

type Removers<C extends Class> = {
  readonly [F in Writable<C> as TypeOf<C, F> extends Collection ? `remove_from_${WireName<F>}` : never]: Method<
    SelfAnd<C, Element<TypeOf<C, F>> | Key<TypeOf<C, F>>>,
    null
  >
}

type Finders<C extends Class> = {
  readonly get_all: Method<object, ReadonlyArray<Ref<C['name']>>>
  readonly get_by_uuid: Method<{ readonly uuid: string }, Ref<C['name']>>
  readonly to_XML: Method<Self<C>, string>
} & ByName<C, 'short_name', 'get_by_short_name'> &
  ByName<C, 'name/label', 'get_by_name_label'>

type ByName<C extends Class, F extends string, Name extends string> = F extends keyof C['fields']
  ? { readonly [N in Name]: Method<{ readonly name: string }, ReadonlyArray<Ref<C['name']>>> }
  : unknown

type Lifetime<C extends Class> = C['objects'] extends 'client'
  ? { readonly create: Method<NewRecordOf<C>, Ref<C['name']>>; readonly delete: Method<Self<C>, null> }
  : unknown

type Generated<C extends Class> = C['objects'] extends 'none'
  ? unknown
  : Lifetime<C> & Finders<C> & Getters<C> & Setters<C> & Adders<C> & Removers<C>

/** Every method of a class, by its name on the wire; arguments go by name, and the session by itself. */
export type ClientOf<C extends Class> = MessageMethods<C> & Generated<C>

/** The same methods as tasks: each answers at once with the reference of a task. */
export type AsyncOf<C extends Class> = {
  readonly [M in keyof ClientOf<C>]: ClientOf<C>[M] extends (...args: infer Args) => Promise<infer Result>
    ? (...args: Args) => Promise<TaskRef<Result>>
    : never
}

/** The classes of the API. */
export type Classes = typeof classes

/** The classes of the API as members of a client. */
export type ClassMembers = { readonly [Name in keyof Classes]: ClientOf<Classes[Name]> }

/** The classes whose methods can be tasks. */
export type AsyncMembers = {
  readonly [Name in keyof Classes as Classes[Name]['objects'] extends 'none' ? never : Name]: AsyncOf<Classes[Name]>
}
