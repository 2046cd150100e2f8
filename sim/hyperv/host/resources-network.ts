import type { Settings } from './model.ts'
import { type OperationError, Return } from './operation-error.ts'
import { isAddress, NO_ADDRESS, nextAddress } from './resources-addresses.ts'
import { type Draft, type Given, type ResourceContext, refusal } from './resources-context.ts'
import { newSettings, parentGiven, parentPath, textGiven, textsGiven } from './resources-given.ts'
import { connectionId, resourceId } from './resources-ids.ts'
import { isActive } from './resources-images.ts'
import type { KindName } from './resources-kinds.ts'
import { keyIn } from './resources-references.ts'
import { idOf, kindOf, type Values, withValues } from './resources-settings.ts'
import type { Doing, Reason } from './resources-texts.ts'
import { generationOf, isTrueIn, textIn } from './settings.ts'
import { childrenOf } from './slots.ts'
import { switchNamed, switchPath } from './switches.ts'

/** How many network adapters of a kind a machine may have. Source: Microsoft Learn, "Plan for Hyper-V scalability". */
const ADAPTERS_MAX: Readonly<Partial<Record<KindName, number>>> = { syntheticPort: 8, emulatedPort: 4 }

export const isAdapter = (kind: KindName | undefined): boolean => kind === 'syntheticPort' || kind === 'emulatedPort'

interface Refused {
  readonly doing: Doing
  readonly kind: KindName
}

const no = (context: ResourceContext, draft: Draft, what: Refused, reason: Reason, code?: number): OperationError =>
  refusal(context.host, draft.owner, { ...what, reason, code })

/** Adds a network adapter. */
export function addAdapter(context: ResourceContext, draft: Draft, kind: KindName, given: Given): Settings {
  const { host } = context
  const { owner } = draft
  const what: Refused = { doing: 'add', kind }
  if (kind === 'emulatedPort' && generationOf(owner.configuration) === 2) throw no(context, draft, what, 'generation')
  if (!canPlug(context, draft, kind)) throw no(context, draft, what, 'state', Return.invalidState)
  const present = draft.resources.filter(one => kindOf(one, host.state.build) === kind)
  if (present.length >= (ADAPTERS_MAX[kind] ?? 0)) throw no(context, draft, what, 'tooMany')
  const text = (textGiven(given, 'Address') ?? '').toUpperCase()
  if (text !== '' && !isAddress(text)) throw no(context, draft, what, 'invalid')
  const isStatic = given.values.get('StaticMacAddress') ?? (text !== '' && text !== NO_ADDRESS)
  const isWanting = isStatic !== true && isActive(owner.vm)
  return newSettings(context, kind, given, {
    InstanceID: resourceId(owner.id, host.random.guid()),
    Address: isWanting ? nextAddress(host) : text || NO_ADDRESS,
    StaticMacAddress: isStatic,
    Parent: null,
    AddressOnParent: null,
    VirtualSystemIdentifiers: kind === 'syntheticPort' ? identifiers(context, given) : undefined,
  })
}

// Source: a host was seen to add one of its own to the one that was given.
function identifiers({ host }: ResourceContext, given: Given): string[] {
  const [first] = textsGiven(given, 'VirtualSystemIdentifiers') ?? []
  return [first ?? `{${host.random.guid().toLowerCase()}}`, `{${host.random.guid()}}`]
}

/** Synthetic adapters of machines of generation 2 come and go while the machine runs, from Server 2016 on. */
function canPlug({ host }: ResourceContext, { owner }: Draft, kind: KindName): boolean {
  const { power } = owner.vm
  if (power === 'off') return true
  const canHost = host.state.build >= 14393 && generationOf(owner.configuration) === 2 && kind === 'syntheticPort'
  return canHost && (power === 'running' || power === 'paused')
}

/** Changes an adapter: its address only while the machine does not run. */
export function modifyAdapter(context: ResourceContext, draft: Draft, adapter: Settings, changes: Values): Settings {
  const kind = kindOf(adapter, context.host.state.build) ?? 'syntheticPort'
  const what: Refused = { doing: 'modify', kind }
  const { Address, StaticMacAddress } = changes
  const touchesAddress = Address !== undefined || StaticMacAddress !== undefined
  if (touchesAddress && isActive(draft.owner.vm)) throw no(context, draft, what, 'state', Return.invalidState)
  if (typeof Address === 'string' && !isAddress(Address)) throw no(context, draft, what, 'invalid')
  const becomesDynamic = StaticMacAddress === false && isTrueIn(adapter, 'StaticMacAddress')
  const address = becomesDynamic ? NO_ADDRESS : typeof Address === 'string' ? Address.toUpperCase() : undefined
  return withValues(adapter, { ...changes, Address: address })
}

/** Connects an adapter to a switch, or makes the connection without a switch. */
export function addConnection(context: ResourceContext, draft: Draft, kind: KindName, given: Given): Settings {
  const { build } = context.host.state
  const what: Refused = { doing: 'add', kind }
  const adapter = parentGiven(draft, given)
  if (adapter === undefined) throw no(context, draft, what, 'parent')
  if (!isAdapter(kindOf(adapter, build))) throw no(context, draft, what, 'parentKind')
  if (childrenOf(draft.resources, adapter).length > 0) throw no(context, draft, what, 'tooMany')
  const state = given.values.get('EnabledState') ?? 2
  if (state !== 2 && state !== 3) throw no(context, draft, what, 'invalid')
  return newSettings(context, kind, given, {
    InstanceID: connectionId(idOf(adapter)),
    Parent: parentPath(context, adapter),
    AddressOnParent: null,
    EnabledState: state,
    ...attachment(context, draft, what, textsGiven(given, 'HostResource') ?? []),
  })
}

/** HostResource as the host writes it: the switch that the path names; none where there is none. */
function attachment(
  context: ResourceContext,
  draft: Draft,
  what: Refused,
  paths: readonly string[],
): { readonly HostResource: string[]; readonly LastKnownSwitchName?: string } {
  const { host } = context
  const [path = ''] = paths
  if (path === '') return { HostResource: [] }
  const id = keyIn(path, /^Msvm_VirtualEthernetSwitch$/i, 'Name')
  if (id === undefined || paths.length > 1) throw no(context, draft, what, 'invalid')
  const found = switchNamed(host, id)
  if (found === undefined) throw no(context, draft, what, 'noSwitch')
  const name = textIn(found.settings, 'ElementName') ?? ''
  const known = host.state.build >= 10240 ? { LastKnownSwitchName: name } : {}
  return { HostResource: [switchPath(host, found.id)], ...known }
}

/** Changes a connection: to another switch, to none, on or off. */
export function modifyConnection(context: ResourceContext, draft: Draft, before: Settings, changes: Values): Settings {
  const what: Refused = { doing: 'modify', kind: 'connection' }
  const { EnabledState, HostResource } = changes
  if (EnabledState !== undefined && EnabledState !== 2 && EnabledState !== 3) throw no(context, draft, what, 'invalid')
  const given: Given = { className: before.className, values: new Map([['HostResource', HostResource ?? null]]) }
  const paths = textsGiven(given, 'HostResource')
  return withValues(before, { ...changes, ...(paths === undefined ? {} : attachment(context, draft, what, paths)) })
}

/** Takes an adapter away, and with it its connection, the features of that, and what its guest was told. */
export function removeAdapter(context: ResourceContext, draft: Draft, adapter: Settings): void {
  const kind = kindOf(adapter, context.host.state.build) ?? 'syntheticPort'
  const what: Refused = { doing: 'remove', kind }
  if (!canPlug(context, draft, kind)) throw no(context, draft, what, 'state', Return.invalidState)
  removeWithin(draft, adapter)
}

/** Takes a connection away, and with it its features. */
export const removeConnection = (draft: Draft, connection: Settings): void => removeWithin(draft, connection)

/** Takes settings away, and all whose InstanceID says that they are within. */
function removeWithin(draft: Draft, settings: Settings): void {
  const prefix = `${idOf(settings).toLowerCase()}\\`
  draft.resources = draft.resources.filter(one => one !== settings && !idOf(one).toLowerCase().startsWith(prefix))
}
