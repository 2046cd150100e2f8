import type { XmlElement } from '../../wire/xml/tree.ts'
import type { XmlOutput } from '../../wire/xml/write.ts'
import { CimError, garbage } from './error.ts'
import { REFERENCE_DEPTH_MAX } from './limits.ts'
import { ANONYMOUS, NAMESPACE } from './names.ts'
import { classUri, parseResourceUri, requireName } from './resource.ts'

/** The value of a key. A host sends all of them as text; numbers and booleans are for keys that the caller gives. */
export type KeyValue = string | number | bigint | boolean | EndpointReference

/**
 * Names one instance: its class, by resource URI, and its keys, which WS-Management calls selectors. With no
 * selectors it names the only instance of its class, or, of a method, the class itself.
 * Source: DSP0226, "WS-Management default addressing model".
 */
export class EndpointReference {
  readonly resourceUri: string
  readonly selectors: ReadonlyMap<string, KeyValue>

  constructor(resourceUri: string, selectors: ReadonlyMap<string, KeyValue>) {
    this.resourceUri = resourceUri
    this.selectors = selectors
  }

  get className(): string {
    return parseResourceUri(this.resourceUri).className
  }

  /** Of WMI, with slashes; undefined where the resource is none of WMI's. */
  get namespace(): string | undefined {
    return parseResourceUri(this.resourceUri).namespace
  }

  /** The text of a key, whatever the case of `name`; undefined where it is absent or itself a reference. */
  key(name: string): string | undefined {
    const wanted = name.toLowerCase()
    for (const [key, value] of this.selectors) {
      if (key.toLowerCase() === wanted) return value instanceof EndpointReference ? undefined : String(value)
    }
    return undefined
  }
}

/** The reference to an instance of a WMI class. Throws CimError for names that are none. */
export function reference(
  namespace: string,
  className: string,
  keys: Readonly<Record<string, KeyValue>> = {},
): EndpointReference {
  return new EndpointReference(classUri(namespace, className), new Map(Object.entries(keys)))
}

/** The header or child `w:SelectorSet`; nothing where there are no selectors. Throws CimError for names that are none. */
export function writeSelectors(selectors: ReadonlyMap<string, KeyValue>, depth = 0): XmlOutput[] {
  if (depth > REFERENCE_DEPTH_MAX) throw new CimError(`references more than ${REFERENCE_DEPTH_MAX} deep`)
  if (selectors.size === 0) return []
  const children = [...selectors].map(([name, value]): XmlOutput => {
    const attributes = { Name: requireName(name) }
    if (!(value instanceof EndpointReference)) return { name: 'w:Selector', attributes, children: [String(value)] }
    const inner = { name: 'a:EndpointReference', children: writeReference(value, depth + 1) }
    return { name: 'w:Selector', attributes, children: [inner] }
  })
  return [{ name: 'w:SelectorSet', children }]
}

/**
 * What stands in an element that is a reference, as Windows wants it: no `a:EndpointReference` around it.
 * Source: DSP0226, "Use of WS-Addressing endpoint references".
 */
export function writeReference(to: EndpointReference, depth = 0): XmlOutput[] {
  const resource = { name: 'w:ResourceURI', children: [to.resourceUri] }
  return [
    { name: 'a:Address', children: [ANONYMOUS] },
    { name: 'a:ReferenceParameters', children: [resource, ...writeSelectors(to.selectors, depth)] },
  ]
}

/** Whether an element holds a reference, with or without an `a:EndpointReference` around it. */
export function isReference(element: XmlElement): boolean {
  return ['ReferenceParameters', 'EndpointReference'].some(name => element.element(name, NAMESPACE.a) !== undefined)
}

/** Reads the reference that an element is or holds. Throws WsmanReplyError where there is none. */
export function readReference(element: XmlElement, depth = 0): EndpointReference {
  if (depth > REFERENCE_DEPTH_MAX) throw garbage(`references more than ${REFERENCE_DEPTH_MAX} deep`)
  const holder = element.element('EndpointReference', NAMESPACE.a) ?? element
  const parameters = holder.element('ReferenceParameters', NAMESPACE.a)
  const uri = parameters?.element('ResourceURI', NAMESPACE.w)
  if (parameters === undefined || uri === undefined) throw garbage(`${element.name} holds no endpoint reference`)
  const selectors = new Map<string, KeyValue>()
  for (const selector of parameters.element('SelectorSet', NAMESPACE.w)?.elements('Selector', NAMESPACE.w) ?? []) {
    const name = selector.attribute('Name') ?? selector.attribute('Name', NAMESPACE.w)
    if (name === undefined || selectors.has(name)) throw garbage('a selector without a name of its own')
    selectors.set(name, isReference(selector) ? readReference(selector, depth + 1) : selector.text())
  }
  return new EndpointReference(uri.text().trim(), selectors)
}
