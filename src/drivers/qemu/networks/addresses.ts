import { DriverError, type NetworkConfig } from '../../driver.ts'

/** The addresses of a network that QEMU serves by its user mode: all in dotted decimal. */
export interface Addresses {
  /** The net with its prefix length, such as `10.0.2.0/24`. */
  readonly net: string
  readonly gateway: string
  readonly dns: string
  /** The first that guests are given by DHCP. */
  readonly first: string
}

/** What a network has that names none: QEMU's own default. Source: qemu-system(1), `-netdev user`. */
const GATEWAY = '10.0.2.2'
const NETMASK = '255.255.255.0'

/** How many addresses QEMU gives away, beginning with the first. Source: libslirp, NB_BOOTP_CLIENTS. */
const LEASES = 16
const PREFIX_MIN = 8
/** Smaller nets have no room for the leases. */
const PREFIX_MAX = 27
/** Where QEMU's default has the first lease, which many know by heart. */
const FIRST_OFFSET = 15

/**
 * The addresses of a network by its gateway and netmask. Throws as `refused` where these make none: one of them alone,
 * no addresses, a gateway that no host can have, a net too small.
 */
export function addressesOf({ gateway, netmask }: Pick<NetworkConfig, 'gateway' | 'netmask'>): Addresses {
  if ((gateway === '') !== (netmask === '')) throw refused('a gateway and a netmask go together')
  const host = parseAddress(gateway === '' ? GATEWAY : gateway)
  const prefix = parsePrefix(netmask === '' ? NETMASK : netmask)
  const size = 2 ** (32 - prefix)
  const net = host - (host % size)
  if (host === net || host === net + size - 1) throw refused(`${gateway} is no host's address in ${netmask}`)
  if (!isUsable(host)) throw refused(`${gateway} is no address for a gateway`)
  const dns = host === net + 3 ? net + 2 : net + 3
  const first = firstLease(net, size, [host, dns])
  if (first === undefined) throw refused(`${gateway} with ${netmask} leaves no ${LEASES} addresses in a row for guests`)
  return { net: `${format(net)}/${prefix}`, gateway: format(host), dns: format(dns), first: format(first) }
}

const refused = (message: string) => new DriverError('refused', message)

/** Leases are given in a row, whoever has the addresses: the row must keep clear of those that are taken. */
function firstLease(net: number, size: number, taken: readonly number[]): number | undefined {
  const isFree = (first: number) =>
    first + LEASES < net + size && taken.every(address => address < first || address >= first + LEASES)
  const candidates = [net + FIRST_OFFSET, ...taken.map(address => address + 1), net + 1]
  return candidates.find(isFree)
}

/** None of this machine's own, of loopback, or of those that are no single host's. Source: RFC 6890. */
function isUsable(address: number): boolean {
  const first = Math.floor(address / 2 ** 24)
  return first !== 0 && first !== 127 && first < 224
}

function parseAddress(text: string): number {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1)
  if (parts === undefined) throw refused(`${JSON.stringify(text)} is no IPv4 address`)
  return parts.reduce((address, part) => {
    // A leading zero means octal to some programs and nothing to others.
    if (Number(part) > 255 || String(Number(part)) !== part) throw refused(`${text} is no IPv4 address`)
    return address * 256 + Number(part)
  }, 0)
}

function parsePrefix(text: string): number {
  const mask = parseAddress(text)
  const prefix = 32 - Math.log2(2 ** 32 - mask)
  if (!Number.isInteger(prefix)) throw refused(`${text} is no netmask`)
  if (prefix < PREFIX_MIN || prefix > PREFIX_MAX) {
    throw refused(`${text} is not between the netmasks 255.0.0.0 and 255.255.255.224`)
  }
  return prefix
}

const format = (address: number): string =>
  [24, 16, 8, 0].map(shift => Math.floor(address / 2 ** shift) % 256).join('.')
