import type * as koffi from 'koffi'
import { AuthError } from './auth-error.ts'

/** What the system's own library is called: MIT Kerberos, as Linux distributions have it. */
const LIBRARY = 'libgssapi_krb5.so.2'
/** As many lines as an error is described in. */
const STATUS_LINES_MAX = 8

/** Something in the library's memory. */
export type GssHandle = bigint | null

/** `gss_buffer_desc`: bytes of ours, or of the library's until they are released. */
export interface GssBuffer {
  length: number | bigint
  value: Uint8Array | GssHandle
}

/** `gss_iov_buffer_desc`: one of the pieces of which a sealed message is made. */
export interface GssPiece {
  type: number
  buffer: GssBuffer
}

/** `gss_OID_desc`: an object identifier in DER, without its head. */
export interface GssOid {
  readonly length: number
  readonly elements: Uint8Array
}

/**
 * The functions that are used and what their arguments are, after the mechanism's status, which all have first. A star
 * marks what the function writes; `null` is what we never give. Source: RFC 2744; MIT's gssapi_ext.h for the others.
 */
const FUNCTIONS = {
  gss_import_name: 'buffer oid handle*',
  gss_release_name: 'handle*',
  gss_acquire_cred_from: 'handle u32 oids int store handle* null null',
  gss_acquire_cred_with_password: 'handle buffer u32 oids int handle* null null',
  gss_release_cred: 'handle*',
  gss_init_sec_context: 'handle handle* handle oid u32 u32 bindings buffer null buffer* u32* null',
  gss_delete_sec_context: 'handle* null',
  gss_wrap_iov: 'handle int u32 int* pieces* int',
  gss_unwrap_iov: 'handle int* u32* pieces* int',
  gss_release_iov_buffer: 'pieces* int',
  gss_release_buffer: 'buffer*',
  gss_get_mic: 'handle u32 buffer buffer*',
  gss_verify_mic: 'handle buffer buffer u32*',
  gss_display_status: 'u32 int oid u32* buffer*',
} as const

/** A function of the library that is used. */
export type GssFunction = keyof typeof FUNCTIONS

/** The library. */
export interface GssLibrary {
  /**
   * Calls a function on a thread of its own, for it may wait for the network. Resolves with its status where that is no
   * error, else rejects with AuthError.
   */
  call(name: GssFunction, ...args: readonly unknown[]): Promise<number>
  /** A copy of the bytes that the library has filled in. */
  copy(buffer: GssBuffer): Uint8Array
}

let loading: Promise<GssLibrary> | undefined

/** The system's GSSAPI library. Rejects with AuthError, which says what to install, where it cannot be had. */
export function loadGssLibrary(): Promise<GssLibrary> {
  // What was missing may have been installed when it is asked for again.
  loading ??= load().catch((error: unknown) => {
    loading = undefined
    throw error
  })
  return loading
}

type Koffi = typeof koffi

async function load(): Promise<GssLibrary> {
  const koffi = await importKoffi()
  const library = openLibrary(koffi)
  const types = argumentTypes(koffi)
  const functions = new Map(
    Object.entries(FUNCTIONS).map(([name, args]) => {
      const parameters = ['u32*', ...args.split(' ')].map(kind => types[kind] ?? koffi.pointer('void'))
      return [name, library.func(name, 'uint32_t', parameters)]
    }),
  )
  const copy = (buffer: GssBuffer) => copyBuffer(koffi, buffer)
  const describe = (status: number, kind: StatusKind) => {
    const display = functions.get('gss_display_status')
    const lines: string[] = []
    const context = [0]
    do {
      const text: GssBuffer = { length: 0, value: null }
      if (Number(display?.([0], status, kind, null, context, text)) !== 0) break
      lines.push(Buffer.from(copy(text)).toString('utf8'))
      functions.get('gss_release_buffer')?.([0], text)
    } while (context[0] !== 0 && lines.length < STATUS_LINES_MAX)
    return lines.join('; ')
  }
  const call = async (name: GssFunction, ...args: readonly unknown[]) => {
    const minor = [0]
    const major = await promise(functions.get(name), [minor, ...args])
    if (isError(major)) throw gssError(name, { major, minor: minor[0] ?? 0 }, describe)
    return major
  }
  return { call, copy }
}

async function importKoffi(): Promise<Koffi> {
  try {
    return await import('koffi')
  } catch (cause) {
    throw new AuthError('refused', 'Kerberos needs the package koffi, which is not here; install it with npm', {
      cause,
    })
  }
}

function openLibrary(koffi: Koffi): koffi.LibraryHandle {
  try {
    return koffi.load(LIBRARY)
  } catch (cause) {
    const where = 'which is not here; install MIT Kerberos (on Debian libgssapi-krb5-2)'
    throw new AuthError('refused', `Kerberos needs the system's ${LIBRARY}, ${where}`, { cause })
  }
}

/** How koffi is told of an argument; it does not name the type. */
type ArgumentType = Parameters<Koffi['sizeof']>[0]

function argumentTypes(koffi: Koffi): Readonly<Record<string, ArgumentType>> {
  const { pointer, out, inout, struct } = koffi
  const buffer = struct({ length: 'size_t', value: 'void *' })
  const oid = struct({ length: 'uint32_t', elements: 'void *' })
  const bindings = struct({
    initiatorType: 'uint32_t',
    initiator: buffer,
    acceptorType: 'uint32_t',
    acceptor: buffer,
    application: buffer,
  })
  const element = struct({ key: 'str', value: 'str' })
  return {
    int: 'int',
    'int*': out(pointer('int')),
    u32: 'uint32_t',
    'u32*': inout(pointer('uint32_t')),
    handle: 'void *',
    'handle*': inout(pointer('void *')),
    null: 'void *',
    buffer: pointer(buffer),
    'buffer*': inout(pointer(buffer)),
    oid: pointer(oid),
    oids: pointer(struct({ count: 'size_t', elements: pointer(oid) })),
    store: pointer(struct({ count: 'uint32_t', elements: pointer(element) })),
    bindings: pointer(bindings),
    'pieces*': inout(pointer(struct({ type: 'uint32_t', buffer }))),
  }
}

function copyBuffer(koffi: Koffi, { length, value }: GssBuffer): Uint8Array {
  const bytes = Number(length)
  if (value === null || bytes === 0) return new Uint8Array(0)
  if (value instanceof Uint8Array) return Uint8Array.from(value.subarray(0, bytes))
  return Uint8Array.from(new Uint8Array(koffi.view(value, bytes)))
}

type NativeFunction = ReturnType<koffi.LibraryHandle['func']>

function promise(called: NativeFunction | undefined, args: readonly unknown[]): Promise<number> {
  return new Promise((resolve, reject) => {
    called?.async(...args, (error: unknown, major: unknown) => {
      // The library works on our bytes meanwhile: this holds them.
      if (args.length === 0 || error !== null)
        reject(new AuthError('refused', 'GSSAPI cannot be called', { cause: error }))
      else resolve(Number(major))
    })
  })
}

/** Which of the two statuses is described: GSSAPI's or the mechanism's. Source: RFC 2744, section 5.11. */
const STATUS_KIND = { general: 1, mechanism: 2 } as const
type StatusKind = (typeof STATUS_KIND)[keyof typeof STATUS_KIND]

/** GSSAPI's errors that say that what came is not what was sent. Source: RFC 2744, section 3.9.1. */
const BROKEN: readonly number[] = [6, 9]
/**
 * Kerberos' errors that say that no distribution centre is found, none answers, or its name cannot be resolved.
 * Source: MIT's krb5_err.et, KRB5_REALM_UNKNOWN, KRB5_KDC_UNREACH, KRB5_REALM_CANT_RESOLVE.
 */
const NO_CENTRE: readonly number[] = [-1_765_328_230 >>> 0, -1_765_328_228 >>> 0, -1_765_328_164 >>> 0]

/** Errors are in the upper half; the lower half adds to success. Source: RFC 2744, section 3.9.1. */
function isError(major: number): boolean {
  return major >>> 16 !== 0
}

function gssError(
  name: GssFunction,
  { major, minor }: { major: number; minor: number },
  describe: (status: number, kind: StatusKind) => string,
): AuthError {
  const detail = minor === 0 ? '' : describe(minor, STATUS_KIND.mechanism)
  const text = detail === '' ? describe(major, STATUS_KIND.general) : detail
  const failure = BROKEN.includes((major >>> 16) & 0xff) ? 'malformed' : 'refused'
  return new AuthError(NO_CENTRE.includes(minor) ? 'unreachable' : failure, `Kerberos (${name}): ${text}`)
}
