import type { CimClass, CimScalar, CimType, CimValue, Instance } from '../cim/model.ts'
import { isInstance, isList } from '../cim/value.ts'
import { WsmanFault } from './fault.ts'
import * as names from './names.ts'
import { writeReference } from './reference.ts'
import { classUri } from './resource.ts'
import { type Place, writeBytes, writeScalar } from './value-writer.ts'

/** The fixed text of one property, made once for each class. */
interface PropertyText {
  readonly name: string
  readonly type: CimType
  readonly isArray: boolean
  readonly open: string
  readonly close: string
  /** What stands for NULL: nothing at all for an array. */
  readonly nil: string
}

interface ClassText {
  readonly open: string
  readonly close: string
  readonly properties: readonly PropertyText[]
}

/** A property or parameter, as much of it as writing asks for. */
export interface Typed {
  readonly name: string
  readonly type: CimType
  readonly isArray: boolean
}

/** The prefix of an embedded instance's properties; `p` is that of what it is embedded in. */
const EMBEDDED_PREFIX = 'q'
/** Nothing in the schemas embeds more than one level. */
const EMBEDDED_MAX = 4

const DECLARED_IN_REFERENCE = ` xmlns:a="${names.ADDRESSING}" xmlns:w="${names.WSMAN}"`

/**
 * Writes the instances of a namespace as Windows does: all properties of the class in the schema's order, a nil element
 * for a NULL, nothing for an array that is NULL, `p` for the class's own namespace.
 * Source: instances of real hosts, recorded from Server 2003 to 2026.
 */
export class InstanceWriter {
  readonly #namespace: string
  readonly #texts = new Map<CimClass, ClassText>()
  readonly #embedded = new Map<CimClass, ClassText>()

  /** `root\virtualization\v2` */
  constructor(namespace: string) {
    this.#namespace = namespace
  }

  get namespace(): string {
    return this.#namespace
  }

  /** The instance, or what a superclass of its has of it. */
  write(instance: Instance, as: CimClass = instance.class): string {
    const text = this.#textOf(as)
    return text.open + this.#writeProperties(text, instance, 0) + text.close
  }

  /** A parameter of an answer, or a property for itself; `prefix` is that of its element, '' for none. */
  writeValue(typed: Typed, value: CimValue, prefix: string, place: Place): string {
    return this.#writeProperty(propertyText(typed, prefix), value, 0, place)
  }

  /** A property of an instance for itself, with all declarations that it needs. */
  writeAlone(cls: CimClass, property: Typed, value: CimValue): string {
    const text = this.#textOf(cls)
    const declared = text.open.slice(text.open.indexOf(' '), text.open.indexOf(' xsi:type='))
    const own = propertyText(property, 'p')
    const open = `${own.open.slice(0, -1)}${declared}>`
    const nil = own.nil === '' ? '' : `${own.nil.slice(0, own.nil.indexOf(' '))}${declared} xsi:nil="true"/>`
    return this.#writeProperty({ ...own, open, nil }, value, 0, 'instance')
  }

  #writeProperties(text: ClassText, { values }: Instance, level: number): string {
    let written = ''
    for (const property of text.properties) {
      const value = values.get(property.name)
      if (typeof value === 'string' && property.type === 'string') {
        written += property.open + writeScalar(value, 'string', 'instance') + property.close
      } else written += this.#writeProperty(property, value ?? null, level, 'instance')
    }
    return written
  }

  #writeProperty(property: PropertyText, value: CimValue, level: number, place: Place): string {
    if (value === null) return property.nil
    if (!isList(value)) return this.#writeItem(property, value, level, place)
    if (property.type === 'uint8') return property.open + writeBytes(value) + property.close
    let written = ''
    for (const item of value) written += this.#writeItem(property, item, level, place)
    return written
  }

  #writeItem(property: PropertyText, value: CimScalar, level: number, place: Place): string {
    const { open, close, type } = property
    if (type === 'reference' && typeof value === 'string') {
      return `${open.slice(0, -1)}${DECLARED_IN_REFERENCE}>${writeReference(value, this.#namespace)}${close}`
    }
    if (isInstance(value)) return this.#writeEmbedded(property, value, level + 1)
    return open + writeScalar(value, type, place) + close
  }

  #writeEmbedded({ open, close }: PropertyText, value: Instance, level: number): string {
    if (level > EMBEDDED_MAX) throw new WsmanFault('internal-error')
    const text = this.#embeddedTextOf(value.class)
    return open.slice(0, -1) + text.open + this.#writeProperties(text, value, level) + close
  }

  /** `open` is what the element that holds it says of its type. */
  #embeddedTextOf(cls: CimClass): ClassText {
    const found = this.#embedded.get(cls)
    if (found !== undefined) return found
    const uri = classUri(this.#namespace, cls.name)
    const open = ` xmlns:${EMBEDDED_PREFIX}="${uri}" xsi:type="${EMBEDDED_PREFIX}:${cls.name}_Type">`
    const text = { open, close: '', properties: propertyTexts(cls, EMBEDDED_PREFIX) }
    this.#embedded.set(cls, text)
    return text
  }

  #textOf(cls: CimClass): ClassText {
    const found = this.#texts.get(cls)
    if (found !== undefined) return found
    const uri = classUri(this.#namespace, cls.name)
    const text: ClassText = {
      open:
        `<p:${cls.name} xmlns:xsi="${names.SCHEMA_INSTANCE}" xmlns:p="${uri}" xmlns:cim="${names.CIM}"` +
        ` xsi:type="p:${cls.name}_Type">`,
      close: `</p:${cls.name}>`,
      properties: propertyTexts(cls, 'p'),
    }
    this.#texts.set(cls, text)
    return text
  }
}

function propertyTexts(cls: CimClass, prefix: string): readonly PropertyText[] {
  return cls.properties.map(property => propertyText(property, prefix))
}

function propertyText({ name, type, isArray }: Typed, prefix: string): PropertyText {
  const element = prefix === '' ? name : `${prefix}:${name}`
  return {
    name,
    type,
    isArray,
    open: `<${element}>`,
    close: `</${element}>`,
    nil: isArray ? '' : `<${element} xsi:nil="true"/>`,
  }
}
