import { escapeText } from '../../../src/wire/xml/write.ts'
import type { CimProperty, CimValue, Instance } from '../cim/model.ts'
import { isInstance, isList } from '../cim/value.ts'
import { WsmanFault } from './fault.ts'
import type { InstanceWriter, Typed } from './instance-writer.ts'
import * as names from './names.ts'
import { writeScalar } from './value-writer.ts'

/** The dialects in which a property can be named: XPath, and the part of it that WS-Management calls level 1. */
const DIALECTS = new Set([
  'http://www.w3.org/TR/1999/REC-xpath-19991116',
  'http://schemas.dmtf.org/wbem/wsman/1/wsman/xpath/level1',
])
/** `Name`, `p:Name`, `/p:Class/p:Name`, `Name[2]`, `Name/text()`. */
const PATH = /^\/?(?:(?:[\w.-]+:)?(\w+)\/)?(?:[\w.-]+:)?(\w+)(?:\[(\d{1,6})\])?(\/text\(\))?$/
const PATH_LENGTH_MAX = 1_024

export interface Fragment {
  readonly path: string
  readonly dialect: string | undefined
}

/**
 * The part of an instance that a w:FragmentTransfer names, and that header for the answer. Throws WsmanFault.
 * Source: DSP0226, §7.7 and annex D.1 (XPath level 1).
 */
export function writeFragment(
  writer: InstanceWriter,
  instance: Instance,
  { path, dialect }: Fragment,
): { readonly content: string; readonly header: string } {
  if (dialect !== undefined && !DIALECTS.has(dialect)) throw new WsmanFault('fragment-dialect')
  const match = path.length > PATH_LENGTH_MAX ? null : PATH.exec(path)
  const [, className, name = '', index, text] = match ?? []
  // The names in a path have to be spelled as the schema does.
  const property = instance.class.properties.find(each => each.name === name)
  if (property === undefined || (className !== undefined && className !== instance.class.name)) {
    throw new WsmanFault('fragment-path')
  }
  const value = pick(property, instance.values.get(property.name) ?? null, index)
  const content = text === undefined ? writer.writeAlone(instance.class, property, value) : writeText(property, value)
  const attribute = dialect === undefined ? '' : ` Dialect="${dialect}"`
  return {
    content: `<w:XmlFragment>${content}</w:XmlFragment>`,
    header: `<w:FragmentTransfer s:mustUnderstand="true"${attribute}>${escapeText(path)}</w:FragmentTransfer>`,
  }
}

/** Counted from 1, as XPath does; nothing where there is no such item. */
function pick({ isArray }: CimProperty, value: CimValue, index: string | undefined): CimValue {
  if (index === undefined) return value
  const items = isArray && isList(value) ? value : value === null || isList(value) ? [] : [value]
  const item = items[Number(index) - 1]
  if (item === undefined) throw new WsmanFault('fragment-path')
  return isArray ? [item] : item
}

function writeText({ type }: CimProperty, value: CimValue): string {
  if (value === null) return ''
  const items = isList(value) ? value : [value]
  if (type === 'reference' || type === 'datetime' || items.some(isInstance)) throw new WsmanFault('fragment-path')
  return items.map(item => writeScalar(item, type, 'fragment')).join('')
}

/** A row of a query that asks for some properties, in alphabetical order. Source: recorded from Server 2008 R2 and 2012. */
export function writeRow(writer: InstanceWriter, row: readonly (readonly [typed: Typed, value: CimValue])[]): string {
  let written = ''
  for (const [typed, value] of row) written += writer.writeValue(typed, value, '', 'fragment')
  return `<w:XmlFragment xmlns:xsi="${names.SCHEMA_INSTANCE}" xmlns:w="${names.WSMAN}">${written}</w:XmlFragment>`
}
