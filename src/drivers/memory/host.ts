import {
  type Domain,
  type DomainConfig,
  type DomainEvent,
  type DomainId,
  DriverError,
  type Dump,
  type HostInfo,
  type NetworkConfig,
  type StartupAction,
} from '../driver.ts'
import { Agenda, type Clock, machineClock } from './clock.ts'
import { CpuMeter } from './cpu-meter.ts'
import type { KeptState, SavedFile } from './kept-state.ts'
import type { Machine } from './machine.ts'
import { OpenFiles } from './open-files.ts'
import { populate } from './population.ts'
import { Random } from './random.ts'
import { SerialPort } from './serial-port.ts'
import { VolumeStore } from './volume-store.ts'

/** What a memory host is made of. */
export interface MemoryHostOptions {
  /** Decides, with the seed, the id of the host and of everything on it. */
  readonly name?: string
  readonly seed?: number
  /** How many halted domains it has from the start. */
  readonly vms?: number
  /** How many bytes of volumes each repository has room for. */
  readonly repositoryBytes?: number
  readonly clock?: Clock
}

/** A domain of a memory host. `now` is replaced when it changes, never written to, so that listing shares it. */
export interface MemoryDomain {
  config: DomainConfig
  now: Domain
  readonly serial: SerialPort
  /** The newest of its dumps, oldest first. */
  dumps: readonly Dump[]
  /** How many were ever made. */
  dumpCount: number
  startup: StartupAction
  /** Each after the one it builds on. */
  snapshots: readonly KeptState[]
  /** How many were ever made. */
  snapshotCount: number
  /** The id of the one that what it is now builds on. */
  currentSnapshot: string | null
  /** Whether it was paused when it was suspended last. */
  isSavedPaused: boolean
  /** What it was started with, and what runs in it, or is kept of that; `null` while it is halted. */
  active: Machine | null
}

/** How many domains a memory host has room for. */
export const DOMAINS_MAX = 1_000_000

/** What a host keeps of a domain that it has just been given. */
const NOTHING_KEPT = {
  dumps: [],
  dumpCount: 0,
  startup: 'never',
  snapshots: [],
  snapshotCount: 0,
  currentSnapshot: null,
  isSavedPaused: false,
  active: null,
} as const

const REPOSITORY_BYTES = 2 ** 40
const MEMORY_BYTES = 2 ** 38
const CPU_COUNT = 16
const CPU_FEATURES = [
  'FPU',
  'TSC',
  'MSR',
  'PAE',
  'CX8',
  'APIC',
  'CMOV',
  'PAT',
  'MMX',
  'XMM',
  'XMM2',
  'SYSCALL',
  'NX',
  'LM',
]

/** A host that exists in this process only. It outlives the connections to it. */
export class MemoryHost {
  readonly info: HostInfo
  readonly domains = new Map<DomainId, MemoryDomain>()
  readonly networks = new Map<string, NetworkConfig>()
  readonly volumes: VolumeStore
  readonly openFiles = new OpenFiles()
  /** What domains were saved to, by location. */
  readonly savedFiles = new Map<string, SavedFile>()
  readonly cpuMeter: CpuMeter
  /** The domains that are not halted. */
  readonly active = new Set<MemoryDomain>()
  readonly clock: Clock
  readonly agenda: Agenda
  readonly #listeners = new Set<(event: DomainEvent) => void>()

  constructor(options: MemoryHostOptions = {}) {
    const { name = 'memory', seed = 0, vms = 0, repositoryBytes = REPOSITORY_BYTES, clock = machineClock } = options
    this.info = describeHost(name, new Random(`host ${name} ${seed}`).uuid())
    this.clock = clock
    this.agenda = new Agenda(clock)
    this.cpuMeter = new CpuMeter(clock, this.info.cpus.length)
    this.volumes = new VolumeStore(repositoryBytes)
    for (const config of populate(new Random(`population ${name} ${seed}`), vms)) this.add(config)
  }

  /** Makes a halted domain. */
  add(config: DomainConfig): void {
    if (this.domains.size >= DOMAINS_MAX)
      throw new DriverError('refused', `the host has no room for a domain beyond ${DOMAINS_MAX}`)
    const now: Domain = { id: config.id, name: config.name, state: 'halted' }
    this.domains.set(config.id, { config, now, serial: new SerialPort(), ...NOTHING_KEPT })
  }

  domain(id: DomainId): MemoryDomain {
    const domain = this.domains.get(id)
    if (domain === undefined) throw new DriverError('not-found', `the host has no domain ${id}`)
    return domain
  }

  /** Whether a domain that is not halted uses the volume at `location`. */
  isInUse(location: string): boolean {
    for (const { active } of this.active) {
      if (active?.config.disks.some(disk => disk.location === location)) return true
    }
    return false
  }

  /** Whether a snapshot keeps what the volume at `location` was. */
  isKept(location: string): boolean {
    return [...this.domains.values()].some(({ snapshots }) =>
      snapshots.some(({ volumes }) => volumes.some(volume => volume.location === location)),
    )
  }

  /** Lets images grow by what a guest has written to them. */
  writeBack(machine: Machine): void {
    for (const { location, bytes } of machine.takeWrites()) this.volumes.write(location, bytes)
  }

  /** As `writeBack`, for every guest: so that images are seen as they are. */
  writeBackAll(): void {
    for (const { active } of this.active) if (active !== null) this.writeBack(active)
  }

  /** Whether a domain that is not halted has the volume at `location` open for writing. */
  isWritten(location: string): boolean {
    for (const { active } of this.active) {
      if (active?.config.disks.some(disk => disk.location === location && !disk.readOnly)) return true
    }
    return false
  }

  /** Tells all connections. Each hears later than the change is made and earlier than the next event. */
  emit(id: DomainId, kind: DomainEvent['kind']): void {
    const state = this.domains.get(id)?.now.state
    queueMicrotask(() => {
      for (const listener of this.#listeners) listener({ id, kind, ...(state !== undefined && { state }) })
    })
  }

  /** Hears of every event, and keeps the guests' timers going, until the returned function is called. */
  attach(listener: (event: DomainEvent) => void): () => void {
    this.#listeners.add(listener)
    this.agenda.arm()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.agenda.disarm()
    }
  }
}

function describeHost(name: string, id: string): HostInfo {
  return {
    id,
    name,
    memoryBytes: MEMORY_BYTES,
    cpus: Array.from({ length: CPU_COUNT }, (_, number) => ({ number, features: CPU_FEATURES })),
    softwareVersion: { memory: '1' },
  }
}
