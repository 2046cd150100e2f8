import type { Instance, Schema } from '../cim/model.ts'
import type { ClassProvider, ObjectName, Provider } from '../cim/provider.ts'
import { RANGES } from '../host/definitions.ts'
import type { Host } from '../host/host.ts'
import { named } from '../host/names.ts'
import { holdingOf, type Pool } from '../host/pools.ts'
import { sameId } from '../host/resources-ids.ts'
import { idOf } from '../host/resources-settings.ts'
import { nameOfCapabilities } from '../v2/definitions.ts'
import { associationOf, keyOf, type Pair, pathIn, providerOf, type Row, rowOf } from '../v2/rows.ts'
import { definitionNamed, poolsHere, rangesOf, type ShownDefinition } from './definition-rows.ts'
import type { V1Kind } from './translate-kinds.ts'
import { poolIdOf } from './translate-resources.ts'

interface ShownPool {
  readonly pool: Pool
  readonly kind: V1Kind
}

/** The pools of a host, what can be allocated from each, and the definition rows that say how. */
export function definitions(host: Host, schema: Schema): Provider {
  return providerOf(schema, {
    classes: {
      Msvm_ResourcePool: byId(host, schema, 'Msvm_ResourcePool', poolInstanceId, poolRow),
      Msvm_ProcessorPool: byId(host, schema, 'Msvm_ProcessorPool', poolInstanceId, poolRow),
      Msvm_AllocationCapabilities: byId(host, schema, 'Msvm_AllocationCapabilities', capabilitiesId, capabilitiesRow),
      Msvm_ElementCapabilities: associationOf(host, schema, {
        className: 'Msvm_ElementCapabilities',
        ends: ['Capabilities', 'ManagedElement'],
        list: () => poolsHere(host).map(capabilitiesPair),
        of: object =>
          poolsHere(host)
            .map(capabilitiesPair)
            .filter(pair => pair.some(end => isSame(end, object))),
      }),
      Msvm_SettingsDefineCapabilities: {
        *list() {
          for (const one of poolsHere(host)) yield* rowsFor(host, schema, rangesOf(host, one))
        },
        referring: object => rowsFor(host, schema, definitionsAt(host, object)),
      },
    },
  })
}

const capabilitiesId = ({ pool }: ShownPool): string => `Microsoft:${pool.definition}`
/** Source: Microsoft Learn, Msvm_ResourcePool (v1): `Microsoft:GUID\Root`. */
const poolInstanceId = ({ pool, kind }: ShownPool): string =>
  kind.poolId?.startsWith('Microsoft:') === true ? kind.poolId : poolIdOf(pool.kindName)
const nameOfPool = (one: ShownPool): ObjectName => named(one.pool.className, { InstanceID: poolInstanceId(one) })
const capabilitiesPair = (one: ShownPool): Pair => [nameOfCapabilities(one.pool.definition), nameOfPool(one)]
const isSame = (a: ObjectName, b: ObjectName): boolean =>
  a.className === b.className && sameId(keyOf(a, 'InstanceID') ?? '', keyOf(b, 'InstanceID') ?? '')

type MakeRow = (host: Host, one: ShownPool) => Row

function byId(
  host: Host,
  schema: Schema,
  className: string,
  idIn: (one: ShownPool) => string,
  make: MakeRow,
): ClassProvider {
  const own = (): ShownPool[] =>
    poolsHere(host).filter(({ pool }) => !className.endsWith('Pool') || pool.className === className)
  const row = (one: ShownPool): Instance => rowOf(schema, className, make(host, one))
  return {
    list: () => own().map(row),
    find(keys) {
      const one = own().find(each => sameId(idIn(each), keys.get('InstanceID') ?? ''))
      return one === undefined ? undefined : row(one)
    },
  }
}

const words = ({ pool, kind }: ShownPool): Row => ({
  Caption: pool.kind.name,
  Description: pool.kind.description,
  ElementName: pool.kind.name,
  OtherResourceType: kind.otherType,
  ResourceSubType: kind.subType,
  ResourceType: kind.type,
})

function poolRow(host: Host, one: ShownPool): Row {
  const holding = holdingOf(host, one.pool)
  return {
    ...words(one),
    AllocationUnits: one.kind.units,
    Capacity: holding === undefined ? undefined : BigInt(holding.capacity),
    HealthState: 5,
    InstanceID: poolInstanceId(one),
    Name: one.pool.kind.name,
    OperationalStatus: [2],
    PoolID: poolInstanceId(one),
    Primordial: true,
    Reserved: holding === undefined ? undefined : BigInt(holding.reserved),
    Status: 'OK',
    StatusDescriptions: ['OK'],
  }
}

// RequestTypesSupported 3: both; SharingMode 2: shared. Source: the ValueMaps of Microsoft Learn (v1).
function capabilitiesRow(_host: Host, one: ShownPool): Row {
  return { ...words(one), InstanceID: capabilitiesId(one), RequestTypesSupported: 3, SharingMode: 2 }
}

function* rowsFor(host: Host, schema: Schema, shown: readonly ShownDefinition[]): Iterable<Instance> {
  for (const { pool, kind, range, settings } of shown) {
    const row = named(kind.className, { InstanceID: idOf(settings) })
    yield rowOf(schema, 'Msvm_SettingsDefineCapabilities', {
      GroupComponent: pathIn(host, nameOfCapabilities(pool.definition), schema.namespace),
      PartComponent: pathIn(host, row, schema.namespace),
      PropertyPolicy: 0,
      ValueRange: RANGES[range].range,
      ValueRole: RANGES[range].role,
    })
  }
}

/** The definition rows of capabilities, or the one that a row itself is. */
function definitionsAt(host: Host, object: ObjectName): ShownDefinition[] {
  const id = keyOf(object, 'InstanceID') ?? ''
  const own = definitionNamed(host, id)
  if (own !== undefined) return [own]
  const found = poolsHere(host).find(one => sameId(capabilitiesId(one), id))
  return found === undefined ? [] : rangesOf(host, found)
}
