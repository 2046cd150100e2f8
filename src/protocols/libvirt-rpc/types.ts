/** The types of libvirt's protocol that many procedures share. Source: libvirt, src/remote/remote_protocol.x. */

import { Buffer, isUtf8 } from 'node:buffer'
import { XdrError } from '../../wire/xdr/error.ts'
import {
  bool,
  double,
  hyper,
  int,
  string,
  struct,
  uhyper,
  uint,
  union,
  type ValueOf,
  type XdrType,
} from '../../wire/xdr/types.ts'
import { MAXIMA } from './maxima.ts'

/** A text, as nearly all of them are bounded. */
export const text = string(MAXIMA.STRING_MAX)

const UUID_BYTES = 16
const UUID_LENGTH = 36
const HYPHEN = 0x2d
/** What each character is as a digit; -1 for those that are none. */
const DIGITS = Int8Array.from({ length: 0x80 }, (_, code) => {
  const character = String.fromCharCode(code)
  return /[\da-f]/i.test(character) ? Number.parseInt(character, 16) : -1
})

/** A UUID: 16 bytes on the wire, here its text in lower case. */
export const uuid: XdrType<string> = {
  bytesMin: UUID_BYTES,
  read: reader => {
    const digits = reader.fixedBytes(UUID_BYTES).toString('hex')
    const part = (start: number, end: number) => digits.slice(start, end)
    return `${part(0, 8)}-${part(8, 12)}-${part(12, 16)}-${part(16, 20)}-${part(20, 32)}`
  },
  write: (writer, value) => {
    if (value.length !== UUID_LENGTH || !isParted(value)) throw noUuid()
    writer.uint(digits(value, 0) * 0x1_0000 + digits(value, 4))
    writer.uint(digits(value, 9) * 0x1_0000 + digits(value, 14))
    writer.uint(digits(value, 19) * 0x1_0000 + digits(value, 24))
    writer.uint(digits(value, 28) * 0x1_0000 + digits(value, 32))
  },
}

const noUuid = () => new XdrError('unwritable', 'no UUID')

const isParted = (text: string): boolean =>
  text.charCodeAt(8) === HYPHEN &&
  text.charCodeAt(13) === HYPHEN &&
  text.charCodeAt(18) === HYPHEN &&
  text.charCodeAt(23) === HYPHEN

/** Four digits. Lists of thousands of objects are mostly UUIDs, so that these are read by hand. */
function digits(text: string, at: number): number {
  const [first, second] = [digit(text, at), digit(text, at + 1)]
  const [third, fourth] = [digit(text, at + 2), digit(text, at + 3)]
  if ((first | second | third | fourth) < 0) throw noUuid()
  return (first << 12) | (second << 8) | (third << 4) | fourth
}

const digit = (text: string, at: number): number => DIGITS[text.charCodeAt(at)] ?? -1

const CHAR_MAX = 0x7f
const CHAR_MIN = -0x80
const CHAR_BYTES = 4

/** A `char` of C, which the wire carries in 32 bits, signed; here the byte. */
function readChar(value: number): number {
  if (value < CHAR_MIN || value > 0xff) throw new XdrError('malformed', 'a character is no byte')
  return value & 0xff
}

const writeChar = (byte: number): number => (byte > CHAR_MAX ? byte - 0x100 : byte)

/** An array of `char` of at most `lengthMax`: bytes that take four times their room. */
export const chars = (lengthMax: number): XdrType<Uint8Array> => ({
  bytesMin: CHAR_BYTES,
  read: reader => {
    const length = reader.length(lengthMax, 'characters')
    if (length * CHAR_BYTES > reader.remaining) throw new XdrError('truncated', `${length} characters do not fit`)
    return Uint8Array.from({ length }, () => readChar(reader.int()))
  },
  write: (writer, value) => {
    writer.count(value.length, lengthMax, 'characters')
    for (const byte of value) writer.int(writeChar(byte))
  },
})

/** A text in an array of exactly `length` times `char`, which a NUL ends. */
export const charText = (length: number): XdrType<string> => ({
  bytesMin: length * CHAR_BYTES,
  read: reader => {
    const characters = Buffer.from(Array.from({ length }, () => readChar(reader.int())))
    const end = characters.indexOf(0)
    const written = characters.subarray(0, end < 0 ? length : end)
    if (!isUtf8(written)) throw new XdrError('malformed', 'a text is not UTF-8')
    return written.toString('utf8')
  },
  write: (writer, value) => {
    const characters = Buffer.from(value, 'utf8')
    if (characters.length >= length) throw new XdrError('unwritable', `a text of ${length} bytes or more`)
    if (characters.includes(0) || !value.isWellFormed()) throw new XdrError('unwritable', 'a text that is none of C')
    for (let index = 0; index < length; index++) writer.int(writeChar(characters[index] ?? 0))
  },
})

/** A domain. `id` is -1 while it does not run. */
export const domain = struct({ name: text, uuid, id: int })
/** A domain, by name, UUID and number. */
export type RpcDomain = ValueOf<typeof domain>

/** A network. */
export const network = struct({ name: text, uuid })
/** A network, by name and UUID. */
export type RpcNetwork = ValueOf<typeof network>

/** A filter of a network's packets. */
export const nwfilter = struct({ name: text, uuid })

/** An interface of the host. */
export const networkInterface = struct({ name: text, mac: text })

/** A storage pool. */
export const storagePool = struct({ name: text, uuid })
/** A storage pool, by name and UUID. */
export type RpcStoragePool = ValueOf<typeof storagePool>

/** A storage volume; `pool` is the pool's name. */
export const storageVol = struct({ pool: text, name: text, key: text })
/** A storage volume, by pool, name and key. */
export type RpcStorageVol = ValueOf<typeof storageVol>

/** A device of the host. */
export const nodeDevice = struct({ name: text })

/** A snapshot of a domain. */
export const domainSnapshot = struct({ name: text, dom: domain })
/** A snapshot, by name and domain. */
export type RpcDomainSnapshot = ValueOf<typeof domainSnapshot>

/** A named value of one of seven types. Source: libvirt, include/libvirt/libvirt-common.h (virTypedParameterType). */
export const typedParam = struct({
  field: text,
  value: union({
    int: [1, int],
    uint: [2, uint],
    llong: [3, hyper],
    ullong: [4, uhyper],
    double: [5, double],
    boolean: [6, bool],
    string: [7, text],
  }),
})
/** A named value, with the name of its type. */
export type TypedParam = ValueOf<typeof typedParam>
