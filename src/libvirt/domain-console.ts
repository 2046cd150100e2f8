import type { Duplex } from 'node:stream'
import type { DomainId, Driver } from '../drivers/driver.ts'
import { DomainWithScreen } from './domain-screen.ts'
import { VIR_ERR_INTERNAL_ERROR, VIR_ERR_OPERATION_FAILED } from './error-numbers.ts'
import { checkFlags, has } from './flag-check.ts'
import { VIR_DOMAIN_CONSOLE_FORCE, VIR_DOMAIN_CONSOLE_SAFE } from './flags/index.ts'

/** What libvirt calls the first serial port, and the console that is its other name. */
const ALIASES: ReadonlySet<string> = new Set(['serial0', 'console0'])

/** Somebody who has the console of a domain, or is about to. */
interface Holder {
  stream?: Duplex
  /** Why it has lost the console. */
  loss?: Error
}

/** Who has the consoles of the domains of a host, however many connections there are to it. */
const holders = new WeakMap<Driver, Map<DomainId, Holder>>()

/** Sitting at a guest's console. */
export class DomainWithConsole extends DomainWithScreen {
  /**
   * A line to the first serial port, both ways, which ends when the domain stops. One at a time has it: others are refused
   * with `VIR_ERR_OPERATION_FAILED`, or take it with `VIR_DOMAIN_CONSOLE_FORCE`; then the line of who had it is destroyed
   * with an error of that number (virDomainOpenConsole).
   */
  async openConsole(devName?: string, flags = 0): Promise<Duplex> {
    const name = 'virDomainOpenConsole'
    return this.change(name, async () => {
      checkFlags(name, flags, { known: VIR_DOMAIN_CONSOLE_FORCE | VIR_DOMAIN_CONSOLE_SAFE })
      const terminals = this.host.group(name, 'terminals')
      if (devName !== undefined && !ALIASES.has(devName)) {
        throw this.host.error(VIR_ERR_INTERNAL_ERROR, `cannot find character device ${devName}`)
      }
      const holder = this.#take(has(flags, VIR_DOMAIN_CONSOLE_FORCE))
      try {
        const stream = await terminals.open(this.id, 'serial')
        stream.on('error', () => undefined) // Whoever reads it is told; nobody has to be there.
        stream.once('close', () => this.#leave(holder))
        holder.stream = stream
        if (holder.loss !== undefined) stream.destroy(holder.loss)
        return stream
      } catch (error) {
        this.#leave(holder)
        throw error
      }
    })
  }

  #take(isForced: boolean): Holder {
    const all = holders.get(this.host.driver) ?? new Map<DomainId, Holder>()
    holders.set(this.host.driver, all)
    const before = all.get(this.id)
    if (before !== undefined && !isForced) {
      throw this.host.error(VIR_ERR_OPERATION_FAILED, 'Active console session exists for this domain')
    }
    const holder: Holder = {}
    all.set(this.id, holder)
    if (before !== undefined) {
      before.loss = this.host.error(VIR_ERR_OPERATION_FAILED, 'somebody else has taken the console')
      before.stream?.destroy(before.loss)
    }
    return holder
  }

  #leave(holder: Holder): void {
    const all = holders.get(this.host.driver)
    if (all?.get(this.id) === holder) all.delete(this.id)
  }
}
