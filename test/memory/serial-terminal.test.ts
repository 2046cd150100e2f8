import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryDriver } from '../../src/drivers/memory/index.ts'
import { definition } from './definition.ts'
import { ManualClock } from './manual-clock.ts'

async function stage() {
  const clock = new ManualClock()
  const driver = memoryDriver({ clock })
  const config = definition('web', { exits: { shutdown: 'halt', reboot: 'restart', suspend: 'halt', crash: 'hold' } })
  await driver.domains.define(config)
  await driver.domains.start(config.id)
  const wire = await driver.terminals.open(config.id, 'serial')
  const heard = { text: '', hasEnded: false }
  wire.on('data', (chunk: Buffer) => (heard.text += chunk.toString('latin1')))
  wire.on('end', () => (heard.hasEnded = true))
  const state = async () => (await driver.domains.get(config.id)).state
  return { clock, driver, id: config.id, wire, heard, state }
}

test('a console plays from when it was opened, and says the last words of a guest before it ends', async () => {
  const { clock, wire, heard, state } = await stage()
  await clock.advance(250)
  assert.equal(heard.text, 'N00000001\r\nN00000002\r\n')
  wire.write('x\r\np')
  await clock.advance(50)

  assert.equal(heard.text, 'N00000001\r\nN00000002\r\nBYE\r\n')
  assert(heard.hasEnded)
  assert.equal(await state(), 'halted')
  assert.equal(clock.alarmCount, 0)
})

test('r reboots a guest and c crashes it, and the console of both stays open', async () => {
  const { clock, wire, heard, state } = await stage()
  wire.write('r')
  await clock.advance(150)
  assert.match(heard.text, /BOOT-OK/)
  wire.write('c')
  await clock.advance(50)

  assert.equal(await state(), 'crashed')
  assert(!heard.hasEnded)
})

test('a console that nobody reads holds no more than one piece of output', async () => {
  const HOUR_MS = 3_600_000
  const { clock, driver, id } = await stage()
  const wire = await driver.terminals.open(id, 'serial')
  await clock.advance(HOUR_MS)

  assert(wire.readableLength <= 16_384, `${wire.readableLength} bytes wait`)
  wire.destroy()
})

test('a console that is left leaves no timer', async () => {
  const { clock, driver, wire } = await stage()
  await clock.advance(100)
  wire.destroy()
  await clock.advance(100)

  assert.equal(clock.alarmCount, 0)
  await driver.close()
})
