import { decodeBalloonStats, type DriveCounters } from '../../protocols/qmp/counters.ts'
import { QmpError } from '../../protocols/qmp/error.ts'
import {
  type DirtyRate,
  type DiskError,
  type DiskMetrics,
  type Domain,
  type DomainConfig,
  type DomainInfo,
  type DomainMetrics,
  DriverError,
  type GuestMemory,
  type VcpuMetrics,
  type VcpuState,
} from '../driver.ts'
import { MEMORY_GRANULARITY_BYTES } from './command-line/board.ts'
import { keepsWaits, processUse, threadMetrics, threadMs } from './cpu-time.ts'
import { systemCode } from './files.ts'
import type { GuestTools } from './guest-tools.ts'
import type { Machine } from './machine.ts'
import type { Networks } from './networks/networks.ts'
import { BALLOON, diskName } from './slots.ts'

/** What is to be measured of a living domain. */
export interface Measured {
  readonly machine: Machine
  readonly config: DomainConfig
  readonly tools: GuestTools
  readonly networks: Networks
}

/** Reads the counters of a domain. Rejects as `bad-state` unless it runs or is paused. */
export async function measure({ machine, config, tools, networks }: Measured): Promise<DomainMetrics> {
  assertLiving(machine, config)
  const [memoryBytes, guestMemory, drives, cpus, use, nics] = await Promise.all([
    readMemory(machine, config),
    readGuestMemory(machine),
    machine.execute('query-blockstats'),
    readCpus(machine, config),
    whileThere(config, () => processUse(machine.process.pid)),
    networks.counters(config.id),
  ])
  const atMs = performance.now()
  // A guest that is stopped answers nobody.
  const versions = await tools.versions({ ask: machine.state === 'running' })
  const { userMs, systemMs, residentBytes } = use
  return {
    atMs,
    memoryBytes,
    ...(guestMemory && { guestMemory }),
    residentBytes,
    vcpuMs: cpus.map(({ usedMs }) => usedMs),
    vcpus: cpus.map(stateOf),
    cpu: { totalMs: userMs + systemMs, userMs, systemMs },
    disks: disksOf(config, drives),
    nics,
    tools: versions,
  }
}

/** A domain: what it is, its definition, and its QEMU where it has one. */
interface Living {
  readonly config: DomainConfig
  /** What its QEMU is made of, where it has one. */
  readonly living: { readonly config: DomainConfig }
  readonly machine: Machine | undefined
  look(): Promise<Domain>
}

function stateOf(cpu: VcpuMetrics): VcpuState {
  const { usedMs: _, ...state } = cpu
  return state
}

/** Reads what there is of each virtual CPU. Rejects as `measure`. */
export async function measureCpus({ config, machine }: Omit<Living, 'living' | 'look'>): Promise<VcpuMetrics[]> {
  if (machine === undefined) throw halted(config)
  assertLiving(machine, config)
  return readCpus(machine, config)
}

/**
 * The disks whose images could not be read or written, for which the guest is stopped. Rejects as `measure`.
 * Source: QEMU qapi/block-core.json, BlockDeviceIoStatus, which QEMU does not take back when the guest goes on.
 */
export async function diskErrors({ config, living, machine }: Omit<Living, 'look'>): Promise<DiskError[]> {
  if (machine === undefined) throw halted(config)
  assertLiving(machine, config)
  const { status: now } = await machine.execute('query-status')
  if (now !== 'io-error') return []
  const drives = new Map((await machine.execute('query-block')).map(drive => [nameOfDevice(drive), drive.status]))
  return living.config.disks.flatMap(({ id }) => {
    const status = drives.get(diskName(id)) ?? 'ok'
    return status === 'ok' ? [] : [{ id, reason: status === 'nospace' ? 'no-space' : 'unspecified' }]
  })
}

/** Tells how fast the guest was found to write to its memory. Rejects as `measure`. */
export async function dirtyRate({ config, machine }: Omit<Living, 'living' | 'look'>): Promise<DirtyRate> {
  if (machine === undefined) throw halted(config)
  assertLiving(machine, config)
  return machine.execute('query-dirty-rate')
}

/** What a domain is, has and has used; of one without a living machine, what it is to have. */
export async function infoOf(domain: Living): Promise<DomainInfo> {
  const now = await domain.look()
  const { machine } = domain
  const { config } = domain.living
  const { memoryBytes, memoryTargetBytes = memoryBytes, vcpus } = config
  if (machine === undefined || (now.state !== 'running' && now.state !== 'paused')) {
    return { ...now, memoryBytes, memoryNowBytes: memoryTargetBytes, vcpus, cpuMs: 0 }
  }
  const [memoryNowBytes, vcpuMs] = await Promise.all([
    readMemory(machine, config),
    readThreads(machine, config, threadMs),
  ])
  const cpuMs = vcpuMs.reduce((sum, ms) => sum + ms, 0)
  return { ...now, memoryBytes, memoryNowBytes, vcpus: vcpuMs.length, cpuMs }
}

const halted = ({ id }: DomainConfig, options?: ErrorOptions) =>
  new DriverError('bad-state', `domain ${id} has halted`, options)

function assertLiving(machine: Machine, { id }: DomainConfig): void {
  if (machine.state === 'running' || machine.state === 'paused') return
  throw new DriverError(machine.isReached ? 'bad-state' : 'unreachable', `domain ${id} is ${machine.state}`)
}

async function readMemory(machine: Machine, { memoryBytes }: DomainConfig): Promise<number> {
  try {
    return await machine.execute('query-balloon')
  } catch (error) {
    // Source: QEMU qapi/machine.json, query-balloon: the machine has no balloon.
    if (!(error instanceof QmpError && error.class === 'DeviceNotActive')) throw error
    return Math.ceil(memoryBytes / MEMORY_GRANULARITY_BYTES) * MEMORY_GRANULARITY_BYTES
  }
}

/**
 * What the guest has said through its balloon. Undefined where there is none.
 * Source: QEMU docs/interop/virtio-balloon-stats.
 */
async function readGuestMemory(machine: Machine): Promise<GuestMemory | undefined> {
  try {
    const told = await machine.execute('qom-get', { path: `/machine/peripheral/${BALLOON}`, property: 'guest-stats' })
    const { lastUpdate, stats } = decodeBalloonStats(told)
    const said = Object.entries(SAID).flatMap(([name, stat]) => (stat in stats ? [[name, stats[stat]]] : []))
    return { ...(lastUpdate > 0 && { atMs: lastUpdate * MS_PER_S }), ...Object.fromEntries(said) }
  } catch (error) {
    if (error instanceof QmpError) return undefined
    throw error
  }
}

const MS_PER_S = 1_000
/** By our names, what QEMU calls them. */
const SAID = {
  availableBytes: 'stat-total-memory',
  unusedBytes: 'stat-free-memory',
  usableBytes: 'stat-available-memory',
  cacheBytes: 'stat-disk-caches',
  swappedInBytes: 'stat-swap-in',
  swappedOutBytes: 'stat-swap-out',
  majorFaults: 'stat-major-faults',
  minorFaults: 'stat-minor-faults',
  hugePagesGiven: 'stat-htlb-pgalloc',
  hugePagesRefused: 'stat-htlb-pgfail',
} as const satisfies { readonly [N in Exclude<keyof GuestMemory, 'atMs'>]: string }

async function readCpus(machine: Machine, config: DomainConfig): Promise<VcpuMetrics[]> {
  const hasWaits = await keepsWaits()
  return readThreads(machine, config, (pid, threadId) => threadMetrics(pid, threadId, hasWaits))
}

/** What `read` tells of the thread of each virtual CPU. */
async function readThreads<T>(
  machine: Machine,
  config: DomainConfig,
  read: (pid: number, threadId: number) => Promise<T>,
): Promise<T[]> {
  const threads = await machine.execute('query-cpus-fast')
  return whileThere(config, () => Promise.all(threads.map(({ threadId }) => read(machine.process.pid, threadId))))
}

/** Reads of the process of a domain; rejects as `bad-state` where it is gone by then. */
async function whileThere<T>(config: DomainConfig, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    const code = systemCode(error)
    if (code !== 'ENOENT' && code !== 'ESRCH') throw error
    throw halted(config, { cause: error })
  }
}

/** The disks that the machine has, by the ids of their definitions. */
function disksOf({ disks }: DomainConfig, drives: readonly DriveCounters[]): DomainMetrics['disks'] {
  const byName = new Map(drives.map(drive => [nameOfDevice(drive), drive]))
  return disks.flatMap(({ id }) => {
    const drive = byName.get(diskName(id))
    return drive === undefined ? [] : [diskOf(id, drive)]
  })
}

function diskOf(id: string, drive: DriveCounters): DiskMetrics {
  const { device: _, failedReads, failedWrites, failedFlushes, ...counted } = drive
  const failed = [failedReads, failedWrites, failedFlushes].filter(count => count !== undefined)
  const errors = failed.reduce((sum, count) => sum + count, 0)
  return { id, ...counted, ...(failed.length > 0 && { errors }) }
}

/**
 * The name of the device: where the drive is held by a part of it, QEMU gives the path of that.
 * Source: QEMU block/block-backend.c, blk_get_attached_dev_id.
 */
const nameOfDevice = ({ device = '' }: Pick<DriveCounters, 'device'>): string =>
  /^\/machine\/peripheral\/([^/]+)/.exec(device)?.[1] ?? device
