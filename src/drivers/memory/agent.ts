import {
  type DiskConfig,
  type DomainConfig,
  DriverError,
  type GuestDisk,
  type GuestFailure,
  type GuestFileSystem,
  type GuestInterface,
  type NicConfig,
} from '../driver.ts'
import { hasLink } from '../link.ts'
import type { Guest } from './guest.ts'
import type { MemoryDomain } from './host.ts'
import { activeOf } from './life.ts'
import type { Machine } from './machine.ts'

/** How long a guest runs before its agent answers. */
const BOOTED_MS = 50
/** What the clock of a machine says when the clock of its host begins. */
const EPOCH_NS = 1_577_836_800_000_000_000n // 2020-01-01
const NS_PER_MS = 1e6
const FILE_SYSTEM_BYTES = 8 * 2 ** 30
const USED_SHARE = 0.25
const HOST_NAME_LENGTH_MAX = 63

/** The part of a guest that its host can ask things: what it says follows from the definition, and from what it was told. */
export class Agent {
  readonly #config: DomainConfig
  readonly #guest: Guest

  private constructor({ config, guest }: Machine) {
    this.#config = config
    this.#guest = guest
  }

  /** Rejects as `bad-state` unless the domain runs; as `refused` where nobody in it answers. */
  static of(domain: MemoryDomain): Agent {
    const machine = activeOf(domain, 'ask the guest of', ['running'])
    const { guest } = machine
    if (!guest.hasAgent) throw failure('silent', 'guest agent is not connected')
    if (guest.uptimeMs < BOOTED_MS) throw failure('silent', 'Guest agent not available for now')
    return new Agent(machine)
  }

  /** Whether one runs in the guest, which has booted. */
  static isIn({ hasAgent, uptimeMs }: Guest): boolean {
    return hasAgent && uptimeMs >= BOOTED_MS
  }

  get hostName(): string {
    const label = this.#config.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
    return label.replaceAll(/^-+|-+$/g, '').slice(0, HOST_NAME_LENGTH_MAX) || 'guest'
  }

  /** Its loopback interface, and those of the definition. */
  get interfaces(): GuestInterface[] {
    return [LOOPBACK, ...interfacesOf(this.#config)]
  }

  /** Each disk, and the only partition of it. */
  get disks(): GuestDisk[] {
    return disksOf(this.#config).flatMap(({ id, device }) => [
      { id, name: `/dev/${device}`, isPartition: false, dependencies: [] },
      { id, name: `/dev/${device}1`, isPartition: true, dependencies: [`/dev/${device}`] },
    ])
  }

  get fileSystems(): GuestFileSystem[] {
    return disksOf(this.#config).map(({ id, device }, index) => ({
      mountpoint: index === 0 ? '/' : `/mnt/${device}`,
      name: `${device}1`,
      type: 'ext4',
      totalBytes: FILE_SYSTEM_BYTES,
      usedBytes: FILE_SYSTEM_BYTES * USED_SHARE,
      disks: [{ id, device: `/dev/${device}1` }],
    }))
  }

  /** Nanoseconds since 1970, when the clock of the host says `nowMs`. */
  time(nowMs: number): bigint {
    return rtc(nowMs) + this.#guest.clockOffsetNs
  }

  setTime(nowMs: number, time: bigint | 'rtc'): void {
    this.#guest.clockOffsetNs = time === 'rtc' ? 0n : time - rtc(nowMs)
  }

  freeze(mountpoints: readonly string[] | undefined): number {
    if (this.#guest.frozen > 0) throw failure('refused', 'the file systems of the guest are frozen already')
    const mounted = this.fileSystems.filter(({ mountpoint }) => mountpoints?.includes(mountpoint) ?? true)
    this.#guest.frozen = mounted.length
    return mounted.length
  }

  thaw(): number {
    const thawed = this.#guest.frozen
    this.#guest.frozen = 0
    return thawed
  }

  assertThawed(): void {
    if (this.#guest.frozen > 0) throw failure('refused', 'the file systems of the guest are frozen')
  }

  end(ending: 'power-off' | 'reboot'): void {
    this.#guest.endNow(ending === 'reboot' ? 'reboot' : 'shutdown')
  }
}

const LOOPBACK: GuestInterface = {
  name: 'lo',
  mac: '00:00:00:00:00:00',
  addresses: [
    { family: 'ipv4', address: '127.0.0.1', prefix: 8 },
    { family: 'ipv6', address: '::1', prefix: 128 },
  ],
}

/** The interfaces of a guest, but the one within itself. */
export const interfacesOf = ({ nics = [] }: DomainConfig): GuestInterface[] => nics.map(interfaceOf)

const disksOf = ({ disks }: DomainConfig): DiskConfig[] =>
  disks.filter(({ kind = 'disk', location }) => kind === 'disk' && location !== '')

const failure = (guest: GuestFailure, message: string) => new DriverError('refused', message, { guest })

const rtc = (nowMs: number): bigint => EPOCH_NS + BigInt(Math.round(nowMs * NS_PER_MS))

/** What DHCP and the guest itself would make of a hardware address; nothing where there is no carrier. */
function interfaceOf(nic: NicConfig): GuestInterface {
  const { device, mac } = nic
  const [first = 0, ...others] = mac.split(':').map(pair => Number.parseInt(pair, 16))
  const [, , , high = 0, low = 0] = others
  const bytes = [first ^ 2, ...others.slice(0, 2), 0xff, 0xfe, ...others.slice(2)]
  const groups = [0, 2, 4, 6].map(at => (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)).toString(16))
  const addresses = [
    { family: 'ipv4', address: `172.16.${high}.${low}`, prefix: 16 },
    { family: 'ipv6', address: `fe80::${groups.join(':')}`, prefix: 64 },
  ] as const
  return { name: device, mac: mac.toLowerCase(), addresses: hasLink(nic) ? addresses : [] }
}
