import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryDriver } from '../../src/drivers/memory/index.ts'
import { SERIAL_BYTES_MAX, SerialPort } from '../../src/drivers/memory/serial-port.ts'
import { definition } from './definition.ts'
import { ManualClock } from './manual-clock.ts'

const PLENTY_BYTES = 2 * SERIAL_BYTES_MAX

test('a guest prints BOOT-OK and counts, and stands still while it is paused', async () => {
  const clock = new ManualClock()
  const driver = memoryDriver({ clock })
  const { id } = definition('web')
  await driver.domains.define(definition('web', { id }))
  const read = async () => Buffer.from((await driver.consoles.readSerial(id, 0, PLENTY_BYTES)).data).toString()

  await driver.domains.start(id)
  await clock.advance(250)
  assert.equal(await read(), 'BOOT-OK\r\nN00000001\r\nN00000002\r\n')

  await driver.domains.pause(id)
  await clock.advance(10_000)
  assert.equal(await read(), 'BOOT-OK\r\nN00000001\r\nN00000002\r\n')

  await driver.domains.unpause(id)
  await clock.advance(50)
  assert.equal(await read(), 'BOOT-OK\r\nN00000001\r\nN00000002\r\nN00000003\r\n')
})

test('a guest that ran for a year is read in no time, from the oldest byte kept', async () => {
  const YEAR_MS = 365 * 86_400_000
  const clock = new ManualClock()
  const driver = memoryDriver({ clock })
  const config = definition('web')
  await driver.domains.define(config)
  await driver.domains.start(config.id)
  await clock.advance(YEAR_MS)

  const { data, next } = await driver.consoles.readSerial(config.id, 0, PLENTY_BYTES)
  assert(data.length > SERIAL_BYTES_MAX / 2 && data.length <= SERIAL_BYTES_MAX)
  assert.equal(next, 'BOOT-OK\r\n'.length + (YEAR_MS / 100) * 'N00000000\r\n'.length)
})

test('a serial port keeps the newest output, and its positions go on', () => {
  const port = new SerialPort()
  port.print('x'.repeat(SERIAL_BYTES_MAX))
  port.print('end')

  const { data, next } = port.read(0, PLENTY_BYTES)
  assert.equal(data.length, SERIAL_BYTES_MAX)
  assert.equal(next, SERIAL_BYTES_MAX + 3)
  assert.equal(Buffer.from(port.read(next - 3, 2).data).toString(), 'en')
  assert.deepEqual({ ...port.read(next + 99, 1) }, { data: Buffer.alloc(0), next })
})
