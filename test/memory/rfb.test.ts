import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { test } from 'node:test'
import { memoryDriver } from '../../src/drivers/memory/index.ts'
import { RfbClient } from '../support/rfb-client.ts'
import { definition } from './definition.ts'
import { ManualClock } from './manual-clock.ts'

const HANDSHAKE = Buffer.concat([Buffer.from('RFB 003.008\n'), Buffer.from([1, 1])])

async function stage() {
  const clock = new ManualClock()
  const driver = memoryDriver({ clock })
  const config = definition('web')
  await driver.domains.define(config)
  await driver.domains.start(config.id)
  const wire = await driver.terminals.open(config.id, 'vnc')
  return { clock, driver, id: config.id, wire }
}

/** All that the server has sent and nobody has read. */
async function sent(wire: Duplex): Promise<string> {
  await new Promise(setImmediate)
  const chunk: unknown = wire.read()
  return Buffer.isBuffer(chunk) ? chunk.toString('hex') : ''
}

function request(isIncremental: boolean, width = 2, height = 1): Buffer {
  return Buffer.from([3, Number(isIncremental), 0, 0, 0, 0, 0, width, 0, height])
}

test('the server shakes hands byte by byte as RFC 6143 has it', async () => {
  const { wire } = await stage()

  assert.equal(await sent(wire), Buffer.from('RFB 003.008\n').toString('hex'))
  for (const byte of Buffer.from('RFB 003.008\n')) wire.write(Uint8Array.of(byte))
  assert.equal(await sent(wire), '0101')
  wire.write(Uint8Array.of(1))
  assert.equal(await sent(wire), '00000000')
  wire.write(Uint8Array.of(0))
  const size = '00a00078'
  const format = '2018000100ff00ff00ff100800000000'
  assert.equal(await sent(wire), `${size}${format}00000003${Buffer.from('web').toString('hex')}`)
})

test('a picture comes as one raw rectangle in the pixels that were asked for', async () => {
  const { clock, wire } = await stage()
  await clock.advance(800)
  wire.write(HANDSHAKE)
  await sent(wire)
  wire.write(request(false))
  assert.equal(await sent(wire), '000000010000000000020001000000008000000080000100')

  const rgb565 = Buffer.from('0000000010100101001f003f001f0b0500000000', 'hex')
  wire.write(rgb565)
  wire.write(request(false))
  assert.equal(await sent(wire), '0000000100000000000200010000000000100010')
})

test('a rectangle beyond the screen is cut to it', async () => {
  const { wire } = await stage()
  wire.write(HANDSHAKE)
  await sent(wire)
  wire.write(Buffer.from([3, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]))

  assert.equal(await sent(wire), '0000000100a000780000000000000000')
})

test('who asks for changes only waits until the picture changes, and for ever while the guest is paused', async () => {
  const { clock, driver, id, wire } = await stage()
  wire.write(HANDSHAKE)
  await sent(wire)
  wire.write(request(false))
  assert.notEqual(await sent(wire), '')
  await driver.domains.pause(id)
  wire.write(request(true))
  await clock.advance(1000)
  assert.equal(await sent(wire), '')

  await driver.domains.unpause(id)
  await clock.advance(200)
  assert.notEqual(await sent(wire), '')
})

test('keys, pointers, encodings and texts of clients are taken, and a client is answered after them', async () => {
  const { wire } = await stage()
  wire.write(HANDSHAKE)
  await sent(wire)
  wire.write(Buffer.from([4, 1, 0, 0, 0, 0, 0, 65, 5, 0, 0, 1, 0, 1, 2, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1]))
  wire.write(Buffer.concat([Buffer.from([6, 0, 0, 0, 0, 0, 0x20, 0]), Buffer.alloc(0x2000)]))
  wire.write(request(false, 1, 1))

  assert.match(await sent(wire), /^00000001/)
})

const NONSENSE: Readonly<Record<string, Buffer>> = {
  'another version': Buffer.from('RFB 003.003\n'),
  'no version': Buffer.from('GET / HTTP/1.1'),
  'security that is not there': Buffer.concat([Buffer.from('RFB 003.008\n'), Buffer.from([2])]),
  'an unknown message': Buffer.concat([HANDSHAKE, Buffer.from([99])]),
  'pixels through a map of colours': Buffer.concat([HANDSHAKE, Buffer.alloc(4), Buffer.from([8]), Buffer.alloc(15)]),
}

for (const [what, bytes] of Object.entries(NONSENSE)) {
  test(`a client that says ${what} is cut off, and the guest runs on`, async () => {
    const { driver, id, wire } = await stage()
    const cut = once(wire, 'error')
    wire.write(bytes)
    await cut

    assert(wire.destroyed)
    assert.equal((await driver.domains.get(id)).state, 'running')
  })
}

test('a client that does not read is sent one picture and not more, however often it asks', async () => {
  const { wire } = await stage()
  wire.write(HANDSHAKE)
  for (let count = 0; count < 1000; count++) wire.write(request(false, 160, 120))
  await new Promise(setImmediate)

  assert(wire.readableLength < 200_000, `${wire.readableLength} bytes wait`)
})

test('the bar of the picture moves with the time that the guest runs', async () => {
  const { clock, wire } = await stage()
  const client = new RfbClient(wire)
  await client.shakeHands()
  const first = await client.picture()
  await clock.advance(1000)
  const second = await client.picture()

  assert.deepEqual([...first.pixels.subarray(0, 3)], [255, 255, 255])
  assert.deepEqual([...second.pixels.subarray(0, 3)], [128, 0, 0])
  assert.deepEqual([...second.pixels.subarray(40, 43)], [255, 255, 255])
})
