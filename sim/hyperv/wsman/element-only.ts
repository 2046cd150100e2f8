import type { XmlElement } from '../../../src/wire/xml/tree.ts'
import { schemaFault, type WsmanFault } from './fault.ts'

/** Throws the fault for text where the schema has nothing but elements. */
export function requireNoText(element: XmlElement): void {
  if (element.text().trim() !== '') throw schemaFault(element.name, 'text among elements', 'テキストが含まれています')
}

/** Names of elements, by namespace. */
export type ElementNames = ReadonlyMap<string, readonly string[]>

/**
 * Throws for what stands in `element` and is not one of `known`, for one of them that stands there twice, and for text.
 * `repeatable` may be there more than once.
 */
export function requireOnly(
  element: XmlElement,
  known: ElementNames,
  { repeatable = [], fault = schemaFault }: { readonly repeatable?: readonly string[]; readonly fault?: Refusal } = {},
): void {
  requireNoText(element)
  const seen = new Set<string>()
  for (const { name, namespace } of element.elements()) {
    if (known.get(namespace)?.includes(name) !== true) throw fault(name, 'not known', '認識できません')
    if (seen.has(name) && !repeatable.includes(name)) throw fault(name, 'given twice', '重複しています')
    seen.add(name)
  }
}

/** Makes the fault for an element. */
type Refusal = (what: string, en: string, ja: string) => WsmanFault
