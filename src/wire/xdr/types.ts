/**
 * The types of XDR as values, from which the TypeScript types of what they carry follow.
 * Source: RFC 4506, §4.
 */

import type { Buffer } from 'node:buffer'
import { inside, XdrError } from './error.ts'
import { UNIT_BYTES, XdrReader } from './reader.ts'
import type { XdrWriter } from './writer.ts'

/** A type: how its values are read and written. Both throw XdrError for what is none of its values. */
export interface XdrType<T> {
  /** How many bytes a value has at least; a list that claims more items than fit is refused before it is read. */
  readonly bytesMin: number
  read(reader: XdrReader): T
  write(writer: XdrWriter, value: T): void
}

/** The values of a type. */
export type ValueOf<X> = X extends XdrType<infer T> ? T : never

/** Names, and the type of each. */
export type Fields = Readonly<Record<string, XdrType<unknown>>>

/** The values of a structure. */
export type StructOf<F extends Fields> = { readonly [N in keyof F]: ValueOf<F[N]> }

/** A signed integer of 32 bits. */
export const int: XdrType<number> = {
  bytesMin: 4,
  read: reader => reader.int(),
  write: (writer, value) => writer.int(value),
}
/** An unsigned integer of 32 bits. */
export const uint: XdrType<number> = {
  bytesMin: 4,
  read: reader => reader.uint(),
  write: (writer, value) => writer.uint(value),
}
/** A signed integer of 64 bits. */
export const hyper: XdrType<bigint> = {
  bytesMin: 8,
  read: reader => reader.hyper(),
  write: (writer, value) => writer.hyper(value),
}
/** An unsigned integer of 64 bits. */
export const uhyper: XdrType<bigint> = {
  bytesMin: 8,
  read: reader => reader.uhyper(),
  write: (writer, value) => writer.uhyper(value),
}
/** A floating point number of 64 bits. */
export const double: XdrType<number> = {
  bytesMin: 8,
  read: reader => reader.double(),
  write: (writer, value) => writer.double(value),
}
/** True or false. */
export const bool: XdrType<boolean> = {
  bytesMin: 4,
  read: reader => reader.bool(),
  write: (writer, value) => writer.bool(value),
}

/** Text of at most `bytesMax` bytes as UTF-8. */
export const string = (bytesMax: number): XdrType<string> => ({
  bytesMin: 4,
  read: reader => reader.text(bytesMax),
  write: (writer, value) => writer.text(value, bytesMax),
})

/** At most `lengthMax` bytes; those that are read are a view of what was received. */
export const bytes = (lengthMax: number): XdrType<Uint8Array> => ({
  bytesMin: 4,
  read: (reader): Buffer => reader.bytes(lengthMax),
  write: (writer, value) => writer.bytes(value, lengthMax),
})

/** Exactly `length` bytes; those that are read are a view of what was received. */
export const fixedBytes = (length: number): XdrType<Uint8Array> => ({
  bytesMin: Math.ceil(length / UNIT_BYTES) * UNIT_BYTES,
  read: (reader): Buffer => reader.fixedBytes(length),
  write: (writer, value) => writer.fixedBytes(value, length),
})

/** At most `lengthMax` values of a type. */
export const array = <T>(of: XdrType<T>, lengthMax: number): XdrType<readonly T[]> => ({
  bytesMin: 4,
  read: reader => {
    const length = reader.length(lengthMax, 'items')
    if (length * of.bytesMin > reader.remaining) throw new XdrError('truncated', `${length} items do not fit`)
    const items: T[] = []
    try {
      while (items.length < length) items.push(of.read(reader))
    } catch (error) {
      throw inside(`[${items.length}]`, error)
    }
    return items
  },
  write: (writer, items) => {
    writer.count(items.length, lengthMax, 'items')
    let index = 0
    try {
      for (const item of items) {
        of.write(writer, item)
        index++
      }
    } catch (error) {
      throw inside(`[${index}]`, error)
    }
  },
})

/** A value that may be absent, which is null. Source: RFC 4506, §4.19. */
export const optional = <T>(of: XdrType<T>): XdrType<T | null> => ({
  bytesMin: 4,
  read: reader => (reader.bool() ? of.read(reader) : null),
  write: (writer, value) => {
    writer.bool(value !== null)
    if (value !== null) of.write(writer, value)
  },
})

/** Several values of fixed names, in this order. */
export function struct<const F extends Fields>(fields: F): XdrType<StructOf<F>>
export function struct(fields: Fields): XdrType<Readonly<Record<string, unknown>>> {
  const members = Object.entries(fields)
  return {
    bytesMin: members.reduce((sum, [, type]) => sum + type.bytesMin, 0),
    read: reader => {
      const value: Record<string, unknown> = {}
      let member = ''
      try {
        for (const [name, type] of members) {
          member = name
          value[name] = type.read(reader)
        }
      } catch (error) {
        throw inside(member, error)
      }
      return value
    },
    write: (writer, value) => {
      let member = ''
      try {
        for (const [name, type] of members) {
          member = name
          type.write(writer, value[name])
        }
      } catch (error) {
        throw inside(member, error)
      }
    },
  }
}

/** The arms of a union: the number that says which one follows, and its type. */
export type Arms = Readonly<Record<string, readonly [discriminant: number, of: XdrType<unknown>]>>

/** A value of one of the arms, with the arm's name. */
export type UnionOf<A extends Arms> = {
  readonly [N in keyof A]: { readonly type: N; readonly value: ValueOf<A[N][1]> }
}[keyof A]

/** One of several types, told apart by a number. Source: RFC 4506, §4.15. */
export function union<const A extends Arms>(arms: A): XdrType<UnionOf<A>>
export function union(arms: Arms): XdrType<{ readonly type: string; readonly value: unknown }> {
  const byNumber = new Map(Object.entries(arms).map(([type, [number, of]]) => [number, { type, of }]))
  return {
    bytesMin: 4,
    read: reader => {
      const arm = byNumber.get(reader.int())
      if (arm === undefined) throw new XdrError('malformed', 'a union has no such arm')
      return { type: arm.type, value: arm.of.read(reader) }
    },
    write: (writer, { type, value }) => {
      const arm = Object.hasOwn(arms, type) ? arms[type] : undefined
      if (arm === undefined) throw new XdrError('unwritable', 'a union has no such arm')
      writer.int(arm[0])
      arm[1].write(writer, value)
    },
  }
}

/** The value that these bytes are, all of them. Throws XdrError where they are none, or more than one. */
export function readAll<T>(of: XdrType<T>, from: Uint8Array): T {
  const reader = new XdrReader(from)
  const value = of.read(reader)
  reader.end()
  return value
}
