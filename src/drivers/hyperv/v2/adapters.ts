import {
  type CimInstance,
  type EndpointReference,
  instanceOf,
  like,
  objectPath,
  reference,
  wql,
} from '../../../protocols/wsman/index.ts'
import { DriverError } from '../../driver.ts'
import type { Adapter, AdapterKind, Cable, NewAdapter, Plug } from '../network-back-end.ts'
import { settingsIdOf, settingsOf } from './classes.ts'
import { componentsOf } from '../wmi/components.ts'
import { settle } from '../wmi/jobs.ts'
import { hostNameOf, type Link } from '../wmi/link.ts'
import { V2 } from './names.ts'
import {
  ACCESS,
  ADAPTER_SUB_TYPES,
  ADAPTER_TYPE,
  ADD_FEATURES,
  ADD_RESOURCES,
  ALLOCATION,
  CONNECTION,
  EMULATED,
  REMOVE_FEATURES,
  REMOVE_RESOURCES,
  SYNTHETIC,
  VLAN,
} from './network-classes.ts'
import { allocationAt, cableOf, switchPath } from './switches.ts'

type AdapterName = Pick<Adapter, 'id' | 'kind'>

const CLASSES = { paravirtualised: SYNTHETIC.name, emulated: EMULATED.name } as const
const KINDS: readonly AdapterKind[] = ['paravirtualised', 'emulated']
/** EnabledState of a cable that is plugged in. */
const PLUGGED = 2

/** The network adapters of a machine, where their cables lead, and with which tags. */
export async function adaptersOf(link: Link, guid: string): Promise<readonly Adapter[]> {
  return tagged(link, guid, adaptersIn(await componentsOf(link, guid)))
}

/** These adapters of a machine, with the tags of their cables. */
export async function tagged(link: Link, guid: string, adapters: readonly Adapter[]): Promise<readonly Adapter[]> {
  if (!adapters.some(({ cable }) => cable !== undefined && cable.vlan === undefined)) return adapters
  const tags = await vlansOf(link, settingsIdOf(guid))
  return adapters.map(adapter => ({ ...adapter, cable: adapter.cable && withTag(adapter.cable, tags) }))
}

function withTag(cable: Cable, tags: readonly CimInstance[]) {
  return { ...cable, vlan: tagOf(tags.find(tag => isWithin(tag.string('InstanceID') ?? '', cable.id))) }
}

/** The adapters among the components of a machine; where tags were not asked for, their cables' are not known. */
export function adaptersIn(components: readonly CimInstance[], tags?: readonly CimInstance[]): Adapter[] {
  const cables = components.filter(({ className }) => className === ALLOCATION.name).flatMap(row => cableOf(row) ?? [])
  return components.flatMap(row => {
    const kind = KINDS.find(each => CLASSES[each] === row.className)
    if (kind === undefined) return []
    const id = row.string('InstanceID') ?? ''
    const label = row.string('ElementName') ?? ''
    const mac = (row.string('Address') ?? '').toUpperCase()
    const cable = cables.find(each => isWithin(each.id, id))
    const told = cable && (tags === undefined ? { ...cable, vlan: undefined } : withTag(cable, tags))
    return [{ id, kind, label, mac, cable: told }]
  })
}

/** Adds an adapter without a cable. A synthetic one must be known by a GUID of its own. */
export async function addAdapter(link: Link, guid: string, adapter: NewAdapter): Promise<AdapterName> {
  const { kind, label, mac } = adapter
  const common = {
    ElementName: label,
    ResourceType: ADAPTER_TYPE,
    ResourceSubType: ADAPTER_SUB_TYPES[kind],
    Address: mac,
    StaticMacAddress: true,
  }
  const VirtualSystemIdentifiers = [`{${crypto.randomUUID()}}`]
  const settings =
    kind === 'emulated' ? instanceOf(EMULATED, common) : instanceOf(SYNTHETIC, { ...common, VirtualSystemIdentifiers })
  const id = (await add(link, guid, settings))?.key('InstanceID')
  if (id !== undefined) return { id, kind }
  // A call that goes on in a job cannot name what it makes.
  const made = (await adaptersOf(link, guid)).find(each => each.label === label)
  if (made === undefined)
    throw new DriverError('unreachable', `the host does not show the adapter ${label} that it made`)
  return made
}

/** Takes an adapter away, and its cable with it. */
export async function removeAdapter(link: Link, { id, kind }: AdapterName): Promise<void> {
  await remove(link, reference(V2, CLASSES[kind], { InstanceID: id }))
}

/** Plugs the cable of an adapter that has none into a switch. */
export async function plug(link: Link, guid: string, { id, kind }: AdapterName, to: Plug): Promise<void> {
  const adapter = reference(V2, CLASSES[kind], { InstanceID: id })
  const settings = {
    ...CONNECTION,
    Parent: objectPath(adapter, hostNameOf(link)),
    HostResource: [switchPath(link, to.switchGuid)],
    EnabledState: PLUGGED,
  }
  await add(link, guid, instanceOf(ALLOCATION, settings))
  // Source: the InstanceID of a cable is that of its adapter with \C behind, as real hosts have it.
  if (to.vlan !== null) await addTag(link, `${id}\\C`, to.vlan)
}

/** Takes a cable away, and what its port had of features. */
export async function unplug(link: Link, cableId: string): Promise<void> {
  await remove(link, allocationAt(cableId))
}

/** Gives the port that a cable ends at another tag, or none. */
export async function tag(link: Link, cableId: string, vlan: number | null): Promise<void> {
  const old = await vlansOf(link, cableId)
  if (old.length > 0) {
    const FeatureSettings = old.map(row => reference(V2, VLAN.name, { InstanceID: row.string('InstanceID') ?? '' }))
    await settle(link, await link.client.call(link.service, REMOVE_FEATURES, { FeatureSettings }), 'take the tag away')
  }
  if (vlan !== null) await addTag(link, cableId, vlan)
}

async function addTag(link: Link, cableId: string, vlan: number): Promise<void> {
  const FeatureSettings = [instanceOf(VLAN, { OperationMode: ACCESS, AccessVlanId: vlan })]
  const input = { AffectedConfiguration: allocationAt(cableId), FeatureSettings }
  await settle(link, await link.client.call(link.service, ADD_FEATURES, input), 'tag the port')
}

/** Gives what was made, where the host says so. */
async function add(link: Link, guid: string, settings: CimInstance): Promise<EndpointReference | undefined> {
  const input = { AffectedConfiguration: settingsOf(guid), ResourceSettings: [settings] }
  const answer = await link.client.call(link.service, ADD_RESOURCES, input)
  await settle(link, answer, 'add to the machine')
  return answer.values.ResultingResourceSettings[0]
}

async function remove(link: Link, settings: ReturnType<typeof reference>): Promise<void> {
  const answer = await link.client.call(link.service, REMOVE_RESOURCES, { ResourceSettings: [settings] })
  await settle(link, answer, 'take away from the machine')
}

async function vlansOf(link: Link, id: string): Promise<readonly CimInstance[]> {
  const within = like`${id}%`
  return link.client.query(wql`SELECT * FROM Msvm_EthernetSwitchPortVlanSettingData WHERE InstanceID LIKE ${within}`)
}

const isWithin = (id: string, of: string): boolean => id.toLowerCase().startsWith(`${of.toLowerCase()}\\`)

function tagOf(vlan: CimInstance | undefined): number | null {
  return vlan?.number('OperationMode') === ACCESS ? (vlan.number('AccessVlanId') ?? null) : null
}
