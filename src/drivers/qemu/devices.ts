import type { DeviceOps } from '../driver.ts'
import { diskDevices } from './disk-devices.ts'
import type { Inventory } from './inventory.ts'
import type { Networks } from './networks/networks.ts'
import { type DeviceTools, nicDevices } from './nic-devices.ts'

/** The group `devices`. */
export const deviceOps = (inventory: Inventory, networks: Networks, tools: DeviceTools): DeviceOps => ({
  ...diskDevices(inventory, tools.gate, tools.warn),
  ...nicDevices(inventory, networks, tools),
})
