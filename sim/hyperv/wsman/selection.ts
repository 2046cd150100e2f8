import type { CimClass, CimProperty, Instance } from '../cim/model.ts'
import { parsePath } from '../cim/path.ts'
import { isInstance, isList, readScalar } from '../cim/value.ts'
import type { EnumerateBody, Polymorphism } from './enumerate-request.ts'
import { askWmi, type ExtendedStatus, WsmanFault } from './fault.ts'
import type { AssociationFilter, Filter } from './filter.ts'
import { writeRow } from './fragment.ts'
import { InstanceWriter } from './instance-writer.ts'
import { instanceItems, wholeInstance } from './items.ts'
import { findClass, findRepository, type Namespaces, resolveReference } from './lookup.ts'
import { prepareQuery } from './query.ts'
import type { Resource } from './resource.ts'
import type { Selection, SelectionRequest } from './selection-request.ts'
import type { Selector } from './selector.ts'

export interface SelectionSurroundings {
  readonly namespaces: Namespaces
  /** By namespace. */
  readonly writers: ReadonlyMap<string, InstanceWriter>
}

/** Throws WsmanFault for what can be known to be wrong from the request alone. */
export function prepareSelection(
  { namespaces, writers }: SelectionSurroundings,
  resource: Resource,
  { filter, mode, polymorphism }: EnumerateBody,
): Selection {
  const repository = findRepository(namespaces, resource, filter?.kind === 'wql')
  const writer = writers.get(resource.namespace) ?? new InstanceWriter(resource.namespace)
  const request = { namespaces, repository, resource, writer, mode }
  if (filter === undefined) return prepareClass(request, polymorphism)
  requireNoKeys(resource, filter)
  if (filter.kind === 'selector') return prepareSelector(request, filter.selectors, polymorphism)
  if (resource.className !== '*') throw new WsmanFault(filter.kind === 'wql' ? 'wql-class' : 'resource-uri')
  if (filter.kind === 'association') return prepareAssociation(request, filter)
  // Whatever mode is asked for, the query alone decides. Verified on a real host.
  if (polymorphism !== undefined) throw new WsmanFault('polymorphism-mode')
  return prepareQuery(request, filter.text)
}

/** A filter and keys cannot be combined. Verified on a real host. */
function requireNoKeys({ keys }: Resource, filter: Filter): void {
  if (keys.length > 0) throw new WsmanFault(filter.kind === 'wql' ? 'wql-class' : 'enumerate-keys')
}

function prepareClass(request: SelectionRequest, polymorphism: Polymorphism | undefined): Selection {
  const { class: cls, resource } = findClass(request.namespaces, request.resource)
  if (resource.keys.length > 0) throw new WsmanFault('enumerate-keys')
  return prepareList(request, cls, polymorphism, () => true)
}

/** Instances whose properties are as the selectors say; they need not be keys. */
function prepareSelector(
  request: SelectionRequest,
  selectors: readonly Selector[],
  polymorphism: Polymorphism | undefined,
): Selection {
  const { class: cls } = findClass(request.namespaces, request.resource)
  const wanted = selectors.map(({ name, value }): [string, string] => {
    const property = cls.property(name)
    if (property === undefined || typeof value !== 'string') throw new WsmanFault('cannot-process-filter')
    return [property.name, spell(property, value)]
  })
  return prepareList(request, cls, polymorphism, ({ values }) => {
    return wanted.every(([name, text]) => {
      const value = values.get(name) ?? null
      return value !== null && !isList(value) && !isInstance(value) && String(value).toLowerCase() === text
    })
  })
}

/** What a value of the property prints as that is meant by a text, in lower case. Arrays are compared to nothing. */
function spell({ type, isArray }: CimProperty, text: string): string {
  const value = isArray ? undefined : readScalar(type === 'string' ? text : text.trim(), type)
  if (value === undefined) throw new WsmanFault('cannot-process-filter')
  return String(value).toLowerCase()
}

function prepareList(
  { repository, writer, mode }: SelectionRequest,
  cls: CimClass,
  polymorphism: Polymorphism | undefined,
  isWanted: (instance: Instance) => boolean,
): Selection {
  const extended: ExtendedStatus = {
    operation: 'CreateInstanceEnum',
    parameters: cls.name,
    namespace: repository.schema.namespace,
  }
  const isExact = polymorphism === 'none'
  const write = wholeInstance(writer, polymorphism === 'exclude' ? cls : undefined)
  return {
    className: cls.name,
    async select() {
      const found = await askWmi(extended, () => repository.list(cls.name))
      const chosen = found.filter(instance => (!isExact || instance.class.name === cls.name) && isWanted(instance))
      return instanceItems(chosen, writer, mode, write)
    },
  }
}

/** Source: DSP0227, §8.2. */
function prepareAssociation(request: SelectionRequest, filter: AssociationFilter): Selection {
  const { namespaces, repository, resource, writer, mode } = request
  const name = parsePath(resolveReference(namespaces, filter.object, resource.namespace))
  if (name === undefined) throw new WsmanFault('target-selectors')
  const { namespace } = repository.schema
  const extended: ExtendedStatus = { operation: 'ExecQuery', parameters: name.className, namespace }
  const { associationClass, resultClass, role, resultRole } = filter
  const find = (): Instance[] =>
    filter.isReferences
      ? repository.references(name, { resultClass: resultClass ?? associationClass, role })
      : repository.associators(name, { associationClass, resultClass, role, resultRole })
  const write = filter.properties.length === 0 ? wholeInstance(writer) : someProperties(writer, filter.properties)
  return {
    className: resultClass,
    select: async () => instanceItems(await askWmi(extended, find), writer, mode, write),
  }
}

/** Writes those of an instance's properties that are asked for and that it has. */
function someProperties(writer: InstanceWriter, asked: readonly string[]): (instance: Instance) => string {
  const wanted = new Set(asked.map(name => name.toLowerCase()))
  return ({ class: cls, values }) => {
    const properties = cls.properties.filter(({ name }) => wanted.has(name.toLowerCase()))
    return writeRow(
      writer,
      properties.map(property => [property, values.get(property.name) ?? null]),
    )
  }
}
