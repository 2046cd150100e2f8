import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { connectQmp } from '../../src/protocols/qmp/client.ts'
import { bootLinux } from '../guests/linux-shell.ts'
import { GuestShell } from '../guests/shell.ts'
import { diskOf, execute, held, lastTick, MIB, SnapshotScene } from './snapshot-scene.ts'
import { count, TEST_MS } from './world.ts'

const DURING = { timeout: TEST_MS }

const scene = new SnapshotScene()
const {
  storage,
  snapshots,
  suspension,
  take,
  volumeOf,
  bootDisk,
  withDisks,
  booted,
  write,
  read,
  filesKept,
  assertCountsOn,
} = scene

test(
  'the disks of a halted domain are again what they were, and hold nothing of what is forgotten',
  DURING,
  async () => {
    const { id, volumes } = await withDisks()
    const first = await take(id, 'first')
    for (const volume of volumes) await write(volume, 'after')
    const second = await take(id, 'second')
    assert.deepEqual(await held(volumes), [
      [first.id, second.id],
      [first.id, second.id],
    ])

    await snapshots().revert(id, first.id)
    assert.deepEqual(await Promise.all(volumes.map(read)), ['before', 'before'])
    await snapshots().revert(id, second.id)
    assert.deepEqual(await Promise.all(volumes.map(read)), ['after', 'after'])
    await snapshots().remove(id, first.id)
    assert.deepEqual(await held(volumes), [[second.id], [second.id]])
    assert.deepEqual(await filesKept(id), [second.id])
    await take(id, 'third')
    await scene.world.driver.domains.undefine(id)
    assert.deepEqual(await held(volumes), [[], []])
    assert.equal(existsSync(scene.world.files(id).folder), false)
    assert.deepEqual(await Promise.all(volumes.map(read)), ['after', 'after'])
    assert.deepEqual(scene.world.warnings, [])
  },
)

test('the TPM and the clock of a halted domain are what they were, and gone where there was none', DURING, async () => {
  const id = await scene.world.define({ disks: [await bootDisk()] })
  const { tpmState, clock } = scene.world.files(id)
  const { id: without } = await take(id)
  await mkdir(tpmState)
  const paths = [join(tpmState, 'tpm2-00.permall'), clock]
  for (const path of paths) await writeFile(path, 'before')
  const { id: snapshot } = await take(id)
  for (const path of paths) await writeFile(path, 'after')
  await writeFile(join(tpmState, 'new'), 'after')
  await snapshots().revert(id, snapshot)
  assert.deepEqual(await readdir(tpmState), ['tpm2-00.permall'])
  assert.deepEqual(await Promise.all(paths.map(path => readFile(path, 'utf8'))), ['before', 'before'])

  await snapshots().revert(id, without)
  assert.deepEqual([tpmState, clock].filter(existsSync), [])
})

test(
  'a counter in memory goes on from where it was, as often as it goes back, also by a new manager',
  DURING,
  async () => {
    const { id, volumes } = await withDisks()
    await booted(id)
    const { id: snapshot } = await take(id)
    const tick = lastTick(await scene.world.serial(id))
    await scene.world.untilPrinted(id, `TICK ${String(tick + 2).padStart(4, '0')}`)
    await scene.world.driver.domains.powerOff(id)
    for (const volume of volumes) await write(volume, 'after')
    await scene.world.reconnect()

    for (const paused of [false, true]) {
      await snapshots().revert(id, snapshot)
      assert.equal(await scene.world.state(id), 'suspended')
      assert.deepEqual(await Promise.all(volumes.map(read)), ['before', 'before'])
      const from = (await scene.world.serial(id)).length
      await suspension().resume(id, { paused })
      if (paused) await scene.world.driver.domains.unpause(id)
      await scene.world.until('it counts on', async () => /TICK \d+\n/.test((await scene.world.serial(id)).slice(from)))
      const resumed = Number(/TICK (\d+)\n/.exec((await scene.world.serial(id)).slice(from))?.[1])
      assert(resumed === tick + 1 || resumed === tick + 2, `${resumed} after ${tick}`)
    }
    assert.equal(count(await scene.world.serial(id), 'BOOT-OK'), 1)
    assert.equal(scene.world.processes().length, 1)
    assert.deepEqual(await readdir(join(scene.world.files(id).snapshotFolder, snapshot)), ['memory'])
    assert.deepEqual(scene.world.warnings, [])
  },
)

test('a paused guest stands still while it is kept, and is suspended and kept again after that', DURING, async () => {
  const { id, volumes } = await withDisks()
  await booted(id)
  await scene.world.driver.domains.pause(id)
  const before = await scene.world.serial(id)
  const kept = [await take(id, 'one'), await take(id, 'two')]
  await suspension().suspend(id)
  kept.push(await take(id, 'three'))

  assert.deepEqual(
    kept.map(({ state, wasPaused }) => `${state} ${wasPaused}`),
    ['suspended true', 'suspended true', 'suspended true'],
  )
  const ids = kept.map(({ id: each }) => each)
  assert.deepEqual(await held(volumes), [ids, ids])
  await snapshots().revert(id, ids[0] ?? '')
  await suspension().resume(id)
  await assertCountsOn(id, before.length, lastTick(before))
  for (const each of ids) await snapshots().remove(id, each)
  assert.deepEqual(await held(volumes), [[], []])
  assert.deepEqual(await filesKept(id), [])
  assert.equal(await scene.world.state(id), 'running')
  await assertCountsOn(id, (await scene.world.serial(id)).length, lastTick(await scene.world.serial(id)))
})

test(
  'a disk that cannot be kept is named, and what nobody writes to is left out, before anything is changed',
  DURING,
  async () => {
    const volume = await volumeOf('one')
    const raw = await storage().createVolume(scene.repository, { name: 'two', format: 'raw', virtualBytes: MIB })
    const cd = { ...diskOf(raw, 'hdd'), id: 'cd', kind: 'cdrom', readOnly: true } as const
    const { id, ...config } = await scene.world.config({
      disks: [await bootDisk(), diskOf(volume), diskOf(raw, 'hdc')],
    })
    await scene.world.driver.domains.define({ ...config, id })
    for (const isOn of [false, true]) {
      if (isOn) await scene.world.driver.domains.start(id)
      await assert.rejects(take(id), { kind: 'refused', message: /disk hdc, .*two\.raw, is raw/ })
    }
    assert.deepEqual(await held([volume]), [[]])
    await scene.world.driver.domains.powerOff(id)

    await scene.world.driver.domains.define({
      ...config,
      id,
      disks: [await bootDisk(), diskOf(volume), cd, { ...cd, id: 'empty', device: 'hde', location: '' }],
    })
    await take(id)
    await scene.world.driver.domains.start(id)
    await take(id)
    await scene.world.driver.domains.powerOff(id)
    await rm(volume.location)
    await assert.rejects(take(id), { kind: 'refused', message: /disk hdb .*one\.qcow2/ })
    assert.equal((await snapshots().list(id)).length, 2)
  },
)

test('what fails or is aborted leaves a guest that goes on, and nothing of a snapshot', DURING, async () => {
  const { id, volumes } = await withDisks()
  await booted(id)
  const { snapshotFolder } = scene.world.files(id)
  await writeFile(snapshotFolder, 'in the way')
  await assert.rejects(take(id), { name: 'DriverError', kind: 'refused' })
  await rm(snapshotFolder)
  for (const half of [0, 0.5]) {
    const aborting = new AbortController()
    const onProgress = (share: number) => share > half && aborting.abort()
    const wish = { name: 'a', description: '' }
    await assert.rejects(snapshots().create(id, wish, { signal: aborting.signal, onProgress }), { kind: 'refused' })
  }

  assert.equal(await scene.world.state(id), 'running')
  assert.deepEqual(await snapshots().list(id), [])
  assert.deepEqual(await held(volumes), [[], []])
  assert.deepEqual(await filesKept(id), [])
  await assertCountsOn(id, (await scene.world.serial(id)).length, lastTick(await scene.world.serial(id)))
  assert.equal((await take(id)).parent, null)
})

test(
  'of a paused guest that QEMU has given away nothing is written to images before it has gone on',
  DURING,
  async () => {
    const { id, volumes } = await withDisks()
    const [{ location }] = volumes
    const { clones, domains, suspension } = scene.world.driver
    assert(clones !== undefined && suspension?.files !== undefined)
    const file = join(scene.world.dataDir, 'saved')
    const first = { kind: 'bad-state', message: /go on first/ }
    await booted(id)
    await giveAway(id)

    await assert.rejects(take(id), first)
    await assert.rejects(storage().resizeVolume(location, 4 * MIB), first)
    await assert.rejects(clones.cloneVolume(location, { name: 'given-away' }), first)
    await assert.rejects(suspension.suspend(id), first)
    await assert.rejects(domains.reset(id, { keepsPaused: true }), first)
    await assert.rejects(suspension.files.save(id, file), first)
    assert.deepEqual(await held(volumes), [[], []])
    await domains.unpause(id)
    await storage().resizeVolume(location, 4 * MIB)
    const snapshot = await take(id)
    assert.equal(await scene.world.state(id), 'running')

    await giveAway(id)
    await snapshots().remove(id, snapshot.id)
    assert.deepEqual(await held(volumes), [[snapshot.id], [snapshot.id]])
    await domains.unpause(id)
    const next = await take(id)
    assert.deepEqual(await held(volumes), [[next.id], [next.id]])
    assert.equal(await scene.world.state(id), 'running')
  },
)

/** As a suspension that is broken off when all has been written. */
async function giveAway(id: string): Promise<void> {
  await scene.world.driver.domains.pause(id)
  const qmp = await connectQmp(scene.world.files(id).rescue, { onEvent: () => undefined, onClose: () => undefined })
  await qmp.execute('migrate', { uri: 'exec:cat >/dev/null' })
  await scene.world.until('it is given away', async () => (await qmp.execute('query-status')).status === 'postmigrate')
  qmp.close()
}

test(
  'images with snapshots are neither deleted nor moved nor cloned nor written over, and become larger and what they were',
  DURING,
  async () => {
    const { id, volumes } = await withDisks()
    const [{ location, virtualBytes }] = volumes
    const { id: snapshot } = await take(id)
    const inTheWay = { kind: 'bad-state', message: /holds snapshots of domain/ }
    await assert.rejects(storage().deleteVolume(location), inTheWay)
    await assert.rejects(
      storage().moveVolume(location, { ...scene.repository, location: scene.world.dataDir }),
      inTheWay,
    )
    await assert.rejects(
      scene.world.driver.clones?.cloneVolume(location, { name: 'clone' }) ?? Promise.resolve(),
      inTheWay,
    )
    await assert.rejects(storage().openVolume?.(location, 'write') ?? Promise.resolve(), inTheWay)
    await (await storage().openVolume?.(location, 'read'))?.close()
    await storage().resizeVolume(location, 4 * MIB)
    const copy = await storage().copyVolume(location, scene.repository, { name: 'copy' })
    assert.equal(copy.virtualBytes, 4 * MIB)
    await snapshots().revert(id, snapshot)
    assert.equal((await storage().getVolume(location)).virtualBytes, virtualBytes)
    assert.equal(await read(volumes[0]), 'before')

    await snapshots().remove(id, snapshot)
    assert(scene.world.driver.clones !== undefined)
    await scene.world.driver.clones.cloneVolume(location, { name: 'clone' })
    const again = await take(id)
    await write(volumes[0], 'after')
    await snapshots().revert(id, again.id)
    assert.equal(await read(volumes[0]), 'before')
  },
)

test('a disk that another domain uses is neither kept nor made what it was', DURING, async () => {
  const { id, volumes } = await withDisks()
  const { id: snapshot } = await take(id)
  const other = await scene.world.define({ disks: [await bootDisk(), diskOf(volumes[0])] })
  await scene.world.driver.domains.start(other)
  const inTheWay = { kind: 'bad-state', message: /another domain uses .*one\.qcow2/ }

  await assert.rejects(take(id), inTheWay)
  await assert.rejects(snapshots().revert(id, snapshot), inTheWay)
  await snapshots().remove(id, snapshot)
  assert.deepEqual(
    (await held(volumes)).map(names => names.length),
    [1, 0],
  )
  assert.match(scene.world.warnings.join('\n'), /cannot be deleted from .*one\.qcow2/)
  await scene.world.driver.domains.powerOff(other)
  await scene.world.reconnect()
  assert.deepEqual(await held(volumes), [[], []])
})

const WRITE_ON =
  'mount -t ext4 /dev/vda /mnt && ( i=0; while :; do i=$((i+1)); ' +
  'dd if=/dev/urandom of=/mnt/f$((i%20)) bs=4k count=20 2>/dev/null; echo $i >/mnt/count; [ $((i%7)) = 0 ] && sync; ' +
  // As a whole, for whoever reads a file that is being written finds nothing in it.
  'echo $i >/tmp/next; mv /tmp/next /tmp/count; done ) </dev/null >/dev/null 2>&1 & echo $! >/tmp/writer'

test(
  'memory and disk of a Linux guest that writes on are of one moment, also where its disk is a clone by then',
  DURING,
  async () => {
    const volume = await storage().createVolume(scene.repository, {
      name: 'data',
      format: 'qcow2',
      virtualBytes: 32 * MIB,
    })
    const raw = join(scene.world.dataDir, 'new.raw')
    await execute('truncate', ['-s', `${32 * MIB}`, raw])
    await execute('mkfs.ext4', ['-q', '-F', raw])
    await execute('qemu-img', ['convert', '-n', '-f', 'raw', '-O', 'qcow2', raw, volume.location])
    const id = await scene.world.define({ ...(await bootLinux(scene.world.dataDir)), disks: [diskOf(volume, 'vdb')] })
    await scene.world.driver.domains.start(id)
    const guest = await GuestShell.openBooting(scene.world.files(id).serialSocket)
    await guest.run(WRITE_ON)
    const counted = async (shell: GuestShell) => Number(await shell.run('cat /tmp/count 2>/dev/null || echo 0'))
    await scene.world.until('it writes', async () => (await counted(guest)) > 0)
    await scene.world.driver.clones?.cloneVolume(volume.location, { name: 'clone' })
    const before = await counted(guest)
    const { id: snapshot } = await take(id)
    await scene.world.until('it writes on', async () => (await counted(guest)) > before + 7)
    const after = await counted(guest)
    guest.close()

    await snapshots().revert(id, snapshot)
    await suspension().resume(id)
    const again = await GuestShell.open(scene.world.files(id).serialSocket)
    const resumed = await counted(again)
    assert(resumed >= before && resumed < after, `${resumed}, kept after ${before} and before ${after}`)
    await again.run('kill $(cat /tmp/writer); until umount /mnt 2>/dev/null; do :; done')
    again.close()
    await scene.world.driver.domains.powerOff(id)
    await snapshots().remove(id, snapshot)
    await execute('qemu-img', ['check', '-f', 'qcow2', volume.location])
    await execute('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', volume.location, raw])
    await execute('fsck.ext4', ['-f', '-n', raw])
  },
)
