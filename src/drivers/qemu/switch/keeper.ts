import { DriverError } from '../../driver.ts'
import type { SwitchClient } from './client.ts'
import type { Lease } from './leases.ts'
import type { PortStatus, PortWish } from './messages.ts'
import { findSwitch, startSwitch, type SwitchFiles } from './process.ts'

/** A port that shall be plugged. */
export type WantedPort = Pick<PortWish, 'id' | 'path' | 'segment' | 'guarded' | 'isOutside'>

/** How soon a switch that has died is replaced: at once, then slower and slower. */
const RETRY_MS_MIN = 10
const RETRY_MS_MAX = 30_000

/**
 * Keeps a switch running with the ports that are wanted, for as long as any is: starts it, takes over one that runs, and
 * replaces one that has died.
 */
export class SwitchKeeper {
  readonly #files: SwitchFiles
  readonly #warn: (message: string) => void
  readonly #wanted = new Map<string, WantedPort>()
  /** What the switch was told. */
  readonly #plugged = new Map<string, WantedPort>()
  /** What the switch is to be told of even if nothing has changed. */
  readonly #urgent = new Set<string>()
  /** What was last counted, for the next switch to count on from. */
  readonly #counted = new Map<string, PortStatus>()
  #client: SwitchClient | undefined
  #isClosed = false
  #retryMs = RETRY_MS_MIN
  #retryTimer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(files: SwitchFiles, warn: (message: string) => void) {
    this.#files = files
    this.#warn = warn
  }

  /** Takes over a switch that runs, and answers the ports that it has; they are wanted from now on. */
  async takeOver(): Promise<readonly PortStatus[]> {
    const client = await findSwitch(this.#files, () => this.#lost())
    if (client === undefined) return []
    this.#client = client
    const ports = await this.#status(client)
    for (const port of ports) {
      const { id, path, segment } = port
      this.#wanted.set(id, { id, path, segment })
      this.#plugged.set(id, { id, path, segment })
    }
    return ports
  }

  get wanted(): readonly WantedPort[] {
    return [...this.#wanted.values()]
  }

  /** Says what shall be; `converge` makes it so. Even of a port that is plugged already: its QEMU is looked for at once. */
  want(port: WantedPort): void {
    this.#wanted.set(port.id, port)
    this.#urgent.add(port.id)
  }

  /** As `want`, of a port whose QEMU has been there all the time. */
  keep(port: WantedPort): void {
    this.#wanted.set(port.id, port)
  }

  unwant(id: string): void {
    this.#wanted.delete(id)
    this.#urgent.delete(id)
    this.#counted.delete(id)
  }

  /** Makes the switch have what is wanted now. Rejects with DriverError where it cannot; then it is tried again later. */
  converge(): Promise<void> {
    // One that is under way may have passed by already what has just been said.
    this.#next ??= (this.#running ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined
        this.#running = this.#converge()
        return this.#running
      })
    return this.#next
  }

  /** The ports of the switch whose ids begin so; none while there is no switch. Rejects with DriverError. */
  async status(prefix = ''): Promise<readonly PortStatus[]> {
    return twice(async () => {
      if (this.#client?.isOpen !== true && this.#wanted.size > 0) await this.converge()
      return this.#client === undefined ? [] : this.#status(this.#client, prefix)
    })
  }

  /** Who of a network was given which address by DHCP; nobody while there is no switch. Rejects with DriverError. */
  async leases(segment: string): Promise<readonly Lease[]> {
    return twice(async () => {
      if (this.#client?.isOpen !== true && this.#wanted.size > 0) await this.converge()
      return this.#client === undefined ? [] : this.#client.leases(segment)
    })
  }

  /** Lets go of the switch, which goes on if it has ports. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#retryTimer)
    this.#client?.close()
  }

  async #converge(): Promise<void> {
    if (this.#isClosed) throw new DriverError('unreachable', 'the driver is closed')
    if (this.#wanted.size === 0) return this.#rest()
    try {
      await twice(() => this.#tell())
      this.#retryMs = RETRY_MS_MIN
    } catch (error) {
      this.#tryLater()
      throw error
    }
  }

  async #tell(): Promise<void> {
    const client = await this.#reach()
    const unwanted = [...this.#plugged.keys()].filter(id => !this.#wanted.has(id))
    await Promise.all([
      ...unwanted.map(id => this.#remove(client, id)),
      ...[...this.#wanted.values()].map(port => this.#put(client, port)),
    ])
  }

  /** Without ports there is no use for a switch: left alone, it ends. */
  async #rest(): Promise<void> {
    this.#plugged.clear()
    const client = this.#client
    this.#client = undefined
    if (client?.isOpen !== true) return
    try {
      for (const { id } of await client.status()) await client.remove(id)
    } catch (error) {
      if (!(error instanceof DriverError)) throw error
      // It has just ended, which was to be.
    }
    client.close()
  }

  async #reach(): Promise<SwitchClient> {
    if (this.#client?.isOpen === true) return this.#client
    this.#plugged.clear()
    const onClose = () => this.#lost()
    const found = await findSwitch(this.#files, onClose)
    const client = found ?? (await startSwitch(this.#files, onClose))
    this.#client = client
    for (const { id, path, segment } of await client.status()) this.#plugged.set(id, { id, path, segment })
    return client
  }

  async #put(client: SwitchClient, port: WantedPort): Promise<void> {
    const plugged = this.#plugged.get(port.id)
    const isKnown = plugged?.path === port.path && plugged.segment === port.segment
    if (isKnown && !this.#urgent.has(port.id)) return
    await client.put({ ...countedIn(this.#counted.get(port.id)), ...port })
    this.#plugged.set(port.id, port)
    // Unless it was said again in the meantime.
    if (this.#wanted.get(port.id) === port) this.#urgent.delete(port.id)
  }

  async #remove(client: SwitchClient, id: string): Promise<void> {
    await client.remove(id)
    this.#plugged.delete(id)
  }

  async #status(client: SwitchClient, prefix = ''): Promise<readonly PortStatus[]> {
    const ports = await client.status(prefix)
    for (const port of ports) if (this.#wanted.has(port.id)) this.#counted.set(port.id, port)
    return ports
  }

  #lost(): void {
    if (this.#isClosed || this.#client?.isOpen === true || this.#wanted.size === 0) return
    this.#tryLater()
  }

  #tryLater(): void {
    if (this.#isClosed) return
    clearTimeout(this.#retryTimer)
    this.#retryTimer = setTimeout(() => {
      this.converge().catch((error: unknown) => this.#warn(`networks: ${String(error)}`))
    }, this.#retryMs)
    this.#retryTimer.unref()
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX)
  }
}

type Counted = Omit<PortWish, keyof WantedPort>

/** What a port counts on from. */
function countedIn(status: PortStatus | undefined): Counted {
  if (status === undefined) return { receivedBytes: 0, sentBytes: 0 }
  const { id: _, path: __, segment: ___, isConnected: ____, ...counted } = status
  return counted
}

/** Tries again where the switch died over it: the next one is there by then. */
async function twice<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation()
  } catch (error) {
    if (!(error instanceof DriverError && error.kind === 'unreachable')) throw error
    return operation()
  }
}
