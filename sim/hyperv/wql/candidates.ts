import type { CimClass, Instance } from '../cim/model.ts'
import { type ObjectPath, parsePath } from '../cim/path.ts'
import type { Repository } from '../cim/repository.ts'
import { referring } from '../cim/traversal.ts'
import type { Condition } from './condition.ts'
import { isIn } from './predicate.ts'

/** What a condition demands to be equal, by the property's name in lower case: no instance without it is an answer. */
type Demands = ReadonlyMap<string, string>

/**
 * Instances of one class that may be answers to a query: all of the class, or only those that its keys or references
 * leave, so that a question for one of many machines does not make them all.
 */
export function candidatesOf(repository: Repository, cls: CimClass, where: Condition | undefined): Iterable<Instance> {
  const demands = demandsOf(where)
  const path = demandedPath(demands)
  if (path !== undefined) {
    const isThere = isIn(path, repository.schema) && repository.schema.isA(cls.name, path.className)
    return isThere ? oneOrNone(repository.findIn(cls, path.keys)) : []
  }
  const keys = demandedKeys(cls, demands)
  if (keys !== undefined) return oneOrNone(repository.findIn(cls, keys))
  const end = demandedEnd(repository, cls, demands)
  if (end !== undefined) return referring(repository, cls, end)
  return all(repository, cls, demands)
}

function oneOrNone(instance: Instance | undefined): Instance[] {
  return instance === undefined ? [] : [instance]
}

function* all(repository: Repository, cls: CimClass, demands: Demands): Iterable<Instance> {
  for (const provider of repository.providersOf(cls)) yield* provider.demanded?.(demands) ?? provider.list()
}

/** Of a comparison, or of several that all have to hold. */
function demandsOf(where: Condition | undefined): Demands {
  const parts = where?.kind === 'and' ? where.parts : where === undefined ? [] : [where]
  const demands = new Map<string, string>()
  for (const part of parts) {
    if (part.kind !== 'compare' || part.comparator !== '=' || typeof part.literal !== 'string') continue
    demands.set(part.property.toLowerCase(), part.literal)
  }
  return demands
}

/** A class stands for those that derive from it, but one that derives from it does not stand for it. */
function demandedPath(demands: Demands): ObjectPath | undefined {
  const text = demands.get('__path') ?? demands.get('__relpath')
  return text === undefined ? undefined : parsePath(text)
}

/**
 * All keys of the class. The class's own name as CreationClassName goes without saying: every instance of a Hyper-V
 * class has it. Keys that are not text may be spelled in more than one way and are left alone.
 */
function demandedKeys(cls: CimClass, demands: Demands): ReadonlyMap<string, string> | undefined {
  const keys = new Map<string, string>()
  for (const { name, type, isKey } of cls.properties) {
    if (!isKey) continue
    const value = demands.get(name.toLowerCase()) ?? (name === 'CreationClassName' ? cls.name : undefined)
    if (value === undefined || type !== 'string') return undefined
    keys.set(name, value)
  }
  return keys.size === 0 ? undefined : keys
}

/** What a reference of an association is demanded to lead to, where that is there. */
function demandedEnd(repository: Repository, cls: CimClass, demands: Demands): Instance | undefined {
  if (!cls.isAssociation) return undefined
  for (const { name, type } of cls.properties) {
    const text = type === 'reference' ? demands.get(name.toLowerCase()) : undefined
    const path = text === undefined ? undefined : parsePath(text)
    if (path === undefined || repository.schema.find(path.className) === undefined) continue
    const end = repository.find(path)
    if (end !== undefined) return end
  }
  return undefined
}
