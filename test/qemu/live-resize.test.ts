import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { bootLinux } from '../guests/linux-shell.ts'
import { GuestShell } from '../guests/shell.ts'
import { TEST_MS, World } from './world.ts'
import { atEnd } from '../support/at-end.ts'

const MIB = 1_048_576

// Proves: VDI.virtual_size
test('a Linux guest sees its raw and its cloned disk grow, and writes beyond where they ended', {
  timeout: TEST_MS,
}, async context => {
  const world = await World.open()
  atEnd(context, () => world.close())
  const { storage, clones, suspension, domains } = world.driver
  assert(storage !== undefined && clones !== undefined && suspension !== undefined)
  const repository = { type: 'dir', location: join(world.dataDir, 'sr') }
  await storage.openRepository(repository)
  const sizes = { name: 'raw', format: 'raw', virtualBytes: 8 * MIB } as const
  const raw = await storage.createVolume(repository, sizes)
  const other = await storage.createVolume(repository, { ...sizes, name: 'other', format: 'qcow2' })
  const disks = [raw, other].map(({ location, format, name }, index) => ({
    id: name,
    location,
    format,
    readOnly: false,
    device: index === 0 ? 'vda' : 'vdb',
    bus: 'paravirtualised' as const,
  }))
  const id = await world.define({ ...(await bootLinux(world.dataDir)), disks })
  await domains.start(id)
  const shell = await GuestShell.openBooting(world.files(id).serialSocket)
  atEnd(context, () => shell.close())
  await clones.cloneVolume(other.location, { name: 'frozen' })

  for (const [{ location }, device] of [
    [raw, 'vda'],
    [other, 'vdb'],
  ] as const) {
    assert.equal((await storage.resizeVolume(location, 16 * MIB)).virtualBytes, 16 * MIB)
    await world.until('the guest sees it', async () =>
      /^32768$/m.test(await shell.run(`cat /sys/block/${device}/size`)),
    )
    await shell.run(`echo beyond | dd of=/dev/${device} bs=1M seek=15 conv=sync 2>/dev/null; sync`)
    assert.match(await shell.run(`dd if=/dev/${device} bs=1M skip=15 count=1 2>/dev/null | head -c 6`), /beyond/)
  }
  await suspension.suspend(id)
  await assert.rejects(storage.resizeVolume(raw.location, 32 * MIB), { kind: 'bad-state' })
  await domains.powerOff(id)
  assert.equal((await storage.getVolume(raw.location)).virtualBytes, 16 * MIB)
  assert.equal((await storage.resizeVolume(other.location, 32 * MIB)).virtualBytes, 32 * MIB)
})

test('a repository has used what its own files take, hidden ones too, each once, and nothing of others', async context => {
  const world = await World.open()
  atEnd(context, () => world.close())
  const { storage, clones } = world.driver
  assert(storage !== undefined && clones !== undefined)
  const repository = { type: 'dir', location: join(world.dataDir, 'sr') }
  assert.equal((await storage.openRepository(repository)).usedBytes, 0)
  await writeFile(join(repository.location, 'notes.txt'), 'x'.repeat(MIB))
  const volume = await storage.createVolume(repository, { name: 'disk', format: 'raw', virtualBytes: 4 * MIB })
  await writeFile(volume.location, Buffer.alloc(4 * MIB, 7))
  await clones.cloneVolume(volume.location, { name: 'clone' })

  const { usedBytes, capacityBytes } = await storage.openRepository(repository)
  const volumes = await storage.listVolumes(repository)
  assert.equal(usedBytes, 4 * MIB + volumes.reduce((sum, { physicalBytes }) => sum + physicalBytes, 0))
  assert(capacityBytes > usedBytes)
})
