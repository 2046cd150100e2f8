import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { type HostName, serve, type World } from './world.ts'

const HOSTS = ['memory', 'qemu', 'v1', 'v2'] as const satisfies readonly HostName[]
const TYPES = { memory: 'test', qemu: 'qemu', v1: 'hyperv', v2: 'hyperv' } as const
/** What a test may take in all, on a machine that is busy with others. */
const TEST_MS = 120_000

let world: World
before(async () => (world = await serve({ hosts: HOSTS })))
after(() => world.close())

/** Starts a domain of this name that has nothing to boot. */
async function started(host: HostName, name: string): Promise<void> {
  const path = join(world.folder, `${name}.xml`)
  const xml = `<domain type='${TYPES[host]}'><name>${name}</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
    <os><type arch='x86_64'>hvm</type></os><devices><video/></devices></domain>`
  await writeFile(path, xml)
  await world.ok(host, 'create', path)
}

for (const host of HOSTS) {
  test(`virsh takes a picture of a guest on ${host}, and presses keys for it`, { timeout: TEST_MS }, async () => {
    await started(host, 'web')
    const path = join(world.folder, `${host}.ppm`)

    const saved = await world.ok(host, 'screenshot', 'web', path)

    assert.equal(saved, `Screenshot saved to ${path}, with type of image/x-portable-pixmap\n`)
    const picture = await readFile(path)
    const [head = '', width, height] = /^P6\n(\d+) (\d+)\n255\n/.exec(picture.subarray(0, 64).toString('latin1')) ?? []
    assert.equal(picture.length, head.length + Number(width) * Number(height) * 3)
    assert.match(await world.no(host, 'screenshot', 'web', path, '--screen', '1'), /domains have one screen, 0/)
    await world.ok(host, 'send-key', 'web', 'KEY_LEFTCTRL', 'KEY_LEFTALT', 'KEY_DELETE')
    await world.ok(host, 'send-key', 'web', '--codeset', 'win32', '--holdtime', '10', 'VK_RETURN')
    await world.ok(host, 'send-key', 'web', '--codeset', 'usb', '40')
    const refused = await world.no(host, 'send-key', 'web', '--codeset', 'atset2', '40')
    assert.match(refused, /argument unsupported: keys of VIR_KEYCODE_SET_ATSET2 are not understood here/)
  })
}

test('a key that is pressed reaches the guest', { timeout: TEST_MS }, async () => {
  await started('memory', 'obedient')

  await world.ok('memory', 'send-key', 'obedient', 'KEY_POWER')

  while (!(await world.ok('memory', 'list', '--all')).includes('shut off')) await pause(10)
})

test('what no host can do is refused by its name', async () => {
  await started('memory', 'refusing')
  const no = (name: string) => new RegExp(`this function is not supported by the connection driver: ${name}$`)
  assert.match(
    await world.no('memory', 'send-process-signal', 'refusing', '1', 'term'),
    no('virDomainSendProcessSignal'),
  )
})
