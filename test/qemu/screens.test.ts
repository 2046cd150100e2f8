import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { afterEach, beforeEach, test } from 'node:test'
import { assert as check, nat, oneof, property, record, uint8Array } from 'fast-check'
import { DriverError, type DomainId, type ScreenOps } from '../../src/drivers/driver.ts'
import { KEY_NAMES } from '../../src/drivers/qemu/key-codes.ts'
import { parsePpm } from '../../src/drivers/qemu/ppm.ts'
import { count, TEST_MS, World } from './world.ts'

/** Codes of Linux's input events. Source: linux/input-event-codes.h. */
const KEY = { leftCtrl: 29, leftAlt: 56, delete: 111, menu: 139 } as const
const KEYS_MAX = 16

let world: World
beforeEach(async () => {
  world = await World.open()
})
afterEach(() => world.close())

const screens = (): ScreenOps => {
  assert(world.driver.screens !== undefined)
  return world.driver.screens
}

const filesOf = (id: DomainId) => readdirSync(world.files(id).folder).toSorted()

test('a picture is of the display, and leaves no file behind', { timeout: TEST_MS }, async () => {
  const id = await world.booted({ platform: { vga: 'cirrus' } })
  const before = filesOf(id)
  const { width, height, pixels } = await screens().screenshot(id)

  // The text mode of a PC. Source: IBM VGA, mode 3.
  assert.deepEqual([width, height, pixels.length], [720, 400, 720 * 400 * 3])
  assert.deepEqual(filesOf(id), before)
})

test('a guest without a display is refused a picture, and goes on', { timeout: TEST_MS }, async () => {
  const id = await world.running()
  const before = filesOf(id)

  await assert.rejects(screens().screenshot(id), { name: 'DriverError', kind: 'refused', message: /shows nothing/ })
  assert.deepEqual(filesOf(id), before)
  assert.equal(await world.state(id), 'running')
})

test('keys of one call are held together: Ctrl, Alt and Delete reset a PC', { timeout: TEST_MS }, async () => {
  const id = await world.booted()
  await screens().pressKeys(id, [KEY.leftCtrl, KEY.leftAlt], 0)
  await screens().pressKeys(id, [KEY.delete], 0)
  assert(!world.kinds(id).includes('guest-reset'))

  await screens().pressKeys(id, [KEY.leftCtrl, KEY.leftAlt, KEY.delete], 20)

  await world.until('the guest boots again', async () => count(await world.serial(id), 'BOOT-OK') === 2)
})

test('QEMU knows every key that is offered, and none is pressed beside one it has not', {
  timeout: TEST_MS,
}, async () => {
  const id = await world.booted()
  const codes = [...KEY_NAMES.keys()]
  for (let first = 0; first < codes.length; first += KEYS_MAX) {
    // Without the key that would end the guest.
    const keys = codes.slice(first, first + KEYS_MAX).filter(code => code !== KEY.delete)
    await screens().pressKeys(id, keys, 0)
  }
  const wanted = [KEY.leftCtrl, KEY.leftAlt, KEY.delete, KEY.menu]

  await assert.rejects(screens().pressKeys(id, wanted, 0), { kind: 'refused', message: /no key 139/ })
  await assert.rejects(screens().pressKeys(id, codes.slice(0, KEYS_MAX + 1), 0), { kind: 'refused' })
  assert.equal(count(await world.serial(id), 'BOOT-OK'), 1)
})

test('a picture is read strictly, and nothing else is taken for one', () => {
  const head = Buffer.from('P6\n2 1\n255\n')
  const pixels = Buffer.from([1, 2, 3, 4, 5, 6])
  assert.deepEqual({ ...parsePpm(Buffer.concat([head, pixels])) }, { width: 2, height: 1, pixels })
  for (const short of [Buffer.concat([head, pixels.subarray(1)]), Buffer.concat([head, pixels, pixels]), head]) {
    assert.throws(() => parsePpm(short), DriverError)
  }

  const whole = Buffer.concat([head, pixels])
  const damage = record({ at: nat(head.length - 1), byte: nat(255) })
  check(
    property(oneof(uint8Array({ maxLength: 64 }), damage), input => {
      const file = input instanceof Uint8Array ? input : whole.with(input.at, input.byte)
      try {
        const { width, height, pixels: read } = parsePpm(file)
        assert.equal(read.length, width * height * 3)
      } catch (error) {
        assert(error instanceof DriverError && error.kind === 'refused')
      }
    }),
  )
})
