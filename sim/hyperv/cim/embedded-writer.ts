import assert from 'node:assert/strict'
import { escapeAttribute, escapeText } from '../../../src/wire/xml/write.ts'
import { keysOf } from './instance.ts'
import type { CimProperty, CimScalar, CimValue, Instance } from './model.ts'
import { nameOf, pathOf, printPath } from './path.ts'
import { isInstance, isList } from './value.ts'

// Instances as text, character by character as Windows writes CIM-XML: NULL is an element without VALUE, but never one
// that closes itself; what the instance does not say itself is marked PROPAGATED.
// Source: instances recorded from a host of Windows Server 2012, test/fixtures/hyperv/ws2012-instances.json.

/** Where an instance is: the host's name and the namespace, as paths have them. */
export interface Place {
  readonly host: string
  readonly namespace: string
}

/**
 * How much is told beside the properties. `bare` is what methods give: nothing. With a place, or with null for an
 * instance that was made and not yet put anywhere, it is what WMI itself makes of an instance: with the system
 * properties, and with the class that declares each property.
 */
export type EmbeddedForm = 'bare' | Place | null

/** Writes `instance` as CIM-XML. Asserts that no property holds a reference or an instance. */
export function writeEmbedded(instance: Instance, form: EmbeddedForm = 'bare'): string {
  const isBare = form === 'bare'
  let text = `<INSTANCE CLASSNAME="${escapeAttribute(instance.class.name)}">`
  if (!isBare) text += systemProperties(instance, form)
  for (const property of instance.class.properties) {
    const value = instance.values.get(property.name)
    const isPropagated = value === undefined || instance.fallbacks?.has(property.name) === true
    const marks = `${isBare ? '' : ` CLASSORIGIN="${property.origin}"`}${isPropagated ? ' PROPAGATED="true"' : ''}`
    text += writeProperty(property, marks, value ?? null)
  }
  return `${text}</INSTANCE>`
}

/** In the order in which WMI gives them. */
function systemProperties(instance: Instance, place: Place | null): string {
  const { class: cls } = instance
  const isNamed = [...keysOf(instance).values()].every(key => key !== '')
  const isPlaced = place !== null && isNamed
  const relative = isNamed ? printPath(nameOf(instance), cls) : null
  return [
    system('__PATH', 'string', isPlaced ? pathOf(instance, place.host, place.namespace) : null),
    system('__NAMESPACE', 'string', place?.namespace ?? null),
    system('__SERVER', 'string', place?.host ?? null),
    system('__DERIVATION', 'string', cls.superclasses),
    system('__PROPERTY_COUNT', 'sint32', cls.properties.length),
    system('__RELPATH', 'string', relative),
    system('__DYNASTY', 'string', cls.superclasses.at(-1) ?? cls.name),
    system('__SUPERCLASS', 'string', cls.superclasses[0] ?? null),
    system('__CLASS', 'string', cls.name),
    system('__GENUS', 'sint32', 2),
  ].join('')
}

function system(name: string, type: 'string' | 'sint32', value: CimValue): string {
  return writeProperty({ name, type, isArray: isList(value) }, ' CLASSORIGIN="___SYSTEM"', value)
}

function writeProperty(
  { name, type, isArray }: Pick<CimProperty, 'name' | 'type' | 'isArray'>,
  marks: string,
  value: CimValue,
): string {
  assert(value === null || (type !== 'reference' && type !== 'object'), `${name} cannot be embedded as text`)
  const element = isArray ? 'PROPERTY.ARRAY' : 'PROPERTY'
  return `<${element} NAME="${escapeAttribute(name)}"${marks} TYPE="${type}">${writeContent(value)}</${element}>`
}

function writeContent(value: CimValue): string {
  if (value === null) return ''
  if (isList(value)) return `<VALUE.ARRAY>${value.map(writeValue).join('')}</VALUE.ARRAY>`
  return writeValue(value)
}

function writeValue(value: CimScalar): string {
  assert(!isInstance(value), 'an instance cannot be embedded as text in another')
  const text = typeof value === 'boolean' ? String(value).toUpperCase() : String(value)
  return `<VALUE>${escapeText(text)}</VALUE>`
}
