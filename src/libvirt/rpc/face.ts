import type { Duplex } from 'node:stream'
import { type PassSocket, type RpcServerConnection, serve } from '../../protocols/libvirt-rpc/index.ts'
import { Client, type Service } from './client.ts'
import { describe } from './describe.ts'
import { handlers } from './handlers/index.ts'

/** How a client came. */
export interface Arrival {
  /** It may only read. */
  readonly isReadOnly?: boolean
  /** Makes ready to pass it sockets; undefined where that cannot be. Absent: it came another way than by a Unix socket. */
  readonly passing?: () => Promise<PassSocket | undefined>
}

/** Serves libvirt's protocol to any number of clients. */
export class LibvirtFace {
  readonly #service: Service
  readonly #connections = new Set<RpcServerConnection>()

  constructor(service: Service) {
    this.#service = service
  }

  /** Serves a client on a stream, which it takes over, until either side ends it. */
  accept(duplex: Duplex, { isReadOnly = false, passing }: Arrival = {}): void {
    const { warn } = this.#service
    const client = new Client(this.#service)
    const connection = serve(duplex, handlers, {
      context: client,
      isReadOnly,
      describe,
      ...(passing !== undefined && { passing }),
      onFault: (error, procedure) => warn('a call of a libvirt client failed', { procedure, error: String(error) }),
      onClose: () => {
        this.#connections.delete(connection)
        client
          .close()
          .catch((error: unknown) => warn('a libvirt client left something behind', { error: String(error) }))
      },
    })
    this.#connections.add(connection)
  }

  /** Ends every client's connection once what was answered has gone out. */
  close(): void {
    for (const connection of this.#connections) connection.close()
  }
}
