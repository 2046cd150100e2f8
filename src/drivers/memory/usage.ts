import type { DiskLimits, DomainConfig, RateLimit } from '../driver.ts'
import { hasLink } from '../link.ts'
import { Random } from './random.ts'

/** Two numbers that grow by so much in each millisecond that the guest runs. */
interface Counter {
  readonly perMs: Pair
  readonly atMs: number
  readonly values: Pair
}

type Pair = readonly [number, number]

const DISK_BYTES_PER_MS = 4096
const NIC_BYTES_PER_MS = 512
const UNCAPPED_PERCENT = 100
const NOTHING: Pair = [0, 0]

/**
 * What a guest uses: each of its virtual CPUs, disks and interfaces at a rate of its own, which the ids of domain and
 * device decide. No timer counts: what is used is worked out from the time the guest ran, when somebody asks.
 */
export class Usage {
  readonly #id: string
  #vcpus: readonly Counter[] = []
  #disks: ReadonlyMap<string, Counter> = new Map()
  #nics: ReadonlyMap<string, Counter> = new Map()

  constructor(config: DomainConfig) {
    this.#id = config.id
    this.follow(config, 0)
  }

  /** Goes on by another definition: what was used stays, devices that are gone are forgotten. */
  follow({ vcpus, scheduling, disks, nics = [] }: DomainConfig, lifeMs: number): void {
    const capShare = (scheduling?.capPercent ?? UNCAPPED_PERCENT) / 100
    this.#vcpus = Array.from({ length: vcpus }, (_, number) => {
      const share = Math.min(capShare, this.#random(`cpu ${number}`).next())
      return goOn(this.#vcpus[number], lifeMs, [share, 0])
    })
    const counters = (before: ReadonlyMap<string, Counter>, rates: readonly (readonly [string, Pair])[]) =>
      new Map(rates.map(([id, perMs]) => [id, goOn(before.get(id), lifeMs, perMs)]))
    this.#disks = counters(
      this.#disks,
      disks.map(({ id, location, readOnly, limits = {} }) => {
        const [read, written] = limited(this.#pair(id, DISK_BYTES_PER_MS), limits)
        return [id, location === '' ? NOTHING : [read, readOnly ? 0 : written]]
      }),
    )
    this.#nics = counters(
      this.#nics,
      nics.map(nic => [nic.id, hasLink(nic) ? this.#pair(nic.id, NIC_BYTES_PER_MS) : NOTHING]),
    )
  }

  /** CPU time of each virtual CPU after the guest ran for `lifeMs`. */
  vcpuMs(lifeMs: number): number[] {
    return this.#vcpus.map(counter => read(counter, lifeMs)[0])
  }

  disks(lifeMs: number): { id: string; readBytes: number; writtenBytes: number }[] {
    return Array.from(this.#disks, ([id, counter]) => {
      const [readBytes, writtenBytes] = read(counter, lifeMs)
      return { id, readBytes: Math.floor(readBytes), writtenBytes: Math.floor(writtenBytes) }
    })
  }

  nics(lifeMs: number): { id: string; receivedBytes: number; sentBytes: number }[] {
    return Array.from(this.#nics, ([id, counter]) => {
      const [receivedBytes, sentBytes] = read(counter, lifeMs)
      return { id, receivedBytes: Math.floor(receivedBytes), sentBytes: Math.floor(sentBytes) }
    })
  }

  #pair(device: string, perMs: number): Pair {
    const random = this.#random(device)
    return [random.next() * perMs, random.next() * perMs]
  }

  #random(what: string): Random {
    return new Random(`usage ${this.#id} ${what}`)
  }
}

/** A simulated guest moves no more octets than it may; it makes no requests that are counted, and has no bursts. */
function limited([read, written]: Pair, { bytes, readBytes, writeBytes }: DiskLimits): Pair {
  const perMs = (limit: RateLimit | undefined) => (limit === undefined ? Infinity : limit.perSecond / 1_000)
  const share = Math.min(1, perMs(bytes) / (read + written))
  return [Math.min(read * share, perMs(readBytes)), Math.min(written * share, perMs(writeBytes))]
}

function goOn(before: Counter | undefined, lifeMs: number, perMs: Pair): Counter {
  return { perMs, atMs: lifeMs, values: before === undefined ? NOTHING : read(before, lifeMs) }
}

function read({ perMs, atMs, values }: Counter, lifeMs: number): Pair {
  const ms = lifeMs - atMs
  return [values[0] + perMs[0] * ms, values[1] + perMs[1] * ms]
}
