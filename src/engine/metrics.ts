/** Host → store, again and again: what VMs and hosts use of what they have. Only memory holds it (`Store.sample`). */

import { type CpuTime, type DomainMetrics, type Driver, DriverError } from '../drivers/driver.ts'
import { host_, host_cpu, VBD, VIF, VM } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import type { Change, Store } from '../store/store.ts'
import type { Hosts } from './hosts.ts'
import type { Log } from './log.ts'
import { type DomainRates, loadsBetween, ratesBetween, type Traffic } from './rates.ts'
import { Turns } from './turns.ts'

/** How often everything is read. */
export const SAMPLE_MS = 5_000
/** Two readings closer together than this tell nothing about a rate: CPU time is counted in steps of some milliseconds. */
export const RATE_MS_MIN = 200
/** How many VMs of one host, and how many hosts, are read at once. */
const VMS_AT_ONCE_MAX = 8
const HOSTS_AT_ONCE_MAX = 16

/**
 * How much longer than it took to read the VMs of a host the pause after it is at least: what is cheap to ask of a machine
 * nearby would keep one busy that is asked over the network of thousands.
 */
const REST_FACTOR = 9

/** The VMs of a host, being read one after the other. */
interface Round {
  readonly turns: Turns
  beganMs: number
  /** Until when it is left in peace; unknown while it is being read. */
  restUntilMs: number
}

/** What is sampled, and where it goes. */
export interface SamplerOptions {
  readonly store: Store
  readonly hosts: Pick<Hosts, 'connected'>
  readonly log: Log
  /** In milliseconds; absent: `SAMPLE_MS`. */
  readonly everyMs?: number
}

/**
 * Fills the fields that say what is being used: of each VM while it is resident on a host whose driver can say, every few
 * seconds and at once after it was started or given a device; zero when it is halted. What cannot be read for now
 * stays as it was read last.
 */
export class Sampler {
  readonly #options: SamplerOptions
  /** The readings that the next rates begin with, by VM and by host. */
  readonly #domains = new Map<string, DomainMetrics>()
  readonly #cpus = new Map<string, readonly CpuTime[]>()
  readonly #hostTurns = new Turns(HOSTS_AT_ONCE_MAX, host => this.#quietly(host, () => this.#readHost(host)))
  readonly #rounds = new Map<string, Round>()
  #end: (() => void) | undefined

  constructor(options: SamplerOptions) {
    this.#options = options
  }

  /** Begins; at once with everything that is connected. */
  start(): void {
    const { store, everyMs = SAMPLE_MS } = this.#options
    const unlisten = store.onChange(changes => this.#hear(changes))
    const timer = setInterval(() => this.#askAll(), everyMs)
    timer.unref()
    this.#end = () => {
      clearInterval(timer)
      unlisten()
    }
    this.#askAll()
  }

  /** Ends; nothing is written any more. Calling it twice is harmless. */
  close(): void {
    this.#end?.()
    this.#end = undefined
    this.#hostTurns.clear()
    for (const { turns } of this.#rounds.values()) turns.clear()
  }

  #askAll(): void {
    const { store, hosts } = this.#options
    const connected = hosts.connected().map(({ host }) => host)
    for (const host of this.#rounds.keys()) if (!connected.includes(host)) this.#rounds.delete(host)
    for (const host of this.#cpus.keys()) if (!connected.includes(host)) this.#cpus.delete(host)
    const resting = new Set(
      [...this.#rounds].filter(([, round]) => round.restUntilMs > performance.now()).map(([host]) => host),
    )
    for (const vm of this.#domains.keys()) {
      const host = this.#hostOf(vm)
      if (!resting.has(host) && !this.#tellsOfMany(host)) this.#ask(vm)
    }
    for (const host of connected) {
      this.#hostTurns.ask(host)
      const residents = resting.has(host) ? [] : (store.get(host_, host)?.resident_VMs ?? [])
      if (this.#tellsOfMany(host) && residents.length > 0) this.#turn(host, host)
      else for (const vm of residents) this.#ask(vm)
    }
  }

  /** Whether a host tells of many VMs at the cost of few. */
  #tellsOfMany(host: string): boolean {
    return this.#driver(host)?.metrics?.domains !== undefined
  }

  /**
   * A VM that has come to run, or that has another device, is read out of turn; but not one that has just been found, for a
   * host that is connected may have thousands.
   */
  #hear(changes: readonly Change[]): void {
    const found = new Set(changes.filter(({ kind }) => kind === 'add').map(({ ref }) => ref))
    for (const { class: name, ref, kind, fields } of changes) {
      const isMoved = fields.includes('power_state') || fields.includes('resident_on')
      if (name === VM.name && kind !== 'add' && (isMoved || kind === 'del')) this.#ask(ref)
      const device = name === VBD.name ? VBD : name === VIF.name ? VIF : undefined
      const owner = device === undefined ? NULL_REF : (this.#options.store.get(device, ref)?.VM ?? NULL_REF)
      if (owner !== NULL_REF && kind !== 'del' && !found.has(owner)) this.#ask(owner)
    }
  }

  #ask(vm: string): void {
    if (this.#end === undefined) return
    const host = this.#hostOf(vm)
    if (host === NULL_REF) return this.#clear(vm)
    this.#turn(host, vm)
  }

  /** The turn of a VM of a host; of the host itself, that of all its VMs. */
  #turn(host: string, key: string): void {
    const round = this.#rounds.get(host) ?? this.#newRound(host)
    const nowMs = performance.now()
    if (round.restUntilMs <= nowMs) {
      round.beganMs = nowMs
      round.restUntilMs = Number.POSITIVE_INFINITY
    }
    round.turns.ask(key)
  }

  #hostOf(vm: string): string {
    return this.#options.store.get(VM, vm)?.resident_on ?? NULL_REF
  }

  #newRound(host: string): Round {
    const rest = () => {
      const nowMs = performance.now()
      // Those that were asked for out of turn do not make the pause longer.
      if (round.restUntilMs === Number.POSITIVE_INFINITY)
        round.restUntilMs = nowMs + (nowMs - round.beganMs) * REST_FACTOR
    }
    const read = (key: string) => (key === host ? this.#readVms(host) : this.#readVm(key))
    const turns = new Turns(VMS_AT_ONCE_MAX, key => this.#quietly(key, () => read(key)), rest)
    const round: Round = { turns, beganMs: 0, restUntilMs: 0 }
    this.#rounds.set(host, round)
    return round
  }

  #driver(host: string): Driver | undefined {
    return this.#options.hosts.connected().find(connection => connection.host === host)?.driver
  }

  async #readHost(host: string): Promise<void> {
    const { store } = this.#options
    const cpus = await this.#driver(host)?.metrics?.cpus()
    if (cpus === undefined || this.#end === undefined) return
    const before = this.#cpus.get(host)
    if (before !== undefined && isTooSoon(totalMs(cpus) - totalMs(before))) return
    this.#cpus.set(host, cpus)
    const loads = loadsBetween(before ?? cpus, cpus)
    for (const ref of store.get(host_, host)?.host_CPUs ?? []) {
      const number = store.get(host_cpu, ref)?.number ?? -1n
      store.sample(host_cpu, ref, { utilisation: loads.get(number) ?? 0 })
    }
  }

  async #readVms(host: string): Promise<void> {
    const { store } = this.#options
    const vms = new Map(
      (store.get(host_, host)?.resident_VMs ?? []).flatMap(ref => {
        const record = store.get(VM, ref)
        return record === undefined ? [] : [[record.domain === '' ? ref : record.domain, ref] as const]
      }),
    )
    const readings = await this.#driver(host)?.metrics?.domains?.([...vms.keys()])
    for (const { id, ...read } of readings ?? []) {
      const vm = vms.get(id) ?? NULL_REF
      if (this.#end !== undefined && this.#hostOf(vm) === host) this.#write(vm, read)
    }
  }

  async #readVm(vm: string): Promise<void> {
    const { store } = this.#options
    const record = store.get(VM, vm)
    const host = record?.resident_on ?? NULL_REF
    const metrics = this.#driver(host)?.metrics
    if (record === undefined || metrics === undefined) return
    let read: DomainMetrics | undefined
    try {
      read = await metrics.domain(record.domain === '' ? record.uuid : record.domain)
    } catch (error) {
      const isAway = error instanceof DriverError && (error.kind === 'bad-state' || error.kind === 'not-found')
      if (!isAway) throw error
    }
    if (this.#end === undefined) return
    // Meanwhile it may have halted, or have been started again somewhere else; then its next turn is due already.
    if (read === undefined || store.get(VM, vm)?.resident_on !== host) this.#clear(vm)
    else this.#write(vm, read)
  }

  #write(vm: string, now: DomainMetrics): void {
    const { store } = this.#options
    const tools_version = new Map(Object.entries(now.tools))
    store.sample(VM, vm, { memory_actual: BigInt(now.memoryBytes), tools_version })
    const before = this.#domains.get(vm)
    if (before !== undefined && isTooSoon(now.atMs - before.atMs)) return
    this.#domains.set(vm, now)
    this.#writeRates(vm, ratesBetween(before ?? now, now))
  }

  /** Of a VM that does not run there is nothing to measure. */
  #clear(vm: string): void {
    this.#domains.delete(vm)
    if (this.#options.store.get(VM, vm) === undefined) return
    this.#options.store.sample(VM, vm, { memory_actual: 0n, tools_version: new Map() })
    this.#writeRates(vm, { utilisation: new Map(), disks: new Map(), nics: new Map() })
  }

  #writeRates(vm: string, { utilisation, disks, nics }: DomainRates): void {
    const { store } = this.#options
    store.sample(VM, vm, { VCPUs_utilisation: utilisation })
    const { VBDs = [], VIFs = [] }: Partial<RecordOf<typeof VM>> = store.get(VM, vm) ?? {}
    for (const vbd of VBDs) store.sample(VBD, vbd, bandwidth(disks.get(vbd)))
    for (const vif of VIFs) {
      const { IO_bandwidth_incoming_kbs, IO_bandwidth_outgoing_kbs } = bandwidth(nics.get(vif))
      store.sample(VIF, vif, {
        IO_bandwidth_incoming_kbs,
        IO_bandwidth_outgoing_kbs,
        network_read_kbs: IO_bandwidth_incoming_kbs,
        network_write_kbs: IO_bandwidth_outgoing_kbs,
      })
    }
  }

  async #quietly(ref: string, read: () => Promise<void>): Promise<void> {
    try {
      await read()
    } catch (error) {
      // A host that does not answer is told of by those who wait for it; here the next turn is soon enough.
      if (error instanceof DriverError) return this.#options.log.debug({ ref, error: error.message }, 'not sampled')
      this.#options.log.error({ ref, error: String(error) }, 'sampling failed')
    }
  }
}

/** Time that went backwards belongs to counters that began again, and is not waited for. */
const isTooSoon = (elapsedMs: number): boolean => elapsedMs >= 0 && elapsedMs < RATE_MS_MIN

const totalMs = (cpus: readonly CpuTime[]): number => cpus.reduce((sum, cpu) => sum + cpu.busyMs + cpu.idleMs, 0)

const bandwidth = ({ incoming, outgoing }: Traffic = { incoming: 0, outgoing: 0 }) => ({
  IO_bandwidth_incoming_kbs: incoming,
  IO_bandwidth_outgoing_kbs: outgoing,
})
