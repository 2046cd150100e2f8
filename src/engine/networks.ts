/** The networks that hosts have by themselves, such as switches that others made. */

import type { NetworkConfig } from '../drivers/driver.ts'
import { network } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { newRecord } from '../model/kernel/operations.ts'
import type { Transaction } from '../store/store.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * Makes objects of networks that nobody told us of, and keeps these as their host has them; where they are gone there,
 * so are those that no interface is plugged into, and that are not kept. What clients made is theirs to describe. Those
 * that `isOurs` says of are being changed by us, and left alone.
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
    if (record === undefined || present.has(ref) || isOurs(ref)) continue
    if (record.host === host && record.VIFs.length === 0 && !record.kept) transaction.remove(network, ref)
    else recordTold(transaction, ref, host, false)
  }
  for (const config of found) {
    if (!UUID.test(config.id) || isOurs(config.id)) continue
    const record = transaction.get(network, config.id)
    if (record?.host === host) transaction.patch(network, config.id, networkFields(config))
    if (record === undefined) {
      transaction.insert(network, newRecord(network, { ...networkFields(config), uuid: config.id, host }))
    }
    recordTold(transaction, config.id, host, true)
  }
}

/** Notes whether a host has a network now. */
export function recordTold(transaction: Transaction, ref: string, host: string, isTold: boolean): void {
  const told = transaction.get(network, ref)?.told
  if (told === undefined || told.includes(host) === isTold) return
  transaction.patch(network, ref, { told: isTold ? [...told, host] : told.filter(other => other !== host) })
}

/** What of a network's record its host says. */
export const networkFields = ({
  name,
  nic,
  vlan,
  gateway,
  netmask,
  hasHost = false,
}: NetworkConfig): Partial<RecordOf<typeof network>> => ({
  name_label: name,
  NIC: nic,
  VLAN: vlan === null ? '' : String(vlan),
  default_gateway: gateway,
  default_netmask: netmask,
  has_host: hasHost,
})
