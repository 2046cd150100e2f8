import { DriverError } from '../drivers/driver.ts'
import { ConnectionWithNode } from './connection-node.ts'
import { VIR_ERR_INVALID_ARG, VIR_ERR_NO_SUPPORT } from './error-numbers.ts'
import { checkFlags } from './flag-check.ts'
import { writeCapabilities } from './xml/capabilities.ts'
import { writeDomainCapabilities } from './xml/domain-capabilities.ts'

/** The libvirt whose functions, flags and descriptions these are: 9.0.0. */
export const LIBVIR_VERSION_NUMBER = 9_000_000

/** What a host, and the connection to it, is. */
export class ConnectionWithFacts extends ConnectionWithNode {
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
      const [vcpusMax, hardware] = await Promise.all([this.host.vcpusMax(), this.host.driver.host.hardware?.()])
      const facts = { ...(vcpusMax !== undefined && { vcpusMax }), ...(hardware && { hardware }) }
      return writeCapabilities(this.host.info, this.host.kind, facts)
    })
  }

  /**
   * What machines of the host can have, in libvirt's XML. What is not chosen is as it is here; what no machine of the host
   * is rejects with `VIR_ERR_INVALID_ARG` (virConnectGetDomainCapabilities).
   */
  async getDomainCapabilities(
    emulatorbin?: string,
    arch?: string,
    machine?: string,
    virttype?: string,
    flags = 0,
  ): Promise<string> {
    return this.read('virConnectGetDomainCapabilities', async () => {
      checkFlags('virConnectGetDomainCapabilities', flags, {})
      const vcpusMax = await this.host.vcpusMax()
      const choice = { emulator: emulatorbin, arch, machine, type: virttype }
      return writeDomainCapabilities(choice, { info: this.host.info, kind: this.host.kind, vcpusMax })
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
}
