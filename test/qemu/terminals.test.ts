import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import type { ConsoleKind, DomainId, TerminalOps } from '../../src/drivers/driver.ts'
import { takePicture } from '../support/rfb.ts'
import { Screen } from '../support/screen.ts'
import { TEST_MS, World } from './world.ts'

describe('consoles of real guests', () => {
  let world: World
  before(async () => (world = await World.open()))
  after(() => world.close())

  const terminals = (): TerminalOps => world.driver.terminals ?? assert.fail('no terminals')
  const open = (id: DomainId, kind: ConsoleKind): Promise<Duplex> => terminals().open(id, kind)

  test('a guest that runs has a serial console and a display, and one that is halted has none', async () => {
    const id = await world.define()
    assert.deepEqual(await terminals().kinds(id), [])
    await assert.rejects(open(id, 'serial'), { name: 'DriverError', kind: 'bad-state' })

    await world.driver.domains.start(id)
    assert.deepEqual(await terminals().kinds(id), ['serial', 'vnc'])
    await world.driver.domains.pause(id)
    assert.deepEqual(await terminals().kinds(id), ['serial', 'vnc'])

    await world.driver.domains.powerOff(id)
    assert.deepEqual(await terminals().kinds(id), [])
    await assert.rejects(open(id, 'vnc'), { name: 'DriverError', kind: 'bad-state' })
    await assert.rejects(terminals().kinds(crypto.randomUUID()), { name: 'DriverError', kind: 'not-found' })
  })

  test('what one viewer types the guest obeys, and all viewers see what it prints', async () => {
    const id = await world.booted()
    const [typist, other] = [await open(id, 'serial'), await open(id, 'serial')]
    const [first, second] = [new Screen(typist), new Screen(other)]

    typist.write('r')

    await first.shows('BOOT-OK')
    await second.shows('BOOT-OK')
    other.destroy()
    typist.write('p')
    assert.match(await first.untilEnd(), /BYE/)
  })

  test('a viewer may come back after the last one has left, and after the guest was started again', async () => {
    const id = await world.booted()
    for (let round = 0; round < 3; round++) {
      const viewer = await open(id, 'serial')
      await new Screen(viewer).shows('TICK')
      viewer.destroy()
    }
    const last = await open(id, 'serial')
    await world.driver.domains.powerOff(id)
    await new Screen(last).untilEnd()
    await world.driver.domains.start(id)

    const viewer = await open(id, 'serial')
    await new Screen(viewer).shows('TICK')

    viewer.destroy()
    await world.driver.domains.powerOff(id)
  })

  test('a viewer that ends its side leaves', async () => {
    const id = await world.booted()
    const viewer = await open(id, 'serial')
    viewer.end()
    await once(viewer, 'close', { signal: AbortSignal.timeout(TEST_MS) })
    await world.driver.domains.powerOff(id)
  })

  test('two viewers of the display each get a picture of it, though both ask to be alone', async () => {
    const id = await world.booted()
    const streams = [await open(id, 'vnc'), await open(id, 'vnc')]

    for (const stream of streams) {
      const { name, width, height } = await takePicture(stream)
      assert.match(name, /guest-obedient/)
      assert.ok(width > 0 && height > 0)
    }

    assert.ok(streams.every(stream => !stream.destroyed))
    await world.driver.domains.powerOff(id)
    for (const stream of streams) if (!stream.closed) await once(stream, 'close')
  })

  test('closing the driver ends consoles and not the guest', async () => {
    const id = await world.booted()
    const streams = [await open(id, 'serial'), await open(id, 'vnc')]
    for (const stream of streams) stream.resume()
    const closed = Promise.all(streams.map(stream => once(stream, 'close')))

    await world.reconnect()

    await closed
    assert.equal(await world.state(id), 'running')
    const viewer = await open(id, 'serial')
    await new Screen(viewer).shows('TICK')
    viewer.destroy()
    await world.driver.domains.powerOff(id)
  })
})
