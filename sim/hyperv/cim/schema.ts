import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { CimClass, CimMethod, CimProperty, Schema } from './model.ts'
import { type ClassText, isIn, type PropertyText, readSchemaText } from './schema-text.ts'

/** The namespaces that are simulated. */
export type Namespace = 'root\\virtualization' | 'root\\virtualization\\v2' | 'root\\cimv2'

const FILES: Readonly<Record<Namespace, string>> = {
  'root\\virtualization': 'v1.txt',
  'root\\virtualization\\v2': 'v2.txt',
  'root\\cimv2': 'cimv2.txt',
}

const texts = new Map<Namespace, readonly ClassText[]>()
const schemas = new Map<string, Schema>()

/** The classes that `namespace` has on the Windows of this build. */
export function loadSchema(namespace: Namespace, build: number): Schema {
  const key = `${namespace}@${build}`
  const schema = schemas.get(key) ?? makeSchema(namespace, readClasses(namespace), build)
  schemas.set(key, schema)
  return schema
}

function readClasses(namespace: Namespace): readonly ClassText[] {
  const url = new URL(`../schema/${FILES[namespace]}`, import.meta.url)
  const classes = texts.get(namespace) ?? readSchemaText(readFileSync(url, 'utf8'))
  texts.set(namespace, classes)
  return classes
}

/** A schema out of what the data files say. Exported for schemas of fewer classes in tests. */
export function makeSchema(namespace: string, texts: readonly ClassText[], build: number): Schema {
  const present = new Map(texts.filter(text => isIn(text.builds, build)).map(text => [text.name.toLowerCase(), text]))
  const made = new Map<string, MadeClass>()
  for (const text of present.values()) makeClass(text, present, made, build)
  const classes = [...present.keys()].flatMap(key => made.get(key)?.cls ?? [])
  const concreteByName = indexConcrete(classes)
  return {
    namespace,
    classes,
    find: name => made.get(name.toLowerCase())?.cls,
    concrete: name => concreteByName.get(name.toLowerCase()) ?? [],
    isA(name, ancestor) {
      const cls = made.get(name.toLowerCase())?.cls
      const wanted = ancestor.toLowerCase()
      if (cls === undefined) return false
      return cls.name.toLowerCase() === wanted || cls.superclasses.some(above => above.toLowerCase() === wanted)
    },
  }
}

function indexConcrete(classes: readonly CimClass[]): ReadonlyMap<string, readonly CimClass[]> {
  const index = new Map<string, CimClass[]>()
  for (const cls of classes) {
    if (cls.isAbstract) continue
    for (const name of [cls.name, ...cls.superclasses]) {
      const key = name.toLowerCase()
      const found = index.get(key)
      if (found === undefined) index.set(key, [cls])
      else found.push(cls)
    }
  }
  return index
}

/** A class and what those that derive from it begin with, by names in lower case. */
interface MadeClass {
  readonly cls: CimClass
  readonly properties: ReadonlyMap<string, CimProperty>
  readonly methods: ReadonlyMap<string, CimMethod>
}

/** Makes a class and, before it, its superclasses. One whose superclass came with a later build stood alone before. */
function makeClass(
  text: ClassText,
  present: ReadonlyMap<string, ClassText>,
  made: Map<string, MadeClass>,
  build: number,
): MadeClass {
  const key = text.name.toLowerCase()
  const before = made.get(key)
  if (before !== undefined) return before
  const superclass = present.get(text.superclass?.toLowerCase() ?? '')
  assert(superclass !== text, `${text.name} derives from itself`)
  const above = superclass === undefined ? undefined : makeClass(superclass, present, made, build)
  const properties = new Map(above?.properties)
  for (const property of text.properties) {
    if (!isIn(property.builds, build)) continue
    const name = property.name.toLowerCase()
    properties.set(name, makeProperty(property, text.name, properties.get(name)))
  }
  const methods = new Map(above?.methods)
  for (const { name, parameters, builds } of text.methods) {
    if (isIn(builds, build)) methods.set(name.toLowerCase(), { name, parameters, origin: text.name })
  }
  const cls: CimClass = {
    name: text.name,
    superclasses: above === undefined ? [] : [above.cls.name, ...above.cls.superclasses],
    isAssociation: text.isAssociation || above?.cls.isAssociation === true,
    isAbstract: text.isAbstract,
    isSingleton: text.isSingleton || above?.cls.isSingleton === true,
    properties: [...properties].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, property]) => property),
    methods: [...methods.values()],
    property: name => properties.get(name.toLowerCase()),
    method: name => methods.get(name.toLowerCase()),
  }
  const result = { cls, properties, methods }
  made.set(key, result)
  return result
}

/**
 * A property that overrides another stays the other's: the first of the derivation to declare it is its origin, as
 * Windows writes CLASSORIGIN, and its key and default last until they are given anew.
 */
function makeProperty(text: PropertyText, declaring: string, overridden: CimProperty | undefined): CimProperty {
  const fallback = text.fallback === undefined ? overridden?.fallback : text.fallback
  return {
    name: text.name,
    type: text.type,
    isArray: text.isArray,
    isKey: text.isKey || overridden?.isKey === true,
    isWritable: text.isWritable,
    isOctetString: text.isOctetString,
    ...(text.className === undefined ? {} : { className: text.className }),
    origin: overridden?.origin ?? declaring,
    ...(fallback === undefined ? {} : { fallback }),
  }
}
