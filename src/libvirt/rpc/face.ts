import type { Duplex } from 'node:stream'
import { type PassSocket, RpcError, type RpcServerConnection, serve } from '../../protocols/libvirt-rpc/index.ts'
import { Access, type Who } from './access.ts'
import { Client, type Service } from './client.ts'
import { GraphicsRelays } from './graphics-relay.ts'
import { describe } from './describe.ts'
import { handlers } from './handlers/index.ts'

/** How a client came. */
export interface Arrival {
  readonly who: Who
  /** It may only read. */
  readonly isReadOnly?: boolean
  /** Makes ready to pass it sockets; undefined where that cannot be. Absent: it came another way than by a Unix socket. */
  readonly passing?: () => Promise<PassSocket | undefined>
}

/** Source: libvirt, include/libvirt/virterror.h. */
const VIR_ERR_RPC = 39
const VIR_FROM_RPC = 7

/** How many clients are told at a time why they are not served; others are cut off without a word. */
const TURNED_AWAY_MAX = 16
/** How long one of them may take to ask. */
const TURNED_AWAY_MS = 2_000

/** Serves libvirt's protocol to any number of clients. */
export class LibvirtFace {
  readonly #service: Service
  readonly #relays: GraphicsRelays
  readonly #connections = new Set<RpcServerConnection>()
  #isClosing = false
  #turnedAway = 0

  constructor(service: Service) {
    this.#service = service
    this.#relays = new GraphicsRelays(service.warn)
  }

  /** Serves a client on a stream, which it takes over, until either side ends it. */
  accept(duplex: Duplex, { who, isReadOnly = false, passing }: Arrival): void {
    const { warn } = this.#service
    const access = new Access(who)
    const client = new Client({ ...this.#service, relays: this.#relays }, access)
    const connection = serve(duplex, handlers, {
      context: client,
      needsLogin: access.needsLogin,
      isReadOnly,
      check: (procedure, args) => access.check(procedure, args),
      describe,
      ...(passing !== undefined && { passing }),
      onFault: (error, procedure) => warn('a call of a libvirt client failed', { procedure, error: withPlace(error) }),
      onClose: () => {
        this.#connections.delete(connection)
        access.leave()
        client
          .close()
          .catch((error: unknown) => warn('a libvirt client left something behind', { error: String(error) }))
      },
    })
    this.#connections.add(connection)
    const end = () => connection.close()
    access.signal.addEventListener('abort', end, { once: true })
    if (access.signal.aborted || this.#isClosing) end()
  }

  /** Answers whatever a client asks first with the reason why it is not served, and ends its connection. */
  turnAway(duplex: Duplex, reason: string): void {
    if (this.#isClosing || this.#turnedAway >= TURNED_AWAY_MAX) {
      duplex.destroy()
      return
    }
    this.#turnedAway++
    const refuse = () => {
      setImmediate(() => connection.close())
      throw new RpcError(VIR_ERR_RPC, reason, { domain: VIR_FROM_RPC, str1: '%s', str2: reason })
    }
    const late = setTimeout(() => connection.close(), TURNED_AWAY_MS).unref()
    const connection = serve(
      duplex,
      {},
      {
        context: undefined,
        check: refuse,
        onClose: () => {
          clearTimeout(late)
          this.#turnedAway--
        },
      },
    )
  }

  /** Ends every client's connection, and those that come, once the calls that are being worked on have been answered. */
  close(): void {
    this.#isClosing = true
    this.#relays.close()
    for (const connection of this.#connections) connection.finish()
  }
}

/** A fault of ours, with where it is. */
const withPlace = (error: unknown): string => (error instanceof Error && error.stack) || String(error)
