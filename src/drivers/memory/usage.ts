import type { DiskLimits, DiskMetrics, DomainConfig, NicMetrics, RateLimit, VcpuState } from '../driver.ts'
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
/** What a request moves, how long one takes, and how many writes are flushed together. */
const REQUEST_BYTES = 4_096
const READ_NS = 40_000
const WRITE_NS = 60_000
const FLUSH_NS = 200_000
const WRITES_PER_FLUSH = 32
const PACKET_BYTES = 512
/** Of so many packets, a guest is too slow for one. */
const PACKETS_PER_DROP = 1_000
/** What a virtual CPU waits for what it asked for, and for a CPU, for each millisecond that it computes. */
const WAIT_PER_MS = 0.1
const DELAY_PER_MS = 0.02

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

  /** What else there is to tell of each virtual CPU; they take turns on these CPUs of the host. */
  vcpuStates(lifeMs: number, cpus: readonly number[]): VcpuState[] {
    return this.vcpuMs(lifeMs).map((ms, number) => {
      const cpu = cpus[number % cpus.length]
      return { waitMs: ms * WAIT_PER_MS, delayMs: ms * DELAY_PER_MS, ...(cpu !== undefined && { cpu }) }
    })
  }

  disks(lifeMs: number): DiskMetrics[] {
    return Array.from(this.#disks, ([id, counter]) => {
      const [readBytes = 0, writtenBytes = 0] = read(counter, lifeMs).map(Math.floor)
      const [reads, writes] = [Math.ceil(readBytes / REQUEST_BYTES), Math.ceil(writtenBytes / REQUEST_BYTES)]
      const flushes = Math.floor(writes / WRITES_PER_FLUSH)
      const times = { readNs: reads * READ_NS, writeNs: writes * WRITE_NS, flushNs: flushes * FLUSH_NS }
      return { id, readBytes, writtenBytes, reads, writes, flushes, ...times, errors: 0 }
    })
  }

  nics(lifeMs: number): NicMetrics[] {
    return Array.from(this.#nics, ([id, counter]) => {
      const [receivedBytes = 0, sentBytes = 0] = read(counter, lifeMs).map(Math.floor)
      const [receivedPackets, sentPackets] = [
        Math.ceil(receivedBytes / PACKET_BYTES),
        Math.ceil(sentBytes / PACKET_BYTES),
      ]
      const receivedDropped = Math.floor(receivedPackets / PACKETS_PER_DROP)
      const failed = { receivedErrors: 0, sentErrors: 0, receivedDropped, sentDropped: 0 }
      return { id, receivedBytes, sentBytes, receivedPackets, sentPackets, ...failed }
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

/** A simulated guest moves no more octets than it may, in no more requests, and has no bursts. */
function limited([read, written]: Pair, limits: DiskLimits): Pair {
  const perMs = (limit: RateLimit | undefined) => (limit === undefined ? Infinity : limit.perSecond / 1_000)
  const most = (bytes: RateLimit | undefined, requests: RateLimit | undefined) =>
    Math.min(perMs(bytes), perMs(requests) * REQUEST_BYTES)
  const share = Math.min(1, most(limits.bytes, limits.requests) / (read + written))
  return [
    Math.min(read * share, most(limits.readBytes, limits.readRequests)),
    Math.min(written * share, most(limits.writeBytes, limits.writeRequests)),
  ]
}

function goOn(before: Counter | undefined, lifeMs: number, perMs: Pair): Counter {
  return { perMs, atMs: lifeMs, values: before === undefined ? NOTHING : read(before, lifeMs) }
}

function read({ perMs, atMs, values }: Counter, lifeMs: number): Pair {
  const ms = lifeMs - atMs
  return [values[0] + perMs[0] * ms, values[1] + perMs[1] * ms]
}
