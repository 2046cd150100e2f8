import type { CimClass, CimProperty, Instance, Schema } from './model.ts'
import { nameOf, parsePath, printPath, sameName } from './path.ts'
import { type ClassProvider, type ObjectName, Wbem, WmiError } from './provider.ts'

// From an instance over associations to others. Source: Microsoft Learn, "ASSOCIATORS OF Statement", "REFERENCES OF
// Statement".

/** Where instances and associations are found: a repository. */
export interface Source {
  readonly schema: Schema
  concrete(className: string): readonly CimClass[]
  providersOf(cls: CimClass): readonly ClassProvider[]
  find(name: ObjectName): Instance | undefined
}

/** Which associations are followed, and which of the results count. What is absent lets all through. */
export interface AssociatorsFilter {
  readonly associationClass?: string | undefined
  readonly resultClass?: string | undefined
  /** The reference of the association that leads to the instance it is begun from. */
  readonly role?: string | undefined
  /** The reference of the association that leads to the result. */
  readonly resultRole?: string | undefined
  readonly requiredQualifier?: string | undefined
  readonly requiredAssociationQualifier?: string | undefined
}

/** Which associations count. What is absent lets all through. */
export interface ReferencesFilter {
  readonly resultClass?: string | undefined
  readonly role?: string | undefined
  readonly requiredQualifier?: string | undefined
}

/** The instances associated with `of`, each once. Throws WmiError where a class of the filter does not exist. */
export function findAssociators(source: Source, of: Instance, filter: AssociatorsFilter): Instance[] {
  const { schema } = source
  const { resultClass } = filter
  if (resultClass !== undefined) demandClass(schema, resultClass)
  const found = new Map<string, Instance>()
  for (const cls of associationsOf(source, filter.associationClass, filter.requiredAssociationQualifier)) {
    const starts = endsFor(schema, cls, filter.role, of.class.name)
    const goals = endsFor(schema, cls, filter.resultRole, resultClass)
    if (!starts.some(start => goals.some(goal => goal !== start))) continue
    for (const association of referring(source, cls, of)) {
      for (const name of goalsOf(association, starts, goals, of, schema)) {
        const instance = source.find(name)
        if (instance === undefined || !isResult(instance, filter, schema)) continue
        found.set(printPath(nameOf(instance)).toLowerCase(), instance)
      }
    }
  }
  return [...found.values()]
}

/** The associations that `of` is an end of. Throws WmiError where the class of the filter does not exist. */
export function findReferences(source: Source, of: Instance, filter: ReferencesFilter): Instance[] {
  const { schema } = source
  const found: Instance[] = []
  for (const cls of associationsOf(source, filter.resultClass, filter.requiredQualifier)) {
    const starts = endsFor(schema, cls, filter.role, of.class.name)
    if (starts.length === 0) continue
    for (const association of referring(source, cls, of)) {
      if (starts.some(start => leadsTo(association, start, of, schema))) found.push(association)
    }
  }
  return found
}

/** The associations of one class that name `of` at some end; more may be given than do. */
export function* referring(source: Source, cls: CimClass, of: Instance): Iterable<Instance> {
  const name = nameOf(of)
  for (const provider of source.providersOf(cls)) {
    yield* provider.referring === undefined ? provider.list() : provider.referring(name)
  }
}

function associationsOf(source: Source, className: string | undefined, qualifier: string | undefined): CimClass[] {
  const { schema } = source
  if (className !== undefined) demandClass(schema, className)
  const classes = className === undefined ? schema.classes : schema.concrete(className)
  return classes.filter(
    cls =>
      cls.isAssociation &&
      source.providersOf(cls).length > 0 &&
      (qualifier === undefined || hasQualifier(cls, qualifier)),
  )
}

function demandClass(schema: Schema, className: string): void {
  if (schema.find(className) === undefined) throw new WmiError(Wbem.invalidClass, `no class ${className}`)
}

/** The references of an association that have this name and may lead to an instance of this class. */
function endsFor(
  schema: Schema,
  association: CimClass,
  role: string | undefined,
  className: string | undefined,
): CimProperty[] {
  return association.properties.filter(
    property =>
      property.type === 'reference' &&
      (role === undefined || property.name.toLowerCase() === role.toLowerCase()) &&
      (className === undefined || mayLeadTo(schema, property, className)),
  )
}

function mayLeadTo(schema: Schema, { className: target }: CimProperty, className: string): boolean {
  if (target === undefined || schema.find(target) === undefined) return true
  return schema.isA(className, target) || schema.isA(target, className)
}

function* goalsOf(
  association: Instance,
  starts: readonly CimProperty[],
  goals: readonly CimProperty[],
  of: Instance,
  schema: Schema,
): Iterable<ObjectName> {
  for (const start of starts) {
    if (!leadsTo(association, start, of, schema)) continue
    for (const goal of goals) {
      const name = goal === start ? undefined : nameAt(association, goal)
      if (name !== undefined && schema.find(name.className) !== undefined) yield name
    }
  }
}

function leadsTo(association: Instance, end: CimProperty, of: Instance, schema: Schema): boolean {
  const name = nameAt(association, end)
  return name !== undefined && sameName(name, nameOf(of), schema)
}

function nameAt(association: Instance, end: CimProperty): ObjectName | undefined {
  const path = association.values.get(end.name)
  return typeof path === 'string' ? parsePath(path) : undefined
}

function isResult(instance: Instance, { resultClass, requiredQualifier }: AssociatorsFilter, schema: Schema): boolean {
  if (resultClass !== undefined && !schema.isA(instance.class.name, resultClass)) return false
  return requiredQualifier === undefined || hasQualifier(instance.class, requiredQualifier)
}

/** Of the qualifiers, those that the simulated schema knows of. Every class with instances has a provider. */
function hasQualifier(cls: CimClass, qualifier: string): boolean {
  switch (qualifier.toLowerCase()) {
    case 'dynamic':
    case 'provider':
      return true
    case 'association':
      return cls.isAssociation
    case 'abstract':
      return cls.isAbstract
    case 'singleton':
      return cls.isSingleton
    default:
      return false
  }
}
