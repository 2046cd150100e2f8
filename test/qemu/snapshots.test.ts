import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { promisify } from 'node:util'
import type { DiskConfig, DomainId, RepositoryConfig, Snapshot, SnapshotOps, Volume } from '../../src/drivers/driver.ts'
import { connectQmp } from '../../src/protocols/qmp/client.ts'
import { bootLinux } from '../guests/linux-shell.ts'
import { GuestShell } from '../guests/shell.ts'
import { count, TEST_MS, World } from './world.ts'

const MIB = 1_048_576
const DURING = { timeout: TEST_MS }
const execute = promisify(execFile)

let world: World
let repository: RepositoryConfig
beforeEach(async () => {
  world = await World.open()
  repository = { type: 'dir', location: join(world.dataDir, 'sr') }
  await storage().openRepository(repository)
})
afterEach(() => world.close())

function storage() {
  assert(world.driver.storage !== undefined)
  return world.driver.storage
}

function snapshots(): SnapshotOps {
  assert(world.driver.snapshots !== undefined)
  return world.driver.snapshots
}

const suspension = () => {
  assert(world.driver.suspension !== undefined)
  return world.driver.suspension
}

const take = (id: DomainId, name = 'a'): Promise<Snapshot> => snapshots().create(id, { name, description: '' })

const volumeOf = (name: string): Promise<Volume> =>
  storage().createVolume(repository, { name, format: 'qcow2', virtualBytes: MIB })

const diskOf = ({ name, location, format }: Volume, device = 'hdb'): DiskConfig => ({
  id: name,
  location,
  format,
  readOnly: false,
  device,
  bus: 'paravirtualised',
})

/** The disk that the guest of `boot-sector.asm` boots from, which it does not write to. */
async function bootDisk(): Promise<DiskConfig> {
  const [disk] = (await world.config()).disks
  assert(disk !== undefined)
  return { ...disk, readOnly: true }
}

/** A domain that boots, with two disks that hold a word each. */
async function withDisks(): Promise<{ id: DomainId; volumes: readonly [Volume, Volume] }> {
  const volumes = [await volumeOf('one'), await volumeOf('two')] as const
  for (const volume of volumes) await write(volume, 'before')
  const id = await world.define({
    disks: [await bootDisk(), ...volumes.map((each, at) => diskOf(each, `hd${'bc'[at]}`))],
  })
  return { id, volumes }
}

async function booted(id: DomainId): Promise<void> {
  await world.driver.domains.start(id)
  await world.untilPrinted(id, 'TICK 0001')
}

async function write({ location }: Volume, text: string): Promise<void> {
  const source = join(world.dataDir, 'text')
  await writeFile(source, text.padEnd(512, '.'))
  await execute('qemu-io', ['-f', 'qcow2', '-c', `write -s ${source} 0 512`, location])
}

/** What a disk begins with, as its guest would see it. */
async function read({ location }: Volume): Promise<string> {
  const raw = join(world.dataDir, crypto.randomUUID())
  await execute('qemu-img', ['convert', '-U', '-f', 'qcow2', '-O', 'raw', location, raw])
  return (await readFile(raw)).toString('latin1', 0, 512).replace(/[.\0]+$/, '')
}

/** The names of the snapshots within images. */
async function held(volumes: readonly Volume[]): Promise<string[][]> {
  const lists = volumes.map(({ location }) => execute('qemu-img', ['info', '-U', '--output=json', location]))
  const infos: { readonly snapshots?: readonly { readonly name: string }[] }[] = []
  for (const { stdout } of await Promise.all(lists)) infos.push(JSON.parse(stdout))
  return infos.map(({ snapshots: each = [] }) => each.map(({ name }) => name))
}

const filesKept = async (id: DomainId): Promise<string[]> => {
  const { snapshotFolder } = world.files(id)
  return existsSync(snapshotFolder) ? readdir(snapshotFolder) : []
}

const lastTick = (text: string): number => Number(/TICK (\d+)\n(?!.*TICK \d+\n)/s.exec(text)?.[1])

/** Demands that what is printed from here on is the count that goes on after `tick`. */
async function assertCountsOn(id: DomainId, from: number, tick: number): Promise<void> {
  await world.until('it counts on', async () => /TICK \d+\n/.test((await world.serial(id)).slice(from)))
  assert.equal(Number(/TICK (\d+)\n/.exec((await world.serial(id)).slice(from))?.[1]), tick + 1)
}

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
    await world.driver.domains.undefine(id)
    assert.deepEqual(await held(volumes), [[], []])
    assert.equal(existsSync(world.files(id).folder), false)
    assert.deepEqual(await Promise.all(volumes.map(read)), ['after', 'after'])
    assert.deepEqual(world.warnings, [])
  },
)

test('the TPM and the clock of a halted domain are what they were, and gone where there was none', DURING, async () => {
  const id = await world.define({ disks: [await bootDisk()] })
  const { tpmState, clock } = world.files(id)
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
    const tick = lastTick(await world.serial(id))
    await world.untilPrinted(id, `TICK ${String(tick + 2).padStart(4, '0')}`)
    await world.driver.domains.powerOff(id)
    for (const volume of volumes) await write(volume, 'after')
    await world.reconnect()

    for (const paused of [false, true]) {
      await snapshots().revert(id, snapshot)
      assert.equal(await world.state(id), 'suspended')
      assert.deepEqual(await Promise.all(volumes.map(read)), ['before', 'before'])
      const from = (await world.serial(id)).length
      await suspension().resume(id, { paused })
      if (paused) await world.driver.domains.unpause(id)
      await world.until('it counts on', async () => /TICK \d+\n/.test((await world.serial(id)).slice(from)))
      const resumed = Number(/TICK (\d+)\n/.exec((await world.serial(id)).slice(from))?.[1])
      assert(resumed === tick + 1 || resumed === tick + 2, `${resumed} after ${tick}`)
    }
    assert.equal(count(await world.serial(id), 'BOOT-OK'), 1)
    assert.equal(world.processes().length, 1)
    assert.deepEqual(await readdir(join(world.files(id).snapshotFolder, snapshot)), ['memory'])
    assert.deepEqual(world.warnings, [])
  },
)

test('a paused guest stands still while it is kept, and is suspended and kept again after that', DURING, async () => {
  const { id, volumes } = await withDisks()
  await booted(id)
  await world.driver.domains.pause(id)
  const before = await world.serial(id)
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
  assert.equal(await world.state(id), 'running')
  await assertCountsOn(id, (await world.serial(id)).length, lastTick(await world.serial(id)))
})

test(
  'a disk that cannot be kept is named, and what nobody writes to is left out, before anything is changed',
  DURING,
  async () => {
    const volume = await volumeOf('one')
    const raw = await storage().createVolume(repository, { name: 'two', format: 'raw', virtualBytes: MIB })
    const cd = { ...diskOf(raw, 'hdd'), id: 'cd', kind: 'cdrom', readOnly: true } as const
    const { id, ...config } = await world.config({ disks: [await bootDisk(), diskOf(volume), diskOf(raw, 'hdc')] })
    await world.driver.domains.define({ ...config, id })
    for (const isOn of [false, true]) {
      if (isOn) await world.driver.domains.start(id)
      await assert.rejects(take(id), { kind: 'refused', message: /disk hdc, .*two\.raw, is raw/ })
    }
    assert.deepEqual(await held([volume]), [[]])
    await world.driver.domains.powerOff(id)

    await world.driver.domains.define({
      ...config,
      id,
      disks: [await bootDisk(), diskOf(volume), cd, { ...cd, id: 'empty', device: 'hde', location: '' }],
    })
    await take(id)
    await world.driver.domains.start(id)
    await take(id)
    await world.driver.domains.powerOff(id)
    await rm(volume.location)
    await assert.rejects(take(id), { kind: 'refused', message: /disk hdb .*one\.qcow2/ })
    assert.equal((await snapshots().list(id)).length, 2)
  },
)

test('what fails or is aborted leaves a guest that goes on, and nothing of a snapshot', DURING, async () => {
  const { id, volumes } = await withDisks()
  await booted(id)
  const { snapshotFolder } = world.files(id)
  await writeFile(snapshotFolder, 'in the way')
  await assert.rejects(take(id), { name: 'DriverError', kind: 'refused' })
  await rm(snapshotFolder)
  for (const half of [0, 0.5]) {
    const aborting = new AbortController()
    const onProgress = (share: number) => share > half && aborting.abort()
    const wish = { name: 'a', description: '' }
    await assert.rejects(snapshots().create(id, wish, { signal: aborting.signal, onProgress }), { kind: 'refused' })
  }

  assert.equal(await world.state(id), 'running')
  assert.deepEqual(await snapshots().list(id), [])
  assert.deepEqual(await held(volumes), [[], []])
  assert.deepEqual(await filesKept(id), [])
  await assertCountsOn(id, (await world.serial(id)).length, lastTick(await world.serial(id)))
  assert.equal((await take(id)).parent, null)
})

test(
  'of a paused guest that QEMU has given away nothing is written to images before it has gone on',
  DURING,
  async () => {
    const { id, volumes } = await withDisks()
    const [{ location }] = volumes
    const { clones, domains, suspension } = world.driver
    assert(clones !== undefined && suspension?.files !== undefined)
    const file = join(world.dataDir, 'saved')
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
    assert.equal(await world.state(id), 'running')

    await giveAway(id)
    await snapshots().remove(id, snapshot.id)
    assert.deepEqual(await held(volumes), [[snapshot.id], [snapshot.id]])
    await domains.unpause(id)
    const next = await take(id)
    assert.deepEqual(await held(volumes), [[next.id], [next.id]])
    assert.equal(await world.state(id), 'running')
  },
)

/** As a suspension that is broken off when all has been written. */
async function giveAway(id: string): Promise<void> {
  await world.driver.domains.pause(id)
  const qmp = await connectQmp(world.files(id).rescue, { onEvent: () => undefined, onClose: () => undefined })
  await qmp.execute('migrate', { uri: 'exec:cat >/dev/null' })
  await world.until('it is given away', async () => (await qmp.execute('query-status')).status === 'postmigrate')
  qmp.close()
}

/** Lets what an image keeps of its first snapshot lead nowhere. Source: QEMU docs/interop/qcow2, header 64, "Snapshots" 0. */
async function breakSnapshot({ location }: Volume): Promise<void> {
  const file = await open(location, 'r+')
  try {
    const { buffer } = await file.read(Buffer.alloc(8), 0, 8, 64)
    await file.write(Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]), 0, 8, Number(buffer.readBigUInt64BE(0)))
  } finally {
    await file.close()
  }
}

test('a domain that could not go back has the disks that it had, and what it was suspended to', DURING, async () => {
  const { id, volumes } = await withDisks()
  const { id: snapshot } = await take(id)
  for (const volume of volumes) await write(volume, 'after')
  const description = 'of now'
  await world.driver.domains.define({ ...(await world.driver.domains.config(id)), memoryBytes: 32 * MIB, description })
  const config = await world.driver.domains.config(id)
  await breakSnapshot(volumes[1])
  const message = /it could not go back: .*; the domain is halted, and its disks are as they were left$/s
  await booted(id)

  await assert.rejects(snapshots().revert(id, snapshot), { kind: 'refused', message })
  assert.equal(await world.state(id), 'halted')
  assert.deepEqual(await Promise.all(volumes.map(read)), ['after', 'after'])
  assert.deepEqual(await held(volumes), [[snapshot], [snapshot]])
  assert.deepEqual(await world.driver.domains.config(id), config)

  const { length } = await world.serial(id)
  await world.driver.domains.start(id)
  await world.until('it boots', async () => (await world.serial(id)).slice(length).includes('TICK 0001\n'))
  await suspension().suspend(id)
  const before = await world.serial(id)
  await assert.rejects(snapshots().revert(id, snapshot), { kind: 'refused', message: /the domain is suspended still/ })
  await suspension().resume(id)
  await assertCountsOn(id, before.length, lastTick(before))
  assert.deepEqual(world.warnings, [])
})

test('what is missing for going back is named, and the guest goes on', DURING, async () => {
  const { id, volumes } = await withDisks()
  await booted(id)
  const { id: snapshot } = await take(id)
  const memory = join(world.files(id).snapshotFolder, snapshot, 'memory')
  const whole = await readFile(memory)
  await truncate(memory, whole.length - 1)
  await assert.rejects(snapshots().revert(id, snapshot), { kind: 'refused', message: /memory/ })
  await writeFile(memory, whole)
  const qmp = await connectQmp(world.files(id).rescue, { onEvent: () => undefined, onClose: () => undefined })
  const [drive] = (await qmp.execute('query-block')).filter(({ file }) => file === volumes[1].location)
  await qmp.execute('blockdev-snapshot-delete-internal-sync', { device: drive?.node ?? '', name: snapshot })
  qmp.close()

  await assert.rejects(snapshots().revert(id, snapshot), { kind: 'refused', message: /two\.qcow2 does not hold/ })
  assert.equal(await world.state(id), 'running')
  await assertCountsOn(id, (await world.serial(id)).length, lastTick(await world.serial(id)))
  await snapshots().remove(id, snapshot)
  assert.deepEqual(await held(volumes), [[], []])
})

test(
  'images with snapshots are neither deleted nor moved nor cloned nor written over, and become larger and what they were',
  DURING,
  async () => {
    const { id, volumes } = await withDisks()
    const [{ location, virtualBytes }] = volumes
    const { id: snapshot } = await take(id)
    const inTheWay = { kind: 'bad-state', message: /holds snapshots of domain/ }
    await assert.rejects(storage().deleteVolume(location), inTheWay)
    await assert.rejects(storage().moveVolume(location, { ...repository, location: world.dataDir }), inTheWay)
    await assert.rejects(world.driver.clones?.cloneVolume(location, { name: 'clone' }) ?? Promise.resolve(), inTheWay)
    await assert.rejects(storage().openVolume?.(location, 'write') ?? Promise.resolve(), inTheWay)
    await (await storage().openVolume?.(location, 'read'))?.close()
    await storage().resizeVolume(location, 4 * MIB)
    const copy = await storage().copyVolume(location, repository, { name: 'copy' })
    assert.equal(copy.virtualBytes, 4 * MIB)
    await snapshots().revert(id, snapshot)
    assert.equal((await storage().getVolume(location)).virtualBytes, virtualBytes)
    assert.equal(await read(volumes[0]), 'before')

    await snapshots().remove(id, snapshot)
    assert(world.driver.clones !== undefined)
    await world.driver.clones.cloneVolume(location, { name: 'clone' })
    const again = await take(id)
    await write(volumes[0], 'after')
    await snapshots().revert(id, again.id)
    assert.equal(await read(volumes[0]), 'before')
  },
)

test('a disk that another domain uses is neither kept nor made what it was', DURING, async () => {
  const { id, volumes } = await withDisks()
  const { id: snapshot } = await take(id)
  const other = await world.define({ disks: [await bootDisk(), diskOf(volumes[0])] })
  await world.driver.domains.start(other)
  const inTheWay = { kind: 'bad-state', message: /another domain uses .*one\.qcow2/ }

  await assert.rejects(take(id), inTheWay)
  await assert.rejects(snapshots().revert(id, snapshot), inTheWay)
  await snapshots().remove(id, snapshot)
  assert.deepEqual(
    (await held(volumes)).map(names => names.length),
    [1, 0],
  )
  assert.match(world.warnings.join('\n'), /cannot be deleted from .*one\.qcow2/)
  await world.driver.domains.powerOff(other)
  await world.reconnect()
  assert.deepEqual(await held(volumes), [[], []])
})

/** What a manager knows that is killed in the middle of something. */
async function changeRecord(id: DomainId, change: Record<string, unknown>): Promise<void> {
  const path = world.files(id).snapshots
  const record: Record<string, unknown> = existsSync(path)
    ? JSON.parse(await readFile(path, 'utf8'))
    : { format: 1, snapshots: [], current: null, reverting: null, doomed: [] }
  await writeFile(path, JSON.stringify({ ...record, ...change }))
}

test('what a killed manager had begun to keep is taken back, of a guest that goes on and of none', DURING, async () => {
  const { id, volumes } = await withDisks()
  const disks = volumes.map(({ location }) => location)
  await booted(id)
  await world.driver.close()
  const doomed = [{ id: 'half', disks }]
  await changeRecord(id, { doomed })
  const qmp = await connectQmp(world.files(id).rescue, { onEvent: () => undefined, onClose: () => undefined })
  const state = join(world.dataDir, 'state.qcow2')
  await execute('qemu-img', ['create', '-q', '-f', 'qcow2', state, '64k'])
  const node = { driver: 'qcow2', 'node-name': 'snapshot-state', file: { driver: 'file', filename: state } }
  await qmp.execute('blockdev-add', node)
  const nodes = (await qmp.execute('query-block')).flatMap(({ node: each, file }) =>
    each !== null && disks.includes(file) ? [each] : [],
  )
  const devices = [...nodes, 'snapshot-state']
  await qmp.execute('snapshot-save', { 'job-id': 'snapshot', tag: 'half', vmstate: 'snapshot-state', devices })
  qmp.close()
  assert.deepEqual(await held(volumes), [['half'], ['half']])
  await world.connect()

  assert.deepEqual(await held(volumes), [[], []])
  assert.equal(await world.state(id), 'running')
  const { id: kept } = await take(id)
  await world.driver.domains.powerOff(id)
  await world.driver.close()
  await execute('qemu-img', ['snapshot', '-c', 'half', disks[0] ?? ''])
  await changeRecord(id, { doomed })
  await world.connect()
  assert.deepEqual(await held(volumes), [[kept], [kept]])
  assert.deepEqual(world.warnings, [])
})

test('a domain that a killed manager had begun to take back is what it was', DURING, async () => {
  const { id, volumes } = await withDisks()
  const off = await take(id, 'off')
  for (const volume of volumes) await write(volume, 'after')
  await booted(id)
  const on = await take(id, 'on')
  for (const [snapshot, state, content] of [
    [off, 'halted', 'before'],
    [on, 'suspended', 'after'],
  ] as const) {
    if ((await world.state(id)) === 'halted') await world.driver.domains.start(id)
    await world.driver.close()
    await changeRecord(id, { reverting: snapshot.id })
    await world.connect()

    assert.equal(await world.state(id), state)
    assert.deepEqual(await Promise.all(volumes.map(read)), [content, content])
    assert.equal((await snapshots().list(id)).find(({ isCurrent }) => isCurrent)?.id, snapshot.id)
  }
  assert.deepEqual(world.processes(), [])
  assert.deepEqual(world.warnings, [])

  await world.driver.close()
  await changeRecord(id, { reverting: 'none' })
  await world.connect()
  assert.match(world.warnings.join(), /cannot be mended: .*no snapshot "none"/)
  assert.match(await readFile(world.files(id).snapshots, 'utf8'), /"reverting":null/)
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
    const volume = await storage().createVolume(repository, { name: 'data', format: 'qcow2', virtualBytes: 32 * MIB })
    const raw = join(world.dataDir, 'new.raw')
    await execute('truncate', ['-s', `${32 * MIB}`, raw])
    await execute('mkfs.ext4', ['-q', '-F', raw])
    await execute('qemu-img', ['convert', '-n', '-f', 'raw', '-O', 'qcow2', raw, volume.location])
    const id = await world.define({ ...(await bootLinux(world.dataDir)), disks: [diskOf(volume, 'vdb')] })
    await world.driver.domains.start(id)
    const guest = await GuestShell.openBooting(world.files(id).serialSocket)
    await guest.run(WRITE_ON)
    const counted = async (shell: GuestShell) => Number(await shell.run('cat /tmp/count 2>/dev/null || echo 0'))
    await world.until('it writes', async () => (await counted(guest)) > 0)
    await world.driver.clones?.cloneVolume(volume.location, { name: 'clone' })
    const before = await counted(guest)
    const { id: snapshot } = await take(id)
    await world.until('it writes on', async () => (await counted(guest)) > before + 7)
    const after = await counted(guest)
    guest.close()

    await snapshots().revert(id, snapshot)
    await suspension().resume(id)
    const again = await GuestShell.open(world.files(id).serialSocket)
    const resumed = await counted(again)
    assert(resumed >= before && resumed < after, `${resumed}, kept after ${before} and before ${after}`)
    await again.run('kill $(cat /tmp/writer); until umount /mnt 2>/dev/null; do :; done')
    again.close()
    await world.driver.domains.powerOff(id)
    await snapshots().remove(id, snapshot)
    await execute('qemu-img', ['check', '-f', 'qcow2', volume.location])
    await execute('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', volume.location, raw])
    await execute('fsck.ext4', ['-f', '-n', raw])
  },
)
