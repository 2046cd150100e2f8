import { DriverError } from '../drivers/driver.ts'
import { removeUnused } from '../engine/accessors.ts'
import { type Context, implement } from '../engine/context.ts'
import { fail } from '../model/errors.ts'
import { network } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { networkConfig } from './network-config.ts'
import { changeVif, relate } from './plug.ts'
import { takeBack } from './take-back.ts'

type NetworkRecord = RecordOf<typeof network>

/** Virtual networks. A host is told of one when a VM is about to use it there. */
export const networkHandlers = implement(
  network,
  { list: ({ store }) => store.all(network) },
  {
    create,
    delete: deleteNetwork,
    check: checkNic,
    set: {
      name_label: (context, ref, name_label) => change(context, ref, { name_label }),
      NIC: (context, ref, NIC) => change(context, ref, { NIC }),
      VLAN: (context, ref, VLAN) => change(context, ref, { VLAN }),
      default_gateway: (context, ref, default_gateway) => change(context, ref, { default_gateway }),
      default_netmask: (context, ref, default_netmask) => change(context, ref, { default_netmask }),
      VIFs: setVifs,
    },
  },
)

/** Interfaces that are named with it have their cables moved to it. */
async function create(context: Context, { VIFs, ...values }: NetworkRecord): Promise<void> {
  const { store } = context
  const { uuid } = values
  await store.transact(transaction => transaction.insert(network, { ...values, VIFs: [] }))
  try {
    await setVifs(context, uuid, VIFs)
  } catch (error) {
    throw await takeBack(error, [() => deleteNetwork(context, uuid)])
  }
}

/** What is plugged into the host's own network can listen there: who may, is the administrators' to say. */
function checkNic({ uuid, NIC }: NetworkRecord, { store, caller }: Context): void {
  if (NIC === '' || caller.administrator || store.get(network, uuid)?.NIC === NIC) return
  throw fail('PERMISSION_DENIED', { message: 'network.set_NIC' })
}

/** Hosts that know the network follow at once; where one refuses, all go back to what it was. */
async function change(context: Context, ref: string, values: Partial<NetworkRecord>): Promise<void> {
  const { store } = context
  const before = store.get(network, ref)
  if (before === undefined) throw fail('HANDLE_INVALID', { class: 'network', handle: ref })
  const knowing = await hostsOf(context, ref)
  const told: typeof knowing = []
  try {
    for (const networks of knowing) {
      told.push(networks)
      await networks.define(networkConfig({ ...before, ...values }))
    }
    await store.transact(transaction => transaction.patch(network, ref, values))
  } catch (error) {
    throw await takeBack(
      error,
      told.map(networks => () => networks.define(networkConfig(before))),
    )
  }
}

/** The hosts that were told of a network, by what they do with networks. */
async function hostsOf({ hosts }: Context, ref: string) {
  const knowing = []
  for (const { driver } of hosts.connected()) {
    const known = (await driver.networks?.list()) ?? []
    if (driver.networks !== undefined && known.some(({ id }) => id === ref)) knowing.push(driver.networks)
  }
  return knowing
}

async function deleteNetwork(context: Context, ref: string): Promise<void> {
  const { store } = context
  for (const networks of await hostsOf(context, ref)) {
    await networks.undefine(ref).catch((error: unknown) => {
      if (!(error instanceof DriverError && error.kind === 'not-found')) throw error
    })
  }
  await store.transact(transaction => removeUnused(store, transaction, network, ref))
}

/** The other end of `VIF.network`. */
function setVifs(context: Context, ref: string, vifs: readonly string[]): Promise<void> {
  return relate(context.store.get(network, ref)?.VIFs ?? [], vifs, (vif, isIn) =>
    changeVif(context, vif, { network: isIn ? ref : NULL_REF }),
  )
}
