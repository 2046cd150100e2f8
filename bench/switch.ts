/**
 * Bytes per second from one peer to another through the switch between guests, against a Unix socket without it. One
 * process sends and receives in both cases; the switch is another, as it always is.
 */

import { once } from 'node:events'
import { createConnection, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { A, B, BROADCAST, frameOf, SwitchWorld, until } from '../test/switch/peers.ts'
import { median, print } from './measure.ts'

const ROUNDS = 5
const ROUND_MS = 1_500
/** Ethernet's largest frame, in the size in which a busy guest writes them. */
const PAYLOAD_BYTES = 1_500
const FRAMES_A_WRITE = 16

/** Counts what comes in. */
class End {
  readonly path: string
  readonly #server
  #socket: Socket | undefined
  received = 0

  constructor(path: string) {
    this.path = path
    this.#server = createServer(socket => {
      this.#socket = socket
      socket.on('data', chunk => {
        this.received += chunk.length
      })
    })
  }

  async listen(): Promise<this> {
    this.#server.listen({ path: this.path })
    await once(this.#server, 'listening')
    return this
  }

  get socket(): Socket {
    if (this.#socket === undefined) throw new TypeError('nobody has connected')
    return this.#socket
  }

  close(): void {
    this.#socket?.destroy()
    this.#server.close()
  }
}

const world = await SwitchWorld.open()
const [a, b, plain] = await Promise.all(
  ['a', 'b', 'plain'].map(name => new End(join(world.folder, `${name}.sock`)).listen()),
)
if (a === undefined || b === undefined || plain === undefined) throw new TypeError('there are three ends')
try {
  await world.plug('a', 'red')
  await world.plug('b', 'red')
  const direct = createConnection({ path: plain.path })
  await once(direct, 'connect')
  b.socket.write(frameOf(BROADCAST, B, 'b is here'))
  await until('the switch knows b', () => a.received > 0)
  const [ours, reference]: [number[], number[]] = [[], []]
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(await bytesPerSecond(a.socket, b))
    reference.push(await bytesPerSecond(direct, plain))
  }
  direct.destroy()
  const { droppedPackets, receivedPackets } = await world.port('b')
  const [mine, bare] = [median(ours) / 1e6, median(reference) / 1e6]
  const dropped = droppedPackets / (droppedPackets + receivedPackets)
  print({ bench: 'switch', ours_mb_per_s: mine, reference_mb_per_s: bare, ratio: mine / bare, dropped })
} finally {
  for (const end of [a, b, plain]) end.close()
  await world.close()
}

/** What arrives in a second while as much is sent as the cable takes. */
async function bytesPerSecond(from: Socket, to: End): Promise<number> {
  const frame = frameOf(B, A, 'x'.repeat(PAYLOAD_BYTES))
  const batch = Buffer.concat(Array.from({ length: FRAMES_A_WRITE }, () => frame))
  const received = to.received
  const begin = performance.now()
  while (performance.now() - begin < ROUND_MS) {
    if (!from.write(batch)) await once(from, 'drain')
  }
  return ((to.received - received) * 1_000) / (performance.now() - begin)
}
