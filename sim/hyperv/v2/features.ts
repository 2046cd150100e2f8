import type { Instance, Schema } from '../cim/model.ts'
import type { ClassProvider, ObjectName, Provider } from '../cim/provider.ts'
import { featureDefinitionsOf } from '../host/definitions.ts'
import { allocationIdOf } from '../host/features.ts'
import { type Feature, featuresOf } from '../host/features-table.ts'
import type { Host } from '../host/host.ts'
import type { Settings, Switch } from '../host/model.ts'
import { named } from '../host/names.ts'
import { sameId } from '../host/resources-ids.ts'
import { findOwned, ownerOf, ownersOf } from '../host/resources-owner.ts'
import { idOf, isFeature } from '../host/resources-settings.ts'
import { nameOfFeatureCapabilities } from './definitions.ts'
import { nameOfResource } from './resources.ts'
import { associationOf, keyOf, type Pair, providerOf, rowOf } from './rows.ts'

/** The features of ports and switches, their definitions and capabilities, and what joins them to what they are of. */
export function features(host: Host, schema: Schema): Provider {
  const known = featuresOf(host.state.build)
  return providerOf(schema, {
    classes: {
      ...Object.fromEntries(
        known.map(({ className }): [string, ClassProvider] => [className, settingsProvider(host, schema, className)]),
      ),
      Msvm_EthernetSwitchFeatureCapabilities: {
        list: () => known.map(feature => capabilitiesRow(schema, host, feature)),
      },
      Msvm_EthernetPortSettingDataComponent: associationOf(host, schema, {
        className: 'Msvm_EthernetPortSettingDataComponent',
        ends: ['GroupComponent', 'PartComponent'],
        *list() {
          for (const settings of featuresIn(host)) if (!isOfSwitch(settings)) yield pairOf(settings)
        },
        of: object => pairsAt(host, object),
      }),
      Msvm_VirtualEthernetSwitchSettingDataComponent: associationOf(host, schema, {
        className: 'Msvm_VirtualEthernetSwitchSettingDataComponent',
        ends: ['GroupComponent', 'PartComponent'],
        *list() {
          for (const one of host.state.switches) yield* switchPairs(one)
        },
      }),
    },
  })
}

const isOfSwitch = (settings: Settings): boolean => !isFeature(settings)

function settingsProvider(host: Host, schema: Schema, className: string): ClassProvider {
  const row = (settings: Settings): Instance => rowOf(schema, settings.className, settings.values)
  return {
    *list() {
      for (const settings of featuresIn(host)) if (settings.className === className) yield row(settings)
      for (const { settings } of featureDefinitionsOf(host)) if (settings.className === className) yield row(settings)
    },
    find(keys) {
      const id = keys.get('InstanceID') ?? ''
      const settings = findFeature(host, id)
      return settings?.className === className ? row(settings) : undefined
    },
  }
}

function findFeature(host: Host, id: string): Settings | undefined {
  const owned = findOwned(host, id)?.settings
  if (owned !== undefined) return owned
  const definition = featureDefinitionsOf(host).find(({ settings }) => sameId(idOf(settings), id))?.settings
  return definition ?? host.state.switches.flatMap(one => one.features ?? []).find(each => sameId(idOf(each), id))
}

/** The features of all machines, snapshots and switches. */
function* featuresIn(host: Host): Iterable<Settings> {
  for (const { configuration } of ownersOf(host)) {
    for (const settings of configuration.resources) if (isFeature(settings)) yield settings
  }
  for (const one of host.state.switches) yield* one.features ?? []
}

const allocationNamed = (id: string): ObjectName => named('Msvm_EthernetPortAllocationSettingData', { InstanceID: id })

const pairOf = (feature: Settings): Pair => [allocationNamed(allocationIdOf(idOf(feature))), nameOfResource(feature)]

/** The pairs that an object is in: those of an allocation, or the one of a feature. */
function* pairsAt(host: Host, object: ObjectName): Iterable<Pair> {
  const id = keyOf(object, 'InstanceID') ?? ''
  const owner = ownerOf(host, id)
  const near =
    owner === undefined
      ? host.state.switches.flatMap(one => one.features ?? [])
      : owner.configuration.resources.filter(isFeature)
  for (const feature of near) {
    if (isOfSwitch(feature)) continue
    if (sameId(idOf(feature), id) || sameId(allocationIdOf(idOf(feature)), id)) yield pairOf(feature)
  }
}

function* switchPairs(one: Switch): Iterable<Pair> {
  const settings = named('Msvm_VirtualEthernetSwitchSettingData', { InstanceID: idOf(one.settings) })
  for (const feature of one.features ?? []) if (isOfSwitch(feature)) yield [settings, nameOfResource(feature)]
}

// Applicability 1: ports, 2: switches. Source: the ValueMap of the MOF.
function capabilitiesRow(schema: Schema, host: Host, feature: Feature): Instance {
  const isJapanese = host.locale === 'ja-JP'
  return rowOf(schema, 'Msvm_EthernetSwitchFeatureCapabilities', {
    Applicability: feature.of === 'port' ? 1 : 2,
    Caption: isJapanese ? feature.localName : feature.name,
    Description: isJapanese ? `${feature.localName}です。` : feature.description,
    ElementName: isJapanese ? feature.localName : feature.name,
    FeatureId: feature.id,
    InstanceID: nameOfFeatureCapabilities(feature.id).keys.get('InstanceID'),
    Version: '1.0',
  })
}
