import { escapeAttribute, escapeText } from '../../../src/wire/xml/write.ts'
import { type ObjectPath, parsePath } from '../cim/path.ts'
import { WsmanFault } from './fault.ts'
import * as names from './names.ts'
import { classUri } from './resource.ts'

/** The keys of an association are references again, and may be associations' themselves. */
const NESTING_MAX = 3

/**
 * What is in a reference: an address and what leads to the object. `namespace` is where a path is at home that names
 * none. Source: references of real hosts, recorded.
 */
export function writeReference(path: string, namespace: string, nesting = 0): string {
  const parsed = nesting > NESTING_MAX ? undefined : parsePath(path)
  if (parsed === undefined) throw new WsmanFault('internal-error')
  return writeObjectReference(parsed, namespace, nesting)
}

/** As `writeReference`, of a path that is read already. */
export function writeObjectReference(path: ObjectPath, namespace: string, nesting = 0): string {
  const uri = classUri((path.namespace ?? namespace).toLowerCase(), path.className)
  let selectors = ''
  for (const [name, value] of [...path.keys].sort(([a], [b]) => compareNames(a, b))) {
    selectors += `<w:Selector Name="${escapeAttribute(name)}">${writeKey(value, namespace, nesting)}</w:Selector>`
  }
  return (
    `<a:Address>${names.ANONYMOUS}</a:Address><a:ReferenceParameters><w:ResourceURI>${escapeText(uri)}</w:ResourceURI>` +
    `<w:SelectorSet>${selectors}</w:SelectorSet></a:ReferenceParameters>`
  )
}

/** A key that is a path leads to an object, where the class has references for keys. */
function writeKey(value: string, namespace: string, nesting: number): string {
  if (!value.startsWith('\\\\')) return escapeText(value)
  const path = nesting < NESTING_MAX ? parsePath(value) : undefined
  if (path === undefined || path.namespace === undefined || path.keys.size === 0) return escapeText(value)
  return writeEndpointReference(path, namespace, nesting + 1)
}

/** An item of an enumeration of references. */
export function writeEndpointReference(path: ObjectPath, namespace: string, nesting = 0): string {
  return `<a:EndpointReference>${writeObjectReference(path, namespace, nesting)}</a:EndpointReference>`
}

function compareNames(a: string, b: string): number {
  const [left, right] = [a.toLowerCase(), b.toLowerCase()]
  return left < right ? -1 : Number(left > right)
}
