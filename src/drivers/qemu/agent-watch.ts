import { AGENT_PORT } from './command-line/agent.ts'
import type { DomainId } from '../driver.ts'
import type { Machine } from './machine.ts'

type Listener = (id: DomainId, isConnected: boolean) => void

/** Who is told that programs in guests open and close the ports by which they are asked. */
export class AgentWatch {
  readonly #listeners = new Set<Listener>()

  /**
   * Tells of a machine, whose port is as it says. QEMU tells once a second at most, whatever its guest does, and also of
   * what stays as it is. Source: QEMU monitor/monitor.c; qapi/char.json, VSERPORT_CHANGE.
   */
  follow(id: DomainId, machine: Machine, before: 'closed' | 'unknown'): void {
    let isOpen = before === 'closed' ? false : undefined
    machine.listen(({ event, data }) => {
      if (event !== 'VSERPORT_CHANGE' || data['id'] !== AGENT_PORT || data['open'] === isOpen) return
      isOpen = data['open'] === true
      for (const listener of this.#listeners) listener(id, isOpen)
    })
  }

  /** Calls `listener`, which must not throw, until the returned function is called. */
  subscribe(listener: Listener): () => void {
    const own: Listener = (id, isConnected) => listener(id, isConnected)
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  /** Tells nobody any more. */
  close(): void {
    this.#listeners.clear()
  }
}
