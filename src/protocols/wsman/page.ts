import type { XmlElement } from '../../wire/xml/tree.ts'
import type { XmlOutput } from '../../wire/xml/write.ts'
import { type EndpointReference, readReference } from './endpoint-reference.ts'
import { garbage } from './error.ts'
import { type CimInstance, readInstance } from './instance.ts'
import { BATCH_ITEMS } from './limits.ts'
import { NAMESPACE } from './names.ts'

/** Whether instances are told, or references to them, or both. Source: DSP0226, "EnumerateObjectAndEPR". */
export type EnumerationMode = 'instances' | 'references' | 'both'

/** One of what is enumerated; which of the two it has is a matter of the mode. */
export interface Item {
  readonly instance?: CimInstance
  readonly reference?: EndpointReference
}

/** What one answer holds of an enumeration. */
export interface Page {
  readonly items: readonly Item[]
  /**
   * What the rest is asked for with; absent at the end. Each answer brings a new one, which is the only one that counts.
   */
  readonly context?: string
}

const MODES = { instances: undefined, references: 'EnumerateEPR', both: 'EnumerateObjectAndEPR' } as const

/**
 * Writes `n:Enumerate`: optimized, so that the answer may hold items, and in batches. Windows from 2008 R2 on answers one
 * item all the same, and the rest to the first Pull. Source: DSP0226, "Optimized enumeration".
 */
export function writeEnumerate(filter: readonly XmlOutput[], mode: EnumerationMode): XmlOutput {
  const wanted = MODES[mode]
  return {
    name: 'n:Enumerate',
    children: [
      { name: 'w:OptimizeEnumeration' },
      { name: 'w:MaxElements', children: [String(BATCH_ITEMS)] },
      ...(wanted === undefined ? [] : [{ name: 'w:EnumerationMode', children: [wanted] }]),
      ...filter,
    ],
  }
}

/** Writes `n:Pull`; without MaxElements a host answers one item. Source: WS-Enumeration, §3.2. */
export function writePull(context: string): XmlOutput {
  return {
    name: 'n:Pull',
    children: [
      { name: 'n:EnumerationContext', children: [context] },
      { name: 'n:MaxElements', children: [String(BATCH_ITEMS)] },
    ],
  }
}

/** Writes `n:Release`. Source: WS-Enumeration, §3.5. */
export function writeRelease(context: string): XmlOutput {
  return { name: 'n:Release', children: [{ name: 'n:EnumerationContext', children: [context] }] }
}

/**
 * Reads what `EnumerateResponse` or `PullResponse` holds; `prior` is the context that was pulled with. The end is told by
 * an element, in either of two namespaces, or by a context that is empty; where none is told, the prior one goes on.
 * Throws WsmanReplyError where an item is not what the mode asked for, or there is no way to the rest.
 * Source: WS-Enumeration, §3; DSP0226, "Optimized enumeration".
 */
export function readPage(response: XmlElement, mode: EnumerationMode, prior?: string): Page {
  const [holder] = BOTH.flatMap(namespace => response.element('Items', namespace) ?? [])
  const items = holder?.elements().map(element => readItem(element, mode)) ?? []
  if (BOTH.some(namespace => response.element('EndOfSequence', namespace) !== undefined)) return { items }
  const context = response.element('EnumerationContext', NAMESPACE.n)?.text().trim() ?? prior
  if (context === undefined) throw garbage('an enumeration without an end and without a context')
  return context === '' ? { items } : { items, context }
}

/** The answer to Enumerate puts items and end in one of these namespaces, that to Pull in the other. */
const BOTH = [NAMESPACE.n, NAMESPACE.w] as const

function readItem(element: XmlElement, mode: EnumerationMode): Item {
  if (element.namespace === NAMESPACE.w && element.name === 'Item') return readBoth(element)
  const isReference = element.namespace === NAMESPACE.a && element.name === 'EndpointReference'
  if (mode === 'both' || isReference !== (mode === 'references')) throw garbage(`${element.name} among ${mode}`)
  return isReference ? { reference: readReference(element) } : { instance: readInstance(element) }
}

function readBoth(item: XmlElement): Item {
  const reference = item.element('EndpointReference', NAMESPACE.a)
  const instance = item.elements().find(element => element !== reference)
  if (reference === undefined || instance === undefined) throw garbage('an item that is not both')
  return { instance: readInstance(instance), reference: readReference(reference) }
}
