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
const HYPHENS = [8, 13, 18, 23]
/** Where the digits of each of its four words stand in the text. */
const WORDS = [
  [0, 1, 2, 3, 4, 5, 6, 7],
  [9, 10, 11, 12, 14, 15, 16, 17],
  [19, 20, 21, 22, 24, 25, 26, 27],
  [28, 29, 30, 31, 32, 33, 34, 35],
]

/** A UUID: 16 bytes on the wire, here its text in lower case. */
export const uuid: XdrType<string> = {
  bytesMin: UUID_BYTES,
  read: reader => {
    const digits = reader.fixedBytes(UUID_BYTES).toString('hex')
    const part = (start: number, end: number) => digits.slice(start, end)
    return `${part(0, 8)}-${part(8, 12)}-${part(12, 16)}-${part(16, 20)}-${part(20, 32)}`
  },
  write: (writer, value) => {
    if (value.length !== UUID_LENGTH || HYPHENS.some(at => value[at] !== '-'))
      throw new XdrError('unwritable', 'no UUID')
    for (const digits of WORDS) {
      let word = 0
      for (const at of digits) word = word * 16 + hexDigit(value, at)
      writer.uint(word)
    }
  },
}

/** Lists of thousands of objects are mostly UUIDs, so these are read here and not by a call out of the engine. */
function hexDigit(text: string, at: number): number {
  const code = text.charCodeAt(at)
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const letter = code | 0x20
  if (letter >= 0x61 && letter <= 0x66) return letter - 0x61 + 10
  throw new XdrError('unwritable', 'no UUID')
}

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
