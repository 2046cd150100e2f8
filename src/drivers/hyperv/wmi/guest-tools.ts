import { CimError, type CimInstance, readEmbedded, WsmanReplyError, wql } from '../../../protocols/wsman/index.ts'
import type { Link } from './link.ts'

/** What a guest tells of itself through the data exchange service, by name. Source: Microsoft Learn, "Key-Value Pair". */
const INTEGRATION_SERVICES = 'IntegrationServicesVersion'
/** How contract and clients know them. */
const TOOL = 'hyper-v-integration-services'
/** Guests tell some twenty things. */
const ITEMS_MAX = 256

/** Versions of what runs in the guest of a machine for the host's sake; none where none does, or does not tell. */
export async function toolsOf(link: Link, guid: string): Promise<Readonly<Record<string, string>>> {
  return toolsIn(await componentOf(link, guid))
}

/** The same of every machine, by GUID. */
export async function toolsOfAll(link: Link): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
  const rows = await link.client.query(
    wql`SELECT SystemName, GuestIntrinsicExchangeItems FROM Msvm_KvpExchangeComponent`,
  )
  return new Map(rows.map(row => [row.string('SystemName')?.toUpperCase() ?? '', toolsIn(row)]))
}

/** All that a guest tells of itself, by name; undefined where nobody in it answers. */
export async function itemsOf(link: Link, guid: string): Promise<ReadonlyMap<string, string> | undefined> {
  const component = await componentOf(link, guid)
  const texts = component?.strings('GuestIntrinsicExchangeItems').slice(0, ITEMS_MAX) ?? []
  const items = new Map(texts.flatMap(text => itemIn(text) ?? []))
  return items.size === 0 ? undefined : items
}

/** There is one only while somebody in the guest answers. Source: Microsoft Learn, "Msvm_KvpExchangeComponent". */
async function componentOf(link: Link, guid: string): Promise<CimInstance | undefined> {
  const [component] = await link.client.query(wql`SELECT * FROM Msvm_KvpExchangeComponent WHERE SystemName = ${guid}`)
  return component
}

function toolsIn(component: CimInstance | undefined): Readonly<Record<string, string>> {
  for (const text of component?.strings('GuestIntrinsicExchangeItems') ?? []) {
    const [[name, version] = []] = itemIn(text) ?? []
    if (name === INTEGRATION_SERVICES && version !== undefined && version !== '') return { [TOOL]: version }
  }
  return {}
}

/** Guests write these, and what they write that makes no sense is theirs. */
function itemIn(text: string): (readonly [name: string, data: string])[] | undefined {
  try {
    const item = readEmbedded(text)
    const [name, data] = [item.string('Name'), item.string('Data')]
    return name === undefined || data === undefined ? undefined : [[name, data]]
  } catch (error) {
    if (error instanceof CimError || error instanceof WsmanReplyError) return undefined
    throw error
  }
}
