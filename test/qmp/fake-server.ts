import { createServer, type Socket } from 'node:net'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { once } from 'node:events'

/** A greeting as QEMU 7.2 sends it. */
export const GREETING = JSON.stringify({
  QMP: { version: { qemu: { micro: 22, minor: 2, major: 7 }, package: 'Debian' }, capabilities: ['oob'] },
})

/** Something that accepts connections where QEMU would. */
export interface FakeServer {
  readonly path: string
  readonly close: () => Promise<void>
}

/** Listens, and lets `talk` do with each connection what it likes. */
export async function listen(talk: (socket: Socket) => void): Promise<FakeServer> {
  const folder = await mkdtemp('/tmp/pv-')
  const path = join(folder, 'qmp.sock')
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => undefined) // The client may hang up on us; that is what some tests are about.
    socket.on('close', () => sockets.delete(socket))
    talk(socket)
  })
  server.listen(path)
  await once(server, 'listening')
  return {
    path,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A command as a server reads it. */
export interface Request {
  readonly execute: string
  readonly id: number
}

/** Greets, negotiates, and leaves every other command to `answer`; what it gives is sent. */
export function obedient(answer: (request: Request, socket: Socket) => string | undefined): (socket: Socket) => void {
  return socket => {
    socket.write(`${GREETING}\r\n`)
    let text = ''
    socket.on('data', chunk => {
      text += chunk.toString('utf8')
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) {
        const request: Request = JSON.parse(line)
        const reply = request.execute === 'qmp_capabilities' ? returned(request, {}) : answer(request, socket)
        if (reply !== undefined) socket.write(reply)
      }
    })
  }
}

/** A line that answers `request`. */
export const returned = ({ id }: Request, value: unknown): string => `${JSON.stringify({ return: value, id })}\r\n`
