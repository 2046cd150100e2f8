import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { FrameSplitter, HEADER_BYTES } from '../../src/drivers/qemu/switch/frames.ts'
import { SwitchKeeper } from '../../src/drivers/qemu/switch/keeper.ts'
import type { SwitchFiles } from '../../src/drivers/qemu/switch/process.ts'
import type { PortStatus } from '../../src/drivers/qemu/switch/messages.ts'
import { findByPidFile, killNow, waitUntilGone } from '../../src/drivers/qemu/process.ts'

const PATIENCE_MS = 60_000
const POLL_MS = 10

/** Waits until something is so; a failed test after a minute. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  while (!(await isSo())) {
    assert(performance.now() < deadline, `not within ${PATIENCE_MS} ms: ${what}`)
    await sleep(POLL_MS)
  }
}

/** A frame with its header: from a hardware address to another, carrying a text. */
export function frameOf(target: number, origin: number, text: string, type = 0x88b5): Buffer {
  const payload = Buffer.from(text)
  const frame = Buffer.alloc(HEADER_BYTES + 14 + payload.length)
  frame.writeUInt32BE(14 + payload.length)
  frame.writeUIntBE(target, HEADER_BYTES, 6)
  frame.writeUIntBE(origin, HEADER_BYTES + 6, 6)
  frame.writeUInt16BE(type, HEADER_BYTES + 12)
  payload.copy(frame, HEADER_BYTES + 14)
  return frame
}

/** To all. */
export const BROADCAST = 0xff_ff_ff_ff_ff_ff
/** Made-up hardware addresses: A is 02:00:00:00:00:01, and so on. */
export const [A, B, C] = [0x02_00_00_00_00_01, 0x02_00_00_00_00_02, 0x02_00_00_00_00_03]

/** What a QEMU is to the switch: it listens on a socket, sends frames and gets some. */
export class Peer {
  readonly path: string
  /** What has come, without Ethernet's header. */
  readonly heard: string[] = []
  readonly #server: Server
  #socket: Socket | undefined

  constructor(path: string) {
    this.path = path
    this.#server = createServer(socket => {
      const frames = new FrameSplitter()
      this.#socket = socket
      socket.on('data', chunk => {
        for (const frame of frames.push(chunk)) this.heard.push(frame.subarray(HEADER_BYTES + 14).toString())
      })
      socket.on('error', () => undefined)
    })
  }

  async listen(): Promise<this> {
    this.#server.listen({ path: this.path })
    await once(this.#server, 'listening')
    return this
  }

  send(...frames: readonly Uint8Array[]): void {
    assert(this.#socket !== undefined, 'the switch has connected')
    this.#socket.write(Buffer.concat(frames))
  }

  /** Reads no more, as a guest that hangs. */
  stall(): void {
    this.#socket?.pause()
  }

  resume(): void {
    this.#socket?.resume()
  }

  async untilHeard(text: string): Promise<void> {
    await until(`the peer hears ${text}`, () => this.heard.includes(text))
  }

  async close(): Promise<void> {
    this.#socket?.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

/** A folder with a switch and peers in it. `close` ends both. */
export class SwitchWorld {
  readonly folder: string
  readonly files: SwitchFiles
  readonly warnings: string[] = []
  readonly #peers: Peer[] = []
  #keeper: SwitchKeeper

  private constructor(folder: string) {
    this.folder = folder
    this.files = { control: join(folder, 'switch.sock'), pid: join(folder, 'switch.pid'), log: join(folder, 'log') }
    this.#keeper = this.#newKeeper()
  }

  static async open(): Promise<SwitchWorld> {
    return new SwitchWorld(await mkdtemp('/tmp/pv-'))
  }

  get keeper(): SwitchKeeper {
    return this.#keeper
  }

  /** As a server that ends and comes back. */
  async reconnect(): Promise<readonly PortStatus[]> {
    this.#keeper.close()
    this.#keeper = this.#newKeeper()
    return this.#keeper.takeOver()
  }

  /** A peer, plugged into a segment. */
  async peer(name: string, segment: string | null): Promise<Peer> {
    const peer = await new Peer(join(this.folder, `${name}.sock`)).listen()
    this.#peers.push(peer)
    await this.plug(name, segment)
    return peer
  }

  async plug(name: string, segment: string | null): Promise<void> {
    this.keeper.want({ id: name, path: join(this.folder, `${name}.sock`), segment })
    await this.keeper.converge()
    await until(`${name} is connected`, async () => (await this.port(name)).isConnected)
  }

  async port(name: string): Promise<PortStatus> {
    const port = (await this.keeper.status()).find(({ id }) => id === name)
    assert(port !== undefined, `the switch has a port ${name}`)
    return port
  }

  process() {
    return findByPidFile().get(this.files.pid)
  }

  async kill(): Promise<void> {
    const process = this.process()
    assert(process !== undefined, 'the switch runs')
    killNow(process)
    assert(await waitUntilGone(process, PATIENCE_MS))
  }

  async close(): Promise<void> {
    this.#keeper.close()
    if (this.process() !== undefined) await this.kill()
    await Promise.all(this.#peers.map(peer => peer.close().catch(() => undefined)))
    await rm(this.folder, { recursive: true, force: true })
  }

  #newKeeper(): SwitchKeeper {
    return new SwitchKeeper(this.files, message => this.warnings.push(message))
  }
}
