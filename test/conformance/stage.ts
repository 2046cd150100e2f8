import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type AutostartOps,
  type CloneOps,
  type ConsoleOps,
  type DeviceOps,
  type DomainConfig,
  type DomainId,
  type DomainState,
  type Driver,
  DriverError,
  type DriverErrorKind,
  type DumpOps,
  type EventOps,
  type GuestOps,
  type ImageFormat,
  type MetricsOps,
  type NetworkOps,
  type PowerOps,
  type RepositoryConfig,
  type SavedFileOps,
  type SchedulerOps,
  type ScreenOps,
  type SnapshotOps,
  type StorageOps,
  type SuspensionOps,
  type TerminalOps,
} from '../../src/drivers/driver.ts'
import type { Guest, OptionalGroup, Setup, Traits } from './setting.ts'

/** An id that no host has. */
export const NOBODY = '00000000-0000-4000-8000-000000000000'

const POLL_MS = 20

/** Which of the suite's tests are run: every `of`th, beginning with number `first`. */
export interface Share {
  readonly first: number
  readonly of: number
}

export const WHOLE: Share = { first: 0, of: 1 }

/** What a test works with: a fresh host, a connection to it, and the domains it has made there. */
export class Stage {
  readonly traits: Traits
  readonly #setUp: () => Promise<Setup>
  readonly #share: Share
  #registered = 0
  #setup: Setup | undefined
  #driver: Driver | undefined
  #isConnected = false
  readonly #made = new Set<DomainId>()

  constructor(traits: Traits, setUp: () => Promise<Setup>, share: Share = WHOLE) {
    this.traits = traits
    this.#setUp = setUp
    this.#share = share
  }

  async open(): Promise<void> {
    this.#setup = await this.#setUp()
    await this.connect()
  }

  async connect(): Promise<void> {
    this.#driver = await this.setup.connect()
    this.#isConnected = true
  }

  async disconnect(): Promise<void> {
    this.#isConnected = false
    await this.driver.close()
  }

  /** Leaves no domain behind, whatever the test did to it. */
  async close(): Promise<void> {
    if (this.#setup === undefined) return
    if (!this.#isConnected && this.traits.outlivesConnection) await this.connect()
    if (this.#isConnected) {
      for (const id of this.#made) await this.#remove(id)
      await this.disconnect()
    }
    this.#made.clear()
    await this.#setup.tearDown()
    this.#setup = undefined
  }

  async #remove(id: DomainId): Promise<void> {
    // Gone or halted already is as good; a host that does not answer is not.
    const unlessAnswered = (error: unknown) => {
      if (!(error instanceof DriverError) || error.kind === 'unreachable') throw error
    }
    await this.driver.domains.powerOff(id).catch(unlessAnswered)
    await this.driver.domains.undefine(id).catch(unlessAnswered)
  }

  get setup(): Setup {
    assert(this.#setup !== undefined, 'the stage is open')
    return this.#setup
  }

  get driver(): Driver {
    assert(this.#driver !== undefined, 'the stage is open')
    return this.#driver
  }

  /** A group of operations that the driver must have. */
  #group<G extends OptionalGroup>(name: G): NonNullable<Driver[G]> {
    const group = this.driver[name]
    assert(group !== undefined, `the driver has the group \`${name}\``)
    return group
  }

  get devices(): DeviceOps {
    return this.#group('devices')
  }

  get networks(): NetworkOps {
    return this.#group('networks')
  }

  get metrics(): MetricsOps {
    return this.#group('metrics')
  }

  get dumps(): DumpOps {
    return this.#group('dumps')
  }

  get terminals(): TerminalOps {
    return this.#group('terminals')
  }

  get scheduler(): SchedulerOps {
    return this.#group('scheduler')
  }

  get autostart(): AutostartOps {
    return this.#group('autostart')
  }

  get screens(): ScreenOps {
    return this.#group('screens')
  }

  get guest(): GuestOps {
    return this.#group('guest')
  }

  get snapshots(): SnapshotOps {
    return this.#group('snapshots')
  }

  get power(): PowerOps {
    return this.#group('power')
  }

  get suspension(): SuspensionOps {
    return this.#group('suspension')
  }

  /** What saves domains to files, where the host does. */
  get savedFiles(): SavedFileOps {
    const { files } = this.suspension
    assert(files !== undefined, 'the driver saves domains to files')
    return files
  }

  get storage(): StorageOps {
    return this.#group('storage')
  }

  get clones(): CloneOps {
    return this.#group('clones')
  }

  get consoles(): ConsoleOps {
    return this.#group('consoles')
  }

  get events(): EventOps {
    return this.#group('events')
  }

  get repository(): RepositoryConfig {
    assert(this.setup.repository !== undefined, 'a setup with storage has a repository')
    return this.setup.repository
  }

  /** The format of volumes where a test needs no other. */
  get format(): ImageFormat {
    const [format] = this.traits.formats
    assert(format !== undefined, 'traits with storage have formats')
    return format
  }

  /** Registers a test with the time allowance of the setting, if it is in the share that is run. */
  it(name: string, run: () => Promise<void>): void {
    const { first, of } = this.#share
    if (this.#registered++ % of === first) it(name, { timeout: this.traits.testMs }, run)
  }

  /** A definition that the host does not have yet, remembered so that it is cleaned up. */
  config(guest: Guest = 'obedient'): DomainConfig {
    const config = this.setup.domainConfig(guest)
    this.#made.add(config.id)
    return config
  }

  async halted(guest: Guest = 'obedient'): Promise<DomainId> {
    const config = this.config(guest)
    await this.driver.domains.define(config)
    return config.id
  }

  async running(guest: Guest = 'obedient'): Promise<DomainId> {
    const id = await this.halted(guest)
    await this.driver.domains.start(id)
    return id
  }

  /** A running domain whose guest has printed that it is up, where the driver can tell. */
  async booted(guest: Guest = 'obedient'): Promise<DomainId> {
    const id = await this.running(guest)
    if (this.driver.consoles !== undefined) await this.untilBooted(id)
    return id
  }

  async paused(): Promise<DomainId> {
    const id = await this.halted()
    await this.driver.domains.start(id, { paused: true })
    return id
  }

  /** A domain in `state`, got there by the shortest way. */
  in(state: 'halted' | 'running' | 'paused'): Promise<DomainId> {
    return { halted: () => this.halted(), running: () => this.running(), paused: () => this.paused() }[state]()
  }

  async state(id: DomainId): Promise<DomainState> {
    return (await this.driver.domains.get(id)).state
  }

  async assertState(id: DomainId, expected: DomainState): Promise<void> {
    assert.equal(await this.state(id), expected)
  }

  /** Waits until `isSo` holds, for as long as the setting allows. */
  async until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + this.traits.settleMs
    while (!(await isSo())) {
      assert(performance.now() < deadline, `not within ${this.traits.settleMs} ms: ${what}`)
      await sleep(POLL_MS)
    }
  }

  async untilState(id: DomainId, expected: DomainState): Promise<void> {
    await this.until(`the domain is ${expected}`, async () => (await this.state(id)) === expected)
  }

  /** All that the first serial port still holds. */
  async serial(id: DomainId): Promise<string> {
    const CHUNK_BYTES = 65_536
    let text = ''
    for (let from = 0; ; ) {
      const { data, next } = await this.consoles.readSerial(id, from, CHUNK_BYTES)
      if (data.length === 0) return text
      text += Buffer.from(data).toString('latin1')
      from = next
    }
  }

  async untilBooted(id: DomainId): Promise<void> {
    await this.until('the guest prints BOOT-OK', async () => (await this.serial(id)).includes('BOOT-OK'))
  }
}

/** Demands a DriverError of this kind with a sentence to show. */
export async function rejectsWith(kind: DriverErrorKind, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, error => {
    assert(error instanceof DriverError, `a DriverError, not ${String(error)}`)
    assert.equal(error.kind, kind, `${error.kind}: ${error.message}`)
    assert.notEqual(error.message.trim(), '')
    return true
  })
}
