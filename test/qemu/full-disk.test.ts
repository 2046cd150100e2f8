import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import type { RepositoryConfig, Volume } from '../../src/drivers/driver.ts'
import { bootLinux } from '../guests/linux-shell.ts'
import { GuestShell } from '../guests/shell.ts'
import { atEnd } from '../support/at-end.ts'
import { canMount } from '../support/mounts.ts'
import { TEST_MS, World } from './world.ts'

const MIB = 1_048_576
const execute = promisify(execFile)

/** Whether this machine lets the test mount a file system of its own. */
const CAN_MOUNT = canMount()

/** A world with a repository on a file system of 4 MiB. */
async function small(context: TestContext) {
  const world = await World.open()
  const location = join(world.dataDir, 'small')
  await mkdir(location)
  await execute('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', location])
  atEnd(context, async () => {
    await world.driver.close()
    for (const each of world.processes()) process.kill(each.pid, 'SIGKILL')
    await execute('umount', ['-l', location])
    await world.close()
  })
  const { storage, clones } = world.driver
  assert(storage !== undefined && clones !== undefined)
  const repository: RepositoryConfig = { type: 'dir', location }
  const wide: RepositoryConfig = { type: 'dir', location: join(world.dataDir, 'wide') }
  await storage.openRepository(wide)
  await storage.openRepository(repository)
  const remount = (how: 'ro' | 'rw') => execute('mount', ['-o', `remount,${how}`, location])
  return { world, storage, clones, repository, wide, remount }
}

const list = async ({ location }: RepositoryConfig) => (await readdir(location)).toSorted()
const full = { name: 'DriverError', kind: 'refused', message: /no space left/i }
const readOnly = { name: 'DriverError', kind: 'refused', message: /read-only/i }

/** Leaves not a block free. */
async function fill({ location }: RepositoryConfig): Promise<void> {
  await execute('dd', ['if=/dev/zero', `of=${join(location, 'ballast')}`, 'bs=4k']).catch(() => undefined)
}

async function shown({ location, format }: Volume, folder: string): Promise<Buffer> {
  const raw = join(folder, 'shown.raw')
  await execute('qemu-img', ['convert', '-U', '-f', format, '-O', 'raw', location, raw])
  return readFile(raw)
}

if (CAN_MOUNT) {
  test('a guest whose disk cannot be written for want of room is paused, said so, and goes on once there is room', {
    timeout: TEST_MS,
  }, async context => {
    const { world, storage, repository } = await small(context)
    const { location } = await storage.createVolume(repository, { name: 'a', format: 'raw', virtualBytes: 8 * MIB })
    const disk = { id: 'a', location, format: 'raw', readOnly: false, device: 'vda', bus: 'paravirtualised' } as const
    const id = await world.define({ ...(await bootLinux(world.dataDir)), disks: [disk] })
    await world.driver.domains.start(id)
    const shell = await GuestShell.openBooting(world.files(id).serialSocket)
    atEnd(context, () => shell.close())
    await fill(repository)

    shell.type('dd if=/dev/zero of=/dev/vda bs=64k count=16 conv=fsync 2>/dev/null; echo $((40 + 2))-is-through\n')
    await world.until('the guest is paused', async () => (await world.state(id)) === 'paused')
    await world.until('somebody says why', async () => world.warnings.some(line => /a disk of it failed/.test(line)))
    assert.equal((await world.driver.domains.get(id)).pause, 'io-error')
    assert.deepEqual(await world.driver.metrics?.diskErrors?.(id), [{ id: 'a', reason: 'no-space' }])

    await rm(join(repository.location, 'ballast'))
    await world.driver.domains.unpause(id)
    await world.untilPrinted(id, '42-is-through')
    assert.deepEqual(await world.driver.metrics?.diskErrors?.(id), [])
  })

  test('on a full file system nothing is created, cloned, moved or copied, and all stays as it was', {
    timeout: TEST_MS,
  }, async context => {
    const { world, storage, clones, repository, wide } = await small(context)
    const inside = await storage.createVolume(repository, { name: 'in', format: 'raw', virtualBytes: MIB })
    await writeFile(inside.location, Buffer.alloc(MIB, 7))
    const outside = await storage.createVolume(wide, { name: 'out', format: 'raw', virtualBytes: 8 * MIB })
    await writeFile(outside.location, Buffer.alloc(8 * MIB, 9))
    const config = await world.config()
    const disk = {
      id: 'd',
      location: inside.location,
      format: 'raw',
      readOnly: false,
      device: 'hdb',
      bus: 'paravirtualised',
    } as const
    await world.driver.domains.define({ ...config, disks: [...config.disks, disk] })
    await assert.rejects(storage.moveVolume(outside.location, repository), full)
    const copy = { ...repository, location: join(repository.location, 'copy') }
    await assert.rejects(
      clones.copyRepository(wide, copy, name => name),
      full,
    )
    assert.deepEqual(await list(repository), ['in.raw'])
    await fill(repository)

    await assert.rejects(storage.createVolume(repository, { name: 'n', format: 'qcow2', virtualBytes: MIB }), full)
    await assert.rejects(clones.cloneVolume(inside.location, { name: 'c' }), full)
    await world.driver.domains.start(config.id)
    await assert.rejects(clones.cloneVolume(inside.location, { name: 'c' }), full)
    assert.equal(await world.state(config.id), 'running')
    await world.driver.domains.powerOff(config.id)

    assert.deepEqual(await list(repository), ['ballast', 'in.raw'])
    assert.deepEqual(await list(wide), ['out.raw'])
    assert((await shown(inside, world.dataDir)).equals(Buffer.alloc(MIB, 7)))
    assert((await shown(outside, world.dataDir)).equals(Buffer.alloc(8 * MIB, 9)))
  })

  test('in a folder that has become read-only nothing is created, cloned, moved or copied', {
    timeout: TEST_MS,
  }, async context => {
    const { world, storage, clones, repository, wide, remount } = await small(context)
    const inside = await storage.createVolume(repository, { name: 'in', format: 'qcow2', virtualBytes: MIB })
    const outside = await storage.createVolume(wide, { name: 'out', format: 'qcow2', virtualBytes: MIB })
    await remount('ro')

    await assert.rejects(storage.createVolume(repository, { name: 'n', format: 'raw', virtualBytes: MIB }), readOnly)
    await assert.rejects(clones.cloneVolume(inside.location, { name: 'c' }), readOnly)
    await assert.rejects(storage.resizeVolume(inside.location, 2 * MIB), readOnly)
    await assert.rejects(storage.moveVolume(outside.location, repository), readOnly)
    await assert.rejects(storage.moveVolume(inside.location, wide), readOnly)
    await assert.rejects(storage.deleteVolume(inside.location), readOnly)
    await assert.rejects(
      clones.copyRepository(wide, { ...repository, location: join(repository.location, 'copy') }, name => name),
      readOnly,
    )
    const copies = await clones.copyRepository(
      repository,
      { ...wide, location: join(world.dataDir, 'copy') },
      name => name,
    )

    assert.deepEqual(
      copies.map(({ volume }) => volume.name),
      ['in'],
    )
    assert.deepEqual(await list(repository), ['in.qcow2'])
    assert.deepEqual(await list(wide), ['out.qcow2'])
    await remount('rw')
    await storage.deleteVolume(inside.location)
  })
}
