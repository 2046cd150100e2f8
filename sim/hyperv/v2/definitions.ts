import type { Instance, Schema } from '../cim/model.ts'
import type { ObjectName, Provider } from '../cim/provider.ts'
import {
  type Definition,
  definitionOf,
  definitionsOf,
  featureDefinitionsOf,
  RANGE_NAMES,
  RANGES,
} from '../host/definitions.ts'
import type { Host } from '../host/host.ts'
import { named } from '../host/names.ts'
import { poolsOf } from '../host/pools.ts'
import { sameId } from '../host/resources-ids.ts'
import { idOf } from '../host/resources-settings.ts'
import { nameOfResource } from './resources.ts'
import { keyOf, pathIn, providerOf, rowOf } from './rows.ts'

/** Msvm_AllocationCapabilities of the kind that a definition is of. */
export const nameOfCapabilities = (id: string): ObjectName =>
  named('Msvm_AllocationCapabilities', { InstanceID: `Microsoft:${id}` })

/** Msvm_EthernetSwitchFeatureCapabilities of a feature. */
export const nameOfFeatureCapabilities = (id: string): ObjectName =>
  named('Msvm_EthernetSwitchFeatureCapabilities', { InstanceID: `Microsoft:${id}` })

/** What joins capabilities to the definition rows that say what can be allocated, and features to theirs. */
export function definitions(host: Host, schema: Schema): Provider {
  return providerOf(schema, {
    classes: {
      Msvm_SettingsDefineCapabilities: {
        *list() {
          for (const definition of definitionsOf(host)) yield rowFor(host, schema, definition)
        },
        *referring(object) {
          for (const definition of definitionsAt(host, object)) yield rowFor(host, schema, definition)
        },
      },
      Msvm_FeatureSettingsDefineCapabilities: {
        *list() {
          for (const definition of featureDefinitionsOf(host)) yield featureRowFor(host, schema, definition)
        },
        *referring(object) {
          const id = keyOf(object, 'InstanceID') ?? ''
          for (const definition of featureDefinitionsOf(host)) {
            const isThis = sameId(`Microsoft:${definition.id}`, id) || sameId(idOf(definition.settings), id)
            if (isThis) yield featureRowFor(host, schema, definition)
          }
        },
      },
    },
  })
}

function rowFor(host: Host, schema: Schema, { id, range, settings }: Definition): Instance {
  return rowOf(schema, 'Msvm_SettingsDefineCapabilities', {
    GroupComponent: pathIn(host, nameOfCapabilities(id)),
    PartComponent: pathIn(host, nameOfResource(settings)),
    PropertyPolicy: 0,
    ValueRange: RANGES[range].range,
    ValueRole: RANGES[range].role,
  })
}

function featureRowFor(host: Host, schema: Schema, { id, range, settings }: Definition): Instance {
  return rowOf(schema, 'Msvm_FeatureSettingsDefineCapabilities', {
    GroupComponent: pathIn(host, nameOfFeatureCapabilities(id)),
    PartComponent: pathIn(host, nameOfResource(settings)),
    PropertyPolicy: 0,
    ValueRange: RANGES[range].range,
    ValueRole: RANGES[range].role,
  })
}

/** The definition rows of capabilities, or the one that a row itself is. */
function definitionsAt(host: Host, object: ObjectName): Definition[] {
  const id = keyOf(object, 'InstanceID') ?? ''
  const [, guid = ''] = /^Microsoft:(?:Definition\\)?([0-9A-F-]{36})/i.exec(id) ?? []
  const pool = poolsOf(host).find(one => sameId(one.definition, guid))
  if (pool === undefined) return []
  const rows = RANGE_NAMES.map(range => definitionOf(host, pool, range))
  return sameId(id, `Microsoft:${guid}`) ? rows : rows.filter(({ settings }) => sameId(idOf(settings), id))
}
