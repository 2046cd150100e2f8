import { inspect } from 'node:util'
import { DriverError } from '../drivers/driver.ts'
import { VIR_ERR_INTERNAL_ERROR, VIR_ERR_INVALID_ARG, VIR_ERR_NO_SUPPORT } from './error-numbers.ts'
import type { FunctionName } from './flag-check.ts'
import type { Host } from './host.ts'
import { writeCapabilities } from './xml/capabilities.ts'

/** The libvirt whose functions, flags and descriptions these are: 9.0.0. */
export const LIBVIR_VERSION_NUMBER = 9_000_000

const KIB = 1_024

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

/** What a host, and the connection to it, is. */
export class ConnectionWithFacts {
  protected readonly host: Host

  constructor(host: Host) {
    this.host = host
  }

  /** The hypervisor: `Hyper-V`, `QEMU`, or `TEST` for a host in memory (virConnectGetType). */
  async getType(): Promise<string> {
    return this.read('virConnectGetType', async () => this.host.profile.type)
  }

  /**
   * The version of the hypervisor, as libvirt's drivers make one number of it: major × 1,000,000 + minor × 1,000 +
   * release; of Hyper-V that of Windows, major × 100,000,000 + minor × 1,000,000 + build (virConnectGetVersion).
   */
  async getVersion(): Promise<number> {
    return this.read('virConnectGetVersion', async () => this.host.profile.version(this.host.info))
  }

  /** The version of the libvirt that this API follows (virConnectGetLibVersion). */
  async getLibVersion(): Promise<number> {
    return this.read('virConnectGetLibVersion', async () => LIBVIR_VERSION_NUMBER)
  }

  /** The name of the host (virConnectGetHostname). */
  async getHostname(): Promise<string> {
    return this.read('virConnectGetHostname', async () => this.host.info.name)
  }

  /** The URI that the host was connected by (virConnectGetURI). */
  async getURI(): Promise<string> {
    return this.read('virConnectGetURI', async () => this.host.uri)
  }

  /** What the host can do, in libvirt's XML (virConnectGetCapabilities). */
  async getCapabilities(): Promise<string> {
    return this.read('virConnectGetCapabilities', async () => {
      const vcpusMax = await this.host.vcpusMax()
      return writeCapabilities(this.host.info, this.host.kind, vcpusMax === undefined ? {} : { vcpusMax })
    })
  }

  /** The most virtual CPUs of a domain of a type, or of the host's own (virConnectGetMaxVcpus). */
  async getMaxVcpus(type?: string): Promise<number> {
    return this.read('virConnectGetMaxVcpus', async () => {
      if (type !== undefined && !this.host.kind.types.includes(type)) {
        throw this.host.error(VIR_ERR_INVALID_ARG, `unknown type '${type}'`)
      }
      const max = await this.host.vcpusMax()
      if (max === undefined) throw this.host.error(VIR_ERR_NO_SUPPORT, 'virConnectGetMaxVcpus')
      return max
    })
  }

  /** Whether the host answers; of a connection that is closed it is false (virConnectIsAlive). */
  async isAlive(): Promise<boolean> {
    if (this.host.isClosed) return false
    const { host } = this.host.driver
    try {
      await (host.memoryFree === undefined ? host.info() : host.memoryFree())
      return true
    } catch (error) {
      if (error instanceof DriverError) return error.kind !== 'unreachable'
      throw error
    }
  }

  /** Whether what is said to the host is encrypted (virConnectIsEncrypted). */
  async isEncrypted(): Promise<boolean> {
    return this.read('virConnectIsEncrypted', async () => this.host.driver.host.isEncrypted ?? false)
  }

  /** Whether nobody on the way can read it: encrypted, or the host is this machine (virConnectIsSecure). */
  async isSecure(): Promise<boolean> {
    return this.read('virConnectIsSecure', async () => this.host.driver.host.isEncrypted ?? true)
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
    return this.read('virNodeGetFreeMemory', async () => {
      const free = await this.host.driver.host.memoryFree?.()
      if (free === undefined) throw this.host.error(VIR_ERR_NO_SUPPORT, 'virNodeGetFreeMemory')
      return BigInt(Math.floor(free))
    })
  }

  /** As it is shown where objects are. */
  [inspect.custom](): string {
    return `${this.constructor.name} { '${this.host.uri}' }`
  }

  protected read<T>(name: FunctionName, run: () => Promise<T>): Promise<T> {
    return this.host.read(name, VIR_ERR_INTERNAL_ERROR, run)
  }
}
