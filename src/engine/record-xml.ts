/**
 * An object as an XML document: one element per object, one per field, every value a simple string.
 * Source: Xen Management API rev 0.2, §1.2 and §2.15.
 */

import { type Class, wireName } from '../model/kernel/define.ts'
import { visibleFields } from '../model/kernel/operations.ts'
import type { OpenValue, Type } from '../model/kernel/types.ts'
import { escapeText } from '../wire/xml/write.ts'
import { formatDateTime } from './date-time.ts'
import { printable } from './text.ts'

/** The document of an object: `<VM><uuid>…</uuid><power_state>Halted</power_state>…</VM>`. */
export function recordToXml(of: Class, record: Readonly<Record<string, unknown>>): string {
  const fields = visibleFields(of).map(([path, field]) => {
    const name = elementName(path)
    return `  <${name}>${escapeText(printable(valueToText(field.type, record[wireName(path)])))}</${name}>\n`
  })
  return `<?xml version="1.0"?>\n<${of.name}>\n${fields.join('')}</${of.name}>\n`
}

/** The element of a field: its wire name, for `/` cannot stand in one. */
export const elementName = (path: string): string => wireName(path)

/** A value as a simple string: `5`, `true`, `1, 2, 3`, `(1, 2), (2, 3)`. */
export function valueToText(type: Type, value: unknown): string {
  switch (type.kind) {
    case 'set':
      return (value as readonly unknown[]).map(element => quoted(valueToText(type.of, element))).join(', ')
    case 'map':
      return [...(value as ReadonlyMap<unknown, unknown>)]
        .map(([key, entry]) => `(${quoted(valueToText(type.key, key))}, ${quoted(valueToText(type.value, entry))})`)
        .join(', ')
    case 'dateTime':
      return formatDateTime(value as Date)
    default:
      return String(value)
  }
}

/** An element that would be mistaken for structure, or for nothing, is put in quotes; quotes and backslashes within are escaped. */
function quoted(text: string): string {
  const isPlain = text !== '' && !/[,()"\\\p{Cc}]|^\s|\s$/u.test(text)
  return isPlain ? text : `"${text.replace(/[\\"]/g, '\\$&')}"`
}

/** A value of open shape as elements: members of a struct by name, elements of an array as `<value>`. */
export function openToXml(value: OpenValue): string {
  if (value instanceof Date) return formatDateTime(value)
  if (Array.isArray(value)) return value.map((element: OpenValue) => `<value>${openToXml(element)}</value>`).join('')
  if (typeof value !== 'object') return escapeText(printable(String(value)))
  return Object.entries(value)
    .map(([name, member]) => `<${name}>${openToXml(member)}</${name}>`)
    .join('')
}
