import { type Bytes, bindCalls, type Calls, type Handle, type Iov, type Oid } from './gssapi-calls.ts'

/** What `accept` came to. */
export interface Accepted {
  /** 0 where nothing more is to come. */
  readonly status: number
  /** The context so far, to be deleted whatever the status. */
  readonly context: bigint | null
  /** What the client is to be told; may be empty. */
  readonly token: Buffer
  readonly flags: number
  /** Who asks, `user@REALM`, where that is known already. */
  readonly client: string | undefined
}

/** A message that was sealed in two parts, as Windows' own interface makes them. */
export interface Wrapped {
  readonly header: Buffer
  /** With its padding. */
  readonly data: Buffer
}

/** A status that says more is to come. Source: RFC 2744, §3.9.1. */
export const CONTINUE_NEEDED = 1
/** A flag that says both sides spoke of the same channel. Source: MIT Kerberos, gssapi_ext.h. */
export const CHANNEL_BOUND = 2048

const LIBRARY = 'libgssapi_krb5.so.2'
const ACCEPT = 2
const KERBEROS = oid('2a864886f712010202')
const SPNEGO = oid('2b0601050502')
/** Kinds of parts of a message. Source: MIT Kerberos, gssapi_ext.h. */
const IOV = { data: 1, header: 2, padding: 9, allocate: 0x10000 } as const
/** Errors are in the upper half; what lies below tells of repeated and missing messages. Source: RFC 2744, §3.9.1. */
const ERRORS = 0xffff0000
const NO_ADDRESS = { length: 0, value: null } as const satisfies Bytes

/**
 * The system's GSSAPI library, of MIT Kerberos. Handles are its pointers; whoever is given one gives it back, once.
 * What the library says is never repeated: it may name keys and files.
 */
export class Gssapi {
  readonly #calls: Calls
  readonly #view: (at: bigint, length: number) => ArrayBuffer

  private constructor(calls: Calls, view: (at: bigint, length: number) => ArrayBuffer) {
    this.#calls = calls
    this.#view = view
  }

  /** Rejects where the library, or what calls it, is not installed. */
  static async load(): Promise<Gssapi> {
    const { default: koffi } = await import('koffi')
    return new Gssapi(bindCalls(koffi, koffi.load(LIBRARY)), koffi.view)
  }

  /** Credentials of every service in a keytab, for Kerberos by itself and in SPNEGO. Undefined where there are none. */
  acquireAcceptor(keytab: string): bigint | undefined {
    // Asked for by itself first: in SPNEGO, another mechanism of the system could stand in for it.
    const probe = this.#acquire(keytab, KERBEROS)
    if (probe === undefined) return undefined
    this.releaseCredential(probe)
    const acquired = this.#acquire(keytab, KERBEROS, SPNEGO)
    if (acquired === undefined) return undefined
    const only = { count: 1, elements: [KERBEROS] }
    if (!isError(this.#calls.gss_set_neg_mechs([0], acquired, only))) return acquired
    this.releaseCredential(acquired)
    return undefined
  }

  /** Takes a token of the client. `application` are the data that bind the context to its channel. */
  accept(context: bigint | null, credential: bigint, token: Uint8Array, application: Uint8Array | undefined): Accepted {
    const handle: Handle = [context]
    const client: Handle = [null]
    const flags: [number] = [0]
    const [input, output] = [bytesOf(token), empty()]
    const channel = application === undefined ? null : channelOf(application)
    const calls = this.#calls
    const status = calls.gss_accept_sec_context(
      [0],
      handle,
      credential,
      input,
      channel,
      client,
      null,
      output,
      flags,
      null,
      null,
    )
    return {
      status: isError(status) ? status : status & CONTINUE_NEEDED,
      context: handle[0],
      token: this.#take(output),
      flags: flags[0],
      client: this.#takeName(client),
    }
  }

  /** Undefined where it cannot be sealed. */
  wrap(context: bigint, message: Uint8Array): Wrapped | undefined {
    // The library seals in place.
    const data = Buffer.from(message)
    const iov: Iov[] = [
      { type: IOV.header | IOV.allocate, buffer: empty() },
      { type: IOV.data, buffer: bytesOf(data) },
      { type: IOV.padding | IOV.allocate, buffer: empty() },
    ]
    const isSealed: [number] = [0]
    const status = this.#calls.gss_wrap_iov([0], context, 1, 0, isSealed, iov, iov.length)
    const [header, padding] = [this.#copy(iov[0]?.buffer), this.#copy(iov[2]?.buffer)]
    this.#calls.gss_release_iov_buffer([0], iov, iov.length)
    if (isError(status) || isSealed[0] === 0) return undefined
    return { header, data: padding.length === 0 ? data : Buffer.concat([data, padding]) }
  }

  /** Undefined for what was not sealed on the other side, or not next. */
  unwrap(context: bigint, token: Uint8Array): Buffer | undefined {
    const output = empty()
    const isSealed: [number] = [0]
    const status = this.#calls.gss_unwrap([0], context, bytesOf(token), output, isSealed, null)
    const message = this.#take(output)
    return status === 0 && isSealed[0] !== 0 ? message : undefined
  }

  deleteContext(context: bigint): void {
    this.#calls.gss_delete_sec_context([0], [context], null)
  }

  releaseCredential(credential: bigint): void {
    this.#calls.gss_release_cred([0], [credential])
  }

  #acquire(keytab: string, ...elements: readonly Oid[]): bigint | undefined {
    const store = { count: 1, elements: [{ key: 'keytab', value: `FILE:${keytab}` }] }
    const mechanisms = { count: elements.length, elements }
    const credential: Handle = [null]
    const status = this.#calls.gss_acquire_cred_from([0], null, 0, mechanisms, ACCEPT, store, credential, null, null)
    return isError(status) ? undefined : (credential[0] ?? undefined)
  }

  /** Copies what the library gave, and gives it back. */
  #take(output: Bytes): Buffer {
    const copy = this.#copy(output)
    this.#calls.gss_release_buffer([0], output)
    return copy
  }

  #copy(bytes: Bytes | undefined): Buffer {
    const { value, length } = bytes ?? empty()
    if (typeof value !== 'bigint') return Buffer.alloc(0)
    return Buffer.from(Buffer.from(this.#view(value, Number(length))))
  }

  #takeName(handle: Handle): string | undefined {
    const [name] = handle
    if (name === null) return undefined
    const output = empty()
    const status = this.#calls.gss_display_name([0], name, output, null)
    const text = this.#take(output).toString('utf8')
    this.#calls.gss_release_name([0], handle)
    return isError(status) ? undefined : text
  }
}

function oid(hex: string): Oid {
  const elements = Buffer.from(hex, 'hex')
  return { length: elements.length, elements }
}

function empty(): Bytes {
  return { length: 0, value: null }
}

function bytesOf(value: Uint8Array): Bytes {
  return { length: value.length, value }
}

function channelOf(application: Uint8Array) {
  const ends = { initiatorType: 0, initiator: NO_ADDRESS, acceptorType: 0, acceptor: NO_ADDRESS }
  return { ...ends, application: bytesOf(application) }
}

function isError(status: number): boolean {
  return (status & ERRORS) !== 0
}
