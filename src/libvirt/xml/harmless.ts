import type { XmlElement } from '../../wire/xml/tree.ts'
import { lookup } from './lookup.ts'

/**
 * An element that says nothing which a host could do differently, and why it does not. What it holds beyond this is
 * refused: `harmless` is how it is written by libvirt and by who uses libvirt, not its name.
 */
export interface Harmless {
  readonly why: string
  /** The attributes it may have, and their values. */
  readonly attributes?: Readonly<Record<string, RegExp | readonly string[]>>
  /** Those that it must have to be what this entry is for. */
  readonly needs?: readonly string[]
  readonly text?: RegExp
  readonly children?: HarmlessList
}

/** Harmless elements by their names; of several entries for a name, one has to fit. */
export type HarmlessList = Readonly<Record<string, Harmless | readonly Harmless[]>>

/** Where an element is not as the list says, below itself. */
export interface Mismatch {
  readonly path: string
  readonly value: string | undefined
}

/** Where the element is unlike every one of the entries; undefined where it is like one. */
export function mismatchOf(element: XmlElement, entries: Harmless | readonly Harmless[]): Mismatch | undefined {
  let last: Mismatch | undefined
  for (const entry of isList(entries) ? entries : [entries]) {
    last = mismatch(element, entry)
    if (last === undefined) return undefined
  }
  return last
}

const isList = (entries: Harmless | readonly Harmless[]): entries is readonly Harmless[] => Array.isArray(entries)

/** Elements nest as deep as the reader of the document allows, so that this ends. */
function mismatch(element: XmlElement, entry: Harmless): Mismatch | undefined {
  for (const { name, namespace, value } of element.attributes) {
    const allowed = namespace === '' ? lookup(entry.attributes ?? {}, name) : undefined
    if (allowed === undefined || !matches(value, allowed)) return { path: `/@${name}`, value }
  }
  const missing = entry.needs?.find(name => element.attribute(name) === undefined)
  if (missing !== undefined) return { path: `/@${missing}`, value: undefined }
  const text = element.text().trim()
  if (text !== '' && !(entry.text?.test(text) ?? false)) return { path: '', value: text }
  for (const child of element.elements()) {
    const inside = child.namespace === '' ? lookup(entry.children ?? {}, child.name) : undefined
    if (inside === undefined) return { path: `/${child.name}`, value: undefined }
    const deeper = mismatchOf(child, inside)
    if (deeper !== undefined) return { path: `/${child.name}${deeper.path}`, value: deeper.value }
  }
  return undefined
}

const matches = (value: string, allowed: RegExp | readonly string[]): boolean =>
  allowed instanceof RegExp ? allowed.test(value) : allowed.includes(value)
