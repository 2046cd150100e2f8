import { isName } from './characters.ts'
import { openDocument } from './document.ts'
import { malformed } from './error.ts'
import { DEFAULT_XML_LIMITS, type XmlLimits } from './limits.ts'
import { type RawAttribute, XmlReader } from './reader.ts'

/** The namespace of names without a prefix where no default is declared, and of attributes without a prefix. */
export const NO_NAMESPACE = ''
/** What the prefix `xml` stands for in every document. Source: Namespaces in XML 1.0, §3. */
export const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace'
/** What the prefix `xmlns` stands for; nothing else may. Source: Namespaces in XML 1.0, §3. */
export const XMLNS_NAMESPACE = 'http://www.w3.org/2000/xmlns/'

/** How deep a tree may be whatever the limits say: it is read, and most often walked, by recursion. */
export const TREE_DEPTH_MAX = 1000

/** An attribute of an element. Namespace declarations are not among them: see `namespaceOf`. */
export interface XmlAttribute {
  /** Without the prefix. */
  readonly name: string
  readonly prefix: string
  readonly namespace: string
  readonly value: string
}

/** The prefixes declared by one element, and those it inherits. */
class Scope {
  readonly #parent: Scope | undefined
  readonly #declared: ReadonlyMap<string, string>

  constructor(parent: Scope | undefined, declared: ReadonlyMap<string, string>) {
    this.#parent = parent
    this.#declared = declared
  }

  /** Looked up through the parents; there are never more of them than elements may be nested. */
  find(prefix: string): string | undefined {
    const found = this.#declared.get(prefix)
    return found === undefined ? this.#parent?.find(prefix) : found
  }
}

const ROOT_SCOPE_PREFIXES: ReadonlyMap<string, string> = new Map([
  ['', NO_NAMESPACE],
  ['xml', XML_NAMESPACE],
  ['xmlns', XMLNS_NAMESPACE],
])

/** An element of a document that was read. */
export class XmlElement {
  /** Without the prefix. */
  readonly name: string
  /** As it was spelled, empty without one. It decides nothing; names are told apart by namespace. */
  readonly prefix: string
  readonly namespace: string
  readonly attributes: readonly XmlAttribute[]
  /** Elements and text in document order; no two texts in a row, none of them empty, white space included. */
  readonly children: readonly (XmlElement | string)[]
  readonly #scope: Scope

  constructor(
    name: { readonly name: string; readonly prefix: string; readonly namespace: string },
    attributes: readonly XmlAttribute[],
    children: readonly (XmlElement | string)[],
    scope: Scope,
  ) {
    this.name = name.name
    this.prefix = name.prefix
    this.namespace = name.namespace
    this.attributes = attributes
    this.children = children
    this.#scope = scope
  }

  /** The text directly inside, in one piece; that of the elements inside is not part of it. */
  text(): string {
    return this.children.filter(child => typeof child === 'string').join('')
  }

  /** The elements directly inside, in order; only those of this name and namespace where these are given. */
  elements(name?: string, namespace?: string): readonly XmlElement[] {
    return this.children
      .filter(child => child instanceof XmlElement)
      .filter(
        child =>
          (name === undefined || child.name === name) && (namespace === undefined || child.namespace === namespace),
      )
  }

  /** The first element directly inside that has this name, and this namespace where one is given. */
  element(name: string, namespace?: string): XmlElement | undefined {
    return this.elements(name, namespace)[0]
  }

  /** The value of an attribute; undefined when it is absent. Without a prefix an attribute is in no namespace. */
  attribute(name: string, namespace: string = NO_NAMESPACE): string | undefined {
    return this.attributes.find(attribute => attribute.name === name && attribute.namespace === namespace)?.value
  }

  /** What a prefix stands for in this element, for names in values such as `s:Sender`; '' asks for the default. */
  namespaceOf(prefix: string): string | undefined {
    return this.#scope.find(prefix)
  }
}

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
  const root = readElement(reader, new Scope(undefined, ROOT_SCOPE_PREFIXES))
  reader.next() // Throws when anything but comments and instructions follows.
  return root
}

/** Reads from a `start` to its `end`; the reader's bound on depth is the bound on this recursion. */
function readElement(reader: XmlReader, outer: Scope): XmlElement {
  const { attributes: raw, offset } = reader
  const scope = declare(raw, outer, offset)
  const name = qualify(reader.name, scope, offset, scope.find('') ?? NO_NAMESPACE)
  if (name.prefix === 'xmlns') throw malformed('an element with the prefix xmlns', offset)
  const attributes = readAttributes(raw, scope, offset)
  const children: (XmlElement | string)[] = []
  for (let token = reader.next(); token !== 'end'; token = reader.next()) {
    children.push(token === 'text' ? reader.text : readElement(reader, scope))
  }
  return new XmlElement(name, attributes, children, scope)
}

/** The scope inside an element: a new one where it declares prefixes. Source: Namespaces in XML 1.0, §2.2, §3, §5. */
function declare(attributes: readonly RawAttribute[], outer: Scope, offset: number): Scope {
  const declared = new Map<string, string>()
  for (const { name, value } of attributes) {
    if (!isDeclaration(name)) continue
    const prefix = name === 'xmlns' ? '' : name.slice('xmlns:'.length)
    if (prefix !== '' && value === '') throw malformed('a prefix declared to be nothing', offset)
    if (prefix === 'xmlns' || value === XMLNS_NAMESPACE) throw malformed('xmlns declared anew', offset)
    if ((prefix === 'xml') !== (value === XML_NAMESPACE)) throw malformed('xml declared anew', offset)
    if (name !== 'xmlns') requireLocalName(prefix, offset)
    declared.set(prefix, value)
  }
  return declared.size === 0 ? outer : new Scope(outer, declared)
}

function isDeclaration(name: string): boolean {
  return name === 'xmlns' || name.startsWith('xmlns:')
}

function readAttributes(raw: readonly RawAttribute[], scope: Scope, offset: number): readonly XmlAttribute[] {
  const attributes: XmlAttribute[] = []
  const expanded = new Set<string>()
  for (const { name, value } of raw) {
    if (isDeclaration(name)) continue
    const attribute = { ...qualify(name, scope, offset, NO_NAMESPACE), value }
    // A space is no part of a name, so it keeps the two halves apart.
    const key = `${attribute.name} ${attribute.namespace}`
    if (expanded.has(key)) throw malformed('the same attribute twice', offset)
    expanded.add(key)
    attributes.push(attribute)
  }
  return attributes
}

/** Splits a name at its colon; `unprefixed` is the namespace of a name that has none. */
function qualify(spelled: string, scope: Scope, offset: number, unprefixed: string) {
  const colon = spelled.indexOf(':')
  if (colon === -1) return { name: spelled, prefix: '', namespace: unprefixed }
  const prefix = spelled.slice(0, colon)
  const name = spelled.slice(colon + 1)
  requireLocalName(prefix, offset)
  requireLocalName(name, offset)
  const namespace = scope.find(prefix)
  if (namespace === undefined) throw malformed('a prefix that is not declared', offset)
  return { name, prefix, namespace }
}

function requireLocalName(name: string, offset: number): void {
  if (name.includes(':') || !isName(name)) throw malformed('a colon in the wrong place of a name', offset)
}
