import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type DomainConfig,
  type DomainEvent,
  type DomainId,
  type DomainState,
  type Driver,
  DriverError,
} from '../../src/drivers/driver.ts'
import { connect } from '../../src/drivers/qemu/index.ts'
import { type DomainFiles, filesOf, rootOf } from '../../src/drivers/qemu/layout.ts'
import { findByPidFile, type FoundProcess, killNow, waitUntilGone } from '../../src/drivers/qemu/process.ts'
import { type Mood, writeBootImage } from '../guests/boot-sector.ts'

/** How long a guest may take for anything, on a machine that is busy with other tests. */
const PATIENCE_MS = 90_000
const POLL_MS = 20
const MIB = 1_048_576

/** What a test may take in all. */
export const TEST_MS = 180_000

/** A data directory with real guests in it. `close` ends every QEMU of it, whatever became of the test. */
export class World {
  readonly dataDir: string
  readonly warnings: string[] = []
  readonly events: DomainEvent[] = []
  /** Which boot of the machine the driver is told that this is; the true one where nothing is said. */
  bootId: string | undefined
  #driver: Driver | undefined

  constructor(dataDir: string) {
    this.dataDir = dataDir
  }

  /** With a folder of this name as data directory; the name must be short, as the paths of sockets are. */
  static async open(name = 'data'): Promise<World> {
    const world = new World(join(await mkdtemp('/tmp/pv-'), name))
    await mkdir(world.dataDir, { recursive: true })
    await world.connect()
    return world
  }

  async connect(): Promise<void> {
    const warn = (message: string) => void this.warnings.push(message)
    const { bootId } = this
    const edge = bootId === undefined ? {} : { bootId: async () => bootId }
    this.#driver = await connect({ uri: new URL('qemu:///system'), dataDir: this.dataDir, warn }, edge)
    this.#driver.events?.subscribe(event => this.events.push(event))
  }

  async reconnect(): Promise<void> {
    await this.driver.close()
    await this.connect()
  }

  async close(): Promise<void> {
    await this.#driver?.close()
    for (const process of this.#allProcesses()) {
      killNow(process)
      assert(await waitUntilGone(process, PATIENCE_MS), `QEMU ${process.pid} is gone`)
    }
    await rm(join(this.dataDir, '..'), { recursive: true, force: true })
  }

  get driver(): Driver {
    assert(this.#driver !== undefined, 'the world is open')
    return this.#driver
  }

  files(id: DomainId): DomainFiles {
    return filesOf(rootOf(this.dataDir), id)
  }

  /** Every QEMU that runs a domain of this data directory. */
  processes(): FoundProcess[] {
    return this.#found(path => path.endsWith('/qemu.pid'))
  }

  /** The switch between the guests, and the uplink of each network in use. */
  networkProcesses(): FoundProcess[] {
    return this.#found(path => path.startsWith(join(rootOf(this.dataDir), 'net')))
  }

  /** The switch, where it runs. */
  switchProcess(): FoundProcess | undefined {
    return this.#found(path => path.endsWith('/switch.pid'))[0]
  }

  #allProcesses(): FoundProcess[] {
    return this.#found(() => true)
  }

  #found(isWanted: (pidFile: string) => boolean): FoundProcess[] {
    const root = `${rootOf(this.dataDir)}/`
    return [...findByPidFile()]
      .filter(([path]) => path.startsWith(root) && isWanted(path))
      .map(([, process]) => process)
  }

  /** The one QEMU that runs. */
  process(): FoundProcess {
    const [process, ...others] = this.processes()
    assert(process !== undefined && others.length === 0, `one QEMU, not ${others.length + 1}`)
    return process
  }

  /** A definition that boots a guest of this mood from a disk of its own. */
  async config(changes: Partial<DomainConfig> = {}, mood: Mood = 'obedient'): Promise<DomainConfig> {
    const id = crypto.randomUUID()
    const location = join(this.dataDir, `${id}.raw`)
    await writeBootImage(location, mood)
    return {
      id,
      name: `guest-${mood}`,
      description: '',
      memoryBytes: 16 * MIB,
      vcpus: 1,
      boot: { kind: 'firmware', device: 'disk' },
      disks: [{ id: 'boot', location, format: 'raw', readOnly: false, device: 'hda', bus: 'paravirtualised' }],
      ...changes,
    }
  }

  async define(changes: Partial<DomainConfig> = {}, mood: Mood = 'obedient'): Promise<DomainId> {
    const config = await this.config(changes, mood)
    await this.driver.domains.define(config)
    return config.id
  }

  async running(mood: Mood = 'obedient'): Promise<DomainId> {
    const id = await this.define({}, mood)
    await this.driver.domains.start(id)
    return id
  }

  async booted(changes: Partial<DomainConfig> = {}): Promise<DomainId> {
    const id = await this.define(changes)
    await this.driver.domains.start(id)
    await this.untilPrinted(id, 'TICK 0001')
    return id
  }

  async state(id: DomainId): Promise<DomainState> {
    return (await this.driver.domains.get(id)).state
  }

  /** All that the first serial port still holds. */
  async serial(id: DomainId): Promise<string> {
    assert(this.driver.consoles !== undefined)
    const pieces: Uint8Array[] = []
    for (let from = 0; ; ) {
      const { data, next } = await this.driver.consoles.readSerial(id, from, MIB)
      if (data.length === 0) return Buffer.concat(pieces).toString('latin1')
      pieces.push(data)
      from = next
    }
  }

  /** Gives a command of one byte to a guest of `boot-sector.asm`. */
  async send(id: DomainId, command: 'p' | 'r' | 's' | 'c' | 'h'): Promise<void> {
    const socket = createConnection(this.files(id).serialSocket)
    socket.resume()
    await once(socket, 'connect')
    socket.write(command)
    // QEMU has read it when it echoes the end.
    socket.end()
    await once(socket, 'close')
  }

  kinds(id: DomainId): DomainEvent['kind'][] {
    return this.events.filter(event => event.id === id).map(event => event.kind)
  }

  async until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS
    while (!(await isSo())) {
      assert(performance.now() < deadline, `not within ${PATIENCE_MS} ms: ${what}`)
      await sleep(POLL_MS)
    }
  }

  async untilState(id: DomainId, state: DomainState): Promise<void> {
    await this.until(`the domain is ${state}`, async () => {
      try {
        return (await this.state(id)) === state
      } catch (error) {
        // A QEMU that stops its guest flushes its disks first, and answers nobody meanwhile: on a busy disk for long.
        if (error instanceof DriverError && error.kind === 'unreachable') return false
        throw error
      }
    })
  }

  async untilPrinted(id: DomainId, text: string): Promise<void> {
    await this.until(`the guest prints ${text}`, async () => (await this.serial(id)).includes(text))
  }
}

/** How often a text occurs in another. */
export const count = (text: string, part: string): number => text.split(part).length - 1
