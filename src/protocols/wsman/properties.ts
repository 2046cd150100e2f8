import { NO_NAMESPACE, XmlElement } from '../../wire/xml/tree.ts'
import { garbage } from './error.ts'
import { NAMESPACE } from './names.ts'

/** What a property holds, as it was written: null, its text, or the element where it holds others. */
export type RawValue = string | null | XmlElement

/** A property that stands once, or each time it stands; null stands for "no value". */
export type RawProperty = RawValue | readonly RawValue[]

/** By the spelling of the host, in its order. */
export type RawProperties = ReadonlyMap<string, RawProperty>

/**
 * The properties of an instance that is written as elements. An array is an element for each of its items, so that one
 * of a single item looks like no array: what a property is, is decided by whoever asks for it.
 * Source: DSP0230, "Property-to-element mapping".
 */
export function readProperties(instance: XmlElement): RawProperties {
  const namespaces = namespacesOf(instance)
  const properties = new Map<string, RawProperty>()
  for (const child of instance.children) {
    if (!(child instanceof XmlElement) || !namespaces.includes(child.namespace)) continue
    const value = readValue(child)
    const before = properties.get(child.name)
    if (before === undefined) properties.set(child.name, value)
    else if (Array.isArray(before)) before.push(value)
    else properties.set(child.name, [...rawItems(before), value])
  }
  return properties
}

/** The items of a property that is asked for as an array. */
export function rawItems(property: RawProperty): readonly RawValue[] {
  return property === null || typeof property === 'string' || property instanceof XmlElement ? [property] : property
}

/** Whether an element says that it has no value. Source: XML Schema, xsi:nil. */
function isNil(element: XmlElement): boolean {
  if (element.attributes.length === 0) return false
  const nil = element.attribute('nil', NAMESPACE.xsi)?.trim()
  return nil === 'true' || nil === '1'
}

/** The class that an embedded object says it is of; the element's own name where it says nothing. */
export function classNameOf(instance: XmlElement): string {
  const { local } = typeOf(instance)
  return local?.replace(/_Type$/, '') ?? instance.name
}

/** The properties of a projection are in no namespace; those of an embedded object may be in that of its class. */
function namespacesOf(instance: XmlElement): readonly string[] {
  if (instance.namespace === NAMESPACE.w && instance.name === 'XmlFragment') return [NO_NAMESPACE]
  const { namespace } = typeOf(instance)
  return namespace === undefined ? [instance.namespace] : [instance.namespace, namespace]
}

function typeOf(instance: XmlElement): { readonly namespace?: string; readonly local?: string } {
  const type = instance.attribute('type', NAMESPACE.xsi)?.trim()
  if (type === undefined) return {}
  const [local = '', prefix = ''] = type.split(':').toReversed()
  const namespace = instance.namespaceOf(prefix)
  if (namespace === undefined || local === '') throw garbage('an xsi:type whose prefix is not declared')
  return { namespace, local }
}

function readValue(element: XmlElement): RawValue {
  if (isNil(element)) return null
  const { children } = element
  if (children.length === 0) return ''
  const [first] = children
  return children.length === 1 && typeof first === 'string' ? first : element
}
