import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { DriverError, type GuestOps } from '../../src/drivers/driver.ts'
import { diskAt } from '../../src/drivers/qemu/guest-disks.ts'
import { interfacesIn } from '../../src/drivers/qemu/neighbours.ts'
import { diskName } from '../../src/drivers/qemu/slots.ts'
import { disk, nic } from '../conformance/parts.ts'
import { writeFileSystem } from '../guests/disk.ts'
import { bootLinux } from '../guests/linux-shell.ts'
import { TALKING, talkingGuest } from '../guests/talking-guest.ts'
import { TEST_MS, World } from './world.ts'

const MIB = 1_048_576
const NS_PER_S = 1_000_000_000n

let world: World
before(async () => (world = await World.open()))
after(() => world.close())

/** All that can be asked of a guest of QEMU. */
function guestOps(): Required<GuestOps> {
  const { guest } = world.driver
  assert(guest !== undefined)
  const { isConnected, watch, timezone, users, fileSystems, disks } = guest
  const { time, setTime, freeze, thaw, trim, requestEnd } = guest
  assert(isConnected && watch && timezone && users && fileSystems && disks)
  assert(time && setTime && freeze && thaw && trim && requestEnd)
  const told = { isConnected, watch, timezone, users, fileSystems, disks }
  return { ...guest, ...told, time, setTime, freeze, thaw, trim, requestEnd }
}

const failsBy = (guest: DriverError['guest'], message: RegExp) => (error: unknown) => {
  assert(error instanceof DriverError, String(error))
  assert.deepEqual([error.kind, error.guest], ['refused', guest])
  assert.match(error.message, message)
  return true
}

test('a guest is asked through its agent, and told what to do', { timeout: TEST_MS }, async () => {
  const location = join(world.dataDir, 'data.raw')
  await writeFileSystem(location, { type: 'vfat', mib: 4, files: { hello: 'world' } })
  const [data, port] = [disk({ location, format: 'raw' }, { device: 'vda' }), nic(null, { mac: '02:00:00:00:00:05' })]
  const boot = await bootLinux(world.dataDir, [], await talkingGuest())
  const id = await world.define({ ...boot, disks: [data], nics: [port] })
  const guest = guestOps()
  await assert.rejects(guest.hostName(id), { kind: 'bad-state' })
  const heard: boolean[] = []
  const leave = guest.watch((domain, isConnected) => domain === id && heard.push(isConnected))
  await world.driver.domains.start(id)
  await assert.rejects(guest.hostName(id), failsBy('silent', /^QEMU guest agent is not connected$/))
  await world.until('the agent answers', async () => {
    return guest.hostName(id).then(
      () => true,
      () => false,
    )
  })

  assert.equal(await guest.isConnected(id), true)
  assert.deepEqual(heard, [true])
  leave()
  assert.equal(await guest.hostName(id), TALKING.hostName)
  const { prettyName, machine } = await guest.os(id)
  assert.deepEqual([prettyName, machine], [TALKING.prettyName, 'x86_64'])
  assert.deepEqual(await guest.timezone(id), { name: 'UTC', offsetSeconds: 0 })
  assert.deepEqual(await guest.users(id), [])
  const interfaces = await guest.addresses(id, 'agent')
  assert.deepEqual(interfaces.find(({ name }) => name === 'lo')?.addresses[0], {
    family: 'ipv4',
    address: '127.0.0.1',
    prefix: 8,
  })
  const [first] = interfaces.flatMap(({ mac, addresses }) => (mac === port.mac ? addresses : []))
  assert.deepEqual(first, { family: 'ipv4', address: TALKING.address, prefix: TALKING.prefix })
  const [mounted, ...others] = await guest.fileSystems(id)
  assert.deepEqual(
    [mounted?.mountpoint, mounted?.type, mounted?.disks, others.length],
    ['/mnt', 'vfat', [{ id: data.id, device: '/dev/vda' }], 0],
  )
  assert((mounted?.totalBytes ?? 0) > MIB && (mounted?.usedBytes ?? 0) > 0)
  const found = (await guest.disks(id)).find(({ name }) => name === '/dev/vda')
  assert.deepEqual([found?.id, found?.isPartition, found?.bus], [data.id, false, 'virtio'])

  await guest.setTime(id, 1_000_000_000n * NS_PER_S)
  const since = (await guest.time(id)) / NS_PER_S - 1_000_000_000n
  assert(since >= 0n && since < 120n, `${since} s`)
  assert.equal(await guest.freeze(id), 0) // Of a kind that cannot be frozen, as the agent counts.
  assert.equal(await guest.thaw(id), 0)
  assert.equal(await guest.freeze(id, ['/mnt']), 0)
  await guest.thaw(id)
  await guest.trim(id, 0)

  await world.driver.domains.pause(id)
  await assert.rejects(guest.hostName(id), { kind: 'bad-state' })
  await world.driver.domains.unpause(id)
  await guest.requestEnd(id, 'reboot')
  await world.until('the guest boots again', async () => world.kinds(id).includes('guest-reset'))
})

test('a guest without an agent is silent at once, and the host knows of no neighbours', {
  timeout: TEST_MS,
}, async () => {
  const id = await world.booted({ nics: [nic()] })
  const guest = guestOps()
  const began = performance.now()

  assert.equal(await guest.isConnected(id), false)
  await assert.rejects(guest.hostName(id), failsBy('silent', /not connected/))
  await assert.rejects(guest.freeze(id), failsBy('silent', /^QEMU guest agent is not connected$/))
  assert(performance.now() - began < 2_000)
  assert.deepEqual(await guest.addresses(id, 'arp'), [])
})

test('the table of neighbours tells of complete entries with the addresses of the interfaces', () => {
  const table = `IP address       HW type     Flags       HW address            Mask     Device
192.168.1.7      0x1         0x2         02:AA:00:00:00:01     *        br0
192.168.1.8      0x1         0x0         02:aa:00:00:00:01     *        br0
192.168.1.9      0x1         0x6         02:aa:00:00:00:02     *        br0
nonsense
`
  const [known, unknown] = [nic(null, { mac: '02:aa:00:00:00:01' }), nic(null, { mac: '02:aa:00:00:00:03' })]

  assert.deepEqual(interfacesIn(table, { nics: [known, unknown] }), [
    { name: 'eth0', mac: known.mac, addresses: [{ family: 'ipv4', address: '192.168.1.7', prefix: 0 }] },
  ])
})

test('a disk is known by its place: a slot of the bus, or a drive of the controller of the board', () => {
  const place = { location: '/a', format: 'raw' } as const
  const virtio = disk(place, { device: 'vda' })
  const drives = ['hda', 'hdb', 'hdc'].map(device => disk(place, { device, bus: 'emulated' }))
  const config = { ...PLAIN, disks: [...drives.toReversed(), virtio] }
  const living = { config, slots: { [diskName(virtio.id)]: 7 } }
  const at = (slot: number, part: number, channel = 0, unit = 0, bus = 0) =>
    diskAt({ domain: 0, bus, slot, function: part, channel, unit, serial: 's' }, living)

  assert.deepEqual(at(7, 0), { id: virtio.id, serial: 's' })
  assert.deepEqual(at(1, 1, 0, 1), { id: drives[1]?.id, serial: 's' })
  assert.deepEqual(at(1, 1, 1, 0), { id: drives[2]?.id, serial: 's' })
  for (const other of [at(1, 1, 1, 1), at(7, 1), at(6, 0), at(7, 0, 0, 0, 1), at(-1, -1, -1, -1, -1)]) {
    assert.deepEqual(other, { serial: 's' })
  }
})

const PLAIN = {
  id: crypto.randomUUID(),
  name: 'guest',
  description: '',
  memoryBytes: MIB,
  vcpus: 1,
  boot: { kind: 'firmware', device: 'disk' },
} as const
