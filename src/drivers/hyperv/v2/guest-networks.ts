import { like, wql } from '../../../protocols/wsman/index.ts'
import type { GuestNetwork } from '../guest-back-end.ts'
import type { Link } from '../wmi/link.ts'

/**
 * What the guest of a machine has made of its synthetic adapters. Where it does not run, that is what it was told to make
 * of them. Source: Microsoft Learn, "Msvm_GuestNetworkAdapterConfiguration"; the InstanceID is
 * `Microsoft:GuestNetwork\MACHINE\ADAPTER`, as real hosts have it.
 */
export async function guestNetworks(link: Link, guid: string): Promise<readonly GuestNetwork[]> {
  const within = like`Microsoft:GuestNetwork\\${guid}\\%`
  const rows = await link.client.query(
    wql`SELECT * FROM Msvm_GuestNetworkAdapterConfiguration WHERE InstanceID LIKE ${within}`,
  )
  return rows.map(row => ({
    adapterGuid: (row.string('InstanceID')?.split('\\').at(-1) ?? '').toUpperCase(),
    addresses: row.strings('IPAddresses'),
    subnets: row.strings('Subnets'),
  }))
}
