import type { XmlElement } from '../../../src/wire/xml/tree.ts'
import { requireNoText } from './element-only.ts'
import { schemaFault, WsmanFault } from './fault.ts'
import * as names from './names.ts'

/** A key of a resource as a client names it. Keys of associations are references. */
export interface Selector {
  readonly name: string
  readonly value: string | EndpointReference
}

export interface EndpointReference {
  readonly resourceUri: string
  readonly selectors: readonly Selector[]
}

const SELECTORS_MAX = 50
/** An association names objects, and an object may be an association. Deeper ones are in no class. */
const NESTING_MAX = 3

/** Reads w:SelectorSet. Throws WsmanFault. */
export function readSelectorSet(set: XmlElement, nesting = 0): readonly Selector[] {
  const elements = set.elements()
  requireNoText(set)
  if (elements.length > SELECTORS_MAX) throw new WsmanFault('selector-limit')
  const selectors = elements.map(element => readSelector(element, nesting))
  const seen = new Set(selectors.map(({ name }) => name.toLowerCase()))
  if (seen.size < selectors.length) throw new WsmanFault('selectors-duplicate')
  return selectors
}

function readSelector(element: XmlElement, nesting: number): Selector {
  const name = element.attribute('Name')
  if (element.name !== 'Selector' || element.namespace !== names.WSMAN || name === undefined || name === '') {
    throw schemaFault('SelectorSet', 'holds no selector', 'セレクターではありません')
  }
  const [inner, ...others] = element.elements()
  if (inner === undefined) return { name, value: element.text() }
  if (inner.name !== 'EndpointReference' || inner.namespace !== names.ADDRESSING || others.length > 0) {
    throw schemaFault(`Selector ${name}`, 'neither text nor an endpoint reference', 'テキストでも参照でもありません')
  }
  requireNoText(element)
  return { name, value: readReference(inner, nesting + 1) }
}

/**
 * Reads what is in an endpoint reference, or directly in a parameter: a:Address and a:ReferenceParameters. Throws
 * WsmanFault. Source: DSP0226, §5.1; that Windows refuses a wrapped one in a parameter was verified on a real host.
 */
export function readReference(element: XmlElement, nesting = 0): EndpointReference {
  if (nesting > NESTING_MAX) throw schemaFault(element.name, 'nested too deeply', '入れ子が深すぎます')
  requireNoText(element)
  const [parameters] = element.elements('ReferenceParameters', names.ADDRESSING)
  const uri = parameters?.element('ResourceURI', names.WSMAN)?.text().trim()
  const isAddressed = element.elements('Address', names.ADDRESSING).length === 1
  if (!isAddressed || parameters === undefined || uri === undefined || isAmbiguous(element, parameters)) {
    throw schemaFault(element.name, 'not an endpoint reference', 'エンドポイント参照ではありません')
  }
  const set = parameters.element('SelectorSet', names.WSMAN)
  return { resourceUri: uri, selectors: set === undefined ? [] : readSelectorSet(set, nesting) }
}

/** Whether it says twice where it leads to; what stands in it besides is for others. */
function isAmbiguous(element: XmlElement, parameters: XmlElement): boolean {
  requireNoText(parameters)
  const count = (name: string): number => parameters.elements(name, names.WSMAN).length
  const others = element.elements('ReferenceParameters', names.ADDRESSING).length - 1
  return others > 0 || count('ResourceURI') > 1 || count('SelectorSet') > 1
}
