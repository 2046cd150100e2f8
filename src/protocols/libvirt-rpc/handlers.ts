import type { Duplex } from 'node:stream'
import type { RpcConnectionError, RpcError } from './error.ts'
import type { KeepAliveOptions } from './keepalive.ts'
import type { StreamBody } from './server-stream.ts'
import type { ArgsOf, EventName, EventOf, ProcedureName, ResultOf } from './table/index.ts'

/** A client, as its handlers see it. */
export interface RpcServerConnection {
  /** Whether the connection stands. */
  readonly isOpen: boolean
  /** Whether the client may only read. */
  readonly isReadOnly: boolean
  /** Whether sockets can be passed to the client. */
  carriesSockets(): Promise<boolean>
  /** Aborted when the connection ends. */
  readonly signal: AbortSignal
  /** The client has said who it is: from now on it may call everything. */
  login(): void
  /** From now on the client may only read; there is no way back. */
  restrict(): void
  /** Begins to ask the client whether it lives. Not before it asked for that: others do not answer. */
  startKeepAlive(options?: KeepAliveOptions): void
  /**
   * Tells the client of an event, before every answer that is given later. Throws XdrError for what no event of that
   * name can tell.
   */
  emit<N extends EventName>(name: N, event: EventOf<N>): void
  /** Takes no more calls, and ends the connection once those that are being worked on have been answered. */
  finish(): void
  /** Ends the connection once what was answered has gone out. Calling it twice is harmless. */
  close(): void
}

/** What a handler knows of its call beside the arguments. */
export interface RpcCall<C> {
  /** What the connection was given when it began. */
  readonly context: C
  readonly connection: RpcServerConnection
  /**
   * Opens the stream of a procedure that has one; `body` serves it once the call has been answered, and not at all if
   * the handler throws. Throws RpcError where the connection has too many streams.
   */
  readonly stream: (body: StreamBody) => void
  /**
   * Has the answer of a procedure that passes a socket bring one end of a new pair of connected ones; `take` gets the other
   * end when the client has its own, and nothing if the handler throws or the client is gone. It must not throw. Rejects
   * with RpcError where the connection carries no sockets.
   */
  readonly socket: (take: (end: Duplex) => void) => Promise<void>
}

/**
 * Sends one end of a new pair of connected sockets over a connection, behind what has been written to it and with a byte
 * that is zero, and gives the other. Source: libvirt 9.0, src/rpc/virnetsocket.c (virNetSocketSendFD), passfd of Gnulib.
 */
export type PassSocket = () => Duplex

/** What serves a procedure. An RpcError that it throws is what the client gets. */
export type Handler<N extends ProcedureName, C = unknown> = (
  args: ArgsOf<N>,
  call: RpcCall<C>,
) => ResultOf<N> | Promise<ResultOf<N>>

/** What serves whom. A procedure without a handler is answered as unsupported, with its function's name. */
export type Handlers<C = unknown> = { readonly [N in ProcedureName]?: Handler<N, C> }

/** How a connection is served. */
export interface ServeOptions<C> {
  /** Handed to every handler. */
  readonly context: C
  /** The client must log in (`connection.login`) before it may call what is not for that. */
  readonly needsLogin?: boolean
  /** The client may only read. */
  readonly isReadOnly?: boolean
  /** Throws the RpcError that refuses a call to this client; asked before each, once its arguments are known. */
  readonly check?: (procedure: ProcedureName, args: unknown) => void
  /** What a client is told of an error that a handler throws and that is no RpcError; undefined for a fault of ours. */
  readonly describe?: (error: unknown) => RpcError | undefined
  /** Told of faults of ours: what `describe` does not know, or a result that is none. Must not throw. */
  readonly onFault?: (error: unknown, procedure: ProcedureName) => void
  /** Told once when the connection ends, whoever ended it. Must not throw. */
  readonly onClose?: (error: RpcConnectionError) => void
  /** Makes ready to pass sockets over the connection; undefined where that cannot be. Absent: it carries none. */
  readonly passing?: () => Promise<PassSocket | undefined>
  readonly openingMs?: number
  readonly packetStallMs?: number
  readonly sendStallMs?: number
  readonly streamStallMs?: number
}
