import {
  booleanMember,
  integerMember,
  type JsonObject,
  stringMember,
  toJsonObject,
} from '../../../protocols/qmp/json.ts'
import type { Guarded } from './guard.ts'
import type { Lease } from './leases.ts'

/** Rises whenever an older driver and a newer switch would misunderstand one another. */
export const PROTOCOL_VERSION = 1

/** The longest line that either side of the control socket takes. */
export const LINE_BYTES_MAX = 16 * 1_048_576

/** A port as it is to be. */
export interface PortWish {
  /** Unique in the switch. */
  readonly id: string
  /** The Unix socket on which QEMU listens. */
  readonly path: string
  /** The network it is plugged into; null for none. */
  readonly segment: string | null
  /** Of a way out through the host's own sockets: what is kept from the host behind it. */
  readonly guarded?: Guarded | undefined
  /** Whether what lies behind it is the outside, which may give addresses to guests. */
  readonly isOutside?: boolean | undefined
  /** What the port has counted before, in a switch that is gone; an older driver tells of bytes alone. */
  readonly receivedBytes: number
  readonly sentBytes: number
  readonly receivedPackets?: number
  readonly sentPackets?: number
  readonly droppedPackets?: number
  readonly brokenPackets?: number
}

/** What went through a port, from the side of the guest behind it. */
export interface PortCounters {
  readonly id: string
  /** What was passed on to the guest. */
  readonly receivedBytes: number
  readonly receivedPackets: number
  /** What the guest has sent. */
  readonly sentBytes: number
  readonly sentPackets: number
  /** What the guest should have got and was too slow for, and what it sent and was no frame. */
  readonly droppedPackets: number
  /** Of those, the second. Absent where a switch of an older version does not tell them apart. */
  readonly brokenPackets?: number
}

/** A port as it is. */
export interface PortStatus extends PortCounters {
  readonly path: string
  readonly segment: string | null
  readonly isConnected: boolean
}

/** What the switch says first on its control socket. */
export interface Greeting {
  readonly version: number
  readonly pid: number
}

/** The commands of the control socket: one line of JSON each, with an `id` that the answer repeats. */
export type Command =
  | { readonly command: 'put'; readonly port: PortWish }
  | { readonly command: 'remove'; readonly port: string }
  /** Of the ports whose ids begin so. */
  | { readonly command: 'status'; readonly prefix: string }
  /** Of the guests of a network. */
  | { readonly command: 'leases'; readonly segment: string }

const readGuarded = (object: JsonObject): Guarded => ({
  net: stringMember(object, 'net'),
  gateway: stringMember(object, 'gateway'),
  dns: stringMember(object, 'dns'),
})

const PACKETS = ['receivedPackets', 'sentPackets', 'droppedPackets', 'brokenPackets'] as const

/** Those counters of packets that there are. */
const readPackets = (object: JsonObject): Partial<Record<(typeof PACKETS)[number], number>> =>
  Object.fromEntries(PACKETS.flatMap(name => (name in object ? [[name, integerMember(object, name)]] : [])))

/** Reads a port that is to be. Throws JsonShapeError. */
export const readPortWish = (object: JsonObject): PortWish => ({
  id: stringMember(object, 'id'),
  path: stringMember(object, 'path'),
  segment: object['segment'] === null ? null : stringMember(object, 'segment'),
  receivedBytes: integerMember(object, 'receivedBytes'),
  sentBytes: integerMember(object, 'sentBytes'),
  ...readPackets(object),
  ...('isOutside' in object && { isOutside: booleanMember(object, 'isOutside') }),
  ...('guarded' in object && { guarded: readGuarded(toJsonObject(object['guarded'], 'guarded')) }),
})

/** Reads a port that is. Throws JsonShapeError. */
export const readPortStatus = (object: JsonObject): PortStatus => ({
  ...readPortWish(object),
  receivedPackets: integerMember(object, 'receivedPackets'),
  sentPackets: integerMember(object, 'sentPackets'),
  droppedPackets: integerMember(object, 'droppedPackets'),
  isConnected: booleanMember(object, 'isConnected'),
})

/** Reads a lease. Throws JsonShapeError. */
export const readLease = (object: JsonObject): Lease => ({
  mac: stringMember(object, 'mac'),
  address: stringMember(object, 'address'),
  prefix: integerMember(object, 'prefix'),
  hostname: object['hostname'] === null ? null : stringMember(object, 'hostname'),
  clientId: object['clientId'] === null ? null : stringMember(object, 'clientId'),
  expiresAtMs: object['expiresAtMs'] === null ? null : integerMember(object, 'expiresAtMs'),
})

/** Reads a greeting. Throws JsonShapeError. */
export const readGreeting = (object: JsonObject): Greeting => ({
  version: integerMember(object, 'version'),
  pid: integerMember(object, 'pid'),
})
