import { XmlError } from '../../wire/xml/error.ts'
import { parseXml, type XmlElement } from '../../wire/xml/tree.ts'
import {
  type ErrorDomain,
  type ErrorNumber,
  VIR_ERR_CONFIG_UNSUPPORTED,
  VIR_ERR_XML_DETAIL,
  VIR_ERR_XML_ERROR,
  VIR_FROM_XML,
} from '../error-numbers.ts'
import { LibvirtError } from '../errors.ts'
import { type HarmlessList, mismatchOf } from './harmless.ts'
import { lookup } from './lookup.ts'

/** libvirt takes no longer string over its own protocol. Source: libvirt, src/remote/remote_protocol.x, REMOTE_STRING_MAX. */
const BYTES_MAX = 4 * 1024 * 1024
/** A domain with thousands of devices has tens of thousands of elements. */
const ELEMENTS_MAX = 50_000
const DEPTH_MAX = 64
/** How much of a value an error repeats. */
const SHOWN_MAX = 100
/** What no error repeats. */
const SECRET = /passw|secret/i

/** Reads a document whose root is called `root`. Throws LibvirtError, as of `domain`, where it is none. */
export function readDocument(text: string, root: string, domain: ErrorDomain): Reading {
  const element = readElement(text, domain)
  if (element.name !== root || element.namespace !== '') {
    const detail = `expecting root element of '${root}', not '${element.name}'`
    throw new LibvirtError(VIR_ERR_XML_ERROR, detail, { domain: VIR_FROM_XML })
  }
  return new Reading(element, domain)
}

/** Reads a document whose root may be called whatever it is, as `readDocument` does. */
export function readAnyDocument(text: string, domain: ErrorDomain): Reading {
  const element = readElement(text, domain)
  return new Reading(element, domain)
}

/** The root of a document, whatever it is. Throws LibvirtError, as of `domain`, where it is none. */
export function readElement(text: string, domain: ErrorDomain): XmlElement {
  const limits = { maxBytes: BYTES_MAX, maxDepth: DEPTH_MAX, maxElements: ELEMENTS_MAX }
  try {
    return parseXml(Buffer.from(text, 'utf8'), limits)
  } catch (error) {
    if (!(error instanceof XmlError)) throw error
    throw new LibvirtError(VIR_ERR_XML_DETAIL, error.message, { domain, cause: error })
  }
}

/**
 * An element that is being read, and a memory of what was read of it: whatever nobody asked for is refused by `finish`,
 * by its name. Paths are as in `domain/devices/disk[2]/target/@dev`.
 */
export class Reading {
  readonly #element: XmlElement
  readonly #domain: ErrorDomain
  readonly #outer: Reading | undefined
  readonly #attributes = new Set<string>()
  readonly #children = new Set<XmlElement>()
  readonly #readings: Reading[] = []
  #isTextRead = false
  #isIgnored = false

  constructor(element: XmlElement, domain: ErrorDomain, outer?: Reading) {
    this.#element = element
    this.#domain = domain
    this.#outer = outer
  }

  get path(): string {
    return this.#outer === undefined ? this.name : `${this.#outer.path}/${this.#outer.#stepTo(this.#element)}`
  }

  get name(): string {
    return this.#element.name
  }

  attribute(name: string): string | undefined {
    this.#attributes.add(name)
    return this.#element.attribute(name)
  }

  /** The attribute as one of `words`; undefined where it is absent. Another is refused. */
  word<const Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    const value = this.attribute(name)
    if (value === undefined) return undefined
    const word = words.find(each => each === value)
    return word ?? this.refuse(`/@${name}`, value)
  }

  /** The text inside, without the space at its ends. */
  text(): string {
    return this.rawText().trim()
  }

  rawText(): string {
    this.#isTextRead = true
    return this.#element.text()
  }

  /** The only element of this name; a second one is nothing that anybody asked for. */
  child(name: string, namespace: string = this.#element.namespace): Reading | undefined {
    const element = this.#element.element(name, namespace)
    return element === undefined ? undefined : this.#claim(element)
  }

  children(name: string): readonly Reading[] {
    return this.#element.elements(name, this.#element.namespace).map(element => this.#claim(element))
  }

  /** Whether there is such an element in here, which is for others to read. */
  holds(name: string): boolean {
    return this.#element.elements(name, this.#element.namespace).length > 0
  }

  /** Takes every element in here as read that was not read yet, and gives these. */
  rest(): readonly XmlElement[] {
    const rest = this.#element.elements().filter(element => !this.#children.has(element))
    for (const element of rest) this.#children.add(element)
    return rest
  }

  /** Takes elements as read that are on the list and as the list says; one that is not as it says is refused. */
  acceptHarmless(list: HarmlessList): void {
    for (const element of this.#element.elements()) {
      const entry = element.namespace === '' ? lookup(list, element.name) : undefined
      if (entry === undefined || this.#children.has(element)) continue
      const mismatch = mismatchOf(element, entry)
      if (mismatch !== undefined) this.refuse(`/${this.#stepTo(element)}${mismatch.path}`, mismatch.value)
      this.#children.add(element)
    }
  }

  /** Takes this element as read, whatever is in it. */
  ignoreAll(): void {
    this.#isIgnored = true
  }

  /** Refuses by their names everything in here that was not read. */
  finish(): void {
    if (this.#isIgnored) return
    for (const { name, namespace, prefix, value } of this.#element.attributes) {
      if (namespace === '' && this.#attributes.has(name)) continue
      this.refuse(`/@${prefix === '' ? '' : `${prefix}:`}${name}`, value)
    }
    for (const child of this.#element.elements()) {
      if (!this.#children.has(child)) this.refuse(`/${this.#stepTo(child)}`, undefined)
    }
    const text = this.#isTextRead ? '' : this.#element.text().trim()
    if (text !== '') this.fail(VIR_ERR_XML_ERROR, `unexpected text ${shown(text)} in ${this.path}`)
    for (const reading of this.#readings) reading.finish()
  }

  /** Says that the host cannot have this. `below` is a path from here: empty for this element itself. */
  refuse(below: string, value: string | undefined, why = ''): never {
    const path = `${this.path}${below}`
    const told = value === undefined || SECRET.test(path) ? '' : ` = ${shown(value)}`
    return this.fail(VIR_ERR_CONFIG_UNSUPPORTED, `${path}${told}${why === '' ? ' is not supported' : `: ${why}`}`)
  }

  fail(code: ErrorNumber, detail: string): never {
    throw new LibvirtError(code, detail, { domain: this.#domain })
  }

  /** Says that an attribute (`/@name`), an element or its text is none that libvirt knows. */
  invalid(below: string, value: string): never {
    return this.fail(VIR_ERR_XML_ERROR, `Invalid value ${shown(value)} for ${this.path}${below}`)
  }

  #claim(element: XmlElement): Reading {
    this.#children.add(element)
    const reading = new Reading(element, this.#domain, this)
    this.#readings.push(reading)
    return reading
  }

  #stepTo(element: XmlElement): string {
    const name = element.prefix === '' ? element.name : `${element.prefix}:${element.name}`
    const alike = this.#element.elements(element.name, element.namespace)
    return alike.length === 1 ? name : `${name}[${alike.indexOf(element) + 1}]`
  }
}

function shown(value: string): string {
  return `'${value.length > SHOWN_MAX ? `${value.slice(0, SHOWN_MAX)}…` : value}'`
}
