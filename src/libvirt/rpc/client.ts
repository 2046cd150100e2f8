import type { DomainId } from '../../drivers/driver.ts'
import { type RpcDomain, type RpcServerConnection } from '../../protocols/libvirt-rpc/index.ts'
import { Connection } from '../connection.ts'
import { Domain } from '../domain.ts'
import { VIR_ERR_INTERNAL_ERROR, VIR_ERR_OPERATION_INVALID } from '../error-numbers.ts'
import { LibvirtError } from '../errors.ts'
import { Host } from '../host.ts'
import type { Access } from './access.ts'
import type { GraphicsRelays } from './graphics-relay.ts'
import { type HostList, hostNamed, type ManagedHost, uriOf } from './managed-host.ts'
import { guarded } from './path-guard.ts'

/** Told of what no call can report. */
export type Warn = (message: string, details?: Readonly<Record<string, unknown>>) => void

/** What clients are served with. */
export interface Service {
  readonly hosts: HostList
  readonly warn: Warn
}

/** What the clients of a face share. */
export interface Shared extends Service {
  readonly relays: GraphicsRelays
}

/** A host that a client has opened. */
interface Opened {
  readonly managed: ManagedHost
  readonly host: Host
  readonly connection: Connection
}

/** Source: libvirt, include/libvirt/libvirt-common.h (virConnectCloseReason). */
const VIR_CONNECT_CLOSE_REASON_EOF = 1

/** A client of the face, and the host that it has opened. */
export class Client {
  /** Who it is, and what it may do. */
  readonly access: Access
  readonly #shared: Shared
  #opened: Opened | undefined
  #isOpening = false
  #isToldOfClosing = false

  constructor(shared: Shared, access: Access) {
    this.#shared = shared
    this.access = access
  }

  /** Opens the host of a URI. Rejects where one is open already, or where there is none of that name. */
  async open(uri: string | null, rpc: RpcServerConnection): Promise<void> {
    if (this.#isOpening) throw new LibvirtError(VIR_ERR_INTERNAL_ERROR, 'connection already open')
    this.#isOpening = true
    try {
      const managed = hostNamed(uri, this.#shared.hosts())
      const { signal } = managed
      const { driver, company } = guarded(managed)
      const { warn, relays } = this.#shared
      const screenPort = async (id: DomainId) => (rpc.isReadOnly ? undefined : relays.portOf(managed, id))
      const use = { uri: uriOf(managed), isReadOnly: rpc.isReadOnly, warn, company, screenPort }
      const host = await Host.of(driver, use)
      if (!rpc.isOpen) return // Nobody would take away what is begun for it now.
      this.#opened = { managed, host, connection: new Connection(host, false) }
      const leave = () => this.#leave(rpc)
      signal.addEventListener('abort', leave, { once: true })
      rpc.signal.addEventListener('abort', () => signal.removeEventListener('abort', leave), { once: true })
      if (signal.aborted) leave()
    } catch (error) {
      this.#isOpening = false
      throw error
    }
  }

  /** The connection to the host that is open. Throws LibvirtError where none is. */
  get connection(): Connection {
    return this.#open.connection
  }

  /** The host that is open, as its connection has it. */
  get host(): Host {
    return this.#open.host
  }

  /** The domain that a client names; whether there is one shows when something is asked of it. */
  domain({ uuid, name }: RpcDomain): Domain {
    return new Domain(this.host, { id: uuid, name })
  }

  /** Whether the client is told when its host goes away. Throws LibvirtError where that is so already. */
  tellOfClosing(isTold: boolean): void {
    const { host } = this.#open
    if (isTold === this.#isToldOfClosing) {
      const problem = isTold ? 'A close callback is already registered' : 'A close callback is not registered'
      throw host.error(VIR_ERR_OPERATION_INVALID, problem)
    }
    this.#isToldOfClosing = isTold
  }

  /** Ends what is to end with the client. Calling it twice is harmless. */
  async close(): Promise<void> {
    await this.#opened?.connection.close()
  }

  /** The server lets the host go. */
  #leave(rpc: RpcServerConnection): void {
    if (this.#isToldOfClosing) rpc.emit('CONNECT_EVENT_CONNECTION_CLOSED', { reason: VIR_CONNECT_CLOSE_REASON_EOF })
    rpc.close()
  }

  get #open(): Opened {
    if (this.#opened !== undefined) return this.#opened
    throw new LibvirtError(VIR_ERR_INTERNAL_ERROR, 'connection not open')
  }
}
