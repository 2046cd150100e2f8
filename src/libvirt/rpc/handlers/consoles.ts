import type { Duplex } from 'node:stream'
import type { Handlers, RpcStream } from '../../../protocols/libvirt-rpc/index.ts'
import { VIR_ERR_NO_DOMAIN } from '../../error-numbers.ts'
import type { Client } from '../client.ts'
import { servedBy } from '../served-stream.ts'

/** Sitting at guests' consoles. */
export const consoleHandlers: Handlers<Client> = {
  async DOMAIN_OPEN_CONSOLE({ dom, dev_name, flags }, { context, connection, stream }) {
    const line = await context.domain(dom).openConsole(dev_name ?? undefined, flags)
    const leave = () => line.destroy()
    connection.signal.addEventListener('abort', leave, { once: true })
    line.once('close', () => connection.signal.removeEventListener('abort', leave))
    try {
      stream(servedBy(context.host, VIR_ERR_NO_DOMAIN, (remote, signal) => carry(line, remote, signal)))
    } catch (error) {
      leave()
      throw error
    }
    if (!connection.isOpen) leave()
  },
}

/**
 * Carries what the guest prints to the client, and what is typed to the guest, neither faster than it is taken, until one
 * of them has had enough. Rejects with what the line was destroyed with.
 */
async function carry(line: Duplex, remote: RpcStream, signal: AbortSignal): Promise<void> {
  const leave = () => line.destroy()
  signal.addEventListener('abort', leave, { once: true })
  try {
    void type(line, remote)
    for await (const piece of pieces(line)) await remote.write(piece)
  } finally {
    signal.removeEventListener('abort', leave)
    leave()
  }
}

/** What a line brings, until it ends or is closed. Throws what it was destroyed with. */
async function* pieces(line: Duplex): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of line) if (piece instanceof Uint8Array) yield piece
  } catch (error) {
    if (line.errored !== null) throw error // Else it was closed, which is no more than an end.
  }
}

/** Never rejects: what becomes of the line or of the stream, those hear who read from it. */
async function type(line: Duplex, remote: RpcStream): Promise<void> {
  try {
    for await (const piece of remote) {
      if (piece instanceof Uint8Array) await written(line, piece)
    }
  } catch {
    line.destroy()
  }
}

const written = (line: Duplex, piece: Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    line.write(piece, error => {
      if (error === undefined || error === null) resolve()
      else reject(error)
    })
  })
