import type { CimClass, CimType, CimValue, Instance } from '../cim/model.ts'
import { nameOf, printPath } from '../cim/path.ts'
import type { Repository } from '../cim/repository.ts'
import { WqlError } from './wql-error.ts'

/** Something of an instance that a query can name: a property of its class, or one that WMI gives to every instance. */
export interface Field {
  /** As the schema spells it. */
  readonly name: string
  readonly type: CimType
  readonly isArray: boolean
  readonly read: (instance: Instance) => CimValue
}

interface SystemField extends Omit<Field, 'read'> {
  readonly read: (instance: Instance, repository: Repository) => CimValue
}

const STRING = { type: 'string', isArray: false } as const
const NUMBER = { type: 'sint32', isArray: false } as const

/** Source: Microsoft Learn, "WMI System Properties". */
const SYSTEM_FIELDS: readonly SystemField[] = [
  { name: '__CLASS', ...STRING, read: ({ class: cls }) => cls.name },
  { name: '__DERIVATION', type: 'string', isArray: true, read: ({ class: cls }) => cls.superclasses },
  { name: '__DYNASTY', ...STRING, read: ({ class: cls }) => cls.superclasses.at(-1) ?? cls.name },
  { name: '__GENUS', ...NUMBER, read: () => 2 },
  { name: '__NAMESPACE', ...STRING, read: (_, { schema }) => schema.namespace },
  { name: '__PATH', ...STRING, read: (instance, repository) => repository.pathOf(instance) },
  { name: '__PROPERTY_COUNT', ...NUMBER, read: ({ class: cls }) => cls.properties.length },
  { name: '__RELPATH', ...STRING, read: instance => printPath(nameOf(instance), instance.class) },
  { name: '__SERVER', ...STRING, read: (_, { hostName }) => hostName },
  { name: '__SUPERCLASS', ...STRING, read: ({ class: cls }) => cls.superclasses[0] ?? null },
]
const SYSTEM_FIELDS_BY_NAME = new Map(SYSTEM_FIELDS.map(field => [field.name, field]))

/** What `name` means of instances of `cls`, whatever its case. Throws WqlError where it means nothing. */
export function fieldOf(repository: Repository, cls: CimClass, name: string): Field {
  const property = cls.property(name)
  if (property !== undefined) {
    const { name: own, type, isArray } = property
    return { name: own, type, isArray, read: ({ values }) => values.get(own) ?? null }
  }
  const system = SYSTEM_FIELDS_BY_NAME.get(name.toUpperCase())
  if (system === undefined) throw new WqlError('property', `${cls.name} has no property ${name}`)
  return { ...system, read: instance => system.read(instance, repository) }
}
