import {
  type DescribedDomain,
  type Domain,
  type DomainConfig,
  type DomainId,
  type DomainInfo,
  DriverError,
} from '../driver.ts'
import type { BackEnd, Hardware } from './back-end.ts'
import type { CpuTimes } from './cpu-times.ts'
import { definitionOf, madeOf, mostWith } from './definition.ts'
import type { DeviceSources } from './device-definitions.ts'
import { type Directory, domainOf, type Entry } from './directory.ts'
import { memoryMade } from './note.ts'
import { bytesOf } from './quantities.ts'
import type { ToldDevices } from './told-devices.ts'

/** Up to how many machines are asked about one by one, before the host is asked about all at once. */
const ONE_BY_ONE_MAX = 4

/** What domains are told from. */
export interface DescriptionParts extends DeviceSources {
  readonly backEnd: BackEnd
  readonly directory: Directory
  readonly told: ToldDevices
  readonly cpuTimes: CpuTimes
}

/** A domain and its definition, and what they were told from. */
export interface Described {
  readonly entry: Entry
  readonly hardware: Hardware
  readonly domain: Domain
  readonly config: DomainConfig
}

/** Tells definitions of domains, and what they have and use. */
export class Descriptions {
  readonly #parts: DescriptionParts

  constructor(parts: DescriptionParts) {
    this.#parts = parts
  }

  async config(id: DomainId): Promise<DomainConfig> {
    return (await this.described(id)).config
  }

  async described(id: DomainId): Promise<Described> {
    const entry = await this.#parts.directory.get(id)
    const hardware = await this.#parts.backEnd.hardware(entry.machine.guid)
    return { entry, hardware, domain: domainOf(entry), config: await this.#describe(entry, hardware) }
  }

  /** As `described`; where the definition waits for the machine to start again, also what the machine is made of until then. */
  async whole(id: DomainId): Promise<DescribedDomain> {
    const { entry, hardware, domain, config } = await this.described(id)
    const living = await this.madeOf(entry, hardware)
    return { domain, config, ...(living !== undefined && { living }) }
  }

  /** What the machine of a domain is made of, where that waits to be changed. */
  madeOf(entry: Entry, hardware: Hardware): Promise<DomainConfig | undefined> {
    return madeOf(this.#parts, entry, hardware)
  }

  /** With `isLiving`, machines that are on as `whole` tells what they are made of. */
  async configs(ids: readonly DomainId[], isLiving = false): Promise<readonly DomainConfig[]> {
    const { backEnd, directory } = this.#parts
    if (ids.length <= ONE_BY_ONE_MAX) return (await Promise.all(ids.map(id => this.#ifThere(id, isLiving)))).flat()
    const [entries, hardware] = await Promise.all([directory.list(), backEnd.hardwareOfAll()])
    const wanted = new Set(ids)
    const described = entries.map(async entry => {
      const own = wanted.has(entry.id) ? hardware.get(entry.machine.guid) : undefined
      if (own === undefined) return []
      return [await this.#told(entry, own, isLiving)]
    })
    return (await Promise.all(described)).flat()
  }

  /** One that is gone, or goes while it is looked at, is left out. */
  async #ifThere(id: DomainId, isLiving: boolean): Promise<readonly DomainConfig[]> {
    const { directory, backEnd } = this.#parts
    try {
      const entry = await directory.get(id)
      const hardware = await backEnd.hardware(entry.machine.guid)
      return [await this.#told(entry, hardware, isLiving)]
    } catch (error) {
      if (error instanceof DriverError && error.kind === 'not-found') return []
      if ((await directory.find(id)) === undefined) return []
      throw error
    }
  }

  async #told(entry: Entry, hardware: Hardware, isLiving: boolean): Promise<DomainConfig> {
    const { state } = entry.machine
    const isMade = isLiving && (state === 'running' || state === 'paused')
    return (isMade ? await this.madeOf(entry, hardware) : undefined) ?? this.#describe(entry, hardware)
  }

  async #describe(entry: Entry, hardware: Hardware): Promise<DomainConfig> {
    const config = await definitionOf(this.#parts, entry, hardware)
    if (entry.note?.isPending !== true) {
      this.#parts.told.tell(
        entry.machine.guid,
        [...config.disks, ...(config.nics ?? [])].map(({ id }) => id),
      )
    }
    return config
  }

  async info(id: DomainId): Promise<DomainInfo> {
    const entry = await this.#summed(id)
    const { name, usage } = entry.machine
    const isOn = usage?.memoryMb !== undefined
    const waiting = !isOn && entry.note?.isPending === true ? entry.note.config : undefined
    if (waiting !== undefined) {
      // What it is made of counts no more: it is changed at the start.
      const { memoryBytes, memoryTargetBytes = memoryBytes, vcpus } = waiting
      return { ...domainOf(entry), memoryBytes, memoryNowBytes: memoryTargetBytes, vcpus, cpuMs: 0 }
    }
    const [cpuMs, memory] = await Promise.all([isOn ? this.#parts.cpuTimes.of(name) : [], this.#memoryOf(entry)])
    // Of machines that share their name it cannot be told, and the rest can.
    const used = cpuMs?.reduce((sum, ms) => sum + ms, 0) ?? 0
    return { ...domainOf(entry), ...memory, vcpus: usage?.vcpus ?? 0, cpuMs: used }
  }

  /** As the directory has it, with what it uses, which lists do not tell. */
  async #summed(id: DomainId): Promise<Entry> {
    const { directory } = this.#parts
    const entry = await directory.get(id)
    if (entry.machine.usage !== undefined) return entry
    return (await directory.at(entry.machine.guid)) ?? directory.get(id)
  }

  /** What a machine of ours has tells how much it can have: its memory is static, and others who change it change both. */
  async #memoryOf({ machine: { guid, usage }, note }: Entry) {
    const now = usage?.memoryMb
    const made = note && memoryMade(note)
    if (now !== undefined && made !== undefined) {
      return { memoryBytes: mostWith(made, now), memoryNowBytes: bytesOf(now) }
    }
    const startMb = await this.#parts.backEnd.memoryMb(guid)
    const most = made === undefined ? bytesOf(startMb) : mostWith(made, startMb)
    const has = bytesOf(now ?? startMb)
    return { memoryBytes: Math.max(most, has), memoryNowBytes: has }
  }
}
