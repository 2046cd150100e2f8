import { isDeepStrictEqual } from 'node:util'
import { type DefineOptions, type DomainConfig, DriverError } from '../driver.ts'
import { isLost } from './again.ts'
import type { Adapters } from './adapters.ts'
import type { BackEnd, Hardware, Machine } from './back-end.ts'
import type { Rivals } from './rivals.ts'
import { FOUND_BOOT } from './definition.ts'
import { type DemandHost, unmetDemand } from './demands.ts'
import { type Directory, type Entry, entryOf } from './directory.ts'
import type { Drives } from './drives.ts'
import { isDomainId, memoryMade, type Note, writeNotes } from './note.ts'
import type { Places } from './places.ts'
import { quantitiesOf } from './quantities.ts'
import type { ToldDevices } from './told-devices.ts'
import { takeBack, type Undo } from './undo.ts'

const REMAINS = 'what was changed of the machine remains'

/** What definitions are made to machines with. */
export interface DefinitionParts {
  readonly backEnd: BackEnd
  readonly directory: Directory
  readonly host: DemandHost
  readonly adapters: Adapters
  readonly drives: Drives
  readonly rivals: Rivals
  readonly told: ToldDevices
}

/** Makes machines as their definitions say. */
export class Definitions {
  readonly #parts: DefinitionParts

  constructor(parts: DefinitionParts) {
    this.#parts = parts
  }

  /** What a definition demands that the host has not. */
  unmet(config: DomainConfig): string | undefined {
    return unmetDemand(config, this.#parts.host)
  }

  /** Makes the domain, or replaces its definition, and gives it as it is then; what fails is taken back. */
  async define(config: DomainConfig, { isStrict = false }: DefineOptions = {}): Promise<Entry> {
    this.#assertFit(config, isStrict)
    const entry = await this.#parts.directory.find(config.id)
    return entry === undefined ? this.#add(config, isStrict) : this.#replace({ entry }, config, isStrict)
  }

  /** As `define`, of a domain that was looked at just now. */
  async redefine(seen: Required<Seen>, config: DomainConfig, { isStrict = false }: DefineOptions = {}): Promise<Entry> {
    this.#assertFit(config, isStrict)
    return this.#replace(seen, config, isStrict)
  }

  #assertFit(config: DomainConfig, isStrict: boolean): void {
    assertDefinable(config)
    const unmet = isStrict ? this.unmet(config) : undefined
    if (unmet !== undefined) throw new DriverError('refused', `cannot define ${config.name}: ${unmet}`)
  }

  async #replace(
    { entry: { machine, note }, hardware }: Seen,
    config: DomainConfig,
    isStrict: boolean,
  ): Promise<Entry> {
    const { guid, state } = machine
    const places = note?.places ?? {}
    const keep = (made: Made | undefined) => this.#keep(machine, config, made, note, presentOf(note))
    const made = state === 'halted' ? await this.#fit({ guid, hardware }, config, places, isStrict) : undefined
    try {
      return entryOf({ ...machine, name: config.name, notes: await keep(made) })
    } catch (error) {
      if (made !== undefined) await takeBack(made.undo, error, REMAINS)
      throw error
    }
  }

  /**
   * Makes a halted machine as its definition says before it starts. Rejects as `refused` where that cannot be, and where a
   * domain that is suspended writes to one of its images.
   */
  async realise({ machine, note }: Entry): Promise<void> {
    const { rivals } = this.#parts
    const { guid } = machine
    const config = note?.config
    const pending = note?.isPending === true ? config : undefined
    const unmet = pending && this.unmet(pending)
    if (unmet !== undefined) throw new DriverError('refused', `cannot start ${pending?.name}: ${unmet}`)
    await rivals.assertNone(guid, pending?.disks)
    if (pending !== undefined) return this.#make(machine, pending, note?.places ?? {})
    const { backEnd, adapters } = this.#parts
    // Networks come and go, and with them what cables are plugged into.
    if (config?.nics?.some(({ network }) => network !== null) !== true) return
    await adapters.fit(guid, (await backEnd.hardware(guid)).adapters, config.nics)
  }

  /** Makes a machine as its definition says, and writes that down. */
  async #make(machine: Named, config: DomainConfig, places: Places): Promise<void> {
    const made = await this.#change({ guid: machine.guid, hardware: undefined }, config, places)
    try {
      await this.#keep(machine, config, made)
    } catch (error) {
      await takeBack(made.undo, error, REMAINS)
      throw error
    }
  }

  async #add(config: DomainConfig, isStrict: boolean): Promise<Entry> {
    // It is ours from its first moment on: whatever ends us before the rest is done leaves a domain that is still pending.
    const note = { id: config.id, guid: undefined, isPending: true, config, places: {} }
    const { name } = config
    const guid = await this.#create(config, writeNotes(note))
    try {
      const made = await this.#fit({ guid, hardware: undefined }, config, {}, isStrict)
      const notes = await this.#keep({ guid, name }, config, made)
      const entry = entryOf({ guid, name, state: 'halted', notes })
      this.#parts.directory.remember(entry)
      return entry
    } catch (error) {
      const remains = `a machine ${name} (${guid}) remains on the host`
      await takeBack(() => this.#parts.backEnd.destroy(guid), error, remains)
      throw error
    }
  }

  /** Where the answer is lost, the note tells whether there is a machine. */
  async #create({ id, name }: DomainConfig, notes: string): Promise<string> {
    const { backEnd, directory } = this.#parts
    try {
      return await backEnd.create(name, notes)
    } catch (error) {
      const made = isLost(error) ? await directory.find(id) : undefined
      if (made === undefined) throw error
      return made.machine.guid
    }
  }

  /** As `#change`, or undefined where the host cannot be so, and a start will say why; with `isStrict` that is said now. */
  async #fit(now: Now, config: DomainConfig, places: Places, isStrict: boolean): Promise<Made | undefined> {
    if (this.unmet(config) !== undefined) return undefined
    try {
      return await this.#change(now, config, places)
    } catch (error) {
      if (!isStrict && error instanceof DriverError && error.kind === 'refused') return undefined
      throw error
    }
  }

  /** Changes the machine to be as the definition says, or not at all; gives what takes it back. */
  async #change({ guid, hardware }: Now, config: DomainConfig, places: Places): Promise<Made> {
    const { backEnd, adapters, drives, told } = this.#parts
    const { quantities, adapters: present, storage, hasBios, ...ids } = hardware ?? (await backEnd.hardware(guid))
    const isToGo = (id: string) => told.wasTold(guid, id)
    const wanted = quantitiesOf(config)
    const undo: Undo[] = []
    try {
      await backEnd.resize({ quantities, ...ids }, wanted)
      undo.push(() => backEnd.resize({ ...ids, quantities: wanted }, quantities))
      undo.push(await adapters.fit(guid, present, config.nics ?? [], isToGo))
      const fitted = await drives.fit(guid, storage, { disks: config.disks, places, isToGo })
      undo.push(fitted.undo)
      return { undo: () => undoAll(undo), hasBios, places: fitted.places }
    } catch (error) {
      await takeBack(() => undoAll(undo), error, REMAINS)
      throw error
    }
  }

  /**
   * Writes the definition down, as that of a machine which was made so, or of one that is to be; gives its notes.
   * `before` tells of a machine which was not made so where its drives are, and what memory it has. What the machine does as
   * it is defined so far, `present`, is left as somebody else may have set it.
   */
  async #keep(
    machine: Named,
    config: DomainConfig,
    made: Made | undefined,
    before?: Note,
    present: Partial<DomainConfig> = {},
  ): Promise<string> {
    const { id, boot, exits, name } = config
    const { guid } = machine
    const { places } = made ?? before ?? { places: {} }
    const madeMemoryBytes = before && memoryMade(before)
    const notes = writeNotes({ id, guid, isPending: made === undefined, config, places, madeMemoryBytes })
    const isBootOther = made?.hasBios === true && boot.kind === 'firmware' && !isDeepStrictEqual(boot, present.boot)
    const isOffOnRestart = exits?.reboot === 'halt'
    const isExitOther = present.boot === undefined || isOffOnRestart !== (present.exits?.reboot === 'halt')
    await this.#parts.backEnd.change(guid, {
      ...(name !== machine.name && { name }),
      notes,
      ...(isBootOther && { bootFirst: boot.device }),
      ...(made !== undefined && isExitOther && { isOffOnRestart }),
    })
    return notes
  }
}

/** What a machine boots from, and does when its guest ends, as its definition has it; nothing is known of one to be made. */
function presentOf(note: Note | undefined): Partial<DomainConfig> {
  if (note === undefined) return { boot: FOUND_BOOT }
  return note.isPending ? {} : (note.config ?? {})
}

/** A domain as it was found, and what its machine is made of where that was looked at too. */
interface Seen {
  readonly entry: Entry
  readonly hardware?: Hardware
}

/** A machine, and what it is made of where that is known. */
interface Now {
  readonly guid: string
  readonly hardware: Hardware | undefined
}

/** A machine, and what it is called now. */
type Named = Pick<Machine, 'guid' | 'name'>

/** A machine that was made as its definition says. */
interface Made {
  readonly undo: Undo
  readonly hasBios: boolean
  readonly places: Places
}

async function undoAll(steps: readonly Undo[]): Promise<void> {
  for (const step of steps.toReversed()) await step()
}

function assertDefinable({ id, memoryBytes, memoryTargetBytes = memoryBytes, vcpus }: DomainConfig): void {
  if (!isDomainId(id)) throw new DriverError('refused', `the id ${JSON.stringify(id)} is no UUID in lower case`)
  for (const number of [memoryBytes, memoryTargetBytes, vcpus]) {
    if (!Number.isSafeInteger(number) || number < 0) throw new DriverError('refused', `${number} is no amount`)
  }
}
