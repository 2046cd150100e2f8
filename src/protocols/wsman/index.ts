/**
 * WS-Management for hosts with WinRM: a client for WMI's classes and methods, with Windows' own ways of logging on.
 * See docs/wsman.md.
 */
export {
  type CallResult,
  type InvokeResult,
  type NamedInstance,
  WsmanClient,
  type WsmanClientOptions,
} from './client.ts'
export { CimInterval, CimTimestamp } from './datetime.ts'
export { embedded, type TypedValue, typed } from './embedded.ts'
export { EndpointReference, type KeyValue, reference } from './endpoint-reference.ts'
export { CimError, WsmanReplyError } from './error.ts'
export { type FaultDetails, WsmanFault } from './fault.ts'
export type { FaultKind, FaultName } from './fault-kind.ts'
export type { AssociationSource, ClassSource, Source } from './filter.ts'
export { httpTransport } from './http-transport.ts'
export type { Identity } from './identify.ts'
export { CimInstance, readEmbedded } from './instance.ts'
export {
  type ObjectPath,
  objectPath,
  parseObjectPath,
  printObjectPath,
  referenceTo,
  relativePath,
} from './object-path.ts'
export type { EnumerationMode, Item, Page } from './page.ts'
export type { Argument, Arguments } from './parameters.ts'
export type { CallOptions } from './requests.ts'
export { anyClassUri, classUri, parseResourceUri, type Resource } from './resource.ts'
export type { RetryPolicy } from './retry.ts'
export {
  type CimClass,
  type CimMethod,
  defineClass,
  defineMethod,
  type InputOf,
  instanceOf,
  type OutputOf,
  type Types,
  valuesOf,
} from './schema.ts'
export {
  type ClientCertificate,
  type KerberosSource,
  parseTargetUri,
  type Secret,
  TargetError,
  type WsmanAuth,
  type WsmanTarget,
} from './target.ts'
export {
  type PostOptions,
  type Transport,
  TransportError,
  type TransportErrorKind,
  type TransportReply,
} from './transport.ts'
export type { CimInput, CimOutput, CimScalar, CimScalarType, CimType, CimValue } from './types.ts'
export {
  type Association,
  allOf,
  anyOf,
  associatorsOf,
  like,
  referencesOf,
  Wql,
  type WqlValue,
  wql,
  wqlName,
  wqlNames,
} from './wql.ts'
