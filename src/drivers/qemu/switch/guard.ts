import { HEADER_BYTES, isForSeveral, targetOf } from './frames.ts'

/** The addresses of a way out through the host's own sockets, in dotted decimal. */
export interface Guarded {
  /** The net with its prefix length, such as `10.0.2.0/24`. */
  readonly net: string
  readonly gateway: string
  /** Where names are asked for. */
  readonly dns: string
}

/** Says of a frame, given with its header, whether it may pass. */
export type Guard = (frame: Buffer) => boolean

const [IPV4, TCP, UDP] = [0x0800, 6, 17]
const [DNS_PORT, DHCP_PORT] = [53, 67]
/** Where the packet begins: behind the length, two hardware addresses and the type. */
const PACKET = HEADER_BYTES + 14
const IPV4_HEADER_BYTES = 20

/** The first two bytes of the hardware addresses of QEMU's user mode; the others are the IPv4 address. */
const OWN_PREFIX = 0x52_55

/**
 * Keeps guests from the host itself. QEMU's user mode would connect them, by the gateway's address and by others, to
 * what listens on the host for the host alone. What lies beyond the host, they may reach. Nor may it have what is for
 * another guest, as happens while nobody knows where that is: it would answer, or pass it on, whoever it is for.
 * Source: libslirp, sotranslate_out, special_ethaddr; RFC 1122, 3.2.1.3; RFC 3927, 2.7.
 */
export function guardOf({ net, gateway, dns }: Guarded): Guard {
  const [first = '', prefix = ''] = net.split('/')
  const size = 2 ** (32 - Number(prefix))
  const inside = toNumber(first)
  const resolver = toNumber(dns)
  const own = new Set([gateway, dns].map(address => OWN_PREFIX * 2 ** 32 + toNumber(address)))
  return frame => {
    if (frame.length >= PACKET && !isForSeveral(frame) && !own.has(targetOf(frame))) return false
    if (frame.length < PACKET || frame.readUInt16BE(PACKET - 2) !== IPV4) return true
    if (frame.length < PACKET + IPV4_HEADER_BYTES) return false
    const target = frame.readUInt32BE(PACKET + 16)
    const isOfHost = isHostsOwn(target)
    if (!isOfHost && (target < inside || target >= inside + size)) return true
    const [protocol, port] = [frame[PACKET + 9], portOf(frame)]
    if (protocol === UDP && port === DHCP_PORT) return true
    if (isOfHost) return false
    if (protocol !== TCP && protocol !== UDP) return true
    return target === resolver && port === DNS_PORT
  }
}

/** This host, loopback, link-local (where clouds tell a machine its secrets), and all that is no single host. */
function isHostsOwn(address: number): boolean {
  const first = Math.floor(address / 2 ** 24)
  return first === 0 || first === 127 || first >= 224 || Math.floor(address / 2 ** 16) === 0xa9_fe
}

/** The port that a packet goes to; undefined in a fragment that does not begin with it. Source: RFC 791, RFC 768. */
function portOf(frame: Buffer): number | undefined {
  const isLaterFragment = (frame.readUInt16BE(PACKET + 6) & 0x1f_ff) !== 0
  const at = PACKET + ((frame[PACKET] ?? 0) % 16) * 4 + 2
  return isLaterFragment || frame.length < at + 2 ? undefined : frame.readUInt16BE(at)
}

const toNumber = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
