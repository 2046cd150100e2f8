import {
  anyOf,
  type Arguments,
  type CimInstance,
  type EndpointReference,
  reference,
  wql,
} from '../../../protocols/wsman/index.ts'
import { DriverError } from '../../driver.ts'
import type { Link } from '../wmi/link.ts'
import { V1 } from './names.ts'

// Tags of ports: each port of a switch has an end in a VLAN, and that end settings, which are written by putting them.
// Source: Microsoft Learn, "Msvm_VLANEndpointSettingData" (v1), whose AccessVLAN may be written; clients of real hosts
// find the settings by the name that their port has, and put them.

const SETTINGS = 'Msvm_VLANEndpointSettingData'
const ENDPOINT = 'Msvm_VLANEndpoint'
const BINDS_TO = 'Msvm_BindsTo'
const OF_ENDPOINT = 'Msvm_NetworkElementSettingData'

/** How many ports are asked about in one query. */
const PORTS_MAX = 32

/**
 * The settings of ports, by the ports' names in upper case: of ours in one query, for their names are their titles too,
 * of others one by one. A port that is not in the answer is no more.
 */
export async function vlanSettingsOf(
  link: Link,
  ports: readonly EndpointReference[],
): Promise<ReadonlyMap<string, CimInstance>> {
  const found = new Map<string, CimInstance>()
  for (let at = 0; at < ports.length; at += PORTS_MAX) {
    const titles = ports.slice(at, at + PORTS_MAX).map(port => wql`ElementName = ${nameOf(port)}`)
    for (const row of await link.client.query(wql`SELECT * FROM Msvm_VLANEndpointSettingData WHERE ${anyOf(titles)}`)) {
      found.set(row.string('ElementName')?.toUpperCase() ?? '', row)
    }
  }
  for (const port of ports) {
    const settings = found.get(nameOf(port)) ?? (await joinedTo(link, port))
    if (settings !== undefined) found.set(nameOf(port), settings)
  }
  return found
}

export const nameOf = (port: EndpointReference): string => (port.key('Name') ?? '').toUpperCase()

async function joinedTo(link: Link, port: EndpointReference): Promise<CimInstance | undefined> {
  const [end] = await link.client.query(wql`SELECT * FROM Msvm_SwitchPort WHERE Name = ${port.key('Name') ?? ''}`)
  if (end === undefined) return undefined
  const [endpoint] = await link.client.associators(port, { associationClass: BINDS_TO })
  if (endpoint === undefined) return undefined
  const keys = ['CreationClassName', 'Name', 'SystemCreationClassName', 'SystemName']
  const named = reference(V1, ENDPOINT, Object.fromEntries(keys.map(key => [key, endpoint.string(key) ?? ''])))
  const [settings] = await link.client.associators(named, { associationClass: OF_ENDPOINT })
  return settings
}

/** The tag that settings give a port; null for none. */
export function tagIn(settings: CimInstance | undefined): number | null {
  const vlan = settings?.number('AccessVLAN') ?? 0
  return vlan === 0 ? null : vlan
}

/** Gives a port another tag, or none. */
export async function tagPort(link: Link, port: EndpointReference, vlan: number | null): Promise<void> {
  const settings = (await vlanSettingsOf(link, [port])).get(nameOf(port))
  if (settings === undefined) throw new DriverError('refused', 'the host tells nothing of the VLAN of a port')
  if (tagIn(settings) === vlan) return
  const to = reference(V1, SETTINGS, { InstanceID: settings.string('InstanceID') ?? '' })
  await link.client.put(to, { ...asRead(settings), AccessVLAN: vlan ?? 0 })
}

/** All of an instance as it was read: whoever puts one leaves nothing out. */
function asRead(instance: CimInstance): Arguments {
  const values = instance.names.map(name => {
    const [first, ...others] = instance.strings(name)
    return [name, instance.isNull(name) ? null : others.length === 0 ? (first ?? null) : [first ?? '', ...others]]
  })
  return Object.fromEntries(values)
}
