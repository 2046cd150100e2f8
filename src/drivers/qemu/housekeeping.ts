import type { ConnectOptions } from '../driver.ts'
import type { Inventory } from './inventory.ts'

/** How often logs are looked at. Between two looks a log may grow as fast as a guest prints. */
const LOOK_EVERY_MS = 2_000

/** Looks again and again whether logs have outgrown their bounds, until it is stopped. Keeps no process alive. */
export function keepLogsShort(inventory: Inventory, warn: ConnectOptions['warn']): { readonly stop: () => void } {
  /** Told of once, until it works again. */
  const failing = new Set<string>()
  let isLooking = false

  const look = async () => {
    if (isLooking) return
    isLooking = true
    for (const domain of inventory.all()) {
      try {
        await domain.trimLogs()
        failing.delete(domain.id)
      } catch (error) {
        if (!failing.has(domain.id)) warn(`the logs of domain ${domain.id} cannot be cut: ${String(error)}`)
        failing.add(domain.id)
      }
    }
    isLooking = false
  }

  const timer = setInterval(() => void look(), LOOK_EVERY_MS)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}
