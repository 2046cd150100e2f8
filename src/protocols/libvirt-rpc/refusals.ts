/** What this protocol itself refuses, in the words of libvirtd. Source: libvirt 9.0, src/rpc/virnetserverprogram.c. */

import { RpcError } from './error.ts'

/** Source: libvirt, include/libvirt/virterror.h. */
export const VIR_ERR_INTERNAL_ERROR = 1
/** The function is not supported by this host. */
export const VIR_ERR_NO_SUPPORT = 3
/** What was sent breaks the protocol. */
export const VIR_ERR_RPC = 39
const VIR_ERR_OPERATION_DENIED = 29

/** The protocol itself says so. */
export const VIR_FROM_RPC = 7
/** A stream says so. */
export const VIR_FROM_STREAMS = 38

/** Which part of libvirt speaks for a function, by its name: the first that fits. Source: libvirt, src/libvirt-*.c. */
const SPEAKERS: readonly (readonly [RegExp, number])[] = [
  [/^virDomainSnapshot|Snapshots?$/, 35],
  [/^virDomainCheckpoint|Checkpoints$/, 69],
  [/^virDomain/, 20],
  [/^virNetwork|Networks$|NetworkEvent/, 19],
  [/^virStorage|StoragePool/, 18],
  [/^virNodeDevice|^virNode(Num|List)\w*Devices|NodeDevice/, 22],
  [/^virInterface|Interfaces$/, 26],
  [/^virNWFilter|NWFilter/, 33],
  [/^virSecret|Secret/, 30],
  [/./, 20],
]

const speakerOf = (name: string): number => SPEAKERS.find(([pattern]) => pattern.test(name))?.[1] ?? 0

/** A packet, a call or its arguments break the protocol. */
export function brokenCall(message: string, options?: ErrorOptions): RpcError {
  return new RpcError(VIR_ERR_RPC, message, { domain: VIR_FROM_RPC, str1: '%s', str2: message }, options)
}

/** Nobody here serves that program or that version of it. */
export const unknownProgram = (program: number, version: number): RpcError =>
  brokenCall(`Cannot find program ${program} version ${version}`)

/** libvirt has no procedure of that number. */
export const unknownProcedure = (number: number): RpcError => brokenCall(`unknown procedure: ${number}`)

/** The client has to say who it is first. Source: the same file; not VIR_ERR_AUTH_FAILED, for the sake of old clients. */
export const loginFirst = (): RpcError => brokenCall('authentication required')

/** The host cannot do that. Source: libvirt, src/util/virerror.c (virErrorMsgStrings). */
export function unsupported(name: string): RpcError {
  const beginning = 'this function is not supported by the connection driver'
  const details = { domain: speakerOf(name), str1: `${beginning}: %s`, str2: name }
  return new RpcError(VIR_ERR_NO_SUPPORT, `${beginning}: ${name}`, details)
}

/** The connection may only read. Source: libvirt, src/internal.h (virCheckReadOnlyGoto). */
export function readOnly(name: string): RpcError {
  const reason = `read only access prevents ${name}`
  const details = { domain: speakerOf(name), str1: 'operation forbidden: %s', str2: reason }
  return new RpcError(VIR_ERR_OPERATION_DENIED, `operation forbidden: ${reason}`, details)
}

/** Something went wrong that nobody here foresaw; what it was is not for the client. */
export const internalError = (name: string): RpcError =>
  new RpcError(VIR_ERR_INTERNAL_ERROR, `internal error: ${name} failed unexpectedly`, { domain: VIR_FROM_RPC })

/** A stream broke the protocol, or was not taken. */
export const brokenStream = (message: string): RpcError =>
  new RpcError(VIR_ERR_RPC, message, { domain: VIR_FROM_STREAMS, str1: '%s', str2: message })
