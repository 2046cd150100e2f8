import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { pictureOf } from '../../sim/hyperv/host/screen.ts'
import { type Driver, DriverError, type ScreenOps } from '../../src/drivers/driver.ts'
import { Camera } from '../../src/drivers/hyperv/camera.ts'
import { pressHeld } from '../../src/drivers/hyperv/key-presses.ts'
import { virtualKeysOf } from '../../src/drivers/hyperv/virtual-keys.ts'
import { WsmanFault } from '../../src/protocols/wsman/index.ts'
import { domainConfig, type HypervHost, passwordFile, startHost } from './setting.ts'

const KEY = { a: 30, delete: 111, leftAlt: 56, leftCtrl: 29, leftShift: 42, one: 2, z: 44 } as const

interface World {
  readonly host: HypervHost
  readonly driver: Driver
  readonly screens: ScreenOps
  readonly id: string
}

let plans = 0

/** A domain that runs on a host on which this goes wrong. */
async function running(build: string, requests: readonly unknown[], run: (world: World) => Promise<void>) {
  const file = `${passwordFile}-screens-${(plans += 1)}`
  writeFileSync(file, JSON.stringify({ requests }))
  const host = await startHost('--pace', '0', '--faults', file, '--build', build)
  const driver = await host.connect()
  try {
    const { screens } = driver
    assert(screens !== undefined)
    const { id } = domainConfig()
    await driver.domains.define({ ...domainConfig(), id })
    await driver.domains.start(id)
    await run({ host, driver, screens, id })
  } finally {
    await driver.close()
    await host.sim.close()
  }
}

const machineOn = ({ sim }: HypervHost) => {
  const vm = sim.host?.state.vms[0]
  assert(vm !== undefined && sim.host !== undefined)
  return { vm, host: sim.host }
}

test('keys are pressed in order and let go of in the other, as Windows calls them', async () => {
  for (const build of ['7601', '20348']) {
    await running(build, [], async ({ host, screens, id }) => {
      await screens.pressKeys(id, [KEY.leftCtrl, KEY.leftAlt, KEY.delete], 0)
      await screens.pressKeys(id, [KEY.leftShift, KEY.a, KEY.a], 0)

      const [ctrl, alt, del, shift, a] = [0xa2, 0xa4, 0x2e, 0xa0, 0x41]
      const typed = `<+${ctrl}><+${alt}><+${del}><-${del}><-${alt}><-${ctrl}><+${shift}><+${a}><-${a}><-${shift}>`
      assert.equal(machineOn(host).vm.typed, typed)
    })
  }
})

test('a key that cannot be pressed leaves none pressed, and one without a code is refused before any is', async () => {
  const second = { method: 'PressKey', nth: 2, fault: 'access-denied' }
  await running('20348', [second], async ({ host, screens, id }) => {
    await assert.rejects(screens.pressKeys(id, [KEY.a, KEY.z], 0), { kind: 'refused' })
    assert.deepEqual(machineOn(host).vm.pressedKeys, [])
    assert.match(machineOn(host).vm.typed, /^<\+65>.*<-65>$/)
    const before = machineOn(host).vm.typed
    await assert.rejects(screens.pressKeys(id, [KEY.a, 84], 0), { kind: 'refused', message: /no key 84/ })
    await assert.rejects(
      screens.pressKeys(
        id,
        Array.from({ length: 17 }, () => KEY.a),
        0,
      ),
      { kind: 'refused' },
    )
    await assert.rejects(screens.pressKeys(id, [KEY.a], 60_001), { kind: 'refused' })

    assert.equal(machineOn(host).vm.typed, before)
  })
})

test('keys that are held are named where they cannot be let go of', async () => {
  const refuse = async () => {
    throw new DriverError('refused', 'no')
  }
  const stuck = { press: async () => {}, release: refuse, isPressed: async () => true }
  await assert.rejects(pressHeld(stuck, [65], 0), { kind: 'refused', message: 'keys remain pressed (65): no' })
})

/** Of a fault that says its code alone. */
const DETAILS = {
  providerCode: undefined,
  cimStatus: undefined,
  subcodes: [],
  soapCode: undefined,
  reason: 'too large',
  detail: undefined,
  provider: undefined,
  faultDetail: undefined,
  notUnderstood: undefined,
  status: undefined,
} as const

test('a picture is asked for smaller until the host can give it, and as small the next time', async () => {
  const asked: number[] = []
  const tooLarge = new WsmanFault({ ...DETAILS, code: 0x80338048 })
  const camera = new Camera({
    screenSize: async () => ({ width: 1_600, height: 900 }),
    async picture(_guid, { width, height }) {
      asked.push(width * height)
      if (width * height > 50_000) throw tooLarge
      return new Uint8Array(width * height * 2)
    },
    keyboard: async () => undefined,
  })
  for (const calls of [3, 4]) {
    const { width, height, pixels } = await camera.look('GUID')
    assert.equal(asked.length, calls)
    assert.equal(pixels.length, width * height * 3)
    assert(Math.abs(width / height - 16 / 9) < 0.02)
  }
})

test('every letter and digit has the virtual key of the same character', () => {
  const rows: readonly (readonly [number, string])[] = [
    [2, '1234567890'],
    [16, 'QWERTYUIOP'],
    [30, 'ASDFGHJKL'],
    [44, 'ZXCVBNM'],
  ]
  for (const [first, characters] of rows) {
    const codes = Array.from(characters, (_, at) => first + at)
    assert.equal(String.fromCharCode(...virtualKeysOf(codes)), characters)
  }
})

test('a picture has the colours of the screen, and is as large as an answer takes', async () => {
  await running('20348', [], async ({ host, screens, id }) => {
    const { width, height, pixels } = await screens.screenshot(id)
    const machine = machineOn(host)
    const bytes = pictureOf(machine.host, machine.vm, { width, height })

    assert(width * height <= 180_000 && width * height > 150_000, `${width} by ${height}`)
    assert(Math.abs(width / height - 4 / 3) < 0.01)
    const last = (bytes.at(-1) ?? 0) * 256 + (bytes.at(-2) ?? 0)
    const [red, green, blue] = pixels.subarray(-3)
    assert.deepEqual([(red ?? 0) >> 3, (green ?? 0) >> 2, (blue ?? 0) >> 3], [last >> 11, (last >> 5) & 63, last & 31])
  })
})
