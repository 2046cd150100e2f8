import type { XmlElement } from '../../wire/xml/tree.ts'
import { readCimReference, readPathText } from './cim-reference.ts'
import { type CimXmlInstance, type CimXmlType, parseCimXml, readCimXml, writeCimXml } from './cim-xml.ts'
import { type CimInterval, type CimTimestamp, parseInterval, parseTimestamp } from './datetime.ts'
import { type EndpointReference, isReference, readReference } from './endpoint-reference.ts'
import { CimError, WsmanReplyError } from './error.ts'
import { NAMESPACE } from './names.ts'
import { classNameOf, type RawProperties, type RawProperty, rawItems, readProperties } from './properties.ts'
import { parseResourceUri } from './resource.ts'
import { parseBoolean, parseInteger, parseOctets, parseReal, parseSmallInteger } from './scalar-text.ts'

/** Where an instance comes from, for what it does not say itself. */
interface Origin {
  readonly resourceUri?: string
  /** By the names of the properties; known of what was told in CIM-XML. */
  readonly types?: ReadonlyMap<string, CimXmlType>
}

/** Reads one value as what it is asked for; undefined says that it is not of that type. */
type Read<T> = (value: string | XmlElement) => T | undefined

/**
 * An instance: its class and what its properties hold, as a host wrote them. Values are typed by whoever asks, since
 * WS-Management does not tell types. Names are found whatever their case.
 *
 * Every getter of one value gives undefined where the property is null or absent (`has` tells which), and every getter
 * of several an empty array, as hosts leave out an array that is null. A getter throws CimError where the property
 * holds something else than it is asked for: it never guesses.
 *
 * What a method gives back, and what a query picked of an instance, is an instance too, named as the host names it:
 * `DefineSystem_OUTPUT`, `XmlFragment`.
 */
export class CimInstance {
  readonly className: string
  /** Its class; undefined for one that stands in a string. */
  readonly resourceUri: string | undefined
  readonly #properties: RawProperties
  readonly #types: ReadonlyMap<string, CimXmlType> | undefined

  constructor(className: string, properties: RawProperties, origin: Origin = {}) {
    this.className = className
    this.#properties = properties
    this.resourceUri = origin.resourceUri
    this.#types = origin.types
  }

  /** Of WMI, with slashes; undefined for an instance that stands in a string, or is of no class of WMI. */
  get namespace(): string | undefined {
    return this.resourceUri === undefined ? undefined : parseResourceUri(this.resourceUri).namespace
  }

  /** The names of its properties, as the host spells them and in its order; null ones included. */
  get names(): readonly string[] {
    return [...this.#properties.keys()]
  }

  /** Whether the host told of the property at all, be it null. */
  has(name: string): boolean {
    return this.#find(name) !== undefined
  }

  /** Whether the property holds no value, or is absent. */
  isNull(name: string): boolean {
    const property = this.#find(name)
    return property === undefined || rawItems(property).every(item => item === null)
  }

  /** The type that CIM-XML told of the property; undefined where nothing was told. */
  type(name: string): CimXmlType | undefined {
    return this.#types?.get(name)
  }

  string(name: string): string | undefined {
    return this.#one(name, 'text', asText)
  }

  strings(name: string): readonly string[] {
    return this.#all(name, 'text', asText)
  }

  boolean(name: string): boolean | undefined {
    return this.#one(name, 'boolean', ofText(parseBoolean))
  }

  booleans(name: string): readonly boolean[] {
    return this.#all(name, 'boolean', ofText(parseBoolean))
  }

  /** A whole number that a number of ours is exact for; see `bigint` for those of 64 bits. */
  number(name: string): number | undefined {
    return this.#one(name, 'whole number within 53 bits', ofText(parseSmallInteger))
  }

  numbers(name: string): readonly number[] {
    return this.#all(name, 'whole number within 53 bits', ofText(parseSmallInteger))
  }

  bigint(name: string): bigint | undefined {
    return this.#one(name, 'whole number', ofText(parseInteger))
  }

  bigints(name: string): readonly bigint[] {
    return this.#all(name, 'whole number', ofText(parseInteger))
  }

  real(name: string): number | undefined {
    return this.#one(name, 'number', ofText(parseReal))
  }

  reals(name: string): readonly number[] {
    return this.#all(name, 'number', ofText(parseReal))
  }

  /** A moment; undefined also where the host says that it was never set. */
  datetime(name: string): CimTimestamp | undefined {
    const timestamp = this.#one(name, 'time', value => parseTimestamp(timeText(value)))
    return timestamp?.isUnset === true ? undefined : timestamp
  }

  /** Moments, those that were never set left out. */
  datetimes(name: string): readonly CimTimestamp[] {
    return this.#all(name, 'time', value => parseTimestamp(timeText(value))).filter(({ isUnset }) => !isUnset)
  }

  interval(name: string): CimInterval | undefined {
    return this.#one(name, 'interval', value => parseInterval(timeText(value)))
  }

  intervals(name: string): readonly CimInterval[] {
    return this.#all(name, 'interval', value => parseInterval(timeText(value)))
  }

  /** What the property refers to, be it written as an endpoint reference or, in a string, as an object path. */
  reference(name: string): EndpointReference | undefined {
    return this.#one(name, 'reference', value => this.#asReference(value))
  }

  references(name: string): readonly EndpointReference[] {
    return this.#all(name, 'reference', value => this.#asReference(value))
  }

  /** The instance that the property holds, be it written as elements or, in a string, as CIM-XML. */
  instance(name: string): CimInstance | undefined {
    return this.#one(name, 'instance', asInstance)
  }

  instances(name: string): readonly CimInstance[] {
    return this.#all(name, 'instance', asInstance)
  }

  /** An array of octets, be it written in base64 or as numbers; undefined where it is null or absent. */
  bytes(name: string): Uint8Array | undefined {
    if (this.isNull(name)) return undefined
    const bytes = parseOctets(this.strings(name))
    if (bytes === undefined) throw this.#isNot(name, 'octets')
    return bytes
  }

  /** The instance as CIM-XML. Throws CimError unless the type of each property is known. */
  toCimXml(): string {
    const types = this.#types ?? new Map<string, CimXmlType>()
    return writeCimXml({ className: this.className, properties: this.#properties, types })
  }

  /** An instance like this one with the properties of `changes` in place of its own; of both, all types are kept. */
  with(changes: CimInstance): CimInstance {
    const [properties, types] = [new Map(this.#properties), new Map(this.#types)]
    for (const [name, value] of changes.#properties) {
      const known = this.#spelling(name) ?? name
      const type = changes.type(name)
      properties.set(known, value)
      if (type !== undefined) types.set(known, type)
    }
    const { resourceUri } = this
    return new CimInstance(this.className, properties, { types, ...(resourceUri !== undefined && { resourceUri }) })
  }

  #find(name: string): RawProperty | undefined {
    const property = this.#properties.get(name)
    if (property !== undefined) return property
    const spelling = this.#spelling(name)
    return spelling === undefined ? undefined : this.#properties.get(spelling)
  }

  #spelling(name: string): string | undefined {
    if (this.#properties.has(name)) return name
    const wanted = name.toLowerCase()
    for (const known of this.#properties.keys()) {
      if (known.length === name.length && known.toLowerCase() === wanted) return known
    }
    return undefined
  }

  #one<T>(name: string, what: string, read: Read<T>): T | undefined {
    const items = this.#items(name)
    const [item] = items
    if (items.length > 1) throw this.#isNot(name, `single ${what}`)
    return item === undefined ? undefined : this.#read(name, what, read, item)
  }

  #all<T>(name: string, what: string, read: Read<T>): readonly T[] {
    return this.#items(name).map(item => this.#read(name, what, read, item))
  }

  /** What the property holds, nulls left out. */
  #items(name: string): readonly (string | XmlElement)[] {
    const property = this.#find(name)
    return property === undefined || property === null ? [] : rawItems(property).filter(item => item !== null)
  }

  #read<T>(name: string, what: string, read: Read<T>, item: string | XmlElement): T {
    try {
      const value = read(item)
      if (value !== undefined) return value
    } catch (error) {
      if (!(error instanceof WsmanReplyError)) throw error
      throw this.#isNot(name, what, error)
    }
    throw this.#isNot(name, what)
  }

  #isNot(name: string, what: string, cause?: Error): CimError {
    const why = cause === undefined ? '' : `: ${cause.message}`
    return new CimError(`${name} of ${this.className} holds no ${what}${why}`, { cause })
  }

  /** A path that names no namespace is in that of the instance. */
  #asReference(value: string | XmlElement): EndpointReference {
    const namespace = this.namespace ?? ''
    if (typeof value === 'string') return readPathText(value, namespace)
    return isReference(value) ? readReference(value) : readCimReference(value, namespace)
  }
}

/** Reads an instance that is written as elements, under the name of its class. */
export function readInstance(element: XmlElement): CimInstance {
  return new CimInstance(element.name, readProperties(element), { resourceUri: element.namespace })
}

/** Reads CIM-XML. Throws WsmanReplyError for what is none. */
export function readEmbedded(text: string): CimInstance {
  return fromCimXml(parseCimXml(text))
}

function fromCimXml({ className, properties, types }: CimXmlInstance): CimInstance {
  return new CimInstance(className, properties, { types })
}

function asText(value: string | XmlElement): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function ofText<T>(parse: (text: string) => T | undefined): Read<T> {
  return value => (typeof value === 'string' ? parse(value) : undefined)
}

/** A time stands in an element that says its kind, of which only the text matters; CIM-XML writes the bare text. */
function timeText(value: string | XmlElement): string {
  const text = typeof value === 'string' ? value : value.elements(undefined, NAMESPACE.cim)[0]?.text()
  return text?.trim() ?? ''
}

function asInstance(value: string | XmlElement): CimInstance | undefined {
  if (typeof value === 'string') return readEmbedded(value)
  const inner = value.element('INSTANCE')
  if (inner !== undefined) return fromCimXml(readCimXml(inner))
  if (isReference(value)) return undefined
  return new CimInstance(classNameOf(value), readProperties(value), { resourceUri: value.namespace })
}
