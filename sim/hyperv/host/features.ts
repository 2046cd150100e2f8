import type { CimValue } from '../cim/model.ts'
import { isList } from '../cim/value.ts'
import type { Host } from './host.ts'
import type { Settings, Switch } from './model.ts'
import { OperationError, Return } from './operation-error.ts'
import { FEATURES, type Feature, featureNamed } from './features-table.ts'
import { changing, type Draft, type Given, type ResourceContext } from './resources-context.ts'
import { changesOf } from './resources-changes.ts'
import { textGiven } from './resources-given.ts'
import { ownerOfId, sameId } from './resources-ids.ts'
import { findOwned, type Owned } from './resources-owner.ts'
import { idOf, isFeature, kindOf, makeSettings, type Values, withValues } from './resources-settings.ts'
import { type Reason, reasonText } from './resources-texts.ts'
import { connectionsOf, portAllocationId, switchNamed } from './switches.ts'
import { switchText } from './switches-texts.ts'
import type { Locale } from './texts.ts'

// Features of switch ports: VLAN, bandwidth, security and so on. Those of a machine's connection stand in its
// configuration, within the connection; those of a switch, and of its own ports, with the switch.

const fail = (host: Host, reason: Reason, code: number = Return.invalidParameter): OperationError =>
  new OperationError(code, reasonText(host.locale, reason))

/** Msvm_Error.MessageID of what the service of switches says when it is given a feature of a machine's port: observed. */
const PORT_FEATURE_REFUSED = 26146

/** How the service of switches refuses features of the ports of machines. */
export const portFeatureRefusal = (host: Host): OperationError =>
  new OperationError(Return.invalidParameter, switchText(host.locale, '', 'portFeature'), {
    messageId: PORT_FEATURE_REFUSED,
  })

/** A feature with what the schema and a host give it; `values` over that. */
export function featureSettings(locale: Locale, feature: Feature, values: Values): Settings {
  const name = locale === 'ja-JP' ? feature.localName : feature.name
  const Description = locale === 'ja-JP' ? `${feature.localName}です。` : feature.description
  return makeSettings(feature.className, { Caption: name, Description, ElementName: name, ...values })
}

/** Adds features to the connection, or to the port of a switch, that has this InstanceID. */
export function addFeatures(context: ResourceContext, allocationId: string, given: readonly Given[]): Settings[] {
  const { host } = context
  const owned = findOwned(host, allocationId)
  if (owned !== undefined && kindOf(owned.settings, host.state.build) === 'connection') {
    const { owner, settings } = owned
    if (owner.snapshot !== undefined) throw fail(host, 'state', Return.invalidState)
    return changing(host, owner, draft =>
      given.map(one => {
        const added = newFeature(context, idOf(settings), draft.resources, one, 'port')
        draft.resources.push(added)
        return added
      }),
    )
  }
  const one = switchOfPort(host, allocationId)
  if (one === undefined) throw fail(host, 'invalid')
  return addToSwitch(context, one, allocationId, given, 'port')
}

/** Adds features to a switch itself. */
export function addSwitchFeatures(context: ResourceContext, one: Switch, given: readonly Given[]): Settings[] {
  return addToSwitch(context, one, `Microsoft:${one.id}`, given, 'switch')
}

function addToSwitch(
  context: ResourceContext,
  one: Switch,
  within: string,
  given: readonly Given[],
  of: Feature['of'],
): Settings[] {
  const features = [...(one.features ?? [])]
  const added = given.map(each => {
    const feature = newFeature(context, within, features, each, of)
    features.push(feature)
    return feature
  })
  one.features = features
  context.host.touch()
  return added
}

/** The switch that has a port of its own with this allocation. */
function switchOfPort(host: Host, allocationId: string): Switch | undefined {
  const named = ownerOfId(allocationId)
  const one = named === undefined ? undefined : switchNamed(host, named.owner)
  return one?.ports.some(port => sameId(portAllocationId(one, port), allocationId)) === true ? one : undefined
}

function newFeature(
  context: ResourceContext,
  within: string,
  present: readonly Settings[],
  given: Given,
  of: Feature['of'],
): Settings {
  const { host } = context
  const feature = featureNamed(given.className, host.state.build)
  if (feature === undefined || feature.of !== of)
    throw of === 'switch' ? portFeatureRefusal(host) : fail(host, 'invalid')
  // Source: with no card on the host that can do SR-IOV, every such feature was seen refused.
  if (feature === FEATURES.offload) throw fail(host, 'notSupported')
  const prefix = `${within}\\${feature.id}`
  const isPresent = present.some(one => idOf(one).toLowerCase().startsWith(`${prefix.toLowerCase()}\\`))
  if (isPresent && !feature.isRepeatable) throw fail(host, 'tooMany')
  const values = acceptedValues(context, given)
  const made = featureSettings(host.locale, feature, {
    ...values,
    InstanceID: `${prefix}\\${host.random.guid()}`,
  })
  if (!isSound(feature, made)) throw fail(host, 'invalid')
  return made
}

function acceptedValues(context: ResourceContext, given: Given): Record<string, CimValue> {
  const own = ['InstanceID', 'Caption', 'Description', 'ElementName']
  return Object.fromEntries(
    [...given.values].filter(
      ([name, value]) => value !== null && !own.includes(name) && context.knows(given.className, name),
    ),
  )
}

/** Changes features by the InstanceIDs in them, wherever they are. */
export function modifyFeatures(context: ResourceContext, given: readonly Given[], isOfSwitch: boolean): Settings[] {
  const { host } = context
  return given.map(one => {
    const id = textGiven(one, 'InstanceID') ?? ''
    const owned = ownedFeature(host, id)
    if (owned !== undefined) {
      if (isOfSwitch) throw portFeatureRefusal(host)
      return changing(host, owned.owner, draft => replaceFeature(context, draft, owned.settings, one))
    }
    const found = switchFeature(host, id)
    if (found === undefined) throw fail(host, 'invalid')
    const after = changedFeature(context, found.feature, one)
    found.one.features = (found.one.features ?? []).map(each => (each === found.feature ? after : each))
    host.touch()
    return after
  })
}

function replaceFeature(context: ResourceContext, draft: Draft, before: Settings, given: Given): Settings {
  const after = changedFeature(context, before, given)
  draft.resources = draft.resources.map(one => (one === before ? after : one))
  return after
}

function changedFeature(context: ResourceContext, before: Settings, given: Given): Settings {
  const changes = changesOf(context, before, given)
  const feature = featureNamed(before.className, context.host.state.build)
  if (changes === undefined || feature === undefined) throw fail(context.host, 'invalid')
  const after = withValues(before, changes)
  if (!isSound(feature, after)) throw fail(context.host, 'invalid')
  return after
}

/** Removes features by their InstanceIDs. */
export function removeFeatures(context: ResourceContext, ids: readonly string[], isOfSwitch: boolean): void {
  const { host } = context
  for (const id of ids) {
    const owned = ownedFeature(host, id)
    const found = switchFeature(host, id)
    if (owned !== undefined) {
      if (isOfSwitch) throw portFeatureRefusal(host)
      changing(host, owned.owner, draft => {
        draft.resources = draft.resources.filter(one => one !== owned.settings)
      })
    } else if (found !== undefined) {
      found.one.features = (found.one.features ?? []).filter(each => each !== found.feature)
      host.touch()
    } else throw fail(host, 'invalid')
  }
}

function ownedFeature(host: Host, id: string): Owned | undefined {
  const owned = findOwned(host, id)
  if (owned === undefined || !isFeature(owned.settings)) return undefined
  if (owned.owner.snapshot !== undefined) throw fail(host, 'state', Return.invalidState)
  return owned
}

function switchFeature(host: Host, id: string): { readonly one: Switch; readonly feature: Settings } | undefined {
  for (const one of host.state.switches) {
    const feature = one.features?.find(each => sameId(idOf(each), id))
    if (feature !== undefined) return { one, feature }
  }
  return undefined
}

/** The allocation that a feature is of: what its InstanceID begins with. */
export const allocationIdOf = (featureId: string): string => featureId.replace(/(?:\\[^\\]+){2}$/, '')

/** Whether what a feature says can be. */
function isSound(feature: Feature, settings: Settings): boolean {
  return Object.entries(feature.ranges ?? {}).every(([name, [least, most]]) => {
    const value = settings.values[name]
    if (value === undefined) return true
    const items = isList(value) ? value : [value]
    return items.every(item => typeof item !== 'string' && Number(item) >= least && Number(item) <= most)
  })
}

/** Whether a switch is used by any machine, running or not. */
export const isUsed = (host: Host, one: Switch): boolean => connectionsOf(host, one).length > 0
