import type { Instance, Schema } from '../cim/model.ts'
import type { ClassProvider, ObjectName, Provider } from '../cim/provider.ts'
import { definitionsOf } from '../host/definitions.ts'
import type { Host } from '../host/host.ts'
import type { Settings } from '../host/model.ts'
import { named, nameOfSettings } from '../host/names.ts'
import { sameId } from '../host/resources-ids.ts'
import { classOfKind, kindsOf } from '../host/resources-kinds.ts'
import { findOwned, type Owner, ownerOf, ownersOf } from '../host/resources-owner.ts'
import { idOf, isFeature, isGuestNetwork } from '../host/resources-settings.ts'
import { associationOf, keyOf, type Pair, providerOf, rowOf } from './rows.ts'

/** What machines have that is of no kind of resource. */
const OTHER_CLASSES = [
  'Msvm_GuestServiceInterfaceComponentSettingData',
  'Msvm_HeartbeatComponentSettingData',
  'Msvm_KvpExchangeComponentSettingData',
  'Msvm_RdvComponentSettingData',
  'Msvm_SecuritySettingData',
  'Msvm_ShutdownComponentSettingData',
  'Msvm_TimeSyncComponentSettingData',
  'Msvm_VssComponentSettingData',
] as const

/**
 * The settings of all resources: those of machines and snapshots, and the definition rows; and what joins them to the
 * system settings that they belong to.
 */
export function resources(host: Host, schema: Schema): Provider {
  const { build } = host.state
  const ofKinds = kindsOf(build).map(([, kind]) => classOfKind(kind, build))
  const names = [...new Set([...ofKinds, ...OTHER_CLASSES])]
  return providerOf(schema, {
    classes: {
      ...Object.fromEntries(names.map(name => [name, settingsProvider(host, schema, name)])),
      Msvm_VirtualSystemSettingDataComponent: associationOf(host, schema, {
        className: 'Msvm_VirtualSystemSettingDataComponent',
        ends: ['GroupComponent', 'PartComponent'],
        *list() {
          for (const owner of ownersOf(host)) yield* partsOf(owner, isPart)
        },
        of: object => partsAt(host, schema, object, isPart),
      }),
      // What is no resource allocation cannot be at the end of the association above.
      Msvm_ConcreteComponent: associationOf(host, schema, {
        className: 'Msvm_ConcreteComponent',
        ends: ['GroupComponent', 'PartComponent'],
        *list() {
          for (const owner of ownersOf(host)) yield* partsOf(owner, isSecurity)
        },
        of: object => partsAt(host, schema, object, isSecurity),
      }),
    },
  })
}

function settingsProvider(host: Host, schema: Schema, className: string): ClassProvider {
  const row = (settings: Settings): Instance => rowOf(schema, settings.className, settings.values)
  return {
    *list() {
      for (const { configuration } of ownersOf(host)) {
        for (const settings of configuration.resources) if (settings.className === className) yield row(settings)
      }
      for (const { settings } of definitionsOf(host)) if (settings.className === className) yield row(settings)
    },
    find(keys) {
      const id = keys.get('InstanceID') ?? ''
      const settings = findOwned(host, id)?.settings ?? definitionNamed(host, id)
      return settings?.className === className ? row(settings) : undefined
    },
  }
}

function definitionNamed(host: Host, id: string): Settings | undefined {
  if (!/^Microsoft:Definition\\/i.test(id)) return undefined
  return definitionsOf(host).find(({ settings }) => sameId(idOf(settings), id))?.settings
}

/** The name of settings of any class. */
export const nameOfResource = (settings: Settings): ObjectName =>
  named(settings.className, { InstanceID: idOf(settings) })

const isSecurity = (settings: Settings): boolean => settings.className === 'Msvm_SecuritySettingData'

/** Whether settings are joined to the system settings as resources: features and the like are not. */
const isPart = (settings: Settings): boolean =>
  !isFeature(settings) && !isGuestNetwork(settings) && !isSecurity(settings)

type Test = (settings: Settings) => boolean

function* partsOf({ id, configuration }: Owner, isWanted: Test): Iterable<Pair> {
  for (const settings of configuration.resources) {
    if (isWanted(settings)) yield [nameOfSettings(id), nameOfResource(settings)]
  }
}

/** The pairs that an object is in: all of a system's, or the one of a resource. */
function* partsAt(host: Host, schema: Schema, object: ObjectName, isWanted: Test): Iterable<Pair> {
  if (!schema.isA(object.className, 'CIM_SettingData')) return
  const id = keyOf(object, 'InstanceID') ?? ''
  const owner = ownerOf(host, id)
  if (owner === undefined) return
  if (sameId(idOf(owner.configuration.system), id)) yield* partsOf(owner, isWanted)
  const own = owner.configuration.resources.find(settings => sameId(idOf(settings), id))
  if (own !== undefined && isWanted(own)) yield [nameOfSettings(owner.id), nameOfResource(own)]
}
