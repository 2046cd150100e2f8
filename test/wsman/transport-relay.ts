import { connect, createServer, type Socket } from 'node:net'

/** Passes bytes on to a port of loopback and keeps a copy of them. */
export class Relay implements AsyncDisposable {
  readonly seen: Buffer[] = []
  readonly #sockets: Socket[] = []
  readonly #server

  constructor(port: number) {
    this.#server = createServer(near => {
      const far = connect(port, 'localhost')
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.push(from)
        from.on('data', piece => {
          this.seen.push(piece)
          to.write(piece)
        })
        from.on('close', () => to.destroy())
        from.on('error', () => to.destroy())
      }
    })
  }

  get url(): string {
    const address = this.#server.address()
    return `http://localhost:${typeof address === 'object' ? address?.port : ''}/wsman`
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await new Promise(resolve => this.#server.once('listening', resolve))
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise(resolve => this.#server.close(resolve))
  }
}
