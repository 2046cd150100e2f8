import type { XmlElement } from '../../../src/wire/xml/tree.ts'
import { type ElementNames, requireOnly } from './element-only.ts'
import { WsmanFault } from './fault.ts'
import * as names from './names.ts'
import { type EndpointReference, readReference, readSelectorSet, type Selector } from './selector.ts'

/** Which objects an association filter asks for. */
export interface AssociationFilter {
  readonly kind: 'association'
  /** Whether the associations are asked for instead of what they lead to. */
  readonly isReferences: boolean
  readonly object: EndpointReference
  readonly associationClass: string | undefined
  readonly role: string | undefined
  readonly resultClass: string | undefined
  readonly resultRole: string | undefined
  /** Properties; all where there are none. */
  readonly properties: readonly string[]
}

/** What an Enumerate asks for out of all. */
export type Filter =
  | { readonly kind: 'wql'; readonly text: string }
  | { readonly kind: 'selector'; readonly selectors: readonly Selector[] }
  | AssociationFilter

const DIALECTS = [names.Dialect.wql, names.Dialect.selector, names.Dialect.association]
const PROPERTIES_MAX = 500
const NAME = /^[A-Za-z_]\w{0,254}$/

/** Reads a filter of one of the dialects that Windows has. Throws WsmanFault. */
export function readFilter(filter: XmlElement): Filter {
  const dialect = filter.attribute('Dialect')?.trim().toLowerCase()
  switch (DIALECTS.find(each => each.toLowerCase() === dialect)) {
    case names.Dialect.wql:
      return readWqlFilter(filter)
    case names.Dialect.selector:
      return readSelectorFilter(filter)
    case names.Dialect.association:
      return readAssociationFilter(filter)
    default:
      throw new WsmanFault('filter-dialect', { dialects: DIALECTS })
  }
}

function readWqlFilter(filter: XmlElement): Filter {
  if (filter.elements().length > 0) throw new WsmanFault('filter-xml')
  const text = filter.text().trim()
  if (text === '') throw new WsmanFault('cannot-process-filter')
  return { kind: 'wql', text }
}

const SELECTOR: ElementNames = new Map([[names.WSMAN, ['SelectorSet']]])

function readSelectorFilter(filter: XmlElement): Filter {
  requireOnly(filter, SELECTOR, { fault: () => new WsmanFault('filter-xml') })
  const selectors = readSelectorSet(inner(filter, 'SelectorSet', names.WSMAN))
  if (selectors.length === 0) throw new WsmanFault('filter-xml')
  return { kind: 'selector', selectors }
}

/** What may stand in either kind of association filter. */
const ASSOCIATION: ElementNames = new Map([
  [names.BINDING, ['Object', 'AssociationClassName', 'Role', 'ResultClassName', 'ResultRole', 'IncludeResultProperty']],
])

/** Source: DSP0227, §8.2. */
function readAssociationFilter(filter: XmlElement): AssociationFilter {
  const [element, ...others] = filter.elements()
  const isReferences = element?.name === 'AssociationInstances'
  const isKnown = isReferences || element?.name === 'AssociatedInstances'
  if (element === undefined || !isKnown || element.namespace !== names.BINDING || others.length > 0) {
    throw new WsmanFault('filter-xml')
  }
  requireOnly(element, ASSOCIATION, {
    repeatable: ['IncludeResultProperty'],
    fault: () => new WsmanFault('filter-xml'),
  })
  const properties = element.elements('IncludeResultProperty', names.BINDING).map(each => each.text().trim())
  if (properties.length > PROPERTIES_MAX || properties.some(name => !NAME.test(name)))
    throw new WsmanFault('filter-xml')
  return {
    kind: 'association',
    isReferences,
    object: readReference(inner(element, 'Object', names.BINDING)),
    associationClass: readName(element, 'AssociationClassName'),
    role: readName(element, 'Role'),
    resultClass: readName(element, 'ResultClassName'),
    resultRole: readName(element, 'ResultRole'),
    properties,
  }
}

function inner(element: XmlElement, name: string, namespace: string): XmlElement {
  const [found, ...others] = element.elements(name, namespace)
  if (found === undefined || others.length > 0) throw new WsmanFault('filter-xml')
  return found
}

/** An empty element is as good as none. */
function readName(element: XmlElement, name: string): string | undefined {
  const text = element.element(name, names.BINDING)?.text().trim() ?? ''
  if (text === '') return undefined
  if (!NAME.test(text)) throw new WsmanFault('filter-xml')
  return text
}
