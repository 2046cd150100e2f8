import type { Instance, Schema } from '../cim/model.ts'
import type { ClassProvider, ObjectName, Provider } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import { named } from '../host/names.ts'
import { holdingOf, type Pool, poolsOf } from '../host/pools.ts'
import { sameId } from '../host/resources-ids.ts'
import { nameOfCapabilities } from './definitions.ts'
import { associationOf, keyOf, type Pair, providerOf, type Row, rowOf } from './rows.ts'

/** The primordial pools of a host, what can be allocated from them, and what joins the two. */
export function pools(host: Host, schema: Schema): Provider {
  return providerOf(schema, {
    classes: {
      Msvm_ResourcePool: poolProvider(host, schema, 'Msvm_ResourcePool'),
      Msvm_ProcessorPool: poolProvider(host, schema, 'Msvm_ProcessorPool'),
      Msvm_Synth3dVideoPool: poolProvider(host, schema, 'Msvm_Synth3dVideoPool'),
      Msvm_AllocationCapabilities: byId(host, capabilitiesId, pool => capabilitiesRow(schema, pool)),
      Msvm_ResourcePoolSettingData: byId(host, settingsId, pool => settingsRow(schema, pool)),
      Msvm_ElementCapabilities: joining(host, schema, 'Msvm_ElementCapabilities', 'Capabilities', pool => [
        nameOfCapabilities(pool.definition),
        nameOfPool(pool),
      ]),
      Msvm_SettingsDefineState: joining(host, schema, 'Msvm_SettingsDefineState', 'ManagedElement', pool => [
        nameOfPool(pool),
        named('Msvm_ResourcePoolSettingData', { InstanceID: settingsId(pool) }),
      ]),
    },
  })
}

const poolId = ({ id }: Pool): string => id
const capabilitiesId = ({ definition }: Pool): string => `Microsoft:${definition}`
const settingsId = ({ definition }: Pool): string => `Microsoft:Pool\\${definition}`
const nameOfPool = ({ className, id }: Pool): ObjectName => named(className, { InstanceID: id })

function byId(host: Host, idIn: (pool: Pool) => string, row: (pool: Pool) => Instance): ClassProvider {
  return {
    list: () => poolsOf(host).map(row),
    find(keys) {
      const id = keys.get('InstanceID') ?? ''
      const pool = poolsOf(host).find(one => sameId(idIn(one), id))
      return pool === undefined ? undefined : row(pool)
    },
  }
}

function poolProvider(host: Host, schema: Schema, className: Pool['className']): ClassProvider {
  const own = (): Pool[] => poolsOf(host).filter(pool => pool.className === className)
  return {
    list: () => own().map(pool => poolRow(host, schema, pool)),
    find(keys) {
      const id = keys.get('InstanceID') ?? ''
      const pool = own().find(one => sameId(poolId(one), id))
      return pool === undefined ? undefined : poolRow(host, schema, pool)
    },
  }
}

/** An association with one pair for each pool, found by either end. */
function joining(
  host: Host,
  schema: Schema,
  className: string,
  firstEnd: 'Capabilities' | 'ManagedElement',
  pairOf: (pool: Pool) => Pair,
): ClassProvider {
  return associationOf(host, schema, {
    className,
    ends: [firstEnd, firstEnd === 'Capabilities' ? 'ManagedElement' : 'SettingData'],
    list: () => poolsOf(host).map(pairOf),
    *of(object) {
      const id = keyOf(object, 'InstanceID')
      if (id === undefined) return
      for (const pair of poolsOf(host).map(pairOf)) {
        const isEnd = pair.some(end => isSame(schema, end, object, id))
        if (isEnd) yield pair
      }
    },
  })
}

const isSame = (schema: Schema, end: ObjectName, object: ObjectName, id: string): boolean =>
  sameId(keyOf(end, 'InstanceID') ?? '', id) &&
  (schema.isA(end.className, object.className) || schema.isA(object.className, end.className))

const typesOf = ({ kind }: Pool): Row => ({
  OtherResourceType: kind.otherType ?? null,
  ResourceSubType: kind.subType,
  ResourceType: kind.type,
})

/** Source: Capacity, units and sub types were read on Server 2025. */
function poolRow(host: Host, schema: Schema, pool: Pool): Instance {
  const holding = holdingOf(host, pool)
  const amount = (value: number | undefined): bigint | null => (value === undefined ? null : BigInt(value))
  return rowOf(schema, pool.className, {
    ...typesOf(pool),
    AllocationUnits: pool.kind.units ?? 'count',
    Capacity: amount(holding?.capacity),
    Caption: pool.kind.name,
    CurrentlyConsumedResource: amount(holding?.reserved),
    Description: pool.kind.description,
    ElementName: pool.kind.name,
    HealthState: 5,
    InstanceID: pool.id,
    MaxConsumableResource: amount(holding?.capacity),
    Name: pool.kind.name,
    OperationalStatus: [2],
    PoolID: '',
    Primordial: true,
    Reserved: amount(holding?.reserved),
    Status: 'OK',
    StatusDescriptions: ['OK'],
    Is3dVideoSupported: pool.kindName === 'synthetic3dDisplay' ? false : undefined,
    IsGPUCapable: pool.kindName === 'synthetic3dDisplay' ? false : undefined,
    IsSLATCapable: pool.kindName === 'synthetic3dDisplay' ? true : undefined,
  })
}

// RequestTypesSupported 3: specific and general; SharingMode 3: shared. Source: the ValueMaps of the MOF.
function capabilitiesRow(schema: Schema, pool: Pool): Instance {
  return rowOf(schema, 'Msvm_AllocationCapabilities', {
    ...typesOf(pool),
    Caption: pool.kind.name,
    Description: pool.kind.description,
    ElementName: pool.kind.name,
    InstanceID: capabilitiesId(pool),
    RequestTypesSupported: 3,
    SharingMode: 3,
  })
}

function settingsRow(schema: Schema, pool: Pool): Instance {
  return rowOf(schema, 'Msvm_ResourcePoolSettingData', {
    ...typesOf(pool),
    Caption: pool.kind.name,
    Description: pool.kind.description,
    ElementName: pool.kind.name,
    InstanceID: settingsId(pool),
    PoolID: '',
  })
}
