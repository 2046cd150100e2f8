import { randomUUID } from 'node:crypto'
import type { Services } from '../engine/context.ts'
import { network } from '../model/index.ts'
import { KeptNetworks } from './kept-networks.ts'

/**
 * Gives a host that is new here the network that guests are to find on it from the start, where its driver has such a
 * one, and nobody has made any; whoever does not want it deletes it. libvirt's tools plug machines into the one of this
 * name unless they are told otherwise.
 */
export async function ensureNetwork(services: Services, host: string): Promise<void> {
  const { store, hosts } = services
  const { networks } = hosts.driver(host)
  if (networks?.first === undefined || store.all(network).length > 0) return
  const kept = new KeptNetworks(services, host)
  const id = randomUUID()
  await kept.define({ id, name: networks.first, nic: '', vlan: null, gateway: '', netmask: '' })
  await kept.start(id)
  await kept.setAutostart(id, true)
}
