import { compareDatetimes, isDatetime } from '../cim/datetime.ts'
import type { CimClass, CimScalar, CimValue, Instance, Schema } from '../cim/model.ts'
import { nameOf, type ObjectPath, parsePath, sameName } from '../cim/path.ts'
import type { Repository } from '../cim/repository.ts'
import { isInstance, isList, readScalar } from '../cim/value.ts'
import type { Comparator, Comparison, Condition, Literal } from './condition.ts'
import { type Field, fieldOf } from './field.ts'
import { likeMatcher } from './like.ts'
import { WqlError } from './wql-error.ts'

/** Whether an instance is among the answers to a query. */
export type Predicate = (instance: Instance) => boolean

/** Below 0, 0, above 0 as values are ordered; undefined where they have no order. */
type Order = number | undefined

/**
 * What a condition says of instances of `cls`. Throws WqlError where it names what there is not, or compares what
 * cannot be compared. NULL is neither equal to a value nor less nor greater, and so it is unequal.
 */
export function predicateOf(repository: Repository, cls: CimClass, condition: Condition): Predicate {
  switch (condition.kind) {
    case 'and': {
      const parts = condition.parts.map(part => predicateOf(repository, cls, part))
      return instance => parts.every(part => part(instance))
    }
    case 'or': {
      const parts = condition.parts.map(part => predicateOf(repository, cls, part))
      return instance => parts.some(part => part(instance))
    }
    case 'not': {
      const part = predicateOf(repository, cls, condition.part)
      return instance => !part(instance)
    }
    default:
      return comparisonOf(repository, cls, condition)
  }
}

function comparisonOf(repository: Repository, cls: CimClass, comparison: Comparison): Predicate {
  if (comparison.kind === 'isa') return isaOf(repository, cls, comparison.property, comparison.className)
  const field = fieldOf(repository, cls, comparison.property)
  switch (comparison.kind) {
    case 'null':
      return instance => (field.read(instance) === null) === comparison.isNull
    case 'like': {
      demandOne(field)
      const isLike = likeMatcher(comparison.pattern)
      return instance => {
        const value = field.read(instance)
        return value !== null && isLike(textOf(value))
      }
    }
    case 'compare-properties': {
      const other = fieldOf(repository, cls, comparison.other)
      const compare = comparerOfFields(field, other)
      return instance => holds(comparison.comparator, compare(field.read(instance), other.read(instance)))
    }
    default:
      return literalComparisonOf(repository.schema, field, comparison.comparator, comparison.literal)
  }
}

function holds(comparator: Comparator, order: Order): boolean {
  if (order === undefined) return comparator === '!='
  switch (comparator) {
    case '=':
      return order === 0
    case '!=':
      return order !== 0
    case '<':
      return order < 0
    case '>':
      return order > 0
    case '<=':
      return order <= 0
    default:
      return order >= 0
  }
}

/** `__CLASS ISA 'C'`, and the same of what a reference leads to. */
function isaOf(repository: Repository, cls: CimClass, property: string, className: string): Predicate {
  const { schema } = repository
  if (schema.find(className) === undefined) throw new WqlError('class', `no class ${className}`)
  if (/^__(?:class|this)$/i.test(property)) return instance => schema.isA(instance.class.name, className)
  const field = fieldOf(repository, cls, property)
  if (field.isArray || (field.type !== 'reference' && field.type !== 'object')) {
    throw new WqlError('type', `${field.name} is of no class`)
  }
  return instance => {
    const value = field.read(instance)
    if (isInstance(value)) return schema.isA(value.class.name, className)
    const path = typeof value === 'string' ? parsePath(value) : undefined
    return path !== undefined && schema.isA(path.className, className)
  }
}

function demandOne({ name, type, isArray }: Field): void {
  if (isArray || type === 'object') throw new WqlError('type', `${name} is not one value that can be compared`)
}

function literalComparisonOf(schema: Schema, field: Field, comparator: Comparator, literal: Literal): Predicate {
  demandOne(field)
  const isEquality = comparator === '=' || comparator === '!='
  const path = isEquality && typeof literal === 'string' ? pathComparedTo(field, literal) : undefined
  if (path !== undefined) {
    const isSame = pathTest(schema, field, path, String(literal))
    return instance => isSame(instance) === (comparator === '=')
  }
  const compare = comparerOf(field, literal)
  return instance => holds(comparator, compare(field.read(instance)))
}

/** Paths are compared by what they mean, also where they stand in strings such as Parent. */
function pathComparedTo({ name, type }: Field, literal: string): ObjectPath | undefined {
  const isPath = type === 'reference' || name === '__PATH' || name === '__RELPATH'
  if (!isPath && (type !== 'string' || !/^[\\/]/.test(literal))) return undefined
  return parsePath(literal)
}

function pathTest(schema: Schema, { name, read }: Field, wanted: ObjectPath, literal: string): Predicate {
  if (name === '__PATH' || name === '__RELPATH') {
    return instance => isIn(wanted, schema) && sameName(wanted, nameOf(instance), schema)
  }
  return instance => {
    const value = read(instance)
    if (typeof value !== 'string') return false
    if (value.toLowerCase() === literal.toLowerCase()) return true
    const path = parsePath(value)
    return path !== undefined && isIn(wanted, schema) && isIn(path, schema) && sameName(wanted, path, schema)
  }
}

/** Whether a path is of this namespace, on whichever host: a host goes by more than one name. */
export function isIn({ namespace }: ObjectPath, schema: Schema): boolean {
  return namespace === undefined || namespace.toLowerCase() === schema.namespace.toLowerCase()
}

/** Compares with a value of the query, which becomes one of the property's type. Throws WqlError where it cannot. */
function comparerOf({ name, type }: Field, literal: Literal): (value: CimValue) => Order {
  const mismatch = new WqlError('type', `${name} is ${type} and cannot be compared to that value`)
  switch (type) {
    case 'string':
    case 'char16':
    case 'reference': {
      const wanted = textOf(literal).toLowerCase()
      return value => (value === null ? undefined : orderOf(textOf(value).toLowerCase(), wanted))
    }
    case 'boolean': {
      const wanted = booleanOf(literal)
      if (wanted === undefined) throw mismatch
      return value => (typeof value === 'boolean' ? Number(value) - Number(wanted) : undefined)
    }
    case 'datetime': {
      if (typeof literal !== 'string' || !isDatetime(literal)) throw mismatch
      return value => (typeof value === 'string' ? compareDatetimes(value, literal) : undefined)
    }
    default: {
      const wanted = numberOf(literal)
      if (wanted === undefined) throw mismatch
      return value => (typeof value === 'number' || typeof value === 'bigint' ? orderOf(value, wanted) : undefined)
    }
  }
}

/** Compares two properties: numbers as numbers, times as times, everything else as text. */
function comparerOfFields(field: Field, other: Field): (a: CimValue, b: CimValue) => Order {
  demandOne(field)
  demandOne(other)
  return (a, b) => {
    if (a === null || b === null) return undefined
    if (isNumber(a) && isNumber(b)) return orderOf(a, b)
    if (field.type === 'datetime' && other.type === 'datetime') return compareDatetimes(textOf(a), textOf(b))
    return orderOf(textOf(a).toLowerCase(), textOf(b).toLowerCase())
  }
}

function orderOf<T extends string | number | bigint>(a: T, b: T): number {
  return a < b ? -1 : Number(a > b)
}

function isNumber(value: CimValue): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

function textOf(value: CimScalar | readonly CimScalar[]): string {
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE'
  return isList(value) || isInstance(value) ? '' : String(value)
}

function booleanOf(literal: Literal): boolean | undefined {
  if (typeof literal === 'boolean') return literal
  if (typeof literal === 'string') {
    const value = readScalar(literal, 'boolean')
    return typeof value === 'boolean' ? value : undefined
  }
  return literal !== 0 && literal !== 0n
}

/** A string that spells a number is one, as in `EnabledState = '2'`. */
function numberOf(literal: Literal): number | bigint | undefined {
  if (typeof literal === 'boolean') return Number(literal)
  if (typeof literal !== 'string') return literal
  const text = literal.trim()
  for (const type of ['uint64', 'sint64', 'real64'] as const) {
    const value = readScalar(text, type)
    if (typeof value === 'number' || typeof value === 'bigint') return value
  }
  return undefined
}
