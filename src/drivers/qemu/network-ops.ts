import { DriverError, type NetworkOps } from '../driver.ts'
import type { Gate } from './gate.ts'
import type { Inventory } from './inventory.ts'
import type { Networks } from './networks/networks.ts'

/** The group `networks`. */
export const networkOps = (networks: Networks, inventory: Inventory, gate: Gate): NetworkOps => ({
  first: 'default',
  list: () => gate.pass(async () => networks.list()),
  define: network => gate.pass(() => networks.define(network)),
  leases: id => gate.pass(() => networks.leases(id)),
  undefine: id =>
    gate.pass(async () => {
      const sleeper = inventory.all().find(domain => domain.sleepsIn(id))
      if (sleeper === undefined) return networks.undefine(id)
      throw new DriverError('bad-state', `an interface of suspended domain ${sleeper.id} is plugged into network ${id}`)
    }),
})
