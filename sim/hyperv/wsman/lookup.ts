import type { CimClass, CimProperty, Instance, Schema } from '../cim/model.ts'
import { parsePath, printPath, sameKey } from '../cim/path.ts'
import { keyValuesOf } from '../cim/instance.ts'
import type { Repository } from '../cim/repository.ts'
import { readScalar } from '../cim/value.ts'
import { refuse, WsmanFault } from './fault.ts'
import type { Sentence } from './fault-texts.ts'
import { isStack3 } from './limits.ts'
import { type Resource, readResource } from './resource.ts'
import type { EndpointReference, Selector } from './selector.ts'

/** Where requests find what they are about. */
export interface Namespaces {
  /** NetBIOS name, in upper case. */
  readonly hostName: string
  readonly build: number
  /** By `root\virtualization\v2`. */
  readonly repositories: ReadonlyMap<string, Repository>
}

/** A class that a request names, and the namespace it is in. */
export interface ClassTarget {
  readonly resource: Resource
  readonly repository: Repository
  readonly class: CimClass
}

/** The part of WMI that a resource is in. Throws the fault that clients take for "this host has no such namespace". */
export function findRepository(namespaces: Namespaces, { namespace }: Resource, isFiltered = false): Repository {
  const repository = namespaces.repositories.get(namespace)
  if (repository !== undefined) return repository
  const path = namespace.replaceAll('\\', '/')
  const en = `The WS-Management service cannot process the request. The CIM namespace ${path} is invalid. `
  const ja = `WS-Management サービスは要求を処理できません。CIM 名前空間 ${path} が無効です。 `
  throw refuse(isFiltered ? 'cannot-process-filter' : 'unknown-class', en, ja)
}

/** The class of a request that is about one class. Throws WsmanFault. */
export function findClass(namespaces: Namespaces, resource: Resource): ClassTarget {
  const repository = findRepository(namespaces, resource)
  if (resource.className === '*') throw new WsmanFault('resource-uri')
  const cls = repository.schema.find(resource.className)
  if (cls === undefined) throw new WsmanFault('unknown-class', { message: UNKNOWN_CLASS })
  return { resource, repository, class: cls }
}

/** What is said of a class that its namespace does not have. Recorded. */
export const UNKNOWN_CLASS: Sentence = {
  en: 'The specified class does not exist in the given namespace. ',
  ja: '指定されたクラスは、指定された名前空間に存在しません。 ',
}

/**
 * The one instance that the selectors of a request lead to. All keys have to be given, but for a service, of which
 * there is one: there `CreationClassName` is enough. Throws WsmanFault.
 */
export function findInstance(namespaces: Namespaces, target: ClassTarget): Instance {
  const { repository, class: cls, resource } = target
  const keys = readKeys(namespaces, cls, resource.keys, repository.schema)
  const wanted = cls.properties.filter(property => property.isKey)
  if (keys.size === wanted.length) {
    const found = repository.find({ className: cls.name, keys })
    if (found === undefined) throw new WsmanFault('not-found')
    return found
  }
  if (keys.size === 0 && !cls.isSingleton) throw new WsmanFault('no-singleton')
  if (!cls.isSingleton && !mayBePartial(namespaces.build, cls, keys, repository.schema)) {
    throw new WsmanFault('selectors-missing')
  }
  const [first, ...others] = repository.list(cls.name).filter(each => hasKeys(each, keys, repository.schema))
  if (first === undefined) throw new WsmanFault('not-found')
  if (others.length > 0) throw new WsmanFault('selectors-ambiguous')
  return first
}

/** Source: the C drivers of libvirt, which name a service by its class alone; for v1 switches, another one that does not. */
function mayBePartial(build: number, cls: CimClass, keys: ReadonlyMap<string, string>, schema: Schema): boolean {
  if (!schema.isA(cls.name, 'CIM_Service') || !keys.has('CreationClassName')) return false
  return isStack3(build) || cls.name !== 'Msvm_VirtualSwitchManagementService'
}

function hasKeys(instance: Instance, keys: ReadonlyMap<string, string>, schema: Schema): boolean {
  const own = keyValuesOf(instance)
  for (const [name, value] of keys) {
    const isReference = instance.class.property(name)?.type === 'reference'
    if (!sameKey(own.get(name) ?? '', value, isReference, schema)) return false
  }
  return true
}

/** Selectors as keys of a class, by the schema's spelling. Throws WsmanFault. */
function readKeys(
  namespaces: Namespaces,
  cls: CimClass,
  selectors: readonly Selector[],
  schema: Schema,
): ReadonlyMap<string, string> {
  const keys = new Map<string, string>()
  for (const { name, value } of selectors) {
    const property = cls.property(name)
    if (property === undefined || !property.isKey) throw new WsmanFault('selectors-unexpected')
    keys.set(property.name, readKey(namespaces, property, value, schema))
  }
  return keys
}

function readKey(
  namespaces: Namespaces,
  { type }: CimProperty,
  value: string | EndpointReference,
  schema: Schema,
): string {
  if (typeof value !== 'string') {
    if (type !== 'reference') throw new WsmanFault('selectors-type')
    return resolveReference(namespaces, value, schema.namespace)
  }
  const isValue =
    type === 'reference' ? (parsePath(value)?.keys.size ?? 0) > 0 : readScalar(value.trim(), type) !== undefined
  if (!isValue) throw new WsmanFault('selectors-type')
  return value
}

/**
 * The object path of an endpoint reference in a request: well-formed, of a class that there is, with all of its keys
 * and no others. Whether it leads to anything is for the method to find out. Throws WsmanFault.
 */
export function resolveReference(namespaces: Namespaces, reference: EndpointReference, within: string): string {
  const resource = asTarget(() => readResource(reference.resourceUri, reference.selectors))
  const repository = namespaces.repositories.get(resource.namespace)
  const cls = repository?.schema.find(resource.className)
  if (repository === undefined || cls === undefined || resource.namespace !== within) throw new WsmanFault('target-uri')
  const keys = asTarget(() => readKeys(namespaces, cls, resource.keys, repository.schema))
  const wanted = cls.properties.filter(property => property.isKey)
  if (keys.size < wanted.length) throw new WsmanFault('target-selectors')
  const { isSingleton } = cls
  const path = { host: namespaces.hostName, namespace: resource.namespace, className: cls.name, keys, isSingleton }
  return printPath(path, cls)
}

/** What is wrong with a reference is told as that, not as a mistake of the request's own address. */
function asTarget<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof WsmanFault)) throw error
    throw new WsmanFault(error.row.subcode === 'w:InvalidSelectors' ? 'target-selectors' : 'target-uri')
  }
}
