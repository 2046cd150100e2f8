/** The networks that hosts have by themselves, such as switches that others made. */

import type { NetworkConfig } from '../drivers/driver.ts'
import { network } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { newRecord } from '../model/kernel/operations.ts'
import type { Transaction } from '../store/store.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * Makes objects of networks that nobody told us of, and keeps these as their host has them; where they are gone there,
 * so are those that no interface is plugged into. What clients made is theirs to describe. Those that `isOurs` says of are
 * being changed by us, and left alone.
 */
export function recordNetworks(
  transaction: Transaction,
  host: string,
  found: readonly NetworkConfig[],
  isOurs: (network: string) => boolean,
): void {
  const present = new Set(found.map(({ id }) => id))
  for (const ref of transaction.all(network)) {
    const record = transaction.get(network, ref)
    const isGone = record?.host === host && !present.has(ref) && record.VIFs.length === 0
    if (isGone && !isOurs(ref)) transaction.remove(network, ref)
  }
  for (const config of found) {
    if (!UUID.test(config.id) || isOurs(config.id)) continue
    const record = transaction.get(network, config.id)
    if (record?.host === host) transaction.patch(network, config.id, fieldsOf(config))
    if (record !== undefined) continue
    transaction.insert(network, newRecord(network, { ...fieldsOf(config), uuid: config.id, host }))
  }
}

const fieldsOf = ({ name, nic, vlan, gateway, netmask }: NetworkConfig): Partial<RecordOf<typeof network>> => ({
  name_label: name,
  NIC: nic,
  VLAN: vlan === null ? '' : String(vlan),
  default_gateway: gateway,
  default_netmask: netmask,
})
