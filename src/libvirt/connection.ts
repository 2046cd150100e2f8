import { DriverError } from '../drivers/driver.ts'
import { ConnectionWithEvents } from './connection-events.ts'
import { VIR_ERR_INTERNAL_ERROR } from './error-numbers.ts'
import { LibvirtError } from './errors.ts'
import type { EndOfDomain, Host } from './host.ts'

/**
 * A connection to a host. Every function rejects with LibvirtError; after `close` with `VIR_ERR_INVALID_CONN`. Objects
 * that it gave live as long as it does.
 */
export class Connection extends ConnectionWithEvents {
  readonly #ownsDriver: boolean
  #closing: Promise<void> | undefined

  /** With `ownsDriver`, what connects to the host is closed with it. */
  constructor(host: Host, ownsDriver: boolean) {
    super(host)
    this.#ownsDriver = ownsDriver
  }

  /**
   * Ends what was started to end with it (`VIR_DOMAIN_START_AUTODESTROY`), and the connection; other domains go on. Rejects
   * where a domain could not be ended, naming it, and is closed all the same. Calling it twice is harmless
   * (virConnectClose).
   */
  async close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    this.host.close()
    this.stopListening()
    this.subscriptions.endAll()
    const failures: string[] = []
    for (const [id, end] of this.host.ending) {
      const failure = await this.#end(id, end)
      if (failure !== undefined) failures.push(`${id}: ${failure}`)
    }
    this.host.ending.clear()
    if (this.#ownsDriver) await this.host.driver.close()
    if (failures.length === 0) return
    const text = `domains that were to end with the connection remain: ${failures.join('; ')}`
    throw this.host.error(VIR_ERR_INTERNAL_ERROR, text)
  }

  /** Ends a domain, or says why not. One that is gone or off already is what it was to be. */
  async #end(id: string, end: EndOfDomain): Promise<string | undefined> {
    const { domains } = this.host.driver
    try {
      const { state } = await domains.get(id)
      if (state !== 'halted') await domains.powerOff(id)
      if (end === 'undefine') await this.host.alone(id, () => this.#undefine(id))
      this.host.remembered.forget(id)
      return undefined
    } catch (error) {
      if (!(error instanceof DriverError || error instanceof LibvirtError)) throw error
      return error instanceof DriverError && error.kind === 'not-found' ? undefined : error.message
    }
  }

  async #undefine(id: string): Promise<void> {
    await this.host.driver.domains.undefine(id)
    await this.host.company.forget?.(id)
  }
}
