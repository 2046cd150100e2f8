import { Buffer } from 'node:buffer'
import type { XmlElement } from '../../../src/wire/xml/tree.ts'
import { fromXmlTime, isInterval } from '../cim/datetime.ts'
import type { CimClass, CimMethod, CimParameter, CimProperty, CimScalar, CimValue } from '../cim/model.ts'
import { readScalar } from '../cim/value.ts'
import { requireNoText } from './element-only.ts'
import { schemaFault } from './fault.ts'
import * as names from './names.ts'
import { isSameUri } from './resource.ts'
import { type EndpointReference, readReference } from './selector.ts'

/** Makes the object path of a reference, or throws the fault for one that can lead to nothing. */
export type Resolve = (reference: EndpointReference) => string

/** However many a client sends, within the envelope: no array of Hyper-V's is longer. */
const ITEMS_MAX = 4_096

/**
 * Reads the arguments of a method from its `_INPUT` element, against the schema: by name, whatever the case, of the
 * declared types. What is nil or left out is absent. Throws WsmanFault, mostly of a schema that is not met.
 */
export function readArguments(input: XmlElement, method: CimMethod, resolve: Resolve): ReadonlyMap<string, CimValue> {
  const values = readDeclared(input, element => parameterOf(element, input.namespace, method), resolve)
  return new Map([...values].filter(([, value]) => value !== null))
}

/**
 * Reads the properties that an instance is to have, as `readArguments` reads arguments; what is left out is absent,
 * what is nil is NULL.
 */
export function readProperties(written: XmlElement, cls: CimClass, resolve: Resolve): ReadonlyMap<string, CimValue> {
  return readDeclared(written, element => propertyOf(element, written.namespace, cls), resolve)
}

type Declared = Pick<CimParameter, 'name' | 'type' | 'isArray'>

function readDeclared(written: XmlElement, declaredBy: (element: XmlElement) => Declared, resolve: Resolve) {
  const given = new Map<Declared, XmlElement[]>()
  for (const element of written.elements()) {
    const parameter = declaredBy(element)
    const elements = given.get(parameter)
    if (elements === undefined) given.set(parameter, [element])
    else if (!parameter.isArray) throw schemaFault(parameter.name, 'given twice', '重複しています')
    else if (elements.push(element) > ITEMS_MAX) throw schemaFault(parameter.name, 'too long', '長すぎます')
  }
  requireNoText(written)
  const values = new Map<string, CimValue>()
  for (const [parameter, elements] of given) {
    const present = elements.filter(element => !isNil(element))
    values.set(parameter.name, readValue(parameter, present, resolve) ?? null)
  }
  return values
}

function parameterOf({ name, namespace }: XmlElement, expected: string, method: CimMethod): CimParameter {
  const wanted = name.toLowerCase()
  const parameter = method.parameters.find(({ isIn, ...each }) => isIn && each.name.toLowerCase() === wanted)
  if (parameter === undefined || !isSameUri(namespace, expected)) {
    throw schemaFault(name, `not a parameter of ${method.name}`, `${method.name} のパラメーターではありません`)
  }
  return parameter
}

function propertyOf({ name, namespace }: XmlElement, expected: string, cls: CimClass): CimProperty {
  const property = cls.property(name)
  if (property !== undefined && isSameUri(namespace, expected)) return property
  throw schemaFault(name, `not a property of ${cls.name}`, `${cls.name} のプロパティではありません`)
}

function isNil(element: XmlElement): boolean {
  const nil = element.attribute('nil', names.SCHEMA_INSTANCE)?.trim() ?? 'false'
  if (nil === 'false' || nil === '0') return false
  if (nil !== 'true' && nil !== '1') throw schemaFault(element.name, 'xsi:nil is no boolean', 'xsi:nil が無効です')
  // Source: XML Schema Part 1, §3.3.4: what is nil has no content.
  if (element.elements().length > 0 || element.text().trim() !== '')
    throw schemaFault(element.name, 'nil and not empty', 'nil ですが空ではありません')
  return true
}

function readValue(parameter: Declared, elements: readonly XmlElement[], resolve: Resolve): CimValue | undefined {
  const [first, ...others] = elements
  if (first === undefined) return undefined
  if (!parameter.isArray) return readItem(parameter, first, resolve)
  if (parameter.type === 'uint8' && others.length === 0) return readBytes(parameter, first)
  return elements.map(element => readItem(parameter, element, resolve))
}

function readItem(parameter: Declared, element: XmlElement, resolve: Resolve): CimScalar {
  const { type, name } = parameter
  if (type === 'reference') return resolve(readReference(element))
  if (type === 'datetime') return readTime(name, element)
  // An embedded instance is text; what Windows refuses here is one that is written out as elements.
  if (element.elements().length > 0) throw schemaFault(name, 'elements instead of text', 'テキストではなく要素です')
  const text = element.text()
  if (type === 'boolean' && /^\s*[01]\s*$/.test(text)) return text.trim() === '1' // Source: XML Schema Part 2, §3.2.2.
  const value = readScalar(type === 'string' || type === 'char16' ? text : text.trim(), type)
  if (value === undefined) throw schemaFault(name, `not a ${type}`, `${type} ではありません`)
  return value
}

/** Source: DSP0230 (WS-CIM), §6.2; CIM's own form is taken too, since it stands where XML has none. */
function readTime(name: string, element: XmlElement): string {
  const [inner, ...others] = element.elements()
  if (inner !== undefined) requireNoText(element)
  const time = fromXmlTime((inner ?? element).text().trim())
  const isKnown = inner === undefined || (inner.namespace === names.CIM && others.length === 0)
  if (time === undefined || !isKnown || (inner !== undefined && !isNamedFor(time, inner))) {
    throw schemaFault(name, 'not a datetime', 'datetime ではありません')
  }
  return time
}

/** Whether a time is of the kind that its element says. */
function isNamedFor(time: string, { name }: XmlElement): boolean {
  if (name === 'CIM_DateTime') return true
  return name === (isInterval(time) ? 'Interval' : 'Datetime')
}

const DECIMAL = /^\d{1,3}$/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/**
 * Bytes in one element: base64, or an array of one number. They cannot be confused, since no number of a byte has as
 * many digits as base64 has letters.
 */
function readBytes({ name }: Declared, element: XmlElement): CimValue {
  const text = element.text().replace(/\s+/g, '')
  const isText = element.elements().length === 0
  if (isText && DECIMAL.test(text) && Number(text) <= 0xff) return [Number(text)]
  if (!isText || !BASE64.test(text))
    throw schemaFault(name, 'neither base64 nor a number', 'base64 でも数値でもありません')
  return [...Buffer.from(text, 'base64')]
}
