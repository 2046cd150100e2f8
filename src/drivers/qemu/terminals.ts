import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type ConsoleKind, type DomainId, DriverError, type TerminalOps } from '../driver.ts'
import { systemCode } from './files.ts'
import type { Gate } from './gate.ts'
import type { Inventory } from './inventory.ts'
import { filesOf } from './layout.ts'
import { SharedLine } from './shared-line.ts'

/** The group `terminals`. */
export const terminalOps = (terminals: Terminals, gate: Gate): TerminalOps => ({
  kinds: id => gate.pass(async () => terminals.kinds(id)),
  open: (id, kind) => gate.pass(() => terminals.open(id, kind)),
})

/** The consoles of all domains that somebody looks at. */
export class Terminals {
  readonly #root: string
  readonly #inventory: Inventory
  /** A serial port serves one client, so all who look at it share a connection. */
  readonly #lines = new Map<DomainId, SharedLine>()
  readonly #opening = new Map<DomainId, Promise<SharedLine>>()
  readonly #displays = new Set<Socket>()
  #isClosed = false

  constructor(root: string, inventory: Inventory) {
    this.#root = root
    this.#inventory = inventory
  }

  /** Throws as `not-found`. */
  kinds(id: DomainId): readonly ConsoleKind[] {
    const { state } = this.#inventory.find(id).summary
    if (state !== 'running' && state !== 'paused' && state !== 'crashed') return []
    return (['serial', 'vnc'] as const).filter(kind => existsSync(this.#socketOf(id, kind)))
  }

  async open(id: DomainId, kind: ConsoleKind): Promise<Duplex> {
    if (!this.kinds(id).includes(kind)) throw absent(id, kind)
    return kind === 'serial' ? this.#joinLine(id) : this.#display(id)
  }

  /** Ends every connection. */
  close(): void {
    this.#isClosed = true
    for (const line of this.#lines.values()) line.close()
    for (const display of this.#displays) display.destroy()
  }

  #socketOf(id: DomainId, kind: ConsoleKind): string {
    const { serialSocket, vncSocket } = filesOf(this.#root, id)
    return kind === 'serial' ? serialSocket : vncSocket
  }

  /** A line stays until its last viewer leaves or QEMU is gone; those who come while it is being opened wait for it. */
  async #joinLine(id: DomainId): Promise<Duplex> {
    const known = this.#lines.get(id)
    if (known !== undefined) return known.join()
    // QEMU lets hardly anybody wait at its socket, so one alone may knock.
    const opening = this.#opening.get(id) ?? this.#openLine(id).finally(() => this.#opening.delete(id))
    this.#opening.set(id, opening)
    return (await opening).join()
  }

  async #openLine(id: DomainId): Promise<SharedLine> {
    const line = new SharedLine(await this.#connect(id, 'serial'), () => {
      if (this.#lines.get(id) === line) this.#lines.delete(id)
    })
    this.#lines.set(id, line)
    return line
  }

  async #display(id: DomainId): Promise<Socket> {
    const socket = await this.#connect(id, 'vnc')
    this.#displays.add(socket)
    socket.once('close', () => this.#displays.delete(socket))
    return socket
  }

  async #connect(id: DomainId, kind: ConsoleKind): Promise<Socket> {
    const socket = createConnection(this.#socketOf(id, kind))
    socket.on('error', () => undefined) // And closes, which is what it means to whoever has it.
    try {
      await once(socket, 'connect')
    } catch (error) {
      const code = error instanceof Error ? systemCode(error) : undefined
      // It has halted since we looked.
      if (code === 'ENOENT' || code === 'ECONNREFUSED') throw absent(id, kind)
      throw error
    }
    if (!this.#isClosed) return socket
    socket.destroy()
    throw new DriverError('unreachable', 'the driver is closed')
  }
}

const absent = (id: DomainId, kind: ConsoleKind) =>
  new DriverError('bad-state', `domain ${id} has no ${kind} console now`)
