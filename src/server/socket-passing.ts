import { Socket } from 'node:net'
import type * as koffi from 'koffi'

/** Source: Linux on every processor that Node runs on, but for those of MIPS: asm-generic/socket.h, linux/socket.h. */
const AF_UNIX = 1
const SOCK_STREAM = 1
const SOCK_CLOEXEC = 0o2000000
const SOL_SOCKET = 1
const SCM_RIGHTS = 1
const MSG_DONTWAIT = 0x40
const MSG_NOSIGNAL = 0x4000

/** A `cmsghdr` with one descriptor: length, level, type and descriptor. Source: cmsg(3), where words have 64 bits. */
const CONTROL_BYTES = 20
/** The same, as `CMSG_SPACE` pads it. */
const CONTROL_SPACE = 24

type NativeFunction = ReturnType<koffi.LibraryHandle['func']>

/** What the C library does for us. */
interface Library {
  readonly socketpair: NativeFunction
  readonly sendmsg: NativeFunction
  readonly close: NativeFunction
}

/** Sends a peer one end of a new pair of connected sockets, with a byte that is zero, and gives the other end. */
export type PassSocket = () => Socket

let loading: Promise<Library | undefined> | undefined

/**
 * Makes ready to pass sockets to the peer of a Unix socket. Undefined where this system cannot: Node does not pass any,
 * so that it takes the package koffi and Linux with words of 64 bits. What is passed goes out at once, past what the
 * socket has yet to write. Passing throws where the peer has no room for it.
 */
export async function socketPassing(socket: Socket): Promise<PassSocket | undefined> {
  loading ??= load()
  const library = await loading
  return library && (() => pass(library, descriptorOf(socket)))
}

async function load(): Promise<Library | undefined> {
  if (process.platform !== 'linux' || !['x64', 'arm64', 'riscv64'].includes(process.arch)) return undefined
  const module = await import('koffi').catch(() => undefined)
  if (module === undefined) return undefined
  const library = module.load(null)
  const iovec = module.struct({ iov_base: 'uint8_t *', iov_len: 'size_t' })
  const msghdr = module.struct({
    msg_name: 'void *',
    msg_namelen: 'uint32_t',
    msg_iov: module.pointer(iovec),
    msg_iovlen: 'size_t',
    msg_control: 'uint8_t *',
    msg_controllen: 'size_t',
    msg_flags: 'int',
  })
  return {
    socketpair: library.func('socketpair', 'int', ['int', 'int', 'int', module.out('int *')]),
    sendmsg: library.func('sendmsg', 'int64_t', ['int', module.pointer(msghdr), 'int']),
    close: library.func('close', 'int', ['int']),
  }
}

function pass({ socketpair, sendmsg, close }: Library, to: number): Socket {
  const pair = new Int32Array(2)
  if (Number(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) !== 0) {
    throw new Error('the system has no more sockets')
  }
  const [own = -1, theirs = -1] = pair
  try {
    const sent = Number(sendmsg(to, message(theirs), MSG_DONTWAIT | MSG_NOSIGNAL))
    if (sent !== 1) throw new Error('the peer cannot be passed a socket now')
    return new Socket({ fd: own })
  } catch (error) {
    close(own)
    throw error
  } finally {
    close(theirs)
  }
}

function message(descriptor: number) {
  const control = new Uint8Array(CONTROL_SPACE)
  const view = new DataView(control.buffer)
  view.setBigUint64(0, BigInt(CONTROL_BYTES), true)
  view.setInt32(8, SOL_SOCKET, true)
  view.setInt32(12, SCM_RIGHTS, true)
  view.setInt32(16, descriptor, true)
  return {
    msg_name: null,
    msg_namelen: 0,
    msg_iov: { iov_base: new Uint8Array(1), iov_len: 1 },
    msg_iovlen: 1,
    msg_control: control,
    msg_controllen: CONTROL_SPACE,
    msg_flags: 0,
  }
}

/** Node has it, and documents it nowhere but as what other sockets are made of. Source: nodejs.org, net, `server.listen(handle)`. */
function descriptorOf(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, '_handle')
  const descriptor: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined
  if (typeof descriptor !== 'number' || descriptor < 0) throw new Error('the connection is closed')
  return descriptor
}
