import type { CimValue } from '../cim/model.ts'
import type { Configuration, Settings } from './model.ts'
import { sameId } from './resources-ids.ts'
import { classOfKind, KINDS, type KindName, kindNamed, type ResourceKind } from './resources-kinds.ts'
import { numberIn, textIn } from './settings.ts'
import type { Locale } from './texts.ts'

/** Values by the schema's spelling. */
export type Values = Readonly<Record<string, CimValue | undefined>>

/** What decides the form of settings. */
export interface Edition {
  readonly build: number
  readonly locale: Locale
}

/** Settings of a kind as hosts make them: what all have, and `values` over that. */
export function settingsOf(edition: Edition, name: KindName, values: Values): Settings {
  const kind: ResourceKind = KINDS[name]
  return makeSettings(classOfKind(kind, edition.build), {
    AllocationUnits: kind.units ?? 'count',
    AutomaticAllocation: true,
    AutomaticDeallocation: true,
    Caption: nameOfKind(kind, edition.locale),
    ConsumerVisibility: 3,
    Description: edition.locale === 'ja-JP' ? `${kind.localName}の設定です。` : kind.description,
    ElementName: elementNameOf(name, edition.locale),
    Limit: 1n,
    OtherResourceType: kind.otherType,
    PoolID: '',
    Reservation: 1n,
    ResourceSubType: kind.subType,
    ResourceType: kind.type,
    VirtualQuantity: 1n,
    Weight: 0,
    ...values,
  })
}

/** Settings without what is NULL. */
export function makeSettings(className: string, values: Values): Settings {
  const settings: Settings = { className, values: {} }
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== null) settings.values[name] = value
  }
  return settings
}

const nameOfKind = (kind: ResourceKind, locale: Locale): string => (locale === 'ja-JP' ? kind.localName : kind.name)

/** ElementName of what nobody gave another. */
export function elementNameOf(name: KindName, locale: Locale): string {
  const kind: ResourceKind = KINDS[name]
  if (locale === 'ja-JP') return kind.localElementName ?? kind.localName
  return kind.elementName ?? kind.name
}

/** Of which kind settings are; undefined for those of none, such as features and integration components. */
export function kindOf(settings: Settings, build: number): KindName | undefined {
  const type = numberIn(settings, 'ResourceType')
  if (type === undefined) return undefined
  const [subType, otherType] = [textIn(settings, 'ResourceSubType') ?? '', textIn(settings, 'OtherResourceType') ?? '']
  const kind = kindNamed(build, type, subType, otherType)
  return kind !== undefined && classOfKind(KINDS[kind], build) === settings.className ? kind : undefined
}

export const idOf = (settings: Settings): string => textIn(settings, 'InstanceID') ?? ''

/** The settings of a configuration with this InstanceID, its own among them. */
export function settingsById(configuration: Configuration, instanceId: string): Settings | undefined {
  if (sameId(idOf(configuration.system), instanceId)) return configuration.system
  return configuration.resources.find(resource => sameId(idOf(resource), instanceId))
}

/** Whether a settings object is a feature of a connection, and so no resource. */
export const isFeature = (settings: Settings): boolean =>
  /^Msvm_EthernetSwitchPort\w+SettingData$/.test(settings.className)

/** Whether it is what the guest's network was told to be; it is shown as Msvm_GuestNetworkAdapterConfiguration. */
export const isGuestNetwork = (settings: Settings): boolean =>
  settings.className === 'Msvm_GuestNetworkAdapterConfiguration'

/** Settings with other values over theirs; NULL takes a value away. */
export function withValues(settings: Settings, values: Readonly<Record<string, CimValue | undefined>>): Settings {
  const merged: Settings = { className: settings.className, values: { ...settings.values } }
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue
    if (value === null) delete merged.values[name]
    else merged.values[name] = value
  }
  return merged
}
