import type { CimScalar, CimValue } from '../cim/model.ts'
import type { Configuration, Settings } from './model.ts'
import { sameId } from './resources-ids.ts'
import { classOfKind, KINDS, type KindName, kindNamed, type ResourceKind } from './resources-kinds.ts'
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

/** Of which kind settings are; undefined for those that are no resource, such as features. */
export function kindOf(settings: Settings, build: number): KindName | undefined {
  const type = numberIn(settings, 'ResourceType')
  if (type === undefined) return undefined
  return kindNamed(build, type, textIn(settings, 'ResourceSubType'), textIn(settings, 'OtherResourceType'))
}

export const idOf = (settings: Settings): string => textIn(settings, 'InstanceID')

/** A text; empty for NULL. */
export function textIn(settings: Settings, name: string): string {
  const value = settings.values[name]
  return typeof value === 'string' ? value : ''
}

/** An integer of whatever size; undefined for NULL. */
export function numberIn(settings: Settings, name: string): number | undefined {
  const value = settings.values[name]
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined
}

export const isSet = (settings: Settings, name: string): boolean => settings.values[name] === true

/** The texts of an array; empty for NULL. */
export function textsIn(settings: Settings, name: string): string[] {
  return toTexts(settings.values[name])
}

/** The texts of a value that is an array of them; empty for anything else. */
export function toTexts(value: CimValue | undefined): string[] {
  if (!isList(value)) return []
  return value.filter(item => typeof item === 'string')
}

const isList = (value: CimValue | undefined): value is readonly CimScalar[] => Array.isArray(value)

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
