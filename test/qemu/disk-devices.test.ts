import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import type { DeviceOps, DiskConfig, DomainId } from '../../src/drivers/driver.ts'
import { diskName } from '../../src/drivers/qemu/slots.ts'
import { connectQmp, type QmpClient } from '../../src/protocols/qmp/client.ts'
import { QmpError } from '../../src/protocols/qmp/error.ts'
import { writeBootImage } from '../guests/boot-sector.ts'
import { bootLinux } from '../guests/linux-shell.ts'
import { MEMORY_BYTES } from '../guests/linux.ts'
import { GuestShell } from '../guests/shell.ts'
import { TEST_MS, World } from './world.ts'

const MIB = 1_048_576

let world: World
let shell: GuestShell | undefined
beforeEach(async () => {
  world = await World.open()
})
afterEach(async () => {
  shell?.close()
  shell = undefined
  await world.close()
})

const devices = (): DeviceOps => {
  assert(world.driver.devices !== undefined)
  return world.driver.devices
}

async function linux(disks: readonly DiskConfig[] = []): Promise<{ id: DomainId; guest: GuestShell }> {
  const id = await world.define({ ...(await bootLinux(world.dataDir)), disks })
  await world.driver.domains.start(id)
  const guest = await GuestShell.openBooting(world.files(id).serialSocket)
  shell = guest
  return { id, guest }
}

async function disk(device: string, content: string, changes: Partial<DiskConfig> = {}): Promise<DiskConfig> {
  const location = join(world.dataDir, `${device}-${crypto.randomUUID()}.raw`)
  const bytes = Buffer.alloc(MIB)
  bytes.write(content)
  await writeFile(location, bytes)
  const id = crypto.randomUUID()
  return { id, location, format: 'raw', readOnly: false, device, bus: 'paravirtualised', ...changes }
}

const cdrom = (content: string): Promise<DiskConfig> =>
  disk('hdc', content, { kind: 'cdrom', bus: 'emulated', readOnly: true })

const definedDisks = async (id: DomainId): Promise<readonly DiskConfig[]> =>
  (await world.driver.domains.config(id)).disks

/** Asks QEMU on the socket that the driver leaves free. */
async function ask<T>(id: DomainId, what: (qmp: QmpClient) => Promise<T>): Promise<T> {
  const qmp = await connectQmp(world.files(id).rescue, { onEvent: () => undefined, onClose: () => undefined })
  try {
    return await what(qmp)
  } finally {
    qmp.close()
  }
}

/** How many block nodes QEMU has. */
const nodes = (id: DomainId): Promise<number> =>
  ask(id, async qmp => (await qmp.execute('query-named-block-nodes', { flat: true })).length)

/**
 * Resets a guest, and waits until it counts its disks again. A reset that meets the firmware at work may be its end, as QEMU
 * does not put the firmware back that it was about to copy. Source: SeaBIOS, src/fw/shadow.c.
 */
async function rebooted(id: DomainId): Promise<void> {
  const boots = async () => (await world.serial(id)).match(/DISKS \d/g)?.length ?? 0
  const before = await boots()
  await world.driver.domains.reset(id)
  await world.until('the guest boots again', async () => (await boots()) > before)
}

/** Asks the guest to let go of a disk, which it does at the latest when it is reset. Answers whether it has. */
const hasLeft = (id: DomainId, disk: string): Promise<boolean> =>
  ask(id, async qmp => {
    const refusal = await qmp.execute('device_del', { id: diskName(disk) }).catch((error: unknown) => error)
    return refusal instanceof QmpError && refusal.class === 'DeviceNotFound'
  })

const FIRST_BYTES = (device: string) => `head -c 5 /dev/${device}`

// Proves: VBD.VM, VBD.currently_attached
test('a disk is plugged into a running guest, is written to by it, and is pulled again', {
  timeout: TEST_MS,
}, async () => {
  const { id, guest } = await linux()
  const plugged = await disk('xvdb', 'first')
  const { storage } = world.driver
  assert(storage !== undefined)

  await devices().attachDisk(id, plugged)

  await guest.until('cat /proc/partitions', /vda/)
  assert.equal(await guest.run(FIRST_BYTES('vda')), 'first')
  await guest.run('echo other | dd of=/dev/vda conv=fsync')
  assert.equal((await readFile(plugged.location, 'latin1')).slice(0, 5), 'other')
  assert.deepEqual(await definedDisks(id), [plugged])
  await assert.rejects(storage.deleteVolume(plugged.location), { kind: 'bad-state' })

  await devices().detachDisk(id, plugged.id)

  await guest.until('cat /proc/partitions', /^(?![^]*vda)/)
  assert.deepEqual(await definedDisks(id), [])
  assert.equal(await nodes(id), 0)
  await storage.deleteVolume(plugged.location)
})

// Proves: VBD.VM
test('a disk that was plugged in is in use, and is pulled, after a new connection took the guest over', {
  timeout: TEST_MS,
}, async () => {
  const { id, guest } = await linux()
  const plugged = await disk('xvdb', 'first')
  await devices().attachDisk(id, plugged)
  await guest.until('cat /proc/partitions', /vda/)
  await world.reconnect()

  await assert.rejects(world.driver.storage?.deleteVolume(plugged.location) ?? assert.fail(), { kind: 'bad-state' })
  await devices().detachDisk(id, plugged.id)
  assert.deepEqual(await definedDisks(id), [])
})

// Proves: VBD.VM
test('disks keep their places on the bus while others come and go, over a restart too', {
  timeout: TEST_MS,
}, async () => {
  const [a, b, c] = [await disk('xvda', 'one'), await disk('xvdb', 'two'), await disk('xvdc', 'three')]
  const { id, guest } = await linux([a, b])
  const PLACES =
    'for d in /sys/block/vd*; do echo "$(readlink -f $d/device/.. | sed s,.*/,,) $(head -c 3 /dev/${d##*/})"; done'
  const before = (await guest.until('ls /dev', /vdb/)) && (await guest.run(PLACES))
  const placeOfB = before.split('\n').find(line => line.endsWith('two'))
  assert(placeOfB !== undefined)

  await devices().detachDisk(id, a.id)
  await devices().attachDisk(id, c)
  await guest.until(PLACES, /thr/)
  const placeOfC = (await guest.run(PLACES)).split('\n').find(line => line.endsWith('thr'))
  assert(placeOfC !== undefined)
  await world.driver.domains.powerOff(id)
  await world.driver.domains.start(id)
  guest.close()
  const again = await GuestShell.openBooting(world.files(id).serialSocket)
  shell = again

  const after = (await again.until(PLACES, /two[^]*thr|thr[^]*two/)).split('\n')
  assert.deepEqual(after.toSorted(), [placeOfB, placeOfC].toSorted())
})

// Proves: VBD.currently_attached
test('a guest that does not let go keeps its disk, also when it is reset', { timeout: TEST_MS }, async () => {
  const id = await world.booted()
  const plugged = await disk('xvdb', 'first')
  await devices().attachDisk(id, plugged)
  const before = await definedDisks(id)

  await assert.rejects(devices().detachDisk(id, plugged.id), {
    name: 'DriverError',
    kind: 'refused',
    message: /let go/,
  })

  assert.deepEqual(await definedDisks(id), before)
  assert.equal(world.events.filter(event => event.kind === 'crashed').length, 0)
  await world.until('the disk is there after a reset', async () => {
    await rebooted(id)
    const lastBoot = (await world.serial(id)).split('BOOT-OK').at(-1) ?? ''
    return lastBoot.includes('DISKS 2')
  })
  assert.deepEqual(await definedDisks(id), before)
  assert.deepEqual(world.warnings, [])
})

// Proves: VBD.VM
test('a disk that the guest let go of unheard can be taken from the definition', { timeout: TEST_MS }, async () => {
  const id = await world.booted()
  const before = await definedDisks(id)
  const nodesBefore = await nodes(id)
  const plugged = await disk('xvdb', 'first')
  await devices().attachDisk(id, plugged)
  await world.until('the disk has left with a reset', async () => {
    await rebooted(id)
    return hasLeft(id, plugged.id)
  })

  await devices().detachDisk(id, plugged.id)

  assert.deepEqual(await definedDisks(id), before)
  assert.equal(await nodes(id), nodesBefore)
})

test('a disk that the machine does not take is in neither machine nor definition', { timeout: TEST_MS }, async () => {
  const id = await world.booted()
  const [boot] = await definedDisks(id)
  assert(boot !== undefined)
  const plugged = await disk('xvdb', 'first')
  const other = await world.define({ disks: [plugged] })
  await world.driver.domains.start(other)
  const before = await nodes(id)

  const wrong: readonly [DiskConfig, RegExp][] = [
    [{ ...plugged, location: `${plugged.location}-no` }, /does not exist/],
    [{ ...(await disk('xvdb', 'raw')), format: 'qcow2' }, /not in qcow2 format/],
    [plugged, /lock/],
    [{ ...plugged, id: boot.id }, /same id/],
    [{ ...plugged, bus: 'emulated' }, /only a paravirtualised/],
  ]
  for (const [disk, message] of wrong) {
    await assert.rejects(devices().attachDisk(id, disk), { name: 'DriverError', kind: 'refused', message })
  }

  assert.deepEqual(await definedDisks(id), [boot])
  assert.equal(await nodes(id), before)
  assert.equal(await world.state(id), 'running')
})

test('devices of a halted domain are not changed, and those that are not there are not found', {
  timeout: TEST_MS,
}, async () => {
  const halted = await world.define()
  const running = await world.booted()
  const plugged = await disk('xvdb', 'first')

  await assert.rejects(devices().attachDisk(halted, plugged), { kind: 'bad-state' })
  await assert.rejects(devices().detachDisk(halted, 'boot'), { kind: 'bad-state' })
  await assert.rejects(devices().changeMedium(halted, 'boot', null), { kind: 'bad-state' })
  await assert.rejects(devices().setMemoryTarget(halted, MIB), { kind: 'bad-state' })
  await assert.rejects(devices().detachDisk(running, 'nobody'), { kind: 'not-found' })
  await assert.rejects(devices().changeMedium(running, 'boot', null), { kind: 'refused', message: /no drive/ })
  await assert.rejects(devices().attachDisk(crypto.randomUUID(), plugged), { kind: 'not-found' })
})

// Proves: VBD.insert, VBD.eject, VBD.type
test('media are put into a drive and taken out, also where the guest has locked the tray', {
  timeout: TEST_MS,
}, async () => {
  const drive = await cdrom('empty')
  const { id, guest } = await linux([{ ...drive, location: '' }])
  const [first, second] = [await cdrom('first'), await cdrom('other')]
  const read = 'head -c 5 /dev/sr0 2>&1; echo'
  await guest.until(read, /No medium/)

  await devices().changeMedium(id, drive.id, { location: first.location, format: 'raw' })
  await guest.until(read, /first/)
  assert.equal((await definedDisks(id))[0]?.location, first.location)

  // A program that has the drive open locks its tray.
  await guest.run('sleep 600 </dev/sr0 >/dev/null 2>&1 &')
  await devices().changeMedium(id, drive.id, { location: second.location, format: 'raw' })
  await guest.until(read, /other/)
  await assert.rejects(devices().changeMedium(id, drive.id, { location: '/nowhere.iso', format: 'raw' }), {
    kind: 'refused',
    message: /does not exist/,
  })
  assert.equal((await definedDisks(id))[0]?.location, second.location)
  await guest.until(read, /other/)

  await devices().changeMedium(id, drive.id, null)
  await guest.until(read, /No medium/)
  assert.equal((await definedDisks(id))[0]?.location, '')
  assert.equal(await nodes(id), 0)
})

// Proves: VBD.insert
test('a guest boots from a floppy that was put into its drive', { timeout: TEST_MS }, async () => {
  const floppy: DiskConfig = { ...(await disk('fda', '')), kind: 'floppy', location: '' }
  const id = await world.define({ disks: [floppy], boot: { kind: 'firmware', device: 'floppy' } })
  const location = join(world.dataDir, 'floppy.raw')
  await writeBootImage(location)
  await writeFile(location, (await readFile(location)).subarray(0, 1_474_560))
  // Paused, for firmware that looks for a medium just when it comes may miss it.
  await world.driver.domains.start(id, { paused: true })

  await devices().changeMedium(id, floppy.id, { location, format: 'raw' })
  await world.driver.domains.unpause(id)

  await world.untilPrinted(id, 'BOOT-OK')
})

const TOTAL_KIB = "awk '/MemTotal/ { print $2 }' /proc/meminfo"

// Proves: VM.memory/dynamic_max
test('a guest gives memory back and gets it again', { timeout: TEST_MS }, async () => {
  const { id, guest } = await linux()
  const before = Number(await guest.run(TOTAL_KIB))

  await devices().setMemoryTarget(id, MEMORY_BYTES - 24 * MIB)
  await world.until('the guest has less', async () => before - Number(await guest.run(TOTAL_KIB)) === 24 * 1024)
  assert.equal((await world.driver.domains.config(id)).memoryTargetBytes, MEMORY_BYTES - 24 * MIB)

  await devices().setMemoryTarget(id, MEMORY_BYTES)
  await world.until('the guest has all', async () => Number(await guest.run(TOTAL_KIB)) === before)
  await assert.rejects(devices().setMemoryTarget(id, MEMORY_BYTES + 1), { kind: 'refused' })
  assert.equal((await world.driver.domains.config(id)).memoryTargetBytes, MEMORY_BYTES)
})

// Proves: VM.memory/dynamic_min
test('a guest starts with the memory that it is to have of what it could have', { timeout: TEST_MS }, async () => {
  const { guest: whole } = await linux()
  const all = Number(await whole.run(TOTAL_KIB))
  whole.close()
  const boot = await bootLinux(world.dataDir)
  const id = await world.define({ ...boot, memoryTargetBytes: MEMORY_BYTES - 16 * MIB })
  await world.driver.domains.start(id)
  shell = await GuestShell.openBooting(world.files(id).serialSocket)

  await shell.until(TOTAL_KIB, new RegExp(`^${all - 16 * 1024}$`))
})

test('a guest uses a limited disk no faster than it may, from its start and when the limit is another one', {
  timeout: TEST_MS,
}, async () => {
  const free = await disk('xvda', 'slow')
  const slow = { ...free, limits: { bytes: { perSecond: 131_072 } } }
  const { id, guest } = await linux([slow])
  const readMs = async (kib: number, from: number) => {
    const begin = performance.now()
    await guest.run(`dd if=/dev/vda of=/dev/null bs=1024 count=${kib} skip=${from}`)
    return performance.now() - begin
  }
  assert(devices().limitDisk !== undefined)

  assert((await readMs(256, 0)) > 1_000, '256 KiB take two seconds')
  await devices().limitDisk?.(id, slow.id, { bytes: { perSecond: 32_768 } })
  assert((await readMs(64, 512)) > 1_000, '64 KiB take two seconds')
  await devices().limitDisk?.(id, slow.id, null)
  assert.deepEqual(await definedDisks(id), [free])
})
