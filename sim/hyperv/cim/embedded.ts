import { parseXml } from '../../../src/wire/xml/tree.ts'
import { XmlError } from '../../../src/wire/xml/error.ts'
import type { XmlElement } from '../../../src/wire/xml/tree.ts'
import type { CimClass, CimProperty, CimScalar, CimValue, Schema } from './model.ts'
import { readScalar } from './value.ts'

export { type EmbeddedForm, type Place, writeEmbedded } from './embedded-writer.ts'

// Instances that methods are given as text: CIM-XML. What is given of an instance is held against its class, and what
// does not fit is refused with the code that hosts were seen to return.
// Sources: DSP0201, "Representation of CIM in XML"; what hosts were seen to answer to each mistake: docs/doubts.md.

/** What is given of an instance. */
export interface Embedded {
  readonly class: CimClass
  /** By the schema's spelling; null where NULL was given. What is marked as inherited from the class was not given. */
  readonly values: ReadonlyMap<string, CimValue>
}

/**
 * What is wrong with an embedded instance. `shape` is a scalar for an array or the reverse: the service for switches
 * has a code of its own for that, 32776.
 */
export type EmbeddedErrorKind = 'xml' | 'entity' | 'class' | 'name' | 'type' | 'shape' | 'value'

/** An embedded instance that a host does not take, and what its methods return for it. */
export class EmbeddedError extends Error {
  readonly kind: EmbeddedErrorKind
  /** Of Hyper-V's return codes: 32768 or 32773. */
  readonly code: number

  constructor(kind: EmbeddedErrorKind, code: number, message: string) {
    super(message)
    this.name = 'EmbeddedError'
    this.kind = kind
    this.code = code
  }
}

interface Options {
  /** Whether `&amp;` and `&lt;` are refused, as hosts do; `&#38;` and `&#60;` are always taken. */
  readonly isStrict: boolean
}

const FAILED = 32768
const INVALID_PARAMETER = 32773

const TEXT_MAX = 512 * 1024
const LIMITS = { maxBytes: 4 * TEXT_MAX, maxDepth: 8, maxElements: 20_000, maxAttributes: 16, maxNameBytes: 128 }
/** What is passed over: a host knows them better, or has no use for them here. */
const SYSTEM_PROPERTY = /^__/
const DECLARATION = /^<\?xml\s[^>]{0,200}\?>/

/**
 * Reads an instance. An XML declaration, white space between elements, qualifiers and system properties are passed
 * over; names of classes and properties are taken in any case. Throws EmbeddedError for whatever does not fit.
 */
export function parseEmbedded(schema: Schema, text: string, { isStrict }: Options): Embedded {
  const root = readRoot(text, isStrict)
  const className = root.attribute('CLASSNAME') ?? ''
  const cls = schema.find(className)
  if (cls === undefined || cls.isAbstract) {
    throw new EmbeddedError('class', INVALID_PARAMETER, `no instance can be of class ${className}`)
  }
  requireNoText(root)
  const values = new Map<string, CimValue>()
  const seen = new Set<string>()
  for (const element of root.elements()) {
    if (element.name === 'QUALIFIER') continue
    const name = element.attribute('NAME') ?? ''
    if (SYSTEM_PROPERTY.test(name)) continue
    const property = cls.property(name)
    if (property === undefined || seen.has(property.name)) {
      throw new EmbeddedError('name', INVALID_PARAMETER, `${cls.name} has no property ${name}, or it is there twice`)
    }
    seen.add(property.name)
    const value = readProperty(element, property)
    if (element.attribute('PROPAGATED')?.toLowerCase() !== 'true') values.set(property.name, value)
  }
  return { class: cls, values }
}

function readRoot(text: string, isStrict: boolean): XmlElement {
  if (text.length > TEXT_MAX) throw new EmbeddedError('xml', FAILED, `longer than ${TEXT_MAX} characters`)
  if (isStrict) refuseEntities(text)
  const document = text.trim().replace(DECLARATION, '')
  const root = parse(document)
  if (root.name !== 'INSTANCE') throw new EmbeddedError('xml', FAILED, `an element ${root.name} instead of INSTANCE`)
  return root
}

function parse(document: string): XmlElement {
  try {
    return parseXml(Buffer.from(document, 'utf8'), LIMITS)
  } catch (error) {
    if (error instanceof XmlError) throw new EmbeddedError('xml', FAILED, `not well-formed: ${error.reason}`)
    throw error
  }
}

/** Hosts resolve these too early: the one breaks their XML, the other breaks what they find in it. */
function refuseEntities(text: string): void {
  const outside = text.replace(/<!\[CDATA\[[\s\S]*?\]\]>/g, '')
  if (outside.includes('&amp;')) throw new EmbeddedError('entity', FAILED, 'the entity &amp;')
  if (outside.includes('&lt;')) throw new EmbeddedError('entity', INVALID_PARAMETER, 'the entity &lt;')
}

function readProperty(element: XmlElement, property: CimProperty): CimValue {
  const isArray = element.name === 'PROPERTY.ARRAY'
  if (!isArray && element.name !== 'PROPERTY') {
    throw new EmbeddedError('xml', FAILED, `an element ${element.name} where a property is due`)
  }
  const type = element.attribute('TYPE') ?? ''
  // A reference can be embedded as the text of its path only.
  const expected = property.type === 'reference' ? 'string' : property.type
  if (type.toLowerCase() !== expected) {
    throw new EmbeddedError(
      'type',
      FAILED,
      `${property.name} is ${property.type} and was given as ${type || 'nothing'}`,
    )
  }
  if (isArray !== property.isArray) {
    throw new EmbeddedError('shape', INVALID_PARAMETER, `${property.name} is ${property.isArray ? 'an' : 'no'} array`)
  }
  requireNoText(element)
  const inside = element.elements().filter(child => child.name !== 'QUALIFIER')
  const [value, ...more] = inside
  if (value === undefined) return null
  if (more.length > 0 || value.name !== (isArray ? 'VALUE.ARRAY' : 'VALUE')) {
    throw new EmbeddedError('xml', FAILED, `${property.name} holds something else than its value`)
  }
  return isArray ? readArray(value, property) : readValue(value, property)
}

function readArray(element: XmlElement, property: CimProperty): CimValue {
  requireNoText(element)
  return element.elements().map(item => {
    if (item.name !== 'VALUE') throw new EmbeddedError('xml', FAILED, `${property.name} holds an element ${item.name}`)
    return readValue(item, property)
  })
}

function readValue(element: XmlElement, { name, type }: CimProperty): CimScalar {
  if (element.elements().length > 0) throw new EmbeddedError('xml', FAILED, `${name} holds elements in its value`)
  const text = element.text()
  const value = readScalar(type === 'string' || type === 'reference' || type === 'char16' ? text : text.trim(), type)
  if (value === undefined) throw new EmbeddedError('value', INVALID_PARAMETER, `the value of ${name} is no ${type}`)
  return value
}

function requireNoText(element: XmlElement): void {
  if (element.text().trim() !== '') throw new EmbeddedError('xml', FAILED, `text in ${element.name}`)
}
