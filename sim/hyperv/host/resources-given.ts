import type { CimValue } from '../cim/model.ts'
import { isList } from '../cim/value.ts'
import { editionOf } from './default-devices.ts'
import type { Settings } from './model.ts'
import type { Draft, Given, ResourceContext } from './resources-context.ts'
import { settingsPath } from './resources-ids.ts'
import { classOfKind, KINDS, type KindName, kindNamed } from './resources-kinds.ts'
import { settingsIn } from './resources-references.ts'
import { idOf, settingsById, settingsOf, type Values } from './resources-settings.ts'

/** A text that was given; undefined for none, or for NULL. */
export function textGiven(given: Given, name: string): string | undefined {
  const value = given.values.get(name)
  return typeof value === 'string' ? value : undefined
}

/** An integer that was given, of whatever size. */
export function numberGiven(given: Given, name: string): number | undefined {
  const value = given.values.get(name)
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined
}

/** The texts of an array that was given; undefined where there is none. */
export function textsGiven(given: Given, name: string): string[] | undefined {
  const value = given.values.get(name)
  if (value === undefined || !isList(value)) return undefined
  return value.filter(item => typeof item === 'string')
}

/** Of which kind it is; undefined where its type or sub type is missing or unknown. */
export function kindGiven({ host }: ResourceContext, given: Given): KindName | undefined {
  const type = numberGiven(given, 'ResourceType')
  if (type === undefined) return undefined
  const subType = textGiven(given, 'ResourceSubType') ?? ''
  // There is one kind of connection to a switch, and a host fills in what it is called.
  if (type === KINDS.connection.type && subType === '') return 'connection'
  return kindNamed(host.state.build, type, subType, textGiven(given, 'OtherResourceType') ?? '')
}

// What the host says of settings, whatever a caller sends: templates carry texts of their own.
const HOSTS_OWN = [
  'AllocationUnits',
  'AutomaticAllocation',
  'AutomaticDeallocation',
  'Caption',
  'ConsumerVisibility',
  'Description',
  'InstanceID',
  'OtherResourceType',
  'ResourceSubType',
  'ResourceType',
  'VirtualQuantityUnits',
] as const

const OWN: ReadonlySet<string> = new Set(HOSTS_OWN)

export const isHostsOwn = (property: string): boolean => OWN.has(property)

/** New settings: what all of their kind have, what was given of the rest, and `values` over both. */
export function newSettings(context: ResourceContext, kind: KindName, given: Given, values: Values): Settings {
  const edition = editionOf(context.host)
  const className = classOfKind(KINDS[kind], edition.build)
  const accepted: Record<string, CimValue> = {}
  for (const [name, value] of given.values) {
    if (value === null || OWN.has(name) || !context.knows(className, name)) continue
    if (name === 'ElementName' && value === '') continue
    accepted[name] = value
  }
  return settingsOf(edition, kind, { ...accepted, ...values })
}

/** The settings that Parent names, of the same configuration; undefined where it names none. */
export function parentGiven(draft: Draft, given: Given): Settings | undefined {
  const id = settingsIn(textGiven(given, 'Parent'))
  if (id === undefined) return undefined
  return settingsById({ system: draft.owner.configuration.system, resources: draft.resources }, id)
}

/** Parent as hosts write it. */
export const parentPath = ({ host }: ResourceContext, parent: Settings): string =>
  settingsPath(host.state.name, parent.className, idOf(parent))
