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
  const classes = [...present.values()].map(text => makeClass(text, ancestorsOf(text, present), build))
  const byName = new Map(classes.map(cls => [cls.name.toLowerCase(), cls]))
  assert.equal(byName.size, classes.length, `a class twice in ${namespace}`)
  const concreteByName = indexConcrete(classes)
  return {
    namespace,
    classes,
    find: name => byName.get(name.toLowerCase()),
    concrete: name => concreteByName.get(name.toLowerCase()) ?? [],
    isA(name, ancestor) {
      const cls = byName.get(name.toLowerCase())
      const wanted = ancestor.toLowerCase()
      if (cls === undefined) return false
      return cls.name.toLowerCase() === wanted || cls.superclasses.some(above => above.toLowerCase() === wanted)
    },
  }
}

/** From the nearest to the farthest. A class whose superclass came with a later build stood alone before it. */
function ancestorsOf(text: ClassText, present: ReadonlyMap<string, ClassText>): ClassText[] {
  const ancestors: ClassText[] = []
  let above = text.superclass
  while (above !== undefined) {
    const superclass = present.get(above.toLowerCase())
    if (superclass === undefined) break
    assert(!ancestors.includes(superclass), `${text.name} derives from itself`)
    ancestors.push(superclass)
    above = superclass.superclass
  }
  return ancestors
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

function makeClass(text: ClassText, ancestors: readonly ClassText[], build: number): CimClass {
  const derivation = [...ancestors].reverse().concat(text)
  const properties = new Map<string, CimProperty>()
  const methods = new Map<string, CimMethod>()
  for (const from of derivation) {
    for (const property of from.properties) {
      if (!isIn(property.builds, build)) continue
      const key = property.name.toLowerCase()
      properties.set(key, makeProperty(property, from.name, properties.get(key)))
    }
    for (const { name, parameters, builds } of from.methods) {
      if (isIn(builds, build)) methods.set(name.toLowerCase(), { name, parameters, origin: from.name })
    }
  }
  return {
    name: text.name,
    superclasses: ancestors.map(ancestor => ancestor.name),
    isAssociation: derivation.some(from => from.isAssociation),
    isAbstract: text.isAbstract,
    isSingleton: text.isSingleton,
    properties: [...properties].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, property]) => property),
    methods: [...methods.values()],
    property: name => properties.get(name.toLowerCase()),
    method: name => methods.get(name.toLowerCase()),
  }
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
