import type { XmlOutput } from '../../wire/xml/write.ts'
import { type EndpointReference, type KeyValue, writeReference, writeSelectors } from './endpoint-reference.ts'
import { CimError } from './error.ts'
import { DIALECT, NAMESPACE } from './names.ts'
import { anyClassUri, classUri, requireName } from './resource.ts'
import { type Association, Wql } from './wql.ts'

/** All instances of a class, or those whose properties have the values of `where`. */
export interface ClassSource {
  readonly className: string
  readonly where?: Readonly<Record<string, KeyValue>>
  /**
   * What is told of an instance of a derived class: all of it under its own class, or only what the class asked for
   * has; or, `none`, that such instances are left out. Hosts tell all of it where nothing is said, and say nothing of
   * it with a filter. Source: DSP0227, "Polymorphism".
   */
  readonly polymorphism?: 'include' | 'exclude' | 'none'
}

/** What is associated with an instance, asked for by WS-Management's own filter; WinRM has it from 2.0 on. */
export interface AssociationSource extends Association {
  readonly of: EndpointReference
  /** Whether the associations themselves are meant, not what is at their other end. */
  readonly isOfAssociations?: boolean
  /** The properties to be told; all of them where this is absent. */
  readonly properties?: readonly string[]
}

/** What is enumerated: a class (by name, where nothing more is to be said), a query, or what is associated. */
export type Source = string | ClassSource | Wql | AssociationSource

/** A source as requests tell it. */
export interface Target {
  readonly resourceUri: string
  /** What of it stands in `n:Enumerate`. */
  readonly filter: readonly XmlOutput[]
}

/** Says where an enumeration goes, and with which filter. Throws CimError for names that are none. */
export function targetOf(source: Source, namespace: string): Target {
  if (typeof source === 'string') return { resourceUri: classUri(namespace, source), filter: [] }
  if (source instanceof Wql) {
    return { resourceUri: anyClassUri(namespace), filter: [filter(DIALECT.wql, [source.text])] }
  }
  if ('of' in source) {
    const at = source.of.namespace ?? namespace
    return { resourceUri: anyClassUri(at), filter: [filter(DIALECT.association, [associationFilter(source)])] }
  }
  return { resourceUri: classUri(namespace, source.className), filter: classFilter(source) }
}

/** Source: DSP0226, "Selector filter dialect"; DSP0227, "Polymorphism". */
function classFilter({ where, polymorphism }: ClassSource): readonly XmlOutput[] {
  if (where === undefined) return polymorphism === undefined ? [] : [polymorphismMode(polymorphism)]
  if (polymorphism !== undefined) throw new CimError('a filter and a polymorphism mode exclude each other')
  return [filter(DIALECT.selector, writeSelectors(new Map(Object.entries(where))))]
}

const POLYMORPHISM = {
  include: 'IncludeSubClassProperties',
  exclude: 'ExcludeSubClassProperties',
  none: 'None',
} as const

function polymorphismMode(mode: keyof typeof POLYMORPHISM): XmlOutput {
  return { name: 'b:PolymorphismMode', attributes: { 'xmlns:b': NAMESPACE.b }, children: [POLYMORPHISM[mode]] }
}

/** Source: DSP0227, "Association filter dialect". */
function associationFilter(source: AssociationSource): XmlOutput {
  const { associationClass, role, resultClass, resultRole, properties = [] } = source
  const terms = {
    AssociationClassName: associationClass,
    Role: role,
    ResultClassName: resultClass,
    ResultRole: resultRole,
  }
  const named = Object.entries(terms).flatMap(([name, value]): XmlOutput[] =>
    value === undefined ? [] : [{ name: `b:${name}`, children: [requireName(value)] }],
  )
  return {
    name: source.isOfAssociations === true ? 'b:AssociationInstances' : 'b:AssociatedInstances',
    attributes: { 'xmlns:b': NAMESPACE.b },
    children: [
      { name: 'b:Object', children: writeReference(source.of) },
      ...named,
      ...properties.map(name => ({ name: 'b:IncludeResultProperty', children: [requireName(name)] })),
    ],
  }
}

function filter(dialect: string, children: readonly (XmlOutput | string)[]): XmlOutput {
  return { name: 'w:Filter', attributes: { Dialect: dialect }, children }
}
