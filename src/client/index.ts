/** The typed client of the Xen Management API: the package's export `polyvisor/client`. */

export { ApiError } from '../model/kernel/error.ts'
export type { OpenValue, Ref } from '../model/kernel/types.ts'
export { NULL_REF } from '../model/kernel/types.ts'
export type { WireValue } from '../wire/xmlrpc/value.ts'
export { type ClientOptions, XenApiClient } from './client.ts'
export type { Console } from './console-socket.ts'
export { DEFAULT_TRANSPORT_LIMITS, type TlsOptions, type TransportLimits } from './http-transport.ts'
export type {
  AsyncOf,
  CallOptions,
  Classes,
  ClientOf,
  NewRecordOf,
  TaskRef,
  VisibleRecordOf,
} from './methods.ts'
export { TransportError, type TransportErrorKind } from './transport-error.ts'
export type { TaskProgress, WaitOptions } from './wait.ts'
