import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { guardOf } from '../../src/drivers/qemu/switch/guard.ts'
import { A, BROADCAST } from './peers.ts'
import { HEADER_BYTES } from '../../src/drivers/qemu/switch/frames.ts'

const guard = guardOf({ net: '10.0.2.0/24', gateway: '10.0.2.2', dns: '10.0.2.3' })
const PROTOCOLS = { icmp: 1, tcp: 6, udp: 17 } as const

const GATEWAY = 0x52_55_0a_00_02_02
const RESOLVER = 0x52_55_0a_00_02_03

interface Packet {
  readonly to: string
  readonly protocol: keyof typeof PROTOCOLS
  readonly port?: number
  /** In units of eight bytes. */
  readonly fragment?: number
  /** The hardware address. */
  readonly at?: number
  /** Words of options before the port. */
  readonly options?: number
}

function frameOf({ to, protocol, port = 0, fragment = 0, options = 0, at = GATEWAY }: Packet): Buffer {
  const headerBytes = 20 + options * 4
  const packet = Buffer.alloc(headerBytes + 8)
  packet[0] = 0x40 + headerBytes / 4
  packet.writeUInt16BE(fragment, 6)
  packet[9] = PROTOCOLS[protocol]
  packet.set(to.split('.').map(Number), 16)
  packet.writeUInt16BE(port, headerBytes + 2)
  const ethernet = Buffer.alloc(HEADER_BYTES + 14)
  ethernet.writeUIntBE(at, HEADER_BYTES, 6)
  ethernet.writeUInt16BE(0x0800, HEADER_BYTES + 12)
  return Buffer.concat([ethernet, packet])
}

describe('the guard of a way out', () => {
  const passing: readonly Packet[] = [
    { to: '192.0.2.1', protocol: 'tcp', port: 443 },
    { to: '192.0.2.1', protocol: 'udp', port: 9, fragment: 3 },
    { to: '10.0.2.3', protocol: 'udp', port: 53, at: RESOLVER },
    { to: '10.0.2.3', protocol: 'tcp', port: 53, options: 3 },
    { to: '255.255.255.255', protocol: 'udp', port: 67, at: BROADCAST },
    { to: '10.0.2.2', protocol: 'udp', port: 67 },
    { to: '10.0.2.2', protocol: 'icmp' },
  ]
  for (const packet of passing) {
    it(`lets through ${JSON.stringify(packet)}`, () => assert(guard(frameOf(packet))))
  }

  const kept: readonly Packet[] = [
    { to: '192.0.2.1', protocol: 'tcp', port: 443, at: A },
    { to: '10.0.2.2', protocol: 'tcp', port: 22 },
    { to: '10.0.2.2', protocol: 'tcp', port: 53 },
    { to: '10.0.2.99', protocol: 'tcp', port: 22 },
    { to: '10.0.2.3', protocol: 'tcp', port: 22 },
    { to: '10.0.2.3', protocol: 'udp', port: 53, fragment: 1 },
    { to: '10.0.2.2', protocol: 'udp', port: 69 },
    { to: '127.0.0.1', protocol: 'tcp', port: 22 },
    { to: '127.1.2.3', protocol: 'icmp' },
    { to: '0.0.0.0', protocol: 'tcp', port: 22 },
    { to: '255.255.255.255', protocol: 'tcp', port: 22 },
    { to: '169.254.169.254', protocol: 'tcp', port: 80 },
  ]
  for (const packet of kept) {
    it(`keeps back ${JSON.stringify(packet)}`, () => assert(!guard(frameOf(packet))))
  }

  it('says yes or no to any bytes, and no to none of another protocol that is for all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: HEADER_BYTES + 1, maxLength: 120 }), bytes => {
        const frame = Buffer.from(bytes)
        frame[HEADER_BYTES] = 0xff
        const isIpv4 = frame.length >= HEADER_BYTES + 14 && frame.readUInt16BE(HEADER_BYTES + 12) === 0x0800
        assert(guard(frame) || isIpv4)
      }),
    )
  })
})
