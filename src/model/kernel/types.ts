/**
 * The types of the API, as values. A type of the declaration is a plain frozen object; the TypeScript
 * type of its values follows by inference (`ValueOf`).
 * Source: Xen Management API rev 0.2, §2.3.
 */

/** A reference to an object of class `C`. In memory it is the object's UUID; the null reference is the empty string. */
export type Ref<C extends string = string> = string & { readonly [refClass]?: C }
declare const refClass: unique symbol

/** The null reference, in memory and in the draft dialect. */
export const NULL_REF = ''

/** Text of any length; never null. */
export interface StringType {
  readonly kind: 'string'
}
/** 64 bits, signed; a bigint in memory, so that no value loses a digit. */
export interface IntType {
  readonly kind: 'int'
}
/** A small number that every dialect writes as an XML-RPC `<int>`: progress in percent. A bigint in memory. */
export interface Int32Type {
  readonly kind: 'int32'
}
/** IEEE double precision; finite on every wire. */
export interface FloatType {
  readonly kind: 'float'
}
/** True or false. */
export interface BoolType {
  readonly kind: 'bool'
}
/** A moment, in whole seconds on the wire; a Date in memory. */
export interface DateTimeType {
  readonly kind: 'dateTime'
}
/** The result of a message that answers nothing. */
export interface VoidType {
  readonly kind: 'void'
}
/** One of a fixed list of words; the word itself in memory. */
export interface EnumType<V extends string = string> {
  readonly kind: 'enum'
  readonly name: string
  /** Value to meaning, in the specification's order. */
  readonly values: Readonly<Record<V, string>>
}
/** A reference to an object of one class. */
export interface RefType<C extends string = string> {
  readonly kind: 'ref'
  readonly class: C
}
/** No duplicates; the order of insertion is kept. */
export interface SetType<T = unknown> {
  readonly kind: 'set'
  readonly of: T
}
/** Keys to values; the order of insertion is kept. Keys are scalars. */
export interface MapType<K = unknown, V = unknown> {
  readonly kind: 'map'
  readonly key: K
  readonly value: V
}
/** A fixed struct. Only results have one; no field does. */
export interface StructType<F = unknown> {
  readonly kind: 'struct'
  readonly name: string
  readonly fields: F
}
/** A struct whose members are decided by the message itself, such as a constructor's record or a call's whole answer. */
export interface OpenType {
  readonly kind: 'open'
  readonly name: string
}

/** Any type of the declaration. */
export type Type =
  | StringType
  | IntType
  | Int32Type
  | FloatType
  | BoolType
  | DateTimeType
  | VoidType
  | OpenType
  | EnumType
  | RefType
  | { readonly kind: 'set'; readonly of: Type }
  | { readonly kind: 'map'; readonly key: Type; readonly value: Type }
  | { readonly kind: 'struct'; readonly name: string; readonly fields: Readonly<Record<string, Type>> }

/** The value of a type in memory. */
export type ValueOf<T> = T extends StringType
  ? string
  : T extends IntType | Int32Type
    ? bigint
    : T extends FloatType
      ? number
      : T extends BoolType
        ? boolean
        : T extends DateTimeType
          ? Date
          : T extends VoidType
            ? null
            : T extends OpenType
              ? OpenValue
              : T extends EnumType<infer V>
                ? V
                : T extends RefType<infer C>
                  ? Ref<C>
                  : T extends SetType<infer E>
                    ? ReadonlyArray<ValueOf<E>>
                    : T extends MapType<infer K, infer V>
                      ? ReadonlyMap<ValueOf<K>, ValueOf<V>>
                      : T extends StructType<infer F>
                        ? { readonly [K in keyof F]: ValueOf<F[K]> }
                        : never

/** A value whose shape the declaration leaves open: what the wire can carry. */
export type OpenValue =
  | string
  | bigint
  | number
  | boolean
  | Date
  | readonly OpenValue[]
  | { readonly [member: string]: OpenValue }

/** The language of types: `t.set(t.ref('VIF'))`. */
export const t = {
  string: { kind: 'string' },
  int: { kind: 'int' },
  int32: { kind: 'int32' },
  float: { kind: 'float' },
  bool: { kind: 'bool' },
  dateTime: { kind: 'dateTime' },
  void: { kind: 'void' },
  open: (name: string): OpenType => ({ kind: 'open', name }),
  enum: <V extends string>(name: string, values: Readonly<Record<V, string>>): EnumType<V> => ({
    kind: 'enum',
    name,
    values,
  }),
  ref: <C extends string>(name: C): RefType<C> => ({ kind: 'ref', class: name }),
  set: <T extends Type>(of: T): SetType<T> => ({ kind: 'set', of }),
  map: <K extends Type, V extends Type>(key: K, value: V): MapType<K, V> => ({ kind: 'map', key, value }),
  struct: <F extends Readonly<Record<string, Type>>>(name: string, fields: F): StructType<F> => ({
    kind: 'struct',
    name,
    fields,
  }),
} as const

/** A type as the specification writes it: `(VIF ref) Set`, `(int -> float) Map`. */
export function typeName(type: Type): string {
  switch (type.kind) {
    case 'dateTime':
      return 'DateTime'
    case 'enum':
    case 'struct':
    case 'open':
      return type.name
    case 'ref':
      return `${type.class} ref`
    case 'set':
      return `(${typeName(type.of)}) Set`
    case 'map':
      return `(${typeName(type.key)} -> ${typeName(type.value)}) Map`
    default:
      return type.kind
  }
}
