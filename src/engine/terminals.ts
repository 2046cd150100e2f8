/** Consoles of VMs: which there are, and opening one with the authority of a session. */

import type { Duplex } from 'node:stream'
import { type ConsoleKind, DriverError } from '../drivers/driver.ts'
import { session, VM } from '../model/index.ts'
import { ApiError } from '../model/kernel/error.ts'
import type { Hosts } from './hosts.ts'
import type { Sessions } from './sessions.ts'
import type { Store } from '../store/store.ts'

/** What consoles are found with. */
export interface TerminalServices {
  readonly store: Store
  readonly hosts: Hosts
  readonly sessions: Sessions
}

/** Which console somebody wants to see. */
export interface ConsoleRequest {
  /** A session's reference, the secret; empty where none was shown. */
  readonly secret: string
  /** An IP address, or LOCAL_ADDRESS. */
  readonly address: string
  /** As it stands in the path: of any form. */
  readonly vm: string
  readonly kind: string
}

/**
 * Why a console is not opened. `session`: no session, or one that is not valid. `absent`: no such VM, or the VM never
 * has such a console. `halted`: it has none now. `failed`: the host refuses or does not answer.
 */
export type ConsoleRefusalKind = 'session' | 'absent' | 'halted' | 'failed'

/** A console that is not opened, in a sentence for the client. */
export class ConsoleRefusal extends Error {
  override readonly name = 'ConsoleRefusal'
  readonly kind: ConsoleRefusalKind

  constructor(kind: ConsoleRefusalKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}

/** A console that somebody looks at. */
export interface OpenConsole {
  /** Ends when the VM halts. */
  readonly stream: Duplex
  /** Aborted when the session with which it was opened has ended. */
  readonly sessionEnded: AbortSignal
  /** To be called when bytes move: a session whose consoles are used is not idle. */
  use(): void
  /** Lets go of the console. Calling it twice is harmless. */
  release(): void
}

/** Opens a console. Rejects with ConsoleRefusal. */
export type OpenConsoleOf = (request: ConsoleRequest) => Promise<OpenConsole>

/** The path at which the server has a console, below its own. */
export const consolePath = (vm: string, kind: ConsoleKind): string => `/console/${vm}/${kind}`

/** The paths of the consoles that a VM has now, by kind. Rejects with ApiError or DriverError. */
export async function consolePaths(hosts: Hosts, vm: string): Promise<ReadonlyMap<string, string>> {
  const kinds = await kindsOf(hosts, vm)
  return new Map(kinds.map(kind => [kind, consolePath(vm, kind)]))
}

/** Opens consoles of the VMs of these services. */
export function consoleOpener({ store, hosts, sessions }: TerminalServices): OpenConsoleOf {
  return async ({ secret, address, vm, kind }) => {
    const owner = sessionOf(sessions, secret, address)
    if (store.get(VM, vm) === undefined) throw new ConsoleRefusal('absent', 'There is no such VM.')
    const stream = await openStream(hosts, vm, kind)
    const over = new AbortController()
    const end = store.onChange(changes => {
      if (changes.some(change => change.ref === owner)) look()
    })
    const look = () => {
      if (store.get(session, owner) === undefined) over.abort()
    }
    look() // It may have ended while the console was being opened.
    return {
      stream,
      sessionEnded: over.signal,
      use: () => sessions.use(owner),
      release() {
        end()
        stream.destroy()
      },
    }
  }
}

function sessionOf(sessions: Sessions, secret: string, address: string): string {
  try {
    return sessions.authenticate(secret, address).session
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    throw new ConsoleRefusal('session', 'A console wants a valid session.', { cause: error })
  }
}

/** Which consoles a VM has now; none where its host has none, or does not know it yet. */
async function kindsOf(hosts: Hosts, vm: string): Promise<readonly ConsoleKind[]> {
  const { driver, id } = hosts.placementOf(vm)
  try {
    return (await driver.terminals?.kinds(id)) ?? []
  } catch (error) {
    // Only defined VMs are told to the host, and one that it does not know does not run.
    if (error instanceof DriverError && error.kind === 'not-found') return []
    throw error
  }
}

async function openStream(hosts: Hosts, vm: string, name: string): Promise<Duplex> {
  const kind = (['serial', 'vnc'] as const).find(known => known === name)
  if (kind === undefined) throw new ConsoleRefusal('absent', 'The consoles are called serial and vnc.')
  try {
    const { driver, id } = hosts.placementOf(vm)
    if (driver.terminals === undefined) throw new ConsoleRefusal('absent', `Hosts of ${driver.name} have no consoles.`)
    if (!(await kindsOf(hosts, vm)).includes(kind)) {
      throw new ConsoleRefusal('halted', `The VM has no ${kind} console now; it must run and have the device.`)
    }
    return await driver.terminals.open(id, kind)
  } catch (error) {
    throw refusalOf(error)
  }
}

function refusalOf(error: unknown): unknown {
  if (error instanceof DriverError) {
    const isGone = error.kind === 'bad-state' || error.kind === 'not-found'
    return new ConsoleRefusal(isGone ? 'halted' : 'failed', `${error.message}.`, { cause: error })
  }
  if (error instanceof ApiError) return new ConsoleRefusal('failed', error.message, { cause: error })
  return error
}
