import { inspect } from 'node:util'
import type { CpuTime } from '../drivers/driver.ts'
import { VIR_ERR_INTERNAL_ERROR, VIR_ERR_INVALID_ARG, VIR_ERR_NO_SUPPORT } from './error-numbers.ts'
import { checkFlags, type FunctionName } from './flag-check.ts'
import type { Host } from './host.ts'

const KIB = 1_024
const NS_PER_MS = 1_000_000

/** What virNodeGetInfo tells of a host's machine. */
export interface NodeInfo {
  /** How the maker names its processors; empty where the host does not tell. */
  readonly model: string
  /** In KiB. */
  readonly memory: number
  /** CPUs as the operating system counts them. */
  readonly cpus: number
  /** 0 where the host does not tell. */
  readonly mhz: number
  /** NUMA nodes, of which each has this many sockets, these have these cores, and these have these threads. */
  readonly nodes: number
  readonly sockets: number
  readonly cores: number
  readonly threads: number
}

/** CPU time in nanoseconds, as virNodeGetCPUStats tells it by these names. */
export interface NodeCpuStats {
  /** What the host's own system used; absent where it is not told from the rest, which is then all in `user`. */
  readonly kernel?: bigint
  readonly user: bigint
  readonly idle: bigint
}

/** Memory in KiB, as virNodeGetMemoryStats tells it by these names. */
export interface NodeMemoryStats {
  readonly total: bigint
  readonly free: bigint
}

/** Which CPUs a host has. */
export interface NodeCpuMap {
  /** How many it has, those included that are not in use. */
  readonly cpus: number
  /** By number, whether it is in use. */
  readonly map: readonly boolean[]
  readonly online: number
}

/** Of all CPUs together, or all NUMA nodes. Source: libvirt, include/libvirt/libvirt-host.h. */
export const VIR_NODE_CPU_STATS_ALL_CPUS = -1
/** As VIR_NODE_CPU_STATS_ALL_CPUS, of memory. */
export const VIR_NODE_MEMORY_STATS_ALL_CELLS = -1

/** The machine of a host. */
export class ConnectionWithNode {
  protected readonly host: Host

  constructor(host: Host) {
    this.host = host
  }

  /** What the host's machine is made of (virNodeGetInfo). */
  async nodeGetInfo(): Promise<NodeInfo> {
    return this.read('virNodeGetInfo', async () => {
      const { cpus, memoryBytes } = this.host.info
      const hardware = await this.host.driver.host.hardware?.()
      return {
        model: hardware?.model ?? '',
        memory: Math.floor(memoryBytes / KIB),
        cpus: cpus.length,
        mhz: hardware?.mhz ?? 0,
        nodes: hardware?.nodes ?? 1,
        sockets: hardware?.socketsPerNode ?? 1,
        cores: hardware?.coresPerSocket ?? cpus.length,
        threads: hardware?.threadsPerCore ?? 1,
      }
    })
  }

  /** Memory of the host that nothing uses now, in bytes (virNodeGetFreeMemory). */
  async nodeGetFreeMemory(): Promise<bigint> {
    return this.read('virNodeGetFreeMemory', () => this.#free('virNodeGetFreeMemory'))
  }

  /**
   * The same of each NUMA node, from the one of number `startCell` on. Of several nodes no host here tells the memory apart
   * (virNodeGetCellsFreeMemory).
   */
  async nodeGetCellsFreeMemory(startCell: number, maxCells: number): Promise<bigint[]> {
    const name = 'virNodeGetCellsFreeMemory'
    return this.read(name, async () => {
      if (!(maxCells > 0)) throw this.host.error(VIR_ERR_INVALID_ARG, `maxCells in ${name} must be greater than zero`)
      await this.#assertOneNode(name)
      if (startCell === 0) return [await this.#free(name)]
      throw this.host.error(VIR_ERR_INTERNAL_ERROR, `start cell ${startCell} out of range (0-0)`)
    })
  }

  /** Memory of a NUMA node, or of the whole host (virNodeGetMemoryStats). */
  async nodeGetMemoryStats(cellNum = VIR_NODE_MEMORY_STATS_ALL_CELLS, flags = 0): Promise<NodeMemoryStats> {
    const name = 'virNodeGetMemoryStats'
    return this.read(name, async () => {
      checkFlags(name, flags, {})
      if (cellNum !== VIR_NODE_MEMORY_STATS_ALL_CELLS) await this.#assertOneNode(name)
      if (cellNum !== 0 && cellNum !== VIR_NODE_MEMORY_STATS_ALL_CELLS) {
        throw this.host.error(VIR_ERR_INVALID_ARG, `cellNum in ${name} must be less than or equal to 0`)
      }
      const free = (await this.#free(name)) / BigInt(KIB)
      return { total: BigInt(Math.floor(this.host.info.memoryBytes / KIB)), free }
    })
  }

  /** What a CPU of the host has done since it was started, or all together (virNodeGetCPUStats). */
  async nodeGetCPUStats(cpuNum = VIR_NODE_CPU_STATS_ALL_CPUS, flags = 0): Promise<NodeCpuStats> {
    const name = 'virNodeGetCPUStats'
    return this.read(name, async () => {
      checkFlags(name, flags, {})
      const all = await this.host.group(name, 'metrics').cpus()
      const wanted = all.filter(({ number }) => cpuNum === VIR_NODE_CPU_STATS_ALL_CPUS || number === cpuNum)
      if (wanted.length === 0) throw this.host.error(VIR_ERR_INVALID_ARG, `Invalid cpuNum in ${name}`)
      return statsOf(wanted)
    })
  }

  /** Which CPUs of the host its system uses (virNodeGetCPUMap). */
  async nodeGetCPUMap(flags = 0): Promise<NodeCpuMap> {
    return this.read('virNodeGetCPUMap', async () => {
      checkFlags('virNodeGetCPUMap', flags, {})
      const used = new Set(this.host.info.cpus.map(({ number }) => number))
      const count = [...used].reduce((most, number) => Math.max(most, number + 1), 0)
      return { cpus: count, map: Array.from({ length: count }, (_, number) => used.has(number)), online: used.size }
    })
  }

  /** As it is shown where objects are. */
  [inspect.custom](): string {
    return `${this.constructor.name} { '${this.host.uri}' }`
  }

  protected read<T>(name: FunctionName, run: () => Promise<T>): Promise<T> {
    return this.host.read(name, VIR_ERR_INTERNAL_ERROR, run)
  }

  async #free(name: FunctionName): Promise<bigint> {
    const free = await this.host.driver.host.memoryFree?.()
    if (free === undefined) throw this.host.error(VIR_ERR_NO_SUPPORT, name)
    return BigInt(Math.floor(free))
  }

  async #assertOneNode(name: FunctionName): Promise<void> {
    const hardware = await this.host.driver.host.hardware?.()
    if ((hardware?.nodes ?? 1) > 1) throw this.host.error(VIR_ERR_NO_SUPPORT, name)
  }
}

function statsOf(times: readonly CpuTime[]): NodeCpuStats {
  const kernels = times.flatMap(({ kernelMs }) => kernelMs ?? [])
  const kernelMs = kernels.length === times.length ? sum(kernels) : undefined
  const user = nanoseconds(sum(times.map(({ busyMs }) => busyMs)) - (kernelMs ?? 0))
  const idle = nanoseconds(sum(times.map(({ idleMs }) => idleMs)))
  return { ...(kernelMs !== undefined && { kernel: nanoseconds(kernelMs) }), user, idle }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0)
const nanoseconds = (ms: number): bigint => BigInt(Math.round(Math.max(0, ms) * NS_PER_MS))
