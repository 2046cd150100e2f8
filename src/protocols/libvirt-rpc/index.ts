/**
 * The protocol that libvirtd speaks with its clients, both ends of it. No domain is known here, only how they are
 * spoken of: what the calls do is their handlers'.
 */

export { type CallOptions, type CallRest, type Opened, RpcClient, type RpcClientOptions } from './client.ts'
export type { RpcClientStream } from './client-stream.ts'
export { RpcConnectionError, type RpcConnectionErrorKind, RpcError, type RpcErrorDetails } from './error.ts'
export type { KeepAliveOptions } from './keepalive.ts'
export { MAXIMA } from './maxima.ts'
export type { Handler, Handlers, PassSocket, RpcCall, RpcServerConnection, ServeOptions } from './handlers.ts'
export { serve } from './server.ts'
export type { StreamBody } from './server-stream.ts'
export type { RpcStream, StreamHole, StreamPiece } from './stream.ts'
export {
  type ArgsOf,
  type EventName,
  type EventOf,
  events,
  type ProcedureName,
  procedures,
  type ResultOf,
  type StreamName,
} from './table/index.ts'
export type {
  RpcDomain,
  RpcDomainSnapshot,
  RpcNetwork,
  RpcStoragePool,
  RpcStorageVol,
  TypedParam,
} from './types.ts'
