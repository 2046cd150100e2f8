import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { promisify } from 'node:util'
import type { CloneOps, DiskConfig, DomainId, RepositoryConfig, StorageOps, Volume } from '../../src/drivers/driver.ts'
import { bootLinux } from '../guests/linux-shell.ts'
import { GuestShell } from '../guests/shell.ts'
import { TEST_MS, World } from './world.ts'

const MIB = 1_048_576
/** However large the disk is, and busy the machine. */
const CLONE_MS_MAX = 20_000
const execute = promisify(execFile)

let world: World
let repository: RepositoryConfig
let shell: GuestShell | undefined
beforeEach(async () => {
  world = await World.open()
  repository = { type: 'dir', location: join(world.dataDir, 'sr') }
  await storage().openRepository(repository)
})
afterEach(async () => {
  shell?.close()
  await world.close()
})

function storage(): StorageOps {
  assert(world.driver.storage !== undefined)
  return world.driver.storage
}

function clones(): CloneOps {
  assert(world.driver.clones !== undefined)
  return world.driver.clones
}

const diskOf = ({ location, format }: Volume, changes: Partial<DiskConfig> = {}): DiskConfig => ({
  id: 'data',
  location,
  format,
  readOnly: false,
  device: 'vdb',
  bus: 'paravirtualised',
  ...changes,
})

/** A disk with a file system on it that keeps a journal. */
async function formatted(name: string, format: 'raw' | 'qcow2'): Promise<Volume> {
  const volume = await storage().createVolume(repository, { name, format, virtualBytes: 64 * MIB })
  const raw = format === 'raw' ? volume.location : join(world.dataDir, 'new.raw')
  if (format !== 'raw') await execute('truncate', ['-s', `${64 * MIB}`, raw])
  await execute('mkfs.ext4', ['-q', '-F', raw])
  if (format !== 'raw') await execute('qemu-img', ['convert', '-n', '-f', 'raw', '-O', format, raw, volume.location])
  return storage().getVolume(volume.location)
}

/** A Linux guest with these disks, and a shell in it. */
async function linux(disks: readonly DiskConfig[]): Promise<{ readonly id: DomainId; readonly shell: GuestShell }> {
  const id = await world.define({ ...(await bootLinux(world.dataDir)), disks })
  await world.driver.domains.start(id)
  shell = await GuestShell.openBooting(world.files(id).serialSocket)
  return { id, shell }
}

const WRITE_ON = [
  'mount -t ext4 /dev/vda /mnt',
  '( i=0; while :; do i=$((i+1)); dd if=/dev/urandom of=/mnt/f$((i%40)) bs=4k count=20 2>/dev/null; ' +
    'echo $i >/mnt/count; [ $((i%7)) = 0 ] && sync; ' +
    // As a whole, for whoever reads a file that is being written finds nothing in it.
    'echo $i >/tmp/next; mv /tmp/next /tmp/count; done ) </dev/null >/dev/null 2>&1 &',
].join('\n')

const counted = async (guest: GuestShell) => Number(await guest.run('cat /tmp/count 2>/dev/null || echo 0'))

async function untilItWritesOn(guest: GuestShell): Promise<void> {
  const before = await counted(guest)
  await world.until('the guest writes on', async () => (await counted(guest)) > before + 5)
}

/** A raw file with what an image shows. */
async function rawOf({ location, format }: Volume): Promise<string> {
  const raw = join(world.dataDir, `${crypto.randomUUID()}.content`)
  await execute('qemu-img', ['convert', '-U', '-f', format, '-O', 'raw', location, raw])
  return raw
}

async function digest(volume: Volume): Promise<string> {
  const raw = await rawOf(volume)
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(raw)) hash.update(chunk)
  await rm(raw)
  return hash.digest('hex')
}

/** Checks image and file system as after a power failure: the journal is played, then nothing is wrong. */
async function assertSound(volume: Volume): Promise<void> {
  await execute('qemu-img', ['check', '-f', 'qcow2', volume.location])
  const raw = await rawOf(volume)
  await execute('fsck.ext4', ['-E', 'journal_only', '-p', raw])
  await execute('fsck.ext4', ['-f', '-n', raw])
  await rm(raw)
}

for (const format of ['raw', 'qcow2'] as const) {
  // Proves: VM.clone, VDI.snapshot
  test(`clones of a ${format} disk that Linux writes to are sound and stay as they are`, {
    timeout: TEST_MS,
  }, async () => {
    const volume = await formatted('data', format)
    const { id, shell: guest } = await linux([diskOf(volume)])
    await guest.run(WRITE_ON)
    const made: { readonly clone: Volume; readonly digest: string }[] = []
    let { location } = volume
    for (const name of ['clone-1', 'clone-2', 'clone-3']) {
      await untilItWritesOn(guest)
      const before = performance.now()
      const { original, clone } = await clones().cloneVolume(location, { name })
      assert(performance.now() - before < CLONE_MS_MAX)
      location = original.location
      made.push({ clone, digest: await digest(clone) })
    }
    await untilItWritesOn(guest)
    for (const each of made) {
      assert.equal(await digest(each.clone), each.digest)
      await assertSound(each.clone)
    }
    assert.equal(new Set(made.map(each => each.digest)).size, made.length)

    await world.driver.domains.powerOff(id)
    await assertSound(await storage().getVolume(location))
    for (const each of made) assert.equal(await digest(each.clone), each.digest)
    await storage().deleteVolume(location)
    for (const { clone } of made) await storage().deleteVolume(clone.location)
    assert.deepEqual(await readdir(repository.location), [])
  })
}

test('what the guest reads is the same across a clone, also after its machine is started again', {
  timeout: TEST_MS,
}, async () => {
  const volume = await formatted('data', 'raw')
  const { id, shell: guest } = await linux([diskOf(volume)])
  await guest.run('mount -t ext4 /dev/vda /mnt && echo before >/mnt/a && sync')
  const { original, clone } = await clones().cloneVolume(volume.location, { name: 'clone' })
  await guest.run('echo after >/mnt/b && sync && echo 3 >/proc/sys/vm/drop_caches')
  assert.equal(await guest.run('cat /mnt/a /mnt/b'), 'before\nafter')
  await guest.run('umount /mnt')
  await world.reconnect()
  await assert.rejects(storage().deleteVolume(original.location), { kind: 'bad-state' })
  await world.driver.domains.powerOff(id)
  shell?.close()

  await world.driver.domains.start(id)
  shell = await GuestShell.openBooting(world.files(id).serialSocket)
  assert.equal(await shell.run('mount -t ext4 /dev/vda /mnt && cat /mnt/a /mnt/b'), 'before\nafter')
  await assertSound(clone)
})

test('a disk that was cloned while it is plugged in can be pulled, and its image deleted', {
  timeout: TEST_MS,
}, async () => {
  const { devices } = world.driver
  assert(devices !== undefined)
  const volume = await formatted('data', 'qcow2')
  const { id } = await linux([])
  await devices.attachDisk(id, diskOf(volume))
  await clones().cloneVolume(volume.location, { name: 'clone-1' })
  const { original } = await clones().cloneVolume(volume.location, { name: 'clone-2' })
  await assert.rejects(storage().deleteVolume(original.location), { kind: 'bad-state' })
  await devices.detachDisk(id, 'data')

  await storage().deleteVolume(original.location)
  await devices.attachDisk(id, diskOf({ ...volume, location: join(repository.location, 'clone-1.qcow2') }))
})

test('an image that several guests read is cloned, and stays in use by all', { timeout: TEST_MS }, async () => {
  const volume = await formatted('data', 'raw')
  const config = await world.config()
  const ids = [config.id, crypto.randomUUID()]
  for (const id of ids) {
    await world.driver.domains.define({ ...config, id, disks: [diskOf(volume, { readOnly: true })] })
    await world.driver.domains.start(id)
  }
  const { original, clone } = await clones().cloneVolume(volume.location, { name: 'clone' })

  for (const id of ids) {
    await assert.rejects(storage().deleteVolume(original.location), { kind: 'bad-state' })
    assert.equal(await world.state(id), 'running')
    await world.driver.domains.powerOff(id)
  }
  await storage().deleteVolume(original.location)
  await assertSound(clone)
})

for (const format of ['raw', 'qcow2'] as const) {
  test(`a ${format} image of a suspended guest is cloned, and the guest goes on with it`, {
    timeout: TEST_MS,
  }, async () => {
    const { suspension, domains } = world.driver
    assert(suspension !== undefined)
    const volume = await formatted('data', format)
    const config = await world.config()
    await domains.define({ ...config, disks: [...config.disks, diskOf(volume)] })
    await domains.start(config.id)
    await suspension.suspend(config.id)
    const { original, clone } = await clones().cloneVolume(volume.location, { name: 'clone' })

    await assert.rejects(storage().deleteVolume(original.location), { kind: 'bad-state' })
    await suspension.resume(config.id)
    assert.equal(await world.state(config.id), 'running')
    await world.driver.domains.powerOff(config.id)
    await storage().deleteVolume(original.location)
    await assertSound(clone)
  })
}
