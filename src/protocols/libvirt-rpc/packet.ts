import type { Buffer } from 'node:buffer'
import { XdrReader } from '../../wire/xdr/reader.ts'
import { hyper, int, optional, readAll, struct, uint } from '../../wire/xdr/types.ts'
import { written, type XdrWriter } from '../../wire/xdr/writer.ts'
import { RpcConnectionError, RpcError } from './error.ts'
import { DESCRIPTORS_MAX, HEADER_BYTES, PACKET_BYTES_MAX } from './limits.ts'
import { VIR_ERR_NO_SUPPORT, VIR_ERR_RPC, VIR_FROM_RPC } from './refusals.ts'
import { domain, network, text } from './types.ts'

/** What a packet is. Source: libvirt, src/rpc/virnetprotocol.x (virNetMessageType). */
export const PacketType = {
  call: 0,
  reply: 1,
  /** An event, or keepalive. */
  message: 2,
  stream: 3,
  callWithDescriptors: 4,
  replyWithDescriptors: 5,
  hole: 6,
} as const

/** How it stands with a call or a stream. Source: libvirt, src/rpc/virnetprotocol.x (virNetMessageStatus). */
export const PacketStatus = {
  /** Well; of a stream, that it is finished. */
  ok: 0,
  /** An error is in the body; of a stream, a client's error has no body and aborts. */
  error: 1,
  /** A stream goes on. */
  more: 2,
} as const

/** What stands before every body. Source: libvirt, src/rpc/virnetprotocol.x (virNetMessageHeader). */
export interface PacketHeader {
  readonly program: number
  readonly version: number
  readonly procedure: number
  /** One of PacketType, or what a peer made up. */
  readonly type: number
  /** What a reply and the packets of a stream have in common with their call. */
  readonly serial: number
  /** One of PacketStatus, or what a peer made up. */
  readonly status: number
}

/** A packet that was received. */
export interface Packet extends PacketHeader {
  /** A view of the bytes that follow the header. */
  readonly body: Buffer
}

/**
 * How many bytes follow a call that comes with descriptors: one with each of them, whose number its body begins with. They
 * are left to the kernel, which closes what nobody takes. Throws RpcConnectionError, `limit`, for more than one call may have.
 * Source: libvirt, src/rpc/virnetmessage.c (virNetMessageDecodeNumFDs), src/util/virsocket.c (virSocketSendFD).
 */
export function bytesBehind({ type, body }: Packet): number {
  if (type !== PacketType.callWithDescriptors || body.length < COUNT_BYTES) return 0
  const count = body.readUInt32BE(0)
  if (count <= DESCRIPTORS_MAX) return count
  throw new RpcConnectionError('limit', `a call with ${count} descriptors where ${DESCRIPTORS_MAX} are allowed`)
}

const COUNT_BYTES = 4

/** Takes a packet apart. `frame` begins with the length and is exactly as long as that says, at least HEADER_BYTES. */
export function decodePacket(frame: Buffer): Packet {
  const reader = new XdrReader(frame, 4)
  return {
    program: reader.uint(),
    version: reader.uint(),
    procedure: reader.int(),
    type: reader.int(),
    serial: reader.uint(),
    status: reader.int(),
    body: frame.subarray(HEADER_BYTES),
  }
}

/**
 * Puts a packet together. Throws XdrError for a body that `writeBody` cannot write, and of kind `limit` for one that is
 * longer than libvirt takes.
 */
export function encodePacket(header: PacketHeader, writeBody?: (writer: XdrWriter) => void): Buffer {
  return written(PACKET_BYTES_MAX, writer => {
    writer.uint(0)
    writer.uint(header.program)
    writer.uint(header.version)
    writer.int(header.procedure)
    writer.int(header.type)
    writer.uint(header.serial)
    writer.int(header.status)
    writeBody?.(writer)
    writer.overwriteUint(writer.length, 0)
  })
}

/** A hole in a stream: so many bytes that are zero and were not sent. */
export const streamHole = struct({ length: hyper, flags: uint })

/** Source: libvirt, src/rpc/virnetprotocol.x (virNetMessageError). */
const remoteError = struct({
  code: int,
  domain: int,
  message: optional(text),
  level: int,
  dom: optional(domain),
  str1: optional(text),
  str2: optional(text),
  str3: optional(text),
  int1: int,
  int2: int,
  net: optional(network),
})

/** What is kept of a text in an error that is answered. */
const ERROR_TEXT_LENGTH_MAX = 4096

/** Writes an error as the body of a reply or of a stream's packet; what its texts hold that no text may, is replaced. */
export function writeError(writer: XdrWriter, error: RpcError): void {
  const { code, domain: speaker, level, message, str1, str2, str3, int1, int2 } = error
  const dom = null
  const net = null
  const texts = { message: tame(message), str1: tameOr(str1), str2: tameOr(str2), str3: tameOr(str3) }
  remoteError.write(writer, { code, domain: speaker, level, dom, int1, int2, net, ...texts })
}

/**
 * Reads the error in the body of a reply or of a stream's packet. A procedure that the server does not know is told
 * like a function that its host does not have, as libvirt's own client does. Throws XdrError where there is none.
 */
export function readError(body: Buffer): RpcError {
  const { code, message, dom: _, net: __, ...details } = readAll(remoteError, body)
  const isUnknown =
    code === VIR_ERR_RPC && details.domain === VIR_FROM_RPC && message?.startsWith('unknown procedure') === true
  return new RpcError(isUnknown ? VIR_ERR_NO_SUPPORT : code, message ?? `error ${code}`, details)
}

const tame = (value: string): string => value.slice(0, ERROR_TEXT_LENGTH_MAX).replaceAll('\0', '\uFFFD').toWellFormed()

const tameOr = (value: string | null): string | null => (value === null ? null : tame(value))
