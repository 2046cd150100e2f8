import { CimError, type CimInstance, readEmbedded, WsmanReplyError, wql } from '../../../protocols/wsman/index.ts'
import type { Link } from './link.ts'

/** What a guest tells of itself through the data exchange service, by name. Source: Microsoft Learn, "Key-Value Pair". */
const INTEGRATION_SERVICES = 'IntegrationServicesVersion'
/** How contract and clients know them. */
const TOOL = 'hyper-v-integration-services'

/** Versions of what runs in the guest of a machine for the host's sake; none where none does, or does not tell. */
export async function toolsOf(link: Link, guid: string): Promise<Readonly<Record<string, string>>> {
  const [component] = await link.client.query(wql`SELECT * FROM Msvm_KvpExchangeComponent WHERE SystemName = ${guid}`)
  return toolsIn(component)
}

/** The same of every machine, by GUID. */
export async function toolsOfAll(link: Link): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
  const rows = await link.client.query(
    wql`SELECT SystemName, GuestIntrinsicExchangeItems FROM Msvm_KvpExchangeComponent`,
  )
  return new Map(rows.map(row => [row.string('SystemName')?.toUpperCase() ?? '', toolsIn(row)]))
}

function toolsIn(component: CimInstance | undefined): Readonly<Record<string, string>> {
  for (const text of component?.strings('GuestIntrinsicExchangeItems') ?? []) {
    const version = valueIn(text, INTEGRATION_SERVICES)
    if (version !== undefined && version !== '') return { [TOOL]: version }
  }
  return {}
}

/** Guests write these, and what they write that makes no sense is theirs. */
function valueIn(text: string, name: string): string | undefined {
  try {
    const item = readEmbedded(text)
    return item.string('Name') === name ? item.string('Data') : undefined
  } catch (error) {
    if (error instanceof CimError || error instanceof WsmanReplyError) return undefined
    throw error
  }
}
