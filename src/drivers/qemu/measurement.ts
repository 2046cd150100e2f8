import type { DriveCounters } from '../../protocols/qmp/counters.ts'
import { QmpError } from '../../protocols/qmp/error.ts'
import { type Domain, type DomainConfig, type DomainInfo, type DomainMetrics, DriverError } from '../driver.ts'
import { MEMORY_GRANULARITY_BYTES } from './command-line/board.ts'
import { threadMs } from './cpu-time.ts'
import { systemCode } from './files.ts'
import type { GuestTools } from './guest-tools.ts'
import type { Machine } from './machine.ts'
import type { Networks } from './networks/networks.ts'
import { diskName } from './slots.ts'

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
  const [memoryBytes, drives, vcpuMs, nics] = await Promise.all([
    readMemory(machine, config),
    machine.execute('query-blockstats'),
    readCpus(machine, config),
    networks.counters(config.id),
  ])
  const atMs = performance.now()
  // A guest that is stopped answers nobody.
  const versions = await tools.versions({ ask: machine.state === 'running' })
  return { atMs, memoryBytes, vcpuMs, disks: disksOf(config, drives), nics, tools: versions }
}

/** A domain: what it is, its definition, and its QEMU where it has one. */
interface Living {
  readonly config: DomainConfig
  /** What its QEMU is made of, where it has one. */
  readonly living: { readonly config: DomainConfig }
  readonly machine: Machine | undefined
  look(): Promise<Domain>
}

/** Reads the CPU time of each virtual CPU. Rejects as `measure`. */
export async function measureCpus({ config, machine }: Omit<Living, 'living' | 'look'>): Promise<number[]> {
  if (machine === undefined) throw halted(config)
  assertLiving(machine, config)
  return readCpus(machine, config)
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
  const [memoryNowBytes, vcpuMs] = await Promise.all([readMemory(machine, config), readCpus(machine, config)])
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

async function readCpus(machine: Machine, config: DomainConfig): Promise<number[]> {
  const threads = await machine.execute('query-cpus-fast')
  try {
    return await Promise.all(threads.map(({ threadId }) => threadMs(machine.process.pid, threadId)))
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
    return drive === undefined ? [] : [{ id, readBytes: drive.readBytes, writtenBytes: drive.writtenBytes }]
  })
}

/**
 * The name of the device: where the drive is held by a part of it, QEMU gives the path of that.
 * Source: QEMU block/block-backend.c, blk_get_attached_dev_id.
 */
const nameOfDevice = ({ device = '' }: DriveCounters): string =>
  /^\/machine\/peripheral\/([^/]+)/.exec(device)?.[1] ?? device
