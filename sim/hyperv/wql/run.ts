import type { CimClass, Instance } from '../cim/model.ts'
import { Wbem, WmiError } from '../cim/provider.ts'
import type { Repository } from '../cim/repository.ts'
import { candidatesOf } from './candidates.ts'
import { type Field, fieldOf } from './field.ts'
import { isIn, predicateOf } from './predicate.ts'
import type { AssociatorsQuery, Query, ReferencesQuery, SelectQuery } from './query.ts'
import { WqlError } from './wql-error.ts'

/** The answer to a query. */
export interface QueryResult {
  readonly instances: readonly Instance[]
  /** What was asked for of each, once each and in alphabetical order; undefined for whole instances. */
  readonly fields?: readonly Field[]
}

/** Answers a query. Throws WqlError for one that names what there is not, or compares what cannot be compared. */
export function runQuery(repository: Repository, query: Query): QueryResult {
  try {
    return query.kind === 'select' ? select(repository, query) : { instances: traverse(repository, query) }
  } catch (error) {
    if (!(error instanceof WmiError)) throw error
    if (error.hresult === Wbem.notFound) throw new WqlError('object', error.message)
    if (error.hresult === Wbem.invalidClass) throw new WqlError('class', error.message)
    throw error
  }
}

function select(repository: Repository, { className, properties, where }: SelectQuery): QueryResult {
  const cls = repository.schema.find(className)
  if (cls === undefined) throw new WqlError('class', `no class ${className}`)
  const fields = properties === undefined ? undefined : fieldsOf(repository, cls, properties)
  const isAnswer = where === undefined ? () => true : predicateOf(repository, cls, where)
  const instances: Instance[] = []
  for (const concrete of repository.concrete(className)) {
    for (const instance of candidatesOf(repository, concrete, where)) {
      if (isAnswer(instance)) instances.push(instance)
    }
  }
  return { instances, ...(fields === undefined ? {} : { fields }) }
}

function fieldsOf(repository: Repository, cls: CimClass, names: readonly string[]): Field[] {
  const fields = new Map(names.map(name => [name.toLowerCase(), fieldOf(repository, cls, name)]))
  return [...fields].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, field]) => field)
}

function traverse(repository: Repository, query: AssociatorsQuery | ReferencesQuery): Instance[] {
  if (!isIn(query.of, repository.schema)) throw new WqlError('object', 'the object is in another namespace')
  if (query.kind === 'references') return repository.references(query.of, query)
  // The C driver of libvirt asks Server 2012 R2 for serial ports by a class of later builds, and goes on with none.
  const { resultClass } = query
  const isOfNoClass = resultClass !== undefined && repository.schema.find(resultClass) === undefined
  if (!isOfNoClass) return repository.associators(query.of, query)
  if (repository.find(query.of) === undefined) throw new WqlError('object', 'the object is not there')
  return []
}
