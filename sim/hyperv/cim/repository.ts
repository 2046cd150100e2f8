import assert from 'node:assert/strict'
import { keyValuesOf } from './instance.ts'
import type { CimClass, Instance, Schema } from './model.ts'
import { parsePath, pathOf, sameKey, spellKeys } from './path.ts'
import { type ClassProvider, type Method, type ObjectName, type Provider, Wbem, WmiError } from './provider.ts'
import {
  type AssociatorsFilter,
  findAssociators,
  findReferences,
  referring,
  type ReferencesFilter,
} from './traversal.ts'

/**
 * What a host shows in one namespace: the instances that its providers give, found by class, by name, or by what they
 * are associated with. A class may have several providers, which give different instances.
 */
export class Repository {
  readonly schema: Schema
  /** NetBIOS name, as paths have it. */
  readonly hostName: string
  /** By class name. */
  readonly #classes = new Map<string, ClassProvider[]>()
  /** By `class.method` in lower case. */
  readonly #methods = new Map<string, Method>()

  /** Classes and methods that the schema of this build does not have are left out. */
  constructor(schema: Schema, providers: readonly Provider[], hostName: string) {
    this.schema = schema
    this.hostName = hostName
    for (const provider of providers) this.#add(provider)
  }

  #add({ classes = {}, methods = {} }: Provider): void {
    for (const [name, provider] of Object.entries(classes)) {
      const cls = this.schema.find(name)
      if (cls === undefined) continue
      assert(!cls.isAbstract, `${name} is abstract and has no instances`)
      this.#classes.set(cls.name, [...(this.#classes.get(cls.name) ?? []), provider])
    }
    for (const [name, method] of Object.entries(methods)) {
      const key = name.toLowerCase()
      assert(!this.#methods.has(key), `${name} is provided twice`)
      this.#methods.set(key, method)
    }
  }

  /** The instances of a class and of all that derive from it. Throws WmiError where there is no such class. */
  list(className: string): Instance[] {
    const found: Instance[] = []
    for (const cls of this.concrete(className)) {
      for (const provider of this.providersOf(cls)) for (const instance of provider.list()) found.push(instance)
    }
    return found
  }

  /** The classes of which there can be instances for `className`. Throws WmiError where there is no such class. */
  concrete(className: string): readonly CimClass[] {
    if (this.schema.find(className) === undefined) throw new WmiError(Wbem.invalidClass, `no class ${className}`)
    return this.schema.concrete(className)
  }

  /** What gives instances of exactly this class; nothing where no provider does. */
  providersOf(cls: CimClass): readonly ClassProvider[] {
    return this.#classes.get(cls.name) ?? []
  }

  /**
   * The instance of this name, given with all of its keys; a superclass may stand for its class. Throws WmiError where
   * there is no such class.
   */
  find(name: ObjectName): Instance | undefined {
    for (const cls of this.concrete(name.className)) {
      const found = this.findIn(cls, name.keys)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** As `find`, of exactly this class. */
  findIn(cls: CimClass, given: ReadonlyMap<string, string>): Instance | undefined {
    const providers = this.providersOf(cls)
    const keys = providers.length === 0 ? undefined : spellKeys(cls, given)
    if (keys === undefined) return undefined
    if (cls.isAssociation) return this.#findAssociation(cls, keys)
    for (const provider of providers) {
      for (const found of provider.find === undefined ? provider.list() : [provider.find(keys)]) {
        if (found !== undefined && this.hasKeys(found, keys)) return found
      }
    }
    return undefined
  }

  /** By one of its ends, so that not all the others are made. */
  #findAssociation(cls: CimClass, keys: ReadonlyMap<string, string>): Instance | undefined {
    for (const [name, value] of keys) {
      const path = cls.property(name)?.type === 'reference' ? parsePath(value) : undefined
      if (path === undefined) continue
      const end = this.schema.find(path.className) === undefined ? undefined : this.find(path)
      if (end === undefined) return undefined
      for (const found of referring(this, cls, end)) if (this.hasKeys(found, keys)) return found
      return undefined
    }
    return undefined
  }

  /** Whether an instance has these keys, spelled as its class does; values are compared as those of names are. */
  hasKeys(instance: Instance, keys: ReadonlyMap<string, string>): boolean {
    if (instance.class.isSingleton && keys.size === 0) return true
    for (const [name, own] of keyValuesOf(instance)) {
      const wanted = keys.get(name)
      if (wanted === undefined) return false
      const isReference = instance.class.property(name)?.type === 'reference'
      if (!sameKey(own, wanted, isReference, this.schema)) return false
    }
    return true
  }

  /**
   * What is associated with `of`, each instance once. Throws WmiError where `of` leads to nothing, or a class of the
   * filter does not exist.
   */
  associators(of: ObjectName, filter: AssociatorsFilter = {}): Instance[] {
    return findAssociators(this, this.#demand(of), filter)
  }

  /** The associations that `of` is an end of. Throws WmiError as `associators` does. */
  references(of: ObjectName, filter: ReferencesFilter = {}): Instance[] {
    return findReferences(this, this.#demand(of), filter)
  }

  #demand(name: ObjectName): Instance {
    const found = this.find(name)
    if (found === undefined) throw new WmiError(Wbem.notFound, `no such ${name.className}`)
    return found
  }

  /** What carries out a method of `instance`, whatever the case of its name; undefined where no provider does. */
  method(instance: Instance, name: string): Method | undefined {
    for (const className of [instance.class.name, ...instance.class.superclasses]) {
      const method = this.#methods.get(`${className}.${name}`.toLowerCase())
      if (method !== undefined) return method
    }
    return undefined
  }

  /** The full path of an instance of this namespace, as Windows prints it. */
  pathOf(instance: Instance): string {
    return pathOf(instance, this.hostName, this.schema.namespace)
  }
}
