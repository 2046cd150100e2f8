import { type DomainConfig, DriverError, type HostInfo } from '../driver.ts'
import { isLost } from './again.ts'
import type { Adapters } from './adapters.ts'
import type { BackEnd } from './back-end.ts'
import { unmetDemand } from './demands.ts'
import type { Directory, Entry } from './directory.ts'
import { isDomainId, writeNotes } from './note.ts'
import { quantitiesOf } from './quantities.ts'
import { takeBack, type Undo } from './undo.ts'

const REMAINS = 'what was changed of the machine remains'

/** Makes machines as their definitions say. */
export class Definitions {
  readonly #backEnd: BackEnd
  readonly #directory: Directory
  readonly #host: HostInfo
  readonly #adapters: Adapters

  constructor(backEnd: BackEnd, directory: Directory, host: HostInfo, adapters: Adapters) {
    this.#backEnd = backEnd
    this.#adapters = adapters
    this.#directory = directory
    this.#host = host
  }

  /** Makes the domain, or replaces its definition; what fails is taken back. */
  async define(config: DomainConfig): Promise<void> {
    assertDefinable(config)
    const entry = await this.#directory.find(config.id)
    if (entry === undefined) return this.#make(config)
    const { guid, state } = entry.machine
    if (state !== 'halted') return this.#keep(guid, config, undefined)
    const made = await this.#fit(guid, config)
    try {
      await this.#keep(guid, config, made)
    } catch (error) {
      if (made !== undefined) await takeBack(made.undo, error, REMAINS)
      throw error
    }
  }

  /** Makes a halted machine as its definition says before it starts. Rejects as `refused` where that cannot be. */
  async realise({ machine: { guid }, note }: Entry): Promise<void> {
    const config = note?.config
    if (config === undefined) return
    if (note?.isPending !== true) {
      // Networks come and go, and with them what cables are plugged into.
      if (config.nics?.some(({ network }) => network !== null) === true) {
        await this.#adapters.fit(guid, (await this.#backEnd.hardware(guid)).adapters, config.nics)
      }
      return
    }
    const unmet = unmetDemand(config, this.#host)
    if (unmet !== undefined) throw new DriverError('refused', `cannot start ${config.name}: ${unmet}`)
    const made = await this.#change(guid, config)
    try {
      await this.#keep(guid, config, made)
    } catch (error) {
      await takeBack(made.undo, error, REMAINS)
      throw error
    }
  }

  async #make(config: DomainConfig): Promise<void> {
    // It is ours from its first moment on: whatever ends us before the rest is done leaves a domain that is still pending.
    const guid = await this.#create(config, writeNotes({ id: config.id, guid: undefined, isPending: true, config }))
    try {
      await this.#keep(guid, config, await this.#fit(guid, config))
      await this.#directory.at(guid)
    } catch (error) {
      const remains = `a machine ${config.name} (${guid}) remains on the host`
      await takeBack(() => this.#backEnd.destroy(guid), error, remains)
      throw error
    }
  }

  /** Where the answer is lost, the note tells whether there is a machine. */
  async #create({ id, name }: DomainConfig, notes: string): Promise<string> {
    try {
      return await this.#backEnd.create(name, notes)
    } catch (error) {
      const made = isLost(error) ? await this.#directory.find(id) : undefined
      if (made === undefined) throw error
      return made.machine.guid
    }
  }

  /** As `#change`, or undefined where the host cannot be so, and a start will say why. */
  async #fit(guid: string, config: DomainConfig): Promise<Made | undefined> {
    if (unmetDemand(config, this.#host) !== undefined) return undefined
    try {
      return await this.#change(guid, config)
    } catch (error) {
      if (error instanceof DriverError && error.kind === 'refused') return undefined
      throw error
    }
  }

  /** Changes the machine to be as the definition says, or not at all; gives what takes it back. */
  async #change(guid: string, config: DomainConfig): Promise<Made> {
    const { quantities, adapters, hasBios, ...ids } = await this.#backEnd.hardware(guid)
    const wanted = quantitiesOf(config)
    await this.#backEnd.resize({ quantities, ...ids }, wanted)
    const resizeBack = () => this.#backEnd.resize({ ...ids, quantities: wanted }, quantities)
    try {
      const refit = await this.#adapters.fit(guid, adapters, config.nics ?? [])
      const undo = async () => {
        await refit()
        await resizeBack()
      }
      return { undo, hasBios }
    } catch (error) {
      await takeBack(resizeBack, error, REMAINS)
      throw error
    }
  }

  /** Writes the definition down: as that of a machine which was made so, or of one that is to be. */
  async #keep(guid: string, config: DomainConfig, made: Made | undefined): Promise<void> {
    const { id, boot, exits, name } = config
    const notes = writeNotes({ id, guid, isPending: made === undefined, config })
    const ofFirmware = made?.hasBios === true && boot.kind === 'firmware' && { bootFirst: boot.device }
    const whileOff = made !== undefined && { ...ofFirmware, isOffOnRestart: exits?.reboot === 'halt' }
    await this.#backEnd.change(guid, { name, notes, ...whileOff })
  }
}

/** A machine that was made as its definition says. */
interface Made {
  readonly undo: Undo
  readonly hasBios: boolean
}

function assertDefinable({ id, memoryBytes, memoryTargetBytes = memoryBytes, vcpus }: DomainConfig): void {
  if (!isDomainId(id)) throw new DriverError('refused', `the id ${JSON.stringify(id)} is no UUID in lower case`)
  for (const number of [memoryBytes, memoryTargetBytes, vcpus]) {
    if (!Number.isSafeInteger(number) || number < 0) throw new DriverError('refused', `${number} is no amount`)
  }
}
