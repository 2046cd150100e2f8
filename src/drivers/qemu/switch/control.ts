import { createServer, type Server, type Socket } from 'node:net'
import { JsonShapeError, type JsonObject, stringMember, toJsonObject } from '../../../protocols/qmp/json.ts'
import { LineSplitter } from '../../../protocols/qmp/lines.ts'
import type { Fabric } from './fabric.ts'
import { LINE_BYTES_MAX, type PortStatus, PROTOCOL_VERSION, readPortWish } from './messages.ts'

/** Controllers at once; one is all that is needed, a second comes while a first has not gone yet. */
const CONTROLLERS_MAX = 8

/** The control socket of a switch: takes commands, and tells when the last controller has gone. */
export class ControlServer {
  readonly #fabric: Fabric
  readonly #server: Server
  readonly #controllers = new Set<Socket>()
  readonly #onLeft: () => void

  constructor(fabric: Fabric, onLeft: () => void) {
    this.#fabric = fabric
    this.#onLeft = onLeft
    this.#server = createServer(socket => this.#accept(socket))
    this.#server.maxConnections = CONTROLLERS_MAX
  }

  get isControlled(): boolean {
    return this.#controllers.size > 0
  }

  /** Resolves when controllers may come; rejects where the path cannot be listened on. */
  async listen(path: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#server.once('error', reject)
    this.#server.listen({ path }, resolve)
    await promise
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#controllers) socket.destroy()
  }

  #accept(socket: Socket): void {
    const lines = new LineSplitter(LINE_BYTES_MAX)
    this.#controllers.add(socket)
    socket.on('data', chunk => {
      try {
        for (const line of lines.push(chunk)) this.#take(socket, line)
      } catch (error) {
        if (!(error instanceof SyntaxError || error instanceof RangeError || error instanceof JsonShapeError))
          throw error
        // Whoever sends this speaks something else.
        socket.destroy()
      }
    })
    // The end of the connection follows, and is all there is to know.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#controllers.delete(socket)
      if (!this.isControlled) this.#onLeft()
    })
    this.#tell(socket, { version: PROTOCOL_VERSION, pid: process.pid })
  }

  #take(socket: Socket, line: string): void {
    const message = toJsonObject(JSON.parse(line), 'the command')
    const { id } = message
    try {
      this.#tell(socket, { id, result: this.#obey(message) })
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof JsonShapeError)) throw error
      this.#tell(socket, { id, error: error.message })
    }
  }

  #obey(message: JsonObject): unknown {
    const command = stringMember(message, 'command')
    switch (command) {
      case 'put':
        this.#fabric.put(readPortWish(toJsonObject(message['port'], 'port')))
        return null
      case 'remove':
        this.#fabric.remove(stringMember(message, 'port'))
        return null
      case 'leases':
        return { leases: this.#fabric.leases(stringMember(message, 'segment')) }
      case 'status':
        return { ports: this.#status(stringMember(message, 'prefix')) }
      default:
        throw new JsonShapeError(`no command ${command}`)
    }
  }

  #status(prefix: string): PortStatus[] {
    const ports = this.#fabric.ports.filter(({ id }) => id.startsWith(prefix))
    return ports.map(({ counters, path, segment, isConnected }) => ({
      ...counters,
      path,
      segment,
      isConnected,
    }))
  }

  #tell(socket: Socket, message: unknown): void {
    // A controller that asks and does not read is none.
    if (socket.writableLength > LINE_BYTES_MAX) socket.destroy()
    else socket.write(`${JSON.stringify(message)}\n`)
  }
}
