import type { ConsoleOps } from '../driver.ts'
import type { Gate } from './gate.ts'
import type { Inventory } from './inventory.ts'

/** The group `consoles`. */
export const consoleOps = (inventory: Inventory, gate: Gate): ConsoleOps => ({
  readSerial: (id, from, bytesMax) => gate.pass(() => inventory.find(id).serial.read(from, bytesMax)),
})
