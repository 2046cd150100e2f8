import type { NetworkOps } from '../driver.ts'
import type { Gate } from './gate.ts'
import type { Networks } from './networks/networks.ts'

/** The group `networks`. */
export const networkOps = (networks: Networks, gate: Gate): NetworkOps => ({
  list: () => gate.pass(async () => networks.list()),
  define: network => gate.pass(() => networks.define(network)),
  undefine: id => gate.pass(() => networks.undefine(id)),
})
