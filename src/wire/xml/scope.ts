import { isName } from './characters.ts'
import { malformed } from './error.ts'
import type { RawAttribute } from './reader.ts'

/** The namespace of names without a prefix where no default is declared, and of attributes without a prefix. */
export const NO_NAMESPACE = ''
/** What the prefix `xml` stands for in every document. Source: Namespaces in XML 1.0, §3. */
export const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace'
/** What the prefix `xmlns` stands for; nothing else may. Source: Namespaces in XML 1.0, §3. */
export const XMLNS_NAMESPACE = 'http://www.w3.org/2000/xmlns/'

/** A name, taken apart at its colon, and what its prefix stands for. */
export interface QualifiedName {
  readonly name: string
  readonly prefix: string
  readonly namespace: string
}

/**
 * The prefixes declared by one element, and those it inherits. Documents say the same again and again: a name is
 * taken apart once in a scope, and elements that declare the same inside the same scope share one.
 * Source: Namespaces in XML 1.0, third edition.
 */
export class Scope {
  readonly #parent: Scope | undefined
  readonly #declared: ReadonlyMap<string, string>
  #elementNames: Map<string, QualifiedName> | undefined
  #attributeNames: Map<string, QualifiedName> | undefined
  #inner: Map<string, Scope> | undefined

  constructor(parent: Scope | undefined, declared: ReadonlyMap<string, string>) {
    this.#parent = parent
    this.#declared = declared
  }

  /** Looked up through the parents; there are never more of them than elements may be nested. */
  find(prefix: string): string | undefined {
    const found = this.#declared.get(prefix)
    return found === undefined ? this.#parent?.find(prefix) : found
  }

  /** The scope inside an element of these attributes: this one where they declare nothing. */
  inside(attributes: readonly RawAttribute[], offset: number): Scope {
    let key = ''
    for (const { name, value } of attributes) if (isDeclaration(name)) key += `${name} ${value.length} ${value} `
    if (key === '') return this
    this.#inner ??= new Map()
    const known = this.#inner.get(key)
    if (known !== undefined) return known
    const inner = new Scope(this, readDeclarations(attributes, offset))
    this.#inner.set(key, inner)
    return inner
  }

  /** An element's name; without a prefix it is in the default namespace. */
  elementName(spelled: string, offset: number): QualifiedName {
    this.#elementNames ??= new Map()
    const known = this.#elementNames.get(spelled)
    if (known !== undefined) return known
    const name = this.#qualify(spelled, offset, this.find('') ?? NO_NAMESPACE)
    if (name.prefix === 'xmlns') throw malformed('an element with the prefix xmlns', offset)
    this.#elementNames.set(spelled, name)
    return name
  }

  /** An attribute's name; without a prefix it is in no namespace. */
  attributeName(spelled: string, offset: number): QualifiedName {
    this.#attributeNames ??= new Map()
    const known = this.#attributeNames.get(spelled)
    if (known !== undefined) return known
    const name = this.#qualify(spelled, offset, NO_NAMESPACE)
    this.#attributeNames.set(spelled, name)
    return name
  }

  /** Splits a name at its colon; `unprefixed` is the namespace of a name that has none. */
  #qualify(spelled: string, offset: number, unprefixed: string): QualifiedName {
    const colon = spelled.indexOf(':')
    if (colon === -1) return { name: spelled, prefix: '', namespace: unprefixed }
    const prefix = spelled.slice(0, colon)
    const name = spelled.slice(colon + 1)
    requireLocalName(prefix, offset)
    requireLocalName(name, offset)
    const namespace = this.find(prefix)
    if (namespace === undefined) throw malformed('a prefix that is not declared', offset)
    return { name, prefix, namespace }
  }
}

/** The scope around the root of every document. */
export function rootScope(): Scope {
  return new Scope(
    undefined,
    new Map([
      ['', NO_NAMESPACE],
      ['xml', XML_NAMESPACE],
      ['xmlns', XMLNS_NAMESPACE],
    ]),
  )
}

/** Whether an attribute declares a prefix, or the default namespace. */
export function isDeclaration(spelled: string): boolean {
  return spelled.startsWith('xmlns') && (spelled.length === 5 || spelled[5] === ':')
}

/** Source: Namespaces in XML 1.0, §2.2, §3, §5. */
function readDeclarations(attributes: readonly RawAttribute[], offset: number): ReadonlyMap<string, string> {
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
  return declared
}

function requireLocalName(name: string, offset: number): void {
  if (name.includes(':') || !isName(name)) throw malformed('a colon in the wrong place of a name', offset)
}
