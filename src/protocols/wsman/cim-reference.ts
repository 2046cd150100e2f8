import type { XmlElement } from '../../wire/xml/tree.ts'
import { EndpointReference, type KeyValue } from './endpoint-reference.ts'
import { CimError, garbage } from './error.ts'
import { REFERENCE_DEPTH_MAX } from './limits.ts'
import { parseObjectPath, referenceTo } from './object-path.ts'
import { classUri } from './resource.ts'

/**
 * Reads the `VALUE.REFERENCE` of CIM-XML, or WMI's way of writing one, a path as text. What names no namespace is in
 * `namespace`. Throws WsmanReplyError where it is no reference to an instance. Source: DSP0201, "VALUE.REFERENCE".
 */
export function readCimReference(element: XmlElement, namespace: string, depth = 0): EndpointReference {
  if (depth > REFERENCE_DEPTH_MAX) throw garbage(`references more than ${REFERENCE_DEPTH_MAX} deep`)
  const path = element.element('INSTANCEPATH') ?? element.element('LOCALINSTANCEPATH')
  const name = path?.element('INSTANCENAME') ?? element.element('INSTANCENAME')
  if (name === undefined) return readPathText(element.text(), namespace)
  const className = name.attribute('CLASSNAME')
  if (className === undefined) throw garbage('an INSTANCENAME without CLASSNAME')
  const keys = new Map<string, KeyValue>()
  for (const binding of name.elements('KEYBINDING')) {
    const key = binding.attribute('NAME')
    if (key === undefined || keys.has(key)) throw garbage('a KEYBINDING without a name of its own')
    keys.set(key, readKey(binding, namespace, depth))
  }
  return asReply(() => new EndpointReference(classUri(namespaceOf(path) ?? namespace, className), keys))
}

/** Reads a path that stands in a string. Throws WsmanReplyError where it is none. */
export function readPathText(text: string, namespace: string): EndpointReference {
  const path = parseObjectPath(text.trim())
  if (path === undefined) throw garbage('a reference that is no object path')
  return asReply(() => referenceTo(path, namespace))
}

function readKey(binding: XmlElement, namespace: string, depth: number): KeyValue {
  const inner = binding.element('VALUE.REFERENCE')
  if (inner !== undefined) return readCimReference(inner, namespace, depth + 1)
  const value = binding.element('KEYVALUE')
  if (value === undefined) throw garbage('a KEYBINDING without a value')
  return value.text()
}

function namespaceOf(path: XmlElement | undefined): string | undefined {
  const local = path?.element('NAMESPACEPATH')?.element('LOCALNAMESPACEPATH') ?? path?.element('LOCALNAMESPACEPATH')
  return local
    ?.elements('NAMESPACE')
    .map(part => part.attribute('NAME') ?? '')
    .join('/')
}

/** What a host calls by no name of CIM is the host's fault. */
function asReply<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof CimError) throw garbage(error.message, { cause: error })
    throw error
  }
}
