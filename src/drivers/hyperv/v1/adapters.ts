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
import { untilDone } from '../again.ts'
import type { Adapter, AdapterKind, NewAdapter, Plug } from '../network-back-end.ts'
import { takeBack } from '../undo.ts'
import { componentsOf } from '../wmi/components.ts'
import { settle } from '../wmi/jobs.ts'
import { hostNameOf, type Link, settingsIdOf } from '../wmi/link.ts'
import { systemOf } from './classes.ts'
import { ADD_RESOURCES, MODIFY_RESOURCES, REMOVE_RESOURCES } from './methods.ts'
import { V1 } from './names.ts'
import { ADAPTER_SUB_TYPES, ADAPTER_TYPE, EMULATED, SYNTHETIC } from './network-classes.ts'
import { nameOf, tagIn, tagPort, vlanSettingsOf } from './port-tags.ts'
import { createPort, deletePort, disconnectPort, portOf } from './ports.ts'
import { cableOf, ownerOf, switchOf } from './switches.ts'

type AdapterName = Pick<Adapter, 'id' | 'kind'>

const CLASSES = { paravirtualised: SYNTHETIC, emulated: EMULATED } as const
const KINDS: readonly AdapterKind[] = ['paravirtualised', 'emulated']

/** The network adapters of a machine, where their cables lead, and with which tags. */
export async function adaptersOf(link: Link, guid: string): Promise<readonly Adapter[]> {
  return adaptersAmong(link, await componentsOf(link, guid))
}

/** As `adaptersOf`, of a machine whose components are known already. */
export async function adaptersAmong(link: Link, components: readonly CimInstance[]): Promise<Adapter[]> {
  const ports = components.flatMap(row => portOf(cableOf(row)?.id ?? '') ?? [])
  const tags = await vlanSettingsOf(link, ports)
  return adaptersIn(components, port => {
    const settings = tags.get(nameOf(port))
    return settings && { vlan: tagIn(settings) }
  })
}

/** The adapters among components; `endOf` tells of the ports that are there. */
export function adaptersIn(
  components: readonly CimInstance[],
  endOf: (port: EndpointReference) => { readonly vlan: number | null } | undefined,
): Adapter[] {
  return components.flatMap(row => {
    const kind = KINDS.find(each => CLASSES[each].name === row.className)
    if (kind === undefined) return []
    const cable = cableOf(row)
    const port = portOf(cable?.id ?? '')
    const id = row.string('InstanceID') ?? ''
    const label = row.string('ElementName') ?? ''
    const mac = row.string('Address')?.toUpperCase() ?? ''
    // The cable to a port that is no more ends nowhere.
    const end = (port && endOf(port)) ?? { switchGuid: undefined, vlan: null }
    return [{ id, kind, label, mac, cable: cable && { ...cable, ...end } }]
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
  const input = { TargetSystem: systemOf(guid), ResourceSettingData: [settings] }
  const answer = await link.client.call(link.service, ADD_RESOURCES, input)
  await settle(link, answer, 'add to the machine')
  const [named] = answer.values.NewResources
  const id = named?.key('InstanceID')
  if (id !== undefined) return { id, kind }
  // What is added in a job is not named.
  const made = (await adaptersOf(link, guid)).find(each => each.label === label)
  if (made !== undefined) return made
  throw new DriverError('unreachable', `the host does not show the adapter ${label} that it made`)
}

/** Takes an adapter away, and the port that its cable led to. */
export async function removeAdapter(link: Link, { id, kind, cable }: AdapterName & Pick<Adapter, 'cable'>) {
  const ResourceSettingData = [reference(V1, CLASSES[kind].name, { InstanceID: id })]
  const guid = ownerOf(id) ?? ''
  const input = { TargetSystem: systemOf(guid), ResourceSettingData }
  const call = async () =>
    settle(link, await link.client.call(link.service, REMOVE_RESOURCES, input), 'take away from the machine')
  await untilDone(call, async () => (await adaptersOf(link, guid)).every(other => other.id !== id))
  const port = cable?.switchGuid === undefined ? undefined : portOf(cable.id)
  if (port !== undefined) await deletePort(link, port)
}

/** Plugs the cable of an adapter that has none into a switch, at a port of its own, which has the tag before. */
export async function plug(link: Link, guid: string, { id, kind }: AdapterName, to: Plug): Promise<void> {
  const port = await createPort(link, switchOf(to.switchGuid))
  try {
    if (to.vlan !== null) await tagPort(link, port, to.vlan)
    const changed = { InstanceID: id, Connection: [objectPath(port, hostNameOf(link))] }
    const settings = kind === 'emulated' ? instanceOf(EMULATED, changed) : instanceOf(SYNTHETIC, changed)
    const input = { ComputerSystem: systemOf(guid), ResourceSettingData: [settings] }
    await settle(link, await link.client.call(link.service, MODIFY_RESOURCES, input), 'plug the cable in')
  } catch (error) {
    await takeBack(() => deletePort(link, port), error, 'a port of the switch remains')
    throw error
  }
}

/** Takes a cable away, and the port that it led to; of a port that is no more there is nothing to take away. */
export async function unplug(link: Link, cableId: string): Promise<void> {
  const port = portOf(cableId)
  if (port === undefined || (await vlanSettingsOf(link, [port])).size === 0) return
  await disconnectPort(link, port)
}

/** Gives the port that a cable ends at another tag, or none. */
export async function tag(link: Link, cableId: string, vlan: number | null): Promise<void> {
  const port = portOf(cableId)
  if (port !== undefined) await tagPort(link, port, vlan)
}

/** The ports that the cables of a machine lead to, for who takes the machine away. */
export async function portsOf(link: Link, guid: string) {
  const within = like`${settingsIdOf(guid)}\\%`
  const rows = await Promise.all([
    link.client.query(wql`SELECT * FROM Msvm_SyntheticEthernetPortSettingData WHERE InstanceID LIKE ${within}`),
    link.client.query(wql`SELECT * FROM Msvm_EmulatedEthernetPortSettingData WHERE InstanceID LIKE ${within}`),
  ])
  return rows.flat().flatMap(row => portOf(cableOf(row)?.id ?? '') ?? [])
}
