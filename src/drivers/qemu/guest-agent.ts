import { connectQga, type QgaClient } from '../../protocols/qga/client.ts'
import { QgaError } from '../../protocols/qga/error.ts'
import { DriverError } from '../driver.ts'
import { Lock } from './lock.ts'
import type { Machine } from './machine.ts'

/** How long the agent may take to be heard at first. Source: libvirt, src/qemu/qemu_agent.c, QEMU_AGENT_WAIT_TIME. */
const SYNC_MS = 5_000
/** How long a question waits for those before it, of which some may take minutes. */
const TURN_MS = 30_000
/** Questions that may wait. */
const WAITING_MAX = 32
/** The name of the character device of the port. */
const CHARDEV = 'agent'

/** The guest's end of the port, as QEMU knows it. */
export interface GuestPort {
  /** Whether a program in the guest has opened it. */
  readonly isOpen: () => Promise<boolean>
  /** Looks at the guest again, whose end would have closed the port. Rejects as `bad-state` where it has ended. */
  readonly look: () => Promise<unknown>
}

/** How long things may take; less for tests. */
export interface Patience {
  readonly syncMs: number
  readonly turnMs: number
}

/** The agent in the guest of a domain, if one runs there. Its port serves one at a time, so all who ask wait their turn. */
export class GuestAgent {
  /** The socket of the port. */
  readonly path: string
  readonly #patience: Patience
  readonly #turns = new Lock(WAITING_MAX)

  constructor(path: string, patience: Patience = { syncMs: SYNC_MS, turnMs: TURN_MS }) {
    this.path = path
    this.#patience = patience
  }

  /**
   * Speaks with the agent in a machine that runs. Rejects with DriverError: as `bad-state` where the guest has ended, with
   * `guest` where nobody answers, or not with what was asked for.
   */
  async ask<T>(port: GuestPort, conversation: (client: QgaClient) => Promise<T>): Promise<T> {
    if (!(await port.isOpen())) throw silent('QEMU guest agent is not connected')
    try {
      return await this.inTurn(() => this.#converse(conversation))
    } catch (error) {
      if (!(error instanceof QgaError)) throw error
      if (error.failure === 'closed' || error.failure === 'absent') await port.look()
      throw failureOf(error)
    }
  }

  /** Runs what speaks with the agent by itself while nobody else does. Rejects where others speak with it for too long. */
  async inTurn<T>(speak: () => Promise<T>): Promise<T> {
    const { promise: late, reject } = Promise.withResolvers<never>()
    let isGivenUp = false
    const timer = setTimeout(() => {
      isGivenUp = true
      reject(silent('Guest agent not available for now'))
    }, this.#patience.turnMs)
    const turn = this.#turns.run(async () => {
      clearTimeout(timer)
      if (isGivenUp) throw silent('Guest agent not available for now')
      return speak()
    })
    try {
      return await Promise.race([turn, late])
    } finally {
      clearTimeout(timer)
      turn.catch(() => undefined) // Whoever gave up was told.
    }
  }

  async #converse<T>(conversation: (client: QgaClient) => Promise<T>): Promise<T> {
    const client = await connectQga(this.path, this.#patience.syncMs)
    try {
      return await conversation(client)
    } finally {
      client.close()
    }
  }
}

/** The port of a machine. */
export const portOf = (machine: Machine): GuestPort => ({
  async isOpen() {
    const devices = await machine.execute('query-chardev')
    return devices.some(({ label, isOpen }) => label === CHARDEV && isOpen)
  },
  look: () => machine.refresh(),
})

const silent = (message: string, options?: ErrorOptions) =>
  new DriverError('refused', message, { guest: 'silent', ...options })

/** In libvirt's words. Source: libvirt, src/qemu/qemu_agent.c. */
function failureOf(error: QgaError): DriverError {
  const { failure, message } = error
  if (failure === 'time-out') return silent('Guest agent not available for now', { cause: error })
  if (failure === 'closed' || failure === 'absent') {
    return silent('Guest agent disappeared while executing command', { cause: error })
  }
  return new DriverError('refused', message, { guest: failure === 'unable' ? 'unable' : 'refused', cause: error })
}
