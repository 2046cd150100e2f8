import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { promisify } from 'node:util'
import type { RepositoryConfig, StorageOps } from '../../src/drivers/driver.ts'
import { lookAtDisk } from '../../src/drivers/qemu/images.ts'
import { TEST_MS, World } from './world.ts'

const MIB = 1_048_576

let world: World
let repository: RepositoryConfig
let other: RepositoryConfig
beforeEach(async () => {
  world = await World.open()
  repository = { type: 'dir', location: join(world.dataDir, 'sr') }
  other = { type: 'dir', location: join(world.dataDir, 'other') }
  for (const each of [repository, other]) await storage().openRepository(each)
})
afterEach(() => world.close())

function storage(): StorageOps {
  assert(world.driver.storage !== undefined)
  return world.driver.storage
}

const create = (name: string, format: 'raw' | 'qcow2' = 'raw') =>
  storage().createVolume(repository, { name, format, virtualBytes: MIB })

test('a new repository is a folder that is closed to others', async () => {
  assert.equal((await stat(repository.location)).mode & 0o777, 0o700)
})

test('what lies in a folder and is no image is no volume', async () => {
  const { location } = repository
  await writeFile(join(location, 'fake.qcow2'), 'not an image, though it is long enough to be one')
  await writeFile(join(location, 'short.qcow2'), 'QFI\xfb')
  await writeFile(join(location, 'notes.txt'), '')
  await writeFile(join(location, '.hidden.raw'), '')
  await mkdir(join(location, 'folder.raw'))
  await symlink('/etc/passwd', join(location, 'link.raw'))
  await writeFile(join(location, 'foreign.img'), Buffer.alloc(512))

  const volumes = await storage().listVolumes(repository)

  assert.deepEqual(
    volumes.map(({ name, format }) => [name, format]),
    [['foreign', 'raw']],
  )
})

test('an image that builds on a file elsewhere, or has its data there, is no volume', async () => {
  const { location } = repository
  const { location: own } = await create('own')
  await symlink('/etc/passwd', join(location, 'link'))
  const overlay = async (name: string, backing: string) => {
    const file = join(location, `${name}.qcow2`)
    await promisify(execFile)('qemu-img', ['create', '-u', '-f', 'qcow2', '-b', backing, '-F', 'raw', file, '1M'])
  }
  await overlay('absolute', '/etc/passwd')
  await overlay('upwards', '../../etc/passwd')
  await overlay('linked', 'link')
  await overlay('remote', 'nbd:127.0.0.1:1')
  await overlay('child', own)
  const dataElsewhere = `data_file=${join(world.dataDir, 'elsewhere')},data_file_raw=on`
  const pointer = join(location, 'pointer.qcow2')
  await promisify(execFile)('qemu-img', ['create', '-f', 'qcow2', '-o', dataElsewhere, pointer, '1M'])

  const volumes = await storage().listVolumes(repository)

  assert.deepEqual(
    volumes.map(({ name }) => name),
    ['child', 'own'],
  )
})

test('no guest gets, and no copy has, what an image shows of files elsewhere, also by others of its folder', async () => {
  const { location } = repository
  const { location: own } = await create('own', 'qcow2')
  const made = async (name: string, ...options: string[]) => {
    const file = join(location, `${name}.qcow2`)
    await promisify(execFile)('qemu-img', ['create', '-u', '-f', 'qcow2', ...options, file, '1M'])
    return file
  }
  const disk = (place: string) =>
    lookAtDisk({ id: 'disk', device: 'hda', bus: 'emulated', readOnly: false, location: place, format: 'qcow2' })
  await symlink('/etc/passwd', join(location, 'link'))
  const child = await made('child', '-b', 'own.qcow2', '-F', 'qcow2')
  const grandchild = await made('grandchild', '-b', child, '-F', 'qcow2')
  await made('absolute', '-b', '/etc/passwd', '-F', 'raw')
  await made('above', '-b', 'absolute.qcow2', '-F', 'qcow2')
  await made('linked', '-b', 'link', '-F', 'raw')
  await made('remote', '-b', 'nbd:127.0.0.1:1', '-F', 'raw')
  await made('described', '-b', 'own.qcow2', '-F', 'vmdk')
  await made('missing', '-b', 'nothing.raw', '-F', 'raw')
  await writeFile(join(location, 'twofold.qcow2'), headerOver('own.qcow2', ['raw', 'vmdk']))
  await made('pointer', '-o', `data_file=${join(world.dataDir, 'elsewhere')},data_file_raw=on`)

  for (const place of [own, child, grandchild]) disk(place)
  await storage().copyVolume(grandchild, other, { name: 'copy' })
  for (const name of ['absolute', 'above', 'linked', 'remote', 'described', 'missing', 'twofold', 'pointer']) {
    const place = join(location, `${name}.qcow2`)
    assert.throws(() => disk(place), { name: 'DriverError', kind: 'refused', message: /^the image / }, name)
    await assert.rejects(storage().copyVolume(place, other, { name }), { kind: 'refused' }, name)
  }
  assert.deepEqual(await readdir(other.location), ['copy.qcow2'])
})

/** An image of version 2 that says so often of what format the one below it is. */
function headerOver(below: string, formats: readonly string[]): Buffer {
  const header = Buffer.alloc(4096)
  header.writeUInt32BE(0x514649fb, 0)
  header.writeUInt32BE(2, 4)
  header.writeBigUInt64BE(1024n, 8)
  header.writeUInt32BE(below.length, 16)
  header.writeUInt32BE(16, 20)
  header.writeBigUInt64BE(1_048_576n, 24)
  for (const [index, format] of formats.entries()) {
    header.writeUInt32BE(0xe2792aca, 72 + index * 16)
    header.writeUInt32BE(format.length, 76 + index * 16)
    header.write(format, 80 + index * 16)
  }
  header.write(below, 1024)
  return header
}

test('a raw image stays raw, whatever a guest has written to it', async () => {
  const qcow2 = await create('real', 'qcow2')
  await writeFile(join(repository.location, 'raw.raw'), await readFile(qcow2.location))

  assert.equal((await storage().getVolume(join(repository.location, 'raw.raw'))).format, 'raw')
})

test('a symbolic link is not followed out of the repository', async () => {
  const victim = join(world.dataDir, 'victim.raw')
  await writeFile(victim, 'precious')
  const link = join(repository.location, 'link.raw')
  await symlink(victim, link)

  for (const attempt of [storage().getVolume(link), storage().resizeVolume(link, MIB), storage().deleteVolume(link)]) {
    await assert.rejects(attempt, { name: 'DriverError', kind: 'refused' })
  }
  assert.equal(await readFile(victim, 'utf8'), 'precious')
})

test('a place that no image can have holds none', async () => {
  const { location } = await create('disk')
  const places = ['disk.raw', `${repository.location}/x/../disk.raw`, `${location}\0`, '/etc/passwd', '']

  for (const place of places) await assert.rejects(storage().getVolume(place), { kind: 'not-found' })
})

test('a name is taken whatever the format and the ending', async () => {
  await create('disk', 'qcow2')
  await writeFile(join(repository.location, 'foreign.img'), '')

  await assert.rejects(create('disk', 'raw'), { kind: 'refused', message: /taken/ })
  await assert.rejects(create('foreign', 'qcow2'), { kind: 'refused', message: /taken/ })
})

for (const virtualBytes of [0, -1, 1.5, Number.NaN, 2 ** 63]) {
  test(`a size of ${virtualBytes} bytes is refused, and nothing is left behind`, async () => {
    const creation = storage().createVolume(repository, { name: 'disk', format: 'qcow2', virtualBytes })

    await assert.rejects(creation, { name: 'DriverError', kind: 'refused' })
    assert.deepEqual(await readdir(repository.location), [])
  })
}

test('an image that qemu-img refuses to make leaves nothing behind', async () => {
  const tooLarge = { name: 'disk', format: 'qcow2', virtualBytes: Number.MAX_SAFE_INTEGER - 511 } as const

  await assert.rejects(storage().createVolume(repository, tooLarge), { kind: 'refused', message: /qemu-img: / })
  assert.deepEqual(await readdir(repository.location), [])
})

test('sizes are rounded up to what a guest can see', async () => {
  for (const format of ['raw', 'qcow2'] as const) {
    const volume = await storage().createVolume(repository, { name: format, format, virtualBytes: MIB + 1 })
    assert.equal(volume.virtualBytes, MIB + 512)
  }
})

test('a volume moves to another repository under its name', async () => {
  const volume = await create('disk', 'qcow2')
  const moved = await storage().moveVolume(volume.location, other)

  assert.deepEqual(moved, { ...volume, location: join(other.location, 'disk.qcow2') })
  assert.deepEqual(await storage().listVolumes(repository), [])
  assert.deepEqual(await readdir(other.location), ['disk.qcow2'])
})

test('a volume is copied to a repository on another file system, sparse as it is', async () => {
  const elsewhere = { type: 'dir', location: join('/dev/shm', `pv-${process.pid}`) }
  await storage().openRepository(elsewhere)
  const volume = await storage().createVolume(repository, { name: 'disk', format: 'raw', virtualBytes: 256 * MIB })
  const moved = await storage().moveVolume(volume.location, elsewhere)
  try {
    assert.equal(moved.virtualBytes, 256 * MIB)
    assert(moved.physicalBytes < MIB)
    assert.deepEqual(await readdir(repository.location), [])
  } finally {
    await storage().deleteVolume(moved.location)
  }
})

test('a volume does not move where its name is taken, and stays where it was', async () => {
  const volume = await create('disk')
  await storage().createVolume(other, { name: 'disk', format: 'qcow2', virtualBytes: MIB })

  await assert.rejects(storage().moveVolume(volume.location, other), { kind: 'refused', message: /taken/ })
  assert.deepEqual(await storage().getVolume(volume.location), volume)
  assert.deepEqual(await readdir(other.location), ['disk.qcow2'])
})

test('a file that is open when the connection ends can be closed, and the image is free then', async () => {
  const volume = await create('disk')
  const file = await storage().openVolume?.(volume.location, 'write')
  await file?.write(0, Buffer.from('written'))
  await world.reconnect()
  await assert.rejects(storage().deleteVolume(volume.location), { kind: 'bad-state' })

  await file?.close()
  await file?.close()
  assert.match(await readFile(volume.location, 'latin1'), /^written/)
  await storage().deleteVolume(volume.location)
})

test('an image in use is neither moved nor deleted, also after a new connection and by another path', {
  timeout: TEST_MS,
}, async () => {
  const volume = await create('disk')
  const config = await world.config()
  const disk = {
    id: '2',
    location: volume.location,
    format: 'raw',
    readOnly: false,
    device: 'hdb',
    bus: 'emulated',
  } as const
  await world.driver.domains.define({ ...config, disks: [...config.disks, disk] })
  await world.driver.domains.start(config.id)
  await world.driver.domains.define(config)
  await world.reconnect()
  await symlink(repository.location, join(world.dataDir, 'alias'))

  await assert.rejects(storage().moveVolume(volume.location, other), { kind: 'bad-state' })
  await assert.rejects(storage().deleteVolume(volume.location), { kind: 'bad-state' })
  await assert.rejects(storage().deleteVolume(join(world.dataDir, 'alias', 'disk.raw')), { kind: 'bad-state' })

  await world.driver.domains.powerOff(config.id)
  await storage().deleteVolume(volume.location)
})

test('no name of a repository leads out of the data directory', () => {
  assert.equal(storage().defaultLocation('default'), join(world.dataDir, 'sr', 'default'))
  for (const name of ['..', '.', '../../etc', '/etc', '']) {
    const location = storage().defaultLocation(name)
    assert(location.startsWith(join(world.dataDir, 'sr')), location)
  }
})
