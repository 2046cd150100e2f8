/**
 * A whole object from one call: `to_XML` gives every field as a simple string, and the declaration says how to read it.
 * Source: Xen Management API rev 0.2, §1.2 and §2.15.
 */

import { Buffer } from 'node:buffer'
import { type Class, wireName } from '../model/kernel/define.ts'
import { visibleFields } from '../model/kernel/operations.ts'
import type { Type } from '../model/kernel/types.ts'
import { XmlError } from '../wire/xml/error.ts'
import { parseXml } from '../wire/xml/tree.ts'
import { readScalar } from '../wire/xmlrpc/scalar.ts'
import { UnexpectedAnswer } from './decode.ts'

/** The fields of an object by wire name, out of its document. Throws UnexpectedAnswer where one is missing or unreadable. */
export function recordFromXml(of: Class, document: string): Readonly<Record<string, unknown>> {
  const root = rootOf(document)
  if (root.name !== of.name) throw new UnexpectedAnswer(`a document of class ${root.name} instead of ${of.name}`)
  const texts = new Map(root.elements().map(element => [element.name, element.text()]))
  return Object.fromEntries(
    visibleFields(of).map(([path, { type }]) => {
      const name = wireName(path)
      const text = texts.get(name)
      if (text === undefined) throw new UnexpectedAnswer(`the document of the ${of.name} has no ${name}`)
      return [name, readText(type, text, name)]
    }),
  )
}

function rootOf(document: string) {
  try {
    return parseXml(Buffer.from(document, 'utf8'))
  } catch (error) {
    if (error instanceof XmlError) throw new UnexpectedAnswer(error.message, { cause: error })
    throw error
  }
}

function readText(type: Type, text: string, field: string): unknown {
  switch (type.kind) {
    case 'int':
    case 'int32':
      return readScalar('int', text) ?? unreadable(field)
    case 'float':
      return readScalar('double', text) ?? unreadable(field)
    case 'bool':
      return readScalar('boolean', text) ?? unreadable(field)
    case 'dateTime':
      return readScalar('dateTime.iso8601', text) ?? unreadable(field)
    case 'set':
      return new ListReader(text, field).elements().map(element => readText(type.of, element, field))
    case 'map':
      return new Map(
        new ListReader(text, field)
          .pairs()
          .map(([key, value]) => [readText(type.key, key, field), readText(type.value, value, field)]),
      )
    default:
      return text
  }
}

function unreadable(field: string): never {
  throw new UnexpectedAnswer(`the value of ${field} cannot be read`)
}

/** Reads `a, "b, c"` and `(a, 1), (b, 2)`: elements that would be mistaken for structure stand in quotes. */
class ListReader {
  readonly #text: string
  readonly #field: string
  #at = 0

  constructor(text: string, field: string) {
    this.#text = text
    this.#field = field
  }

  elements(): readonly string[] {
    return this.#list(() => this.#element())
  }

  pairs(): ReadonlyArray<readonly [string, string]> {
    return this.#list(() => this.#pair())
  }

  #list<T>(item: () => T): readonly T[] {
    const items: T[] = []
    if (this.#text.trim() === '') return items
    items.push(item())
    while (this.#skip(',')) items.push(item())
    if (this.#at !== this.#text.length) unreadable(this.#field)
    return items
  }

  #pair(): readonly [string, string] {
    if (!this.#skip('(')) unreadable(this.#field)
    const key = this.#element()
    if (!this.#skip(',')) unreadable(this.#field)
    const value = this.#element()
    if (!this.#skip(')')) unreadable(this.#field)
    return [key, value]
  }

  /** Whether `mark` comes next, white space apart; it is passed then. */
  #skip(mark: string): boolean {
    this.#pass(/\s*/y)
    if (this.#text[this.#at] !== mark) return false
    this.#at += 1
    this.#pass(/\s*/y)
    return true
  }

  #element(): string {
    const quoted = this.#pass(/"(?:[^"\\]|\\[^])*"/y)
    return quoted === '' ? this.#pass(/[^,()"]*/y).trimEnd() : quoted.slice(1, -1).replace(/\\([^])/g, '$1')
  }

  #pass(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const [found = ''] = pattern.exec(this.#text) ?? []
    this.#at += found.length
    return found
  }
}
