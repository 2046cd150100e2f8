/** A network's record as a host wants to be told of it, and telling it. */

import { isIPv4 } from 'node:net'
import type { NetworkConfig } from '../drivers/driver.ts'
import type { Context } from '../engine/context.ts'
import { recordTold } from '../engine/networks.ts'
import { fail } from '../model/errors.ts'
import { network, VIF } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { vmRecord } from './vm-record.ts'

type NetworkRecord = RecordOf<typeof network>

/** What it takes to tell a host. */
type Parts = Pick<Context, 'store' | 'hosts'>

const VLAN_MAX = 4094

/** How a host is told of a network. Throws INVALID_VALUE where it is none. */
export function networkConfig(record: NetworkRecord): NetworkConfig {
  const { uuid: id, name_label: name, NIC: nic, default_gateway: gateway, default_netmask: netmask } = record
  for (const [field, value] of Object.entries({ default_gateway: gateway, default_netmask: netmask })) {
    if (value !== '' && !isIPv4(value)) throw fail('INVALID_VALUE', { field, value: value.slice(0, 100) })
  }
  return { id, name, nic, vlan: vlanOf(record), gateway, netmask, ...(record.has_host && { hasHost: true }) }
}

function vlanOf({ VLAN }: NetworkRecord): number | null {
  if (VLAN === '') return null
  const tag = /^\d{1,4}$/.test(VLAN) ? Number(VLAN) : 0
  if (tag < 1 || tag > VLAN_MAX) throw fail('INVALID_VALUE', { field: 'VLAN', value: VLAN.slice(0, 100) })
  return tag
}

/** Tells a VM's host of the networks that its interfaces are plugged into. */
export async function provideNetworks(context: Parts, vm: string): Promise<void> {
  const { store } = context
  const used = vmRecord(context, vm).VIFs.map(ref => store.get(VIF, ref)?.network ?? NULL_REF)
  for (const ref of new Set(used)) if (ref !== NULL_REF) await provideNetwork(context, vm, ref)
}

/** Tells a VM's host of one network, unless it is where the host's own was found: that is as the host has it. */
export async function provideNetwork({ store, hosts }: Parts, vm: string, ref: string): Promise<void> {
  const record = store.get(network, ref)
  if (record === undefined) throw fail('HANDLE_INVALID', { class: 'network', handle: ref })
  const { driver, host } = hosts.placementOf(vm)
  const isTold = record.told.includes(host)
  if (record.host === host && (isTold || !record.kept)) return
  if (driver.networks === undefined) throw fail('DRIVER_UNSUPPORTED', { driver: driver.name, operation: 'networks' })
  await driver.networks.define(networkConfig(record))
  if (!isTold) await store.transact(transaction => recordTold(transaction, ref, host, true))
}
