import { type CimInstance, type EndpointReference, reference, wql } from '../../../protocols/wsman/index.ts'
import { DriverError } from '../../driver.ts'
import { isLost, untilDone } from '../again.ts'
import type { Cable, NewSwitch, Switch } from '../network-back-end.ts'
import { NETWORK_MARK } from '../network-note.ts'
import { takeBack } from '../undo.ts'
import { settle } from '../wmi/jobs.ts'
import type { Link } from '../wmi/link.ts'
import { V1 } from './names.ts'
import {
  ACTIVE_CONNECTION,
  CARD_ENDPOINT,
  CREATE_SWITCH,
  DELETE_SWITCH,
  EMULATED,
  EXTERNAL_PORT,
  INTERNAL_PORT,
  LEARNABLE_ADDRESSES,
  SETUP_SWITCH,
  SWITCH,
  SYNTHETIC,
  TEARDOWN_SWITCH,
} from './network-classes.ts'
import { createPort, deletePort, portAt, portOf } from './ports.ts'
import { callAtOnce, switchService } from './switch-service.ts'

/** What leads a switch to a card of the host, or to one that the host has on it. */
interface Lead {
  readonly card: EndpointReference
  readonly port: EndpointReference
}

/** Every virtual switch, and through which card of the host it reaches the outside. */
export async function allTitles(link: Link): Promise<readonly Omit<Switch, 'uplink'>[]> {
  const [switches, notes] = await Promise.all([link.client.query(SWITCH), notePorts(link)])
  return switches.map(one => titleOf(one, notes))
}

function titleOf(one: CimInstance, notes: readonly CimInstance[]): Omit<Switch, 'uplink'> {
  const guid = (one.string('Name') ?? '').toUpperCase()
  const note = notes.find(port => port.string('SystemName')?.toUpperCase() === guid)
  return { guid, name: one.string('ElementName') ?? '', notes: note?.string('ElementName') ?? '' }
}

/** As `allTitles`, with their uplinks. */
export async function allSwitches(link: Link): Promise<readonly Switch[]> {
  const [switches, notes, cards, leads] = await Promise.all([
    link.client.query(SWITCH),
    notePorts(link),
    link.client.query(EXTERNAL_PORT),
    allLeads(link),
  ])
  const [uplinks, hosts] = [uplinksIn(leads), switchesOf(leads, INTERNAL_PORT)]
  return switches.map(one => {
    const title = titleOf(one, notes)
    const device = uplinks.get(title.guid)?.card.key('DeviceID')
    const uplink = cards.find(card => card.string('DeviceID') === device)?.string('ElementName') ?? ''
    return { ...title, uplink, hasHost: hosts.has(title.guid) }
  })
}

/**
 * A switch has no notes here, and no other place for words. What is kept of a network is the name of a port of its switch
 * that nothing is ever connected to: names of ports are free, and nobody is shown them.
 */
async function notePorts(link: Link): Promise<readonly CimInstance[]> {
  const ports = await link.client.query(wql`SELECT Name, SystemName, ElementName FROM Msvm_SwitchPort`)
  return ports.filter(port => port.string('ElementName')?.startsWith(NETWORK_MARK) === true)
}

/** What leads switches to cards. */
async function allLeads(link: Link): Promise<readonly Lead[]> {
  const [ends, connections] = await Promise.all([
    link.client.query(CARD_ENDPOINT),
    link.client.query(ACTIVE_CONNECTION),
  ])
  return ends.flatMap(end => {
    const [card, endpoint] = [end.reference('Antecedent'), end.reference('Dependent')]
    if (card === undefined || endpoint === undefined) return []
    const connection = connections.find(one => isSame(one.reference('Dependent'), endpoint))
    const port = connection?.reference('Antecedent')
    return port === undefined ? [] : [{ card, port }]
  })
}

/** The switches with cards of a class, and what leads there. */
function switchesOf(leads: readonly Lead[], className: string): ReadonlyMap<string, Lead> {
  const led = leads.filter(({ card }) => card.className === className)
  return new Map(led.map(lead => [lead.port.key('SystemName')?.toUpperCase() ?? '', lead]))
}

const uplinksIn = (leads: readonly Lead[]): ReadonlyMap<string, Lead> => switchesOf(leads, EXTERNAL_PORT)

const isSame = (one: EndpointReference | undefined, other: EndpointReference): boolean =>
  one?.className === other.className &&
  ['Name', 'SystemName'].every(key => one.key(key)?.toLowerCase() === other.key(key)?.toLowerCase())

/** The names of the host's cards. */
export async function allCards(link: Link): Promise<readonly string[]> {
  return (await link.client.query(EXTERNAL_PORT)).map(card => card.string('ElementName') ?? '')
}

/** The cables of all machines. A snapshot's adapters are at the ports of its machine's. */
export async function allCables(link: Link): Promise<readonly Cable[]> {
  const rows = await Promise.all([SYNTHETIC, EMULATED].map(({ name }) => link.client.query(name)))
  const cables = rows.flat().flatMap(row => cableOf(row) ?? [])
  return [...new Map(cables.toReversed().map(cable => [cable.id, cable])).values()]
}

/** The cable of an adapter; undefined where it has none, and for definition rows. */
export function cableOf(adapter: CimInstance): Cable | undefined {
  const [id = ''] = adapter.strings('Connection')
  const machineGuid = ownerOf(adapter.string('InstanceID') ?? '')
  const port = portOf(id)
  if (machineGuid === undefined || port === undefined) return undefined
  return { id, switchGuid: port.key('SystemName')?.toUpperCase(), machineGuid }
}

/** The machine whose settings these are: their InstanceID begins with its GUID. Source: as real hosts have it. */
export function ownerOf(instanceId: string): string | undefined {
  return /^Microsoft:([0-9a-f-]{36})\\/i.exec(instanceId)?.[1]?.toUpperCase()
}

/** Makes a switch, under the id of its network; without a card of the host, what is plugged into it sees nothing else. */
export async function makeSwitch(link: Link, { id, name, notes, uplink }: NewSwitch): Promise<void> {
  const guid = id.toUpperCase()
  await create(link, guid, name)
  try {
    await createPort(link, switchOf(guid), notes)
    if (uplink !== '') await bindSwitch(link, guid, uplink)
  } catch (error) {
    await takeBack(() => destroySwitch(link, guid), error, `the switch ${name} (${guid}) remains on the host`)
    throw error
  }
}

/** Where the answer is lost, the switch is there or not. */
async function create(link: Link, guid: string, name: string): Promise<void> {
  const input = { Name: guid, FriendlyName: name, NumLearnableAddresses: LEARNABLE_ADDRESSES, ScopeOfResidence: '' }
  try {
    await callAtOnce(link, CREATE_SWITCH, input, 'make the switch')
  } catch (error) {
    if (!isLost(error)) throw error
    const [made] = await link.client.queryReferences(wql`SELECT * FROM Msvm_VirtualSwitch WHERE Name = ${guid}`)
    if (made === undefined) throw error
  }
}

/** Changes the notes of a switch, whose name is for good. */
export async function changeSwitch(link: Link, guid: string, { notes }: Pick<Switch, 'notes'>): Promise<void> {
  const old = (await notePorts(link)).filter(port => port.string('SystemName')?.toUpperCase() === guid)
  if (old.some(port => port.string('ElementName') === notes)) return
  const made = await createPort(link, switchOf(guid), notes)
  try {
    for (const port of old) await deletePort(link, portAt(guid, port.string('Name') ?? ''))
  } catch (error) {
    await takeBack(() => deletePort(link, made), error, 'the switch has two notes')
    throw error
  }
}

/** Takes away what leads a switch to the outside, and leads it there through another card. */
export async function bindSwitch(link: Link, guid: string, uplink: string): Promise<void> {
  const card = uplink === '' ? undefined : await cardNamed(link, uplink)
  await unbind(link, guid)
  if (card === undefined) return
  const ExternalSwitchPort = await createPort(link, switchOf(guid))
  try {
    const input = { ExternalSwitchPort, ExternalEthernetPort: card }
    await settle(link, await link.client.call(switchService(link), SETUP_SWITCH, input), 'bind the switch')
  } catch (error) {
    // The card may be bound to the port by now: it would be for good, the port being gone.
    const undo = async () => {
      if (!(await unbind(link, guid))) await deletePort(link, ExternalSwitchPort)
    }
    await takeBack(undo, error, 'a port of the switch remains')
    throw error
  }
}

/** Takes away what leads a switch to the outside, with its port; false where nothing does. */
async function unbind(link: Link, guid: string): Promise<boolean> {
  const uplink = uplinksIn(await allLeads(link)).get(guid)
  if (uplink === undefined) return false
  const input = { ExternalEthernetPort: uplink.card }
  const call = async () =>
    settle(link, await link.client.call(switchService(link), TEARDOWN_SWITCH, input), 'unbind the switch')
  await untilDone(call, async () => !uplinksIn(await allLeads(link)).has(guid))
  try {
    await deletePort(link, uplink.port)
  } catch (error) {
    await takeBack(() => deletePort(link, uplink.port), error, 'a port of the switch remains')
  }
  return true
}

/** Deletes a switch, and its ports with it; cables that are plugged into it end nowhere then. */
export async function destroySwitch(link: Link, guid: string): Promise<void> {
  const before = (await allSwitches(link)).find(one => one.guid === guid)?.uplink ?? ''
  if (before !== '') await unbind(link, guid)
  try {
    await callAtOnce(link, DELETE_SWITCH, { VirtualSwitch: switchOf(guid) }, 'delete the switch')
  } catch (error) {
    const rebind = () => bindSwitch(link, guid, before)
    if (before !== '') await takeBack(rebind, error, 'the switch does not lead to the outside any more')
    throw error
  }
}

export const switchOf = (guid: string): EndpointReference =>
  reference(V1, SWITCH, { CreationClassName: SWITCH, Name: guid })

async function cardNamed(link: Link, uplink: string): Promise<EndpointReference> {
  for await (const { instance, reference: card } of link.client.enumerateNamed(EXTERNAL_PORT)) {
    if (instance.string('ElementName') === uplink) return card
  }
  throw new DriverError('refused', `the host has no network card ${uplink}`)
}
