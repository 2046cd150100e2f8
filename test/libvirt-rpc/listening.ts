import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'

/** A Unix socket that accepts connections. */
export interface Listening {
  readonly path: string
  readonly close: () => Promise<void>
}

/** Listens on a Unix socket in a folder of its own, and hands each connection to `take`. */
export async function listen(take: (socket: Socket) => void): Promise<Listening> {
  const folder = await mkdtemp('/tmp/pv-') // Short, for the sake of the socket's name.
  const path = join(folder, 'sock')
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    take(socket)
  })
  server.listen(path)
  await once(server, 'listening')
  const close = async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await rm(folder, { recursive: true, force: true })
  }
  return { path, close }
}
