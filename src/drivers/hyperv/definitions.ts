import { type DomainConfig, DriverError, type HostInfo } from '../driver.ts'
import type { BackEnd, Hardware } from './back-end.ts'
import { unmetDemand } from './demands.ts'
import type { Directory, Entry } from './directory.ts'
import { isDomainId, writeNotes } from './note.ts'
import { quantitiesOf } from './quantities.ts'

/** Makes machines as their definitions say. */
export class Definitions {
  readonly #backEnd: BackEnd
  readonly #directory: Directory
  readonly #host: HostInfo

  constructor(backEnd: BackEnd, directory: Directory, host: HostInfo) {
    this.#backEnd = backEnd
    this.#directory = directory
    this.#host = host
  }

  /** Makes the domain, or replaces its definition; what fails is taken back. */
  async define(config: DomainConfig): Promise<void> {
    assertDefinable(config)
    const entry = await this.#directory.find(config.id)
    if (entry === undefined) return this.#make(config)
    const { guid, state } = entry.machine
    if (state !== 'halted') return this.#keep(guid, config, true)
    const before = await this.#backEnd.hardware(guid)
    const isMade = await this.#fit(before, config)
    try {
      await this.#keep(guid, config, !isMade)
    } catch (error) {
      if (isMade) await this.#restore(guid, before, error)
      throw error
    }
  }

  /** Makes a halted machine as a pending definition says. Rejects as `refused` where that cannot be. */
  async realise({ machine: { guid }, note }: Entry): Promise<void> {
    const config = note?.config
    if (note?.isPending !== true || config === undefined) return
    const unmet = unmetDemand(config, this.#host)
    if (unmet !== undefined) throw new DriverError('refused', `cannot start ${config.name}: ${unmet}`)
    await this.#backEnd.resize(await this.#backEnd.hardware(guid), quantitiesOf(config))
    await this.#keep(guid, config, false)
  }

  async #make(config: DomainConfig): Promise<void> {
    // It is ours from its first moment on: whatever ends us before the rest is done leaves a domain that is still pending.
    const notes = writeNotes({ id: config.id, guid: undefined, isPending: true, config })
    const guid = await this.#backEnd.create(config.name, notes)
    try {
      const isMade = await this.#fit(await this.#backEnd.hardware(guid), config)
      await this.#keep(guid, config, !isMade)
      await this.#directory.at(guid)
    } catch (error) {
      await this.#unmake(guid, config, error)
      throw error
    }
  }

  async #unmake(guid: string, { name }: DomainConfig, cause: unknown): Promise<void> {
    try {
      await this.#backEnd.destroy(guid)
    } catch (error) {
      throw remaining(cause, `a machine ${name} (${guid}) remains on the host`, error)
    }
  }

  async #restore(guid: string, { quantities }: Hardware, cause: unknown): Promise<void> {
    try {
      await this.#backEnd.resize(await this.#backEnd.hardware(guid), quantities)
    } catch (error) {
      throw remaining(cause, `memory or processors of the machine ${guid} remain changed`, error)
    }
  }

  /** Changes the machine where the host can; false where it cannot, and a start will say why. */
  async #fit(hardware: Hardware, config: DomainConfig): Promise<boolean> {
    if (unmetDemand(config, this.#host) !== undefined) return false
    try {
      await this.#backEnd.resize(hardware, quantitiesOf(config))
      return true
    } catch (error) {
      if (error instanceof DriverError && error.kind === 'refused') return false
      throw error
    }
  }

  async #keep(guid: string, config: DomainConfig, isPending: boolean): Promise<void> {
    const { boot, exits, name } = config
    const whileOff = {
      ...(boot.kind === 'firmware' && { bootFirst: boot.device }),
      isOffOnRestart: exits?.reboot === 'halt',
    }
    const notes = writeNotes({ id: config.id, guid, isPending, config })
    await this.#backEnd.change(guid, { name, notes, ...(!isPending && whileOff) })
  }
}

function remaining(cause: unknown, what: string, error: unknown): DriverError {
  const [first, second] = [cause, error].map(each => (each instanceof Error ? each.message : ''))
  return new DriverError('refused', `${first}; and ${what}: ${second}`, { cause })
}

function assertDefinable({ id, memoryBytes, memoryTargetBytes = memoryBytes, vcpus }: DomainConfig): void {
  if (!isDomainId(id)) throw new DriverError('refused', `the id ${JSON.stringify(id)} is no UUID in lower case`)
  for (const number of [memoryBytes, memoryTargetBytes, vcpus]) {
    if (!Number.isSafeInteger(number) || number < 0) throw new DriverError('refused', `${number} is no amount`)
  }
}
