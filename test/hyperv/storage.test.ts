import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { DiskImage } from '../../sim/hyperv/storage/disk-image.ts'
import { createImage } from '../../sim/hyperv/storage/image-creation.ts'
import { mountImage, unmountImage } from '../../sim/hyperv/storage/mounts.ts'
import { openImage, withImage } from '../../sim/hyperv/storage/open-image.ts'
import type { Driver, StorageOps, Volume } from '../../src/drivers/driver.ts'
import { rejectsWith } from '../conformance/stage.ts'
import { disk, withDisks } from './machine-drives.ts'
import { type HypervHost, putMedium, startHost } from './setting.ts'
import { ideOf, Stranger } from './stranger.ts'

const MIB = 1_048_576
const BYTES = 4 * MIB
const FOLDER = { type: 'dir', location: 'C:\\Images' }
const FAR = { type: 'dir', location: 'D:\\Images' }

/** A Japanese host with a drive D, and a folder on each. */
async function hostWithTwoDrives(): Promise<HypervHost> {
  const host = await startHost('--build', '20348', '--pace', '0', '--locale', 'ja-JP')
  for (const drive of ['C', 'D']) mkdirSync(join(folderOf(host), drive, 'Images'), { recursive: true })
  return host
}

const folderOf = ({ sim }: HypervHost): string => sim.host?.folder ?? ''

/** What really is in a folder of the host. */
const filesIn = (host: HypervHost, folder: string): string[] => readdirSync(join(folderOf(host), folder)).toSorted()

/** Makes an image behind the driver's back. */
async function putImage({ sim }: HypervHost, path: string, parentPath?: string): Promise<string> {
  assert(sim.host !== undefined)
  const format = /x$/i.test(path) ? 'vhdx' : 'vhd'
  const isAutomatic = /\.avhdx?$/i.test(path)
  const more = parentPath === undefined ? { bytes: BYTES } : { parentPath }
  await createImage(sim.host, { path, format, type: parentPath ? 'differencing' : 'dynamic', isAutomatic, ...more })
  return path
}

/** Works with an image of the folder on drive C as the host would. */
const within = <T>(host: HypervHost, name: string, opening: 'read' | 'write', work: (image: DiskImage) => Promise<T>) =>
  withImage(
    openImage(join(folderOf(host), 'C/Images', name), opening, () => crypto.randomUUID().toUpperCase()),
    work,
  )

describe('images on a host', () => {
  let host: HypervHost, driver: Driver, storage: StorageOps
  before(async () => {
    host = await hostWithTwoDrives()
    driver = await host.connect()
    assert(driver.storage !== undefined)
    storage = driver.storage
  })
  after(async () => {
    await driver.close()
    await host.sim.close()
    assert.deepEqual(host.complaints, [])
  })

  const make = (name: string): Promise<Volume> =>
    storage.createVolume(FOLDER, { name, format: 'vhdx', virtualBytes: BYTES })
  const namesIn = async (repository = FOLDER) => (await storage.listVolumes(repository)).map(({ name }) => name)

  test('a list has images and media, and nothing else that lies in the folder', async () => {
    const many = { type: 'dir', location: 'C:\\Many' }
    mkdirSync(join(folderOf(host), 'C/Many/inner.vhdx'), { recursive: true })
    const base = await putImage(host, 'C:\\Many\\Base.vhd')
    await putImage(host, 'C:\\Many\\child.vhd', base)
    await putImage(host, 'C:\\Many\\Base_1.avhd', base)
    for (const name of ['cd.ISO', 'floppy.vfd', 'broken.vhdx', 'note.txt', 'vhdx']) putMedium(host, 'Many', name)

    const listed = await storage.listVolumes(many)
    const facts = listed.map(({ name, format, readOnly }) => [name, format, readOnly === true])
    assert.deepEqual(facts, [
      ['Base', 'vhd', false],
      ['cd', 'raw', true],
      ['child', 'vhd', false],
      ['floppy', 'raw', false],
    ])
    for (const volume of listed) assert.deepEqual(await storage.getVolume(volume.location), volume)
    assert.deepEqual(await storage.getVolume('c:/many//BASE.vhd'), listed[0])
    await rejectsWith('not-found', storage.getVolume('C:\\Many\\Base_1.avhd'))
    await rejectsWith('refused', storage.getVolume('C:\\Many\\broken.vhdx'))
    const { usedBytes } = await storage.openRepository(many)
    assert(usedBytes > listed.reduce((sum, { physicalBytes }) => sum + physicalBytes, 0))
  })

  test('a folder that is gone is not an empty one', async () => {
    await rejectsWith('refused', storage.listVolumes({ type: 'dir', location: 'C:\\Nowhere' }))
  })

  test('names that Windows has no files of are refused, and so are folders', async () => {
    const longest = 'x'.repeat(250)
    for (const name of ['con', 'a:b', 'a*', 'a?', '"a"', 'a|b', longest]) await rejectsWith('refused', make(name))
    for (const location of [
      'Images',
      '\\Images',
      'C:',
      '\\\\server\\share',
      'C:\\..\\Images',
      'C:\\a:b',
      'E:\\Images',
    ]) {
      await rejectsWith('refused', storage.openRepository({ type: 'dir', location }))
    }
    assert.deepEqual(await namesIn(), [])
  })

  test('no image is smaller than Hyper-V makes them, and none is smaller than whole sectors', async () => {
    for (const [virtualBytes, told] of [
      [1, 3 * MIB],
      [BYTES + 1, BYTES + 512],
    ] as const) {
      const volume = await storage.createVolume(FOLDER, { name: 'small', format: 'vhd', virtualBytes })
      assert.equal(volume.virtualBytes, told)
      await storage.deleteVolume(volume.location)
    }
    for (const virtualBytes of [0, -1, 1.5, 2 ** 53]) {
      await rejectsWith('refused', storage.createVolume(FOLDER, { name: 'small', format: 'vhd', virtualBytes }))
    }
  })

  test('a medium is neither made larger nor copied', async () => {
    const location = putMedium(host, 'Images', 'cd.iso')

    await rejectsWith('refused', storage.resizeVolume(location, BYTES))
    await rejectsWith('refused', storage.copyVolume(location, FOLDER, { name: 'copy' }))
    await rejectsWith('refused', storage.copyVolume(location, FOLDER, { name: 'copy', format: 'vhdx' }))
    await storage.deleteVolume(location)
    assert.deepEqual(filesIn(host, 'C/Images'), [])
  })

  test('images and media are moved to another drive, but no image that builds on another', async () => {
    const [image, medium] = [await make('disk'), putMedium(host, 'Images', 'cd.iso')]
    const child = await putImage(host, 'C:\\Images\\child.vhdx', image.location)

    await rejectsWith('refused', storage.moveVolume(child, FAR))
    await storage.deleteVolume(child)
    const moved = await storage.moveVolume(image.location, FAR)
    assert.deepEqual({ ...moved, location: '' }, { ...image, location: '' })
    assert.equal((await storage.moveVolume(medium, FAR)).readOnly, true)
    assert.deepEqual(filesIn(host, 'C/Images'), [])
    assert.deepEqual(filesIn(host, 'D/Images'), ['cd.iso', 'disk.vhdx'])
    assert.deepEqual(await storage.moveVolume(moved.location, FAR), moved)
    for (const { location } of await storage.listVolumes(FAR)) await storage.deleteVolume(location)
  })

  test('what the host itself has mounted is in use, in whatever language it says so', async () => {
    const { location } = await make('mounted')
    assert(host.sim.host !== undefined)
    const mounted = await mountImage(host.sim.host, location, false)

    for (const refused of [
      () => storage.resizeVolume(location, 2 * BYTES),
      () => storage.copyVolume(location, FOLDER, { name: 'copy' }),
      () => storage.moveVolume(location, FAR),
      () => storage.moveVolume(location, { type: 'dir', location: 'C:\\' }),
      () => storage.deleteVolume(location),
    ]) {
      await rejectsWith('bad-state', refused())
    }
    assert.deepEqual([filesIn(host, 'C/Images'), filesIn(host, 'D/Images')], [['mounted.vhdx'], []])
    unmountImage(host.sim.host, mounted)
    await storage.deleteVolume(location)
  })

  test('what a snapshot or a suspended machine builds on stays as it is', async () => {
    const stranger = new Stranger(host)
    const [base, golden] = [await make('base'), await make('golden')]
    const child = await putImage(host, 'D:\\Images\\child.vhdx', golden.location)
    const guid = await stranger.make('shot')
    await stranger.addDisk(guid, ideOf(guid, 0), 0, base.location)
    await stranger.snapshot(guid)
    const config = withDisks(disk(child, 'hda'))
    await driver.domains.define(config)
    await driver.domains.start(config.id)
    await driver.suspension?.suspend(config.id)

    for (const { location } of [base, golden]) {
      await rejectsWith('bad-state', storage.deleteVolume(location))
      await rejectsWith('bad-state', storage.moveVolume(location, FAR))
      await rejectsWith('bad-state', storage.resizeVolume(location, 2 * BYTES))
    }
    await rejectsWith('bad-state', storage.copyVolume(child, FOLDER, { name: 'copy' }))
    assert.deepEqual((await namesIn()).toSorted(), ['base', 'golden'])
    await driver.domains.powerOff(config.id)
    await storage.resizeVolume(child, 2 * BYTES)
    await driver.domains.undefine(config.id)
    await storage.deleteVolume(child)
    await storage.deleteVolume(golden.location)
    await stranger.close()
  })

  test('a copy of a volume with snapshots holds what its machine has now, and not while that runs', async () => {
    const stranger = new Stranger(host)
    const base = await make('versions')
    const guid = await stranger.make('versions')
    await stranger.addDisk(guid, ideOf(guid, 0), 0, base.location)
    await stranger.snapshot(guid)
    const head = filesIn(host, 'C/Images').find(name => /^versions_.*\.avhdx$/.test(name)) ?? ''
    await within(host, head, 'write', image => image.write(0, Buffer.from('now')))

    const copy = await storage.copyVolume(base.location, FOLDER, { name: 'now', format: 'vhd' })
    const start = await within(host, 'now.vhd', 'read', image => image.read(0, 3))
    assert.equal(start.toString(), 'now')
    await driver.domains.start(guid.toLowerCase())
    await rejectsWith('bad-state', storage.copyVolume(base.location, FOLDER, { name: 'then' }))
    await driver.domains.powerOff(guid.toLowerCase())
    await storage.deleteVolume(copy.location)
    await stranger.close()
  })

  test('the folders of images that machines have are repositories, each by a name of its own', async () => {
    const [near, far] = [await make('disk-1'), await putImage(host, 'D:\\Images\\disk-2.vhdx')]
    const config = withDisks(disk(near.location, 'hda'), disk(far, 'hdb'))
    await driver.domains.define(config)

    const told = (await storage.repositories()).map(({ name, location }) => [name, location])
    assert.deepEqual(told, [
      ['Virtual Hard Disks', 'C:\\ProgramData\\Microsoft\\Windows\\Virtual Hard Disks'],
      ['C:\\Images', 'C:\\Images'],
      ['D:\\Images', 'D:\\Images'],
    ])
    const roots = (await storage.roots?.()) ?? []
    assert.deepEqual(
      roots.map(({ location }) => location),
      ['C:\\', 'D:\\'],
    )
    await driver.domains.undefine(config.id)
  })

  test('an image has the place that its machine calls it by', async () => {
    const image = await make('Spelled')
    const location = 'c:\\IMAGES\\spelled.VHDX'
    const config = withDisks(disk(location, 'hda'))
    await driver.domains.define(config)

    assert.equal((await storage.getVolume(image.location)).location, location)
    assert((await storage.listVolumes(FOLDER)).some(volume => volume.location === location))
    await driver.domains.undefine(config.id)
    await storage.deleteVolume(location)
  })

  test('a folder that is missing is made with all that it is in, as long as there is an empty one to make it from', async () => {
    const deep = { type: 'dir', location: 'D:\\New\\Größe\\1' }
    await storage.openRepository(deep)
    assert.deepEqual(await namesIn(deep), [])

    const own = 'C/ProgramData/Microsoft/Windows/Hyper-V'
    for (const name of filesIn(host, own)) writeFileSync(join(folderOf(host), own, name, 'full'), '')
    writeFileSync(join(folderOf(host), 'D/New/Größe/1/full'), '')
    await assert.rejects(storage.openRepository({ type: 'dir', location: 'D:\\New\\Größe\\2' }), /make it on the host/)
    assert(!existsSync(join(folderOf(host), 'D/New/Größe/2')))
  })
})
