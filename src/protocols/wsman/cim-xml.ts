import { Buffer } from 'node:buffer'
import { parseXml, XmlElement } from '../../wire/xml/tree.ts'
import { escapeAttribute, isWritable } from '../../wire/xml/write.ts'
import { CimError, garbage, unreadable } from './error.ts'
import { EMBEDDED_BYTES_MAX } from './limits.ts'
import type { RawProperties, RawProperty, RawValue } from './properties.ts'
import { requireName } from './resource.ts'

/** What TYPE may say. Source: DSP0201, entity "CIMType". */
export const CIM_XML_TYPES = [
  'boolean',
  'string',
  'char16',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'sint8',
  'sint16',
  'sint32',
  'sint64',
  'real32',
  'real64',
  'datetime',
] as const

type BaseType = (typeof CIM_XML_TYPES)[number]

/** What CIM-XML says about a property. A reference or an object has elements of its own, and no TYPE. */
export type CimXmlType = BaseType | `${BaseType}[]` | 'reference' | 'object' | 'object[]'

/** An instance as CIM-XML tells it: a string in a method's parameter, or in a property. */
export interface CimXmlInstance {
  readonly className: string
  readonly properties: RawProperties
  /** Of each property. */
  readonly types: ReadonlyMap<string, CimXmlType>
}

/**
 * Writes an instance as Windows does, without declaration and blanks. Windows reads what it is given with a parser that
 * takes `&#38;` and `&#60;` and refuses `&amp;` and `&lt;`, so that these two are written as numbers.
 * Throws CimError for a property that is a reference or an object: what Hyper-V takes holds paths and strings instead.
 * Source: DSP0201, "INSTANCE"; for the entities, seen on Windows Server (see docs/doubts.md).
 */
export function writeCimXml({ className, properties, types }: CimXmlInstance): string {
  const written = [...properties].map(([name, value]) => writeProperty(name, types.get(name), value))
  return `<INSTANCE CLASSNAME="${requireName(className)}">${written.join('')}</INSTANCE>`
}

function writeProperty(name: string, type: CimXmlType | undefined, value: RawProperty): string {
  if (type === undefined) throw new CimError(`${name} has no type, which CIM-XML wants: say it by typed or defineClass`)
  const isArray = type.endsWith('[]')
  const element = isArray ? 'PROPERTY.ARRAY' : 'PROPERTY'
  const base = isArray ? type.slice(0, -2) : type
  const head = `<${element} NAME="${escapeAttribute(requireName(name))}" TYPE="${base}">`
  return `${head}${writeContent(name, value)}</${element}>`
}

function writeContent(name: string, value: RawProperty): string {
  if (value === null) return ''
  if (typeof value === 'string') return `<VALUE>${escape(name, value)}</VALUE>`
  if (value instanceof XmlElement) throw new CimError(`${name} holds a reference or an object, which is not written`)
  const items = value.map(item => (item === null ? '<VALUE.NULL></VALUE.NULL>' : writeContent(name, item)))
  return `<VALUE.ARRAY>${items.join('')}</VALUE.ARRAY>`
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&#38;', '<': '&#60;', '>': '&gt;', '\r': '&#13;' }

function escape(name: string, text: string): string {
  if (!isWritable(text)) throw new CimError(`${name} holds a character that XML cannot carry`)
  return text.replace(/[&<>\r]/g, character => ESCAPES[character] ?? character)
}

/** Reads an instance. Throws WsmanReplyError for what is none, or larger than EMBEDDED_BYTES_MAX. */
export function parseCimXml(text: string): CimXmlInstance {
  const root = parseText(text)
  if (root.name !== 'INSTANCE') throw garbage('CIM-XML that is no INSTANCE')
  return readCimXml(root)
}

/** Reads an `INSTANCE`, wherever it stands. Throws WsmanReplyError for what breaks the rules of CIM-XML. */
export function readCimXml(instance: XmlElement): CimXmlInstance {
  const className = instance.attribute('CLASSNAME')
  if (className === undefined) throw garbage('an INSTANCE without CLASSNAME')
  const properties = new Map<string, RawProperty>()
  const types = new Map<string, CimXmlType>()
  for (const element of instance.elements()) {
    const read = READERS.get(element.name)
    if (read === undefined) continue // Qualifiers say nothing that a client needs.
    const name = element.attribute('NAME')
    if (name === undefined || properties.has(name)) throw garbage(`a ${element.name} without a name of its own`)
    const { type, value } = read(element)
    properties.set(name, value)
    types.set(name, type)
  }
  return { className, properties, types }
}

interface ReadProperty {
  readonly type: CimXmlType
  readonly value: RawProperty
}

type ReadElement = (element: XmlElement) => ReadProperty

/**
 * By element. The last two are Windows' own: an object that is written as elements, not as a string.
 * Source: DSP0201, "Property elements"; Microsoft Learn, "Representing objects in XML", WMI DTD 2.0.
 */
const READERS = new Map<string, ReadElement>([
  ['PROPERTY', element => ({ type: baseType(element), value: readText(element) })],
  ['PROPERTY.ARRAY', element => ({ type: `${baseType(element)}[]`, value: readArray(element, 'VALUE.ARRAY') })],
  ['PROPERTY.REFERENCE', element => ({ type: 'reference', value: element.element('VALUE.REFERENCE') ?? null })],
  ['PROPERTY.OBJECT', element => ({ type: 'object', value: element.element('VALUE.OBJECT') ?? null })],
  ['PROPERTY.OBJECTARRAY', element => ({ type: 'object[]', value: readArray(element, 'VALUE.OBJECTARRAY') })],
])

/** A property without TYPE is taken for a string. */
function baseType(element: XmlElement): BaseType {
  const given = element.attribute('TYPE')?.toLowerCase() ?? 'string'
  const known = CIM_XML_TYPES.find(type => type === given)
  if (known === undefined) throw garbage('a TYPE that is none of CIM')
  return known
}

function readText(element: XmlElement): RawValue {
  return element.element('VALUE')?.text() ?? null
}

function readArray(element: XmlElement, holder: string): RawProperty {
  const array = element.element(holder)
  if (array === undefined) return null
  return array.elements().map(item => {
    if (item.name === 'VALUE') return item.text()
    if (item.name === 'VALUE.OBJECT') return item
    if (item.name === 'VALUE.NULL') return null
    throw garbage(`an item of ${holder} that is no value`)
  })
}

/** The declaration of a string may name an encoding that the string is not in any more, so it is passed over. */
function parseText(text: string): XmlElement {
  try {
    return parseXml(Buffer.from(text.replace(/^\s*<\?xml\s[^>]{0,200}\?>/, '')), { maxBytes: EMBEDDED_BYTES_MAX })
  } catch (error) {
    throw unreadable(error, 'an embedded instance that is no CIM-XML')
  }
}
