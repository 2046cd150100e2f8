import { NO_NAMESPACE, type Scope } from './scope.ts'

/** An attribute of an element. Namespace declarations are not among them: see `namespaceOf`. */
export interface XmlAttribute {
  /** Without the prefix. */
  readonly name: string
  readonly prefix: string
  readonly namespace: string
  readonly value: string
}

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
