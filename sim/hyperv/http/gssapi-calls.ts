import type koffiItself from 'koffi'
import type { LibraryHandle } from 'koffi'

/** A name, a token, a message: as the library is given it, and gives it. */
export interface Bytes {
  length?: number | bigint
  value?: Uint8Array | bigint | null
}

/** A part of a message that is sealed in parts. */
export interface Iov {
  type: number
  buffer: Bytes
}

/** An object identifier in DER, without tag and length. */
export interface Oid {
  readonly length: number
  readonly elements: Uint8Array
}

export interface List<Element> {
  readonly count: number
  readonly elements: readonly Element[]
}

/** Where credentials are kept. */
export interface Option {
  readonly key: string
  readonly value: string
}

/** What is bound into a context of the channel that it is in. */
export interface Channel {
  readonly initiatorType: number
  readonly initiator: Bytes
  readonly acceptorType: number
  readonly acceptor: Bytes
  readonly application: Bytes
}

/** What the library fills in. */
export type Out<Value> = [Value]
export type Handle = Out<bigint | null>

type Minor = Out<number>
type Nothing = null

/** The functions of the library that are called, with their names in C, and of them what is used. Source: RFC 2744. */
export interface Calls {
  gss_acquire_cred_from(
    minor: Minor,
    name: Nothing,
    seconds: number,
    mechanisms: List<Oid>,
    usage: number,
    store: List<Option>,
    credential: Handle,
    actual: Nothing,
    left: Nothing,
  ): number
  gss_set_neg_mechs(minor: Minor, credential: bigint, mechanisms: List<Oid>): number
  gss_accept_sec_context(
    minor: Minor,
    context: Handle,
    credential: bigint,
    input: Bytes,
    channel: Channel | null,
    client: Handle,
    mechanism: Nothing,
    output: Bytes,
    flags: Out<number>,
    seconds: Nothing,
    delegated: Nothing,
  ): number
  gss_display_name(minor: Minor, name: bigint, output: Bytes, type: Nothing): number
  gss_wrap_iov(
    minor: Minor,
    context: bigint,
    isToSeal: number,
    quality: number,
    isSealed: Out<number>,
    iov: Iov[],
    count: number,
  ): number
  gss_release_iov_buffer(minor: Minor, iov: Iov[], count: number): number
  gss_unwrap(
    minor: Minor,
    context: bigint,
    input: Bytes,
    output: Bytes,
    isSealed: Out<number>,
    quality: Nothing,
  ): number
  gss_delete_sec_context(minor: Minor, context: Handle, output: Nothing): number
  gss_release_buffer(minor: Minor, buffer: Bytes): number
  gss_release_name(minor: Minor, name: Handle): number
  gss_release_cred(minor: Minor, credential: Handle): number
}

type Koffi = typeof koffiItself
type Type = Parameters<Koffi['sizeof']>[0]

/** Where the functions of a library are. Its types stay without names: those would be of the whole process. */
export function bindCalls(koffi: Koffi, library: LibraryHandle): Calls {
  const { pointer, struct, out, inout } = koffi
  const buffer = struct({ length: 'size_t', value: 'void *' })
  const oid = struct({ length: 'uint32_t', elements: 'void *' })
  const oids = pointer(struct({ count: 'size_t', elements: pointer(oid) }))
  const store = pointer(struct({ count: 'uint32_t', elements: pointer(struct({ key: 'str', value: 'str' })) }))
  const ends = { initiatorType: 'uint32_t', initiator: buffer, acceptorType: 'uint32_t', acceptor: buffer }
  const channel = pointer(struct({ ...ends, application: buffer }))
  const iov = inout(pointer(struct({ type: 'uint32_t', buffer })))
  const int = out(pointer('int'))
  const [input, output, used] = [pointer(buffer), out(pointer(buffer)), inout(pointer(buffer))]
  const [handle, made, kept] = ['void *', out(pointer('void *')), inout(pointer('void *'))]
  const u32 = 'uint32_t'
  const define = (name: string, types: Type[]) => library.func(name, u32, [out(pointer(u32)), ...types])
  return {
    gss_acquire_cred_from: define('gss_acquire_cred_from', [handle, u32, oids, 'int', store, made, handle, handle]),
    gss_set_neg_mechs: define('gss_set_neg_mechs', [handle, oids]),
    gss_accept_sec_context: define('gss_accept_sec_context', [
      kept,
      handle,
      input,
      channel,
      made,
      handle,
      output,
      out(pointer(u32)),
      handle,
      handle,
    ]),
    gss_display_name: define('gss_display_name', [handle, output, handle]),
    gss_wrap_iov: define('gss_wrap_iov', [handle, 'int', u32, int, iov, 'int']),
    gss_release_iov_buffer: define('gss_release_iov_buffer', [iov, 'int']),
    gss_unwrap: define('gss_unwrap', [handle, input, output, int, handle]),
    gss_delete_sec_context: define('gss_delete_sec_context', [kept, handle]),
    gss_release_buffer: define('gss_release_buffer', [used]),
    gss_release_name: define('gss_release_name', [kept]),
    gss_release_cred: define('gss_release_cred', [kept]),
  }
}
