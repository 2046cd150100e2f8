import {
  type CimInstance,
  type EndpointReference,
  instanceOf,
  objectPath,
  parseObjectPath,
  reference,
  wql,
} from '../../../protocols/wsman/index.ts'
import { DriverError } from '../../driver.ts'
import type { Cable, NewSwitch, Switch } from '../network-back-end.ts'
import { settle } from '../wmi/jobs.ts'
import { hostNameOf, type Link } from '../wmi/link.ts'
import { V2 } from './names.ts'
import {
  ADD_RESOURCES,
  ALLOCATION,
  COMPUTER,
  CONNECTION,
  DEFINE_SWITCH,
  DESTROY_SWITCH,
  EXTERNAL_PORT,
  MODIFY_SWITCH,
  REMOVE_RESOURCES,
  SWITCH,
  SWITCH_SERVICE,
  SWITCH_SETTINGS,
} from './network-classes.ts'

/** Every virtual switch, without its uplink. */
export async function allTitles(link: Link): Promise<readonly Omit<Switch, 'uplink'>[]> {
  const own = wql`VirtualSystemIdentifier IS NOT NULL`
  const rows = await link.client.query(
    wql`SELECT VirtualSystemIdentifier, ElementName, Notes FROM Msvm_VirtualEthernetSwitchSettingData WHERE ${own}`,
  )
  return rows.flatMap(titleIn)
}

/** None of a definition row. */
function titleIn(row: CimInstance): Omit<Switch, 'uplink'>[] {
  const guid = row.string('VirtualSystemIdentifier')?.toUpperCase()
  if (guid === undefined) return []
  return [{ guid, name: row.string('ElementName') ?? '', notes: row.strings('Notes')[0] ?? '' }]
}

/** Every virtual switch, and through which card of the host it reaches the outside. */
export async function allSwitches(link: Link): Promise<readonly Switch[]> {
  const [settings, ports, cards] = await Promise.all([
    link.client.query(wql`SELECT * FROM Msvm_VirtualEthernetSwitchSettingData`),
    link.client.query(wql`SELECT * FROM Msvm_EthernetPortAllocationSettingData`),
    link.client.query(EXTERNAL_PORT),
  ])
  return settings.flatMap(titleIn).map(title => {
    const port = ports.find(each => ownerOf(each) === title.guid && resourceOf(each)?.className === EXTERNAL_PORT)
    const device = port && resourceOf(port)?.keys.get('DeviceID')
    const uplink = cards.find(card => card.string('DeviceID') === device)?.string('ElementName') ?? ''
    const hasHost = ports.some(each => ownerOf(each) === title.guid && resourceOf(each)?.className === COMPUTER)
    return { ...title, uplink, hasHost }
  })
}

/** The names of the host's cards. */
export async function allCards(link: Link): Promise<readonly string[]> {
  return (await link.client.query(EXTERNAL_PORT)).map(card => card.string('ElementName') ?? '')
}

/** The cables of all machines. */
export async function allCables(link: Link): Promise<readonly Cable[]> {
  const rows = await link.client.query(wql`SELECT * FROM Msvm_EthernetPortAllocationSettingData`)
  return rows.flatMap(row => cableOf(row) ?? [])
}

/** The cable that settings are of; undefined for the port of a switch, and for definition rows. */
export function cableOf(row: CimInstance): Cable | undefined {
  const machineGuid = ownerOf(row)
  if (machineGuid === undefined || row.isNull('Parent')) return undefined
  const resource = resourceOf(row)
  const guid = resource?.className === SWITCH ? resource.keys.get('Name') : undefined
  const switchGuid = guid === undefined ? undefined : String(guid).toUpperCase()
  return { id: row.string('InstanceID') ?? '', switchGuid, machineGuid }
}

/** Makes a switch; without a card of the host, what is plugged into it sees nothing else. */
export async function makeSwitch(link: Link, { name, notes, uplink, hasHost = false }: NewSwitch): Promise<void> {
  const outside = uplink === '' ? [] : [await portTo(link, uplink)]
  const ResourceSettings = [...outside, ...(hasHost ? [portToHost(link)] : [])]
  const SystemSettings = instanceOf(SWITCH_SETTINGS, { ElementName: name, Notes: [notes] })
  const service = await switchService(link)
  const answer = await link.client.call(service, DEFINE_SWITCH, { SystemSettings, ResourceSettings })
  await settle(link, answer, 'make the switch')
}

/** Changes name and notes of a switch. */
export async function changeSwitch(link: Link, guid: string, { name, notes }: Pick<Switch, 'name' | 'notes'>) {
  const InstanceID = switchSettingsOf(guid).key('InstanceID') ?? ''
  const SystemSettings = instanceOf(SWITCH_SETTINGS, { InstanceID, ElementName: name, Notes: [notes] })
  const answer = await link.client.call(await switchService(link), MODIFY_SWITCH, { SystemSettings })
  await settle(link, answer, 'change the switch')
}

/** Takes the ports away that lead a switch to the outside, and gives it one to another card. */
export async function bindSwitch(link: Link, guid: string, uplink: string): Promise<void> {
  const [service, port, rows] = await Promise.all([
    switchService(link),
    uplink === '' ? undefined : portTo(link, uplink),
    link.client.query(wql`SELECT * FROM Msvm_EthernetPortAllocationSettingData`),
  ])
  const old = rows.filter(row => ownerOf(row) === guid && resourceOf(row)?.className === EXTERNAL_PORT)
  if (old.length > 0) {
    const ResourceSettings = old.map(row => allocationAt(row.string('InstanceID') ?? ''))
    await settle(link, await link.client.call(service, REMOVE_RESOURCES, { ResourceSettings }), 'unbind the switch')
  }
  if (port === undefined) return
  const input = { AffectedConfiguration: switchSettingsOf(guid), ResourceSettings: [port] }
  await settle(link, await link.client.call(service, ADD_RESOURCES, input), 'bind the switch')
}

/** Deletes a switch; cables that are plugged into it end nowhere then. */
export async function destroySwitch(link: Link, guid: string): Promise<void> {
  const answer = await link.client.call(await switchService(link), DESTROY_SWITCH, { AffectedSystem: switchOf(guid) })
  await settle(link, answer, 'delete the switch')
}

export const allocationAt = (InstanceID: string): EndpointReference => reference(V2, ALLOCATION.name, { InstanceID })

/** The path of a switch, as settings name it. */
export const switchPath = (link: Link, guid: string): string => objectPath(switchOf(guid), hostNameOf(link))

const switchOf = (guid: string) => reference(V2, SWITCH, { CreationClassName: SWITCH, Name: guid })

const switchSettingsOf = (guid: string) => reference(V2, SWITCH_SETTINGS.name, { InstanceID: `Microsoft:${guid}` })

async function switchService({ client }: Link): Promise<EndpointReference> {
  const [service] = await client.queryReferences(SWITCH_SERVICE)
  if (service === undefined) throw new DriverError('refused', 'the host manages no switches')
  return service
}

/** A port to the host is one to the system that it is itself. Source: Microsoft Learn, "Msvm_EthernetPortAllocationSettingData", HostResource. */
function portToHost(link: Link): CimInstance {
  const name = hostNameOf(link)
  const host = reference(V2, COMPUTER, { CreationClassName: COMPUTER, Name: name })
  return instanceOf(ALLOCATION, { ...CONNECTION, HostResource: [objectPath(host, name)] })
}

async function portTo(link: Link, uplink: string): Promise<CimInstance> {
  for await (const { instance, reference: card } of link.client.enumerateNamed(EXTERNAL_PORT)) {
    if (instance.string('ElementName') !== uplink) continue
    return instanceOf(ALLOCATION, { ...CONNECTION, HostResource: [objectPath(card, hostNameOf(link))] })
  }
  throw new DriverError('refused', `the host has no network card ${uplink}`)
}

/** The machine or switch that settings belong to: their InstanceID begins with its GUID. Source: as real hosts have it. */
function ownerOf(row: CimInstance): string | undefined {
  return /^Microsoft:([0-9a-f-]{36})\\/i.exec(row.string('InstanceID') ?? '')?.[1]?.toUpperCase()
}

function resourceOf(row: CimInstance) {
  const [path] = row.strings('HostResource')
  return path === undefined ? undefined : parseObjectPath(path)
}
