import { openDocument } from './document.ts'
import { type XmlAttribute, XmlElement } from './element.ts'
import { malformed } from './error.ts'
import { DEFAULT_XML_LIMITS, type XmlLimits } from './limits.ts'
import { type RawAttribute, XmlReader } from './reader.ts'
import { isDeclaration, rootScope, type Scope } from './scope.ts'

export { type XmlAttribute, XmlElement } from './element.ts'
export { NO_NAMESPACE, XML_NAMESPACE, XMLNS_NAMESPACE } from './scope.ts'

/** How deep a tree may be whatever the limits say: it is read, and most often walked, by recursion. */
export const TREE_DEPTH_MAX = 1000

const NO_ATTRIBUTES: readonly XmlAttribute[] = []

/**
 * Reads a whole document into a tree and gives its root. Throws XmlError when the document is not well-formed, uses
 * a prefix that nothing declares, gives an element the same attribute twice under two prefixes, holds a DTD, or is
 * larger than `limits`.
 * Source: Extensible Markup Language 1.0, fifth edition; Namespaces in XML 1.0, third edition.
 */
export function parseXml(bytes: Uint8Array, limits?: Partial<XmlLimits>): XmlElement {
  const given = { ...DEFAULT_XML_LIMITS, ...limits }
  const bounds = { ...given, maxDepth: Math.min(given.maxDepth, TREE_DEPTH_MAX) }
  const reader = new XmlReader(openDocument(bytes, bounds.maxBytes), bounds)
  reader.next() // A document begins with its root, or the reader throws.
  const root = readElement(reader, rootScope())
  reader.next() // Throws when anything but comments and instructions follows.
  return root
}

/** Reads from a `start` to its `end`; the reader's bound on depth is the bound on this recursion. */
function readElement(reader: XmlReader, outer: Scope): XmlElement {
  const { attributes: raw, offset } = reader
  const scope = raw.length === 0 ? outer : outer.inside(raw, offset)
  const name = scope.elementName(reader.name, offset)
  const attributes = raw.length === 0 ? NO_ATTRIBUTES : readAttributes(raw, scope, offset)
  const children: (XmlElement | string)[] = []
  for (let token = reader.next(); token !== 'end'; token = reader.next()) {
    children.push(token === 'text' ? reader.text : readElement(reader, scope))
  }
  return new XmlElement(name, attributes, children, scope)
}

function readAttributes(raw: readonly RawAttribute[], scope: Scope, offset: number): readonly XmlAttribute[] {
  const attributes: XmlAttribute[] = []
  for (const { name: spelled, value } of raw) {
    if (isDeclaration(spelled)) continue
    const { name, prefix, namespace } = scope.attributeName(spelled, offset)
    attributes.push({ name, prefix, namespace, value })
  }
  if (attributes.length > 1) requireDistinct(attributes, offset)
  return attributes
}

/** Two prefixes may stand for the same namespace. A space is no part of a name, so it keeps the two halves apart. */
function requireDistinct(attributes: readonly XmlAttribute[], offset: number): void {
  const expanded = new Set(attributes.map(({ name, namespace }) => `${name} ${namespace}`))
  if (expanded.size < attributes.length) throw malformed('the same attribute twice', offset)
}
