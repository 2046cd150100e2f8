import assert from 'node:assert/strict'
import type { CimClass, CimValue, Instance } from './model.ts'
import { isInstance, isList, isOfType } from './value.ts'

/**
 * An instance of `cls`. Asserts that every name is a property of the class, in any case, and every value of its type.
 * What is not given, or undefined, is what the schema says of it; NULL is given as null.
 */
export function makeInstance(cls: CimClass, values: Readonly<Record<string, CimValue | undefined>>): Instance {
  const given = new Map<string, CimValue>()
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue
    const property = cls.property(name)
    assert(property !== undefined, `${cls.name} has no property ${name}`)
    assert(isOfType(value, property), `${cls.name}.${name} is no ${property.type}${property.isArray ? '[]' : ''}`)
    given.set(property.name, value)
  }
  return withFallbacks(cls, given)
}

/** An instance of what is known to fit the class, with the schema's defaults for what is not given. */
export function withFallbacks(cls: CimClass, given: ReadonlyMap<string, CimValue>): Instance {
  const values = new Map(given)
  const fallbacks = new Set<string>()
  for (const { name, fallback } of cls.properties) {
    if (fallback === undefined || values.has(name)) continue
    values.set(name, fallback)
    fallbacks.add(name)
  }
  return { class: cls, values, fallbacks }
}

/** What `instance` holds in the property `name`, whatever the case; asserts that its class has one. */
export function valueOf(instance: Instance, name: string): CimValue {
  const direct = instance.values.get(name)
  if (direct !== undefined) return direct
  const property = instance.class.property(name)
  assert(property !== undefined, `${instance.class.name} has no property ${name}`)
  return instance.values.get(property.name) ?? null
}

/** As `valueOf`, as text: '' for NULL, TRUE or FALSE, decimal numbers. Asserts that it is neither array nor instance. */
export function textOf(instance: Instance, name: string): string {
  const value = valueOf(instance, name)
  if (value === null) return ''
  assert(!isList(value) && !isInstance(value), `${instance.class.name}.${name} is not one value`)
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE'
  return String(value)
}

/**
 * The keys of `instance` by the schema's spelling, in alphabetical order, as text. A singleton goes by its class alone,
 * whatever keys its class inherits: `Win32_OperatingSystem=@`. Source: Microsoft Learn, "Singleton Qualifier".
 */
export function keysOf(instance: Instance): ReadonlyMap<string, string> {
  return instance.class.isSingleton ? new Map() : keyValuesOf(instance)
}

/** What the key properties of `instance` hold, also those that a singleton does not need. */
export function keyValuesOf(instance: Instance): ReadonlyMap<string, string> {
  const keys = instance.class.properties.filter(property => property.isKey)
  return new Map(keys.map(({ name }) => [name, textOf(instance, name)]))
}
