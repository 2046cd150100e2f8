import { type Type } from '../model/kernel/types.ts'
import { codecOf } from '../store/codec.ts'

/** A result as JSON text, by its declared type, so that a task can keep it and any dialect can write it later. */
export function resultToText(type: Type, value: unknown): string {
  return JSON.stringify(encode(type, value))
}

/** The result that was kept. */
export function resultFromText(type: Type, text: string): unknown {
  return decode(type, JSON.parse(text))
}

function encode(type: Type, value: unknown): unknown {
  if (type.kind === 'void') return null
  if (type.kind !== 'struct') return codecOf(type).encode(codecOf(type).normalise(value))
  const members = value as Readonly<Record<string, unknown>>
  return Object.fromEntries(Object.entries(type.fields).map(([name, of]) => [name, encode(of, members[name])]))
}

function decode(type: Type, json: unknown): unknown {
  if (type.kind === 'void') return null
  if (type.kind !== 'struct') return codecOf(type).decode(json)
  const members = json as Readonly<Record<string, unknown>>
  return Object.fromEntries(Object.entries(type.fields).map(([name, of]) => [name, decode(of, members[name])]))
}
