import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { HEADER_BYTES } from '../../src/drivers/qemu/switch/frames.ts'
import { LEASES_MAX, LeaseTable } from '../../src/drivers/qemu/switch/leases.ts'

const [DISCOVER, REQUEST, ACK, NAK, RELEASE] = [1, 3, 5, 6, 7]
const MAC = 0x52_54_00_12_34_56
const DAY_S = 86_400
const NOW_MS = 1_700_000_000_000

interface Message {
  readonly kind: number
  readonly mac?: number
  /** The hardware address that the frame comes from, if another. */
  readonly from?: number
  readonly transaction?: number
  readonly given?: string
  readonly options?: Readonly<Record<number, Uint8Array>>
  readonly ports?: readonly [number, number]
  readonly fragment?: number
}

const words = (...values: readonly number[]) => {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [at, value] of values.entries()) bytes.writeUInt32BE(value, at * 4)
  return bytes
}

/** A frame as guests and servers of DHCP send it. */
function frameOf({ kind, mac = MAC, transaction = 7, given = '0.0.0.0', options = {}, ...more }: Message): Buffer {
  const isAnswer = kind === ACK || kind === NAK
  const { from = isAnswer ? 1 : mac, ports = isAnswer ? [67, 68] : [68, 67], fragment = 0 } = more
  const message = Buffer.alloc(240)
  message.set([isAnswer ? 2 : 1, 1, 6])
  message.writeUInt32BE(transaction, 4)
  message.set(given.split('.').map(Number), 16)
  message.writeUIntBE(mac, 28, 6)
  message.writeUInt32BE(0x63_82_53_63, 236)
  const said = Object.entries(options).map(([option, value]) => Buffer.from([Number(option), value.length, ...value]))
  const [datagram, packet, ethernet] = [Buffer.alloc(8), Buffer.alloc(20), Buffer.alloc(HEADER_BYTES + 14)]
  datagram.writeUInt16BE(ports[0], 0)
  datagram.writeUInt16BE(ports[1], 2)
  packet[0] = 0x45
  packet.writeUInt16BE(fragment, 6)
  packet[9] = 17
  ethernet.writeUIntBE(from, HEADER_BYTES + 6, 6)
  ethernet.writeUInt16BE(0x0800, HEADER_BYTES + 12)
  return Buffer.concat([ethernet, packet, datagram, message, Buffer.from([53, 1, kind, 0, 0]), ...said, Buffer.of(255)])
}

/** What a server says that gives an address for a day. */
const ack = (more: Partial<Message> = {}): Buffer =>
  frameOf({
    kind: ACK,
    given: '10.0.2.15',
    ...more,
    options: { 1: words(0xffff_ff00), 51: words(DAY_S), ...more.options },
  })

function world() {
  const clock = { ms: NOW_MS }
  return { table: new LeaseTable(() => clock.ms), clock }
}

const LEASE = {
  mac: '52:54:00:12:34:56',
  address: '10.0.2.15',
  prefix: 24,
  hostname: null,
  clientId: null,
  expiresAtMs: NOW_MS + DAY_S * 1_000,
}

describe('the leases of a network', () => {
  it('are what guests asked for and were answered from outside, with what they said of themselves', () => {
    const { table } = world()
    table.see(frameOf({ kind: DISCOVER }), false)
    assert.deepEqual(table.list(), [])
    const options = { 12: Buffer.from('web-1'), 61: Buffer.from('01525400123456', 'hex') }
    table.see(frameOf({ kind: REQUEST, options }), false)
    table.see(ack(), true)

    assert.deepEqual(table.list(), [{ ...LEASE, hostname: 'web-1', clientId: '01:52:54:00:12:34:56' }])
  })

  it('end when their time is over, when they are given back, and where nobody is known any more', () => {
    const { table, clock } = world()
    const give = (mac: number, options = {}) => {
      table.see(frameOf({ kind: REQUEST, mac }), false)
      table.see(ack({ mac, options }), true)
    }
    give(MAC)
    clock.ms += DAY_S * 1_000
    assert.deepEqual(table.list(), [])
    give(MAC, { 51: words(0xffff_ffff) })
    assert.deepEqual(table.list(), [{ ...LEASE, expiresAtMs: null }])
    table.see(frameOf({ kind: RELEASE }), false)
    assert.deepEqual(table.list(), [])
    for (let mac = 1; mac <= LEASES_MAX + 1; mac++) give(mac)
    assert.equal(table.list().length, LEASES_MAX)
    assert.equal(table.list()[0]?.mac, '00:00:00:00:00:02')
  })

  const unbelieved: Readonly<Record<string, readonly [Buffer, boolean]>> = {
    'an answer of another guest': [ack(), false],
    'an answer to another question': [ack({ transaction: 8 }), true],
    'an answer to somebody else': [ack({ mac: MAC + 1 }), true],
    'a refusal': [frameOf({ kind: NAK }), true],
    'an answer that gives nothing for a time': [frameOf({ kind: ACK, given: '10.0.2.15' }), true],
    'an answer on other ports': [ack({ ports: [67, 69] }), true],
    'a part of an answer': [ack({ fragment: 0x20_00 }), true],
    'an answer that is cut off': [ack().subarray(0, -12), true],
  }
  for (const [what, [frame, isFromOutside]] of Object.entries(unbelieved)) {
    it(`are not made of ${what}`, () => {
      const { table } = world()
      table.see(frameOf({ kind: REQUEST }), false)
      table.see(frame, isFromOutside)

      assert.deepEqual(table.list(), [])
    })
  }

  it('are of who asks in the own name, and called by what can be a name', () => {
    const { table } = world()
    table.see(frameOf({ kind: REQUEST, from: MAC + 1 }), false)
    table.see(ack(), true)
    assert.deepEqual(table.list(), [])
    table.see(frameOf({ kind: REQUEST, options: { 12: Buffer.from('a\u001b[2J'), 61: Buffer.alloc(0) } }), false)
    table.see(ack(), true)
    assert.deepEqual(table.list(), [{ ...LEASE, clientId: '' }])
  })

  it('stand whatever bytes come', () => {
    const { table } = world()
    const frames = [frameOf({ kind: REQUEST, options: { 12: Buffer.from('web') } }), ack()]
    const spoilt = fc.tuple(fc.nat(1), fc.nat(400), fc.uint8Array({ maxLength: 40 }), fc.boolean())
    fc.assert(
      fc.property(spoilt, ([which, at, bytes, isFromOutside]) => {
        const frame = Buffer.from(frames[which] ?? Buffer.alloc(0))
        const place = Math.min(at, frame.length)
        const spoiled = Buffer.concat([frame.subarray(0, place), bytes, frame.subarray(place + bytes.length)])
        for (const each of [spoiled, spoiled.subarray(0, Math.max(HEADER_BYTES + 14, place))])
          table.see(each, isFromOutside)
        assert(table.list().length <= LEASES_MAX)
      }),
    )
  })
})
