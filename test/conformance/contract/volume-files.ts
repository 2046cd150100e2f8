import assert from 'node:assert/strict'
import type { Volume } from '../../../src/drivers/driver.ts'
import { disk, run, VOLUME_BYTES, volume, withDevices } from '../parts.ts'
import type { Stage } from '../stage.ts'
import { rejectsWith } from '../stage.ts'

/** The files of images, where a driver opens them, and the removal of repositories, where it removes them. */
export function describeFiles(stage: Stage): void {
  describeContent(stage)
  describeUse(stage)
  describeKept(stage)
  describeMany(stage)
  describeRemoval(stage)
  describeWiping(stage)
  describeShrinking(stage)
}

function describeShrinking(stage: Stage): void {
  stage.it('makes an image smaller, and what lay beyond is not there when it is larger again', async () => {
    const { storage } = stage
    const image = await rawImage(stage)
    if (image === undefined || storage.shrinkVolume === undefined) return
    const written = await image.open('write')
    for (const position of [0, VOLUME_BYTES / 2 - 4]) await written?.write(position, Buffer.from('abcdefgh'))
    await written?.close()

    assert.equal((await storage.shrinkVolume(image.location, VOLUME_BYTES / 2)).virtualBytes, VOLUME_BYTES / 2)
    await storage.resizeVolume(image.location, VOLUME_BYTES)
    const read = await image.open('read')
    assert.equal(Buffer.from((await read?.read(0, 8)) ?? []).toString(), 'abcdefgh')
    assert.equal(Buffer.from((await read?.read(VOLUME_BYTES / 2 - 4, 8)) ?? []).toString(), 'abcd\0\0\0\0')
    await rejectsWith('bad-state', storage.shrinkVolume(image.location, 512))
    await read?.close()
    await rejectsWith('refused', storage.shrinkVolume(image.location, 2 * VOLUME_BYTES))
    for (const format of storage.formats) {
      const other = await volume(stage, `disk-${format}`, format)
      assert.equal((await storage.shrinkVolume(other.location, VOLUME_BYTES / 2)).virtualBytes, VOLUME_BYTES / 2)
    }
    await run(stage, withDevices(stage, { disks: [disk(image)] }))
    await rejectsWith('bad-state', storage.shrinkVolume(image.location, 512))
  })

  stage.it('gives a raw image its place, which it keeps when it grows into it', async () => {
    const { storage } = stage
    const image = await rawImage(stage)
    if (image === undefined || storage.allocateVolume === undefined) return

    await storage.allocateVolume(image.location, 2 * VOLUME_BYTES)
    const { virtualBytes, physicalBytes } = await storage.getVolume(image.location)
    await storage.resizeVolume(image.location, 2 * VOLUME_BYTES)

    assert.equal(virtualBytes, VOLUME_BYTES)
    assert(physicalBytes >= 2 * VOLUME_BYTES)
    const grown = await storage.getVolume(image.location)
    assert.deepEqual([grown.virtualBytes, grown.physicalBytes], [2 * VOLUME_BYTES, physicalBytes])
    for (const format of storage.formats.filter(each => each !== 'raw')) {
      const { location } = await volume(stage, `disk-${format}`, format)
      await rejectsWith('refused', storage.allocateVolume(location, VOLUME_BYTES))
    }
  })

  stage.it('tells what the file system says of the file of an image, and of its folder', async () => {
    const { storage, repository } = stage
    if (storage.fileFacts === undefined) return
    const { location } = await volume(stage, 'disk-1', 'raw')
    const facts = await storage.fileFacts(location)

    assert.equal(facts.bytes, VOLUME_BYTES)
    assert.equal(facts.mode & 0o77, 0)
    assert(facts.changedNs >= facts.modifiedNs && facts.modifiedNs > 0n && facts.accessedNs > 0n)
    assert.equal((await storage.fileFacts(repository.location)).mode & 0o700, 0o700)
    await rejectsWith('not-found', storage.fileFacts(`${location}.none`))
  })
}

function describeWiping(stage: Stage): void {
  stage.it('wipes an image, which keeps its place, format and size', async () => {
    const { storage } = stage
    const image = await rawImage(stage)
    if (image === undefined || storage.wipeVolume === undefined) return
    const written = await image.open('write')
    for (const position of [0, 1_048_570, VOLUME_BYTES - 4]) await written?.write(position, Buffer.from('left'))
    await written?.close()
    const before = await storage.getVolume(image.location)
    const shares: number[] = []

    await storage.wipeVolume(image.location, { onProgress: share => void shares.push(share) })

    const read = await image.open('read')
    for (let position = 0; position < VOLUME_BYTES; position += 65_536) {
      assert.deepEqual(Buffer.from((await read?.read(position, 65_536)) ?? []), Buffer.alloc(65_536))
    }
    await read?.close()
    assert.deepEqual(await storage.getVolume(image.location), before)
    assert(shares.every(share => share >= 0 && share <= 1))
    for (const format of storage.formats) {
      const other = await volume(stage, `disk-${format}`, format)
      await storage.wipeVolume(other.location)
      const { physicalBytes: _, ...wiped } = await storage.getVolume(other.location)
      assert.deepEqual({ ...wiped, physicalBytes: other.physicalBytes }, other)
    }
  })

  stage.it('wipes no image that is used or kept, and none that shares what it holds', async () => {
    const { storage, driver } = stage
    const wipe = storage.wipeVolume?.bind(storage)
    const image = await rawImage(stage)
    if (image === undefined || wipe === undefined) return
    const config = withDevices(stage, { disks: [disk(image)] })
    const reader = await image.open('read')
    await rejectsWith('bad-state', wipe(image.location))
    await reader?.close()
    await rejectsWith('refused', wipe(image.location, { signal: AbortSignal.abort() }))
    await rejectsWith('not-found', wipe(`${image.location.slice(0, image.location.lastIndexOf('/'))}/none.raw`))

    await run(stage, config)
    await rejectsWith('bad-state', wipe(image.location))
    await driver.domains.powerOff(config.id)
    const kept = await keptImage(stage)
    if (driver.snapshots !== undefined && kept !== undefined) {
      const owner = withDevices(stage, { disks: [disk(kept)] })
      await driver.domains.define(owner)
      const { id } = await driver.snapshots.create(owner.id, { name: 'before', description: '' })
      await rejectsWith('bad-state', wipe(kept.location))
      await driver.snapshots.remove(owner.id, id)
    }
    const shared = await driver.clones?.cloneVolume(image.location, { name: 'clone' })
    if (shared === undefined) return
    for (const { location } of Object.values(shared)) await rejectsWith('refused', wipe(location))
  })
}

function describeContent(stage: Stage): void {
  stage.it(
    'reads what was written to the file of a raw image, and grows it where that reaches beyond its end',
    async () => {
      const image = await rawImage(stage)
      const written = await image?.open('write')
      if (image === undefined || written === undefined) return
      const word = Buffer.from('polyvisor')

      assert.equal(written.bytes, VOLUME_BYTES)
      await written.write(70_000, word)
      await written.write(VOLUME_BYTES - 4, word)
      await written.close()
      await written.close()
      const read = await image.open('read')

      assert.deepEqual(Buffer.from((await read?.read(70_000, word.length)) ?? []), word)
      assert.deepEqual(Buffer.from((await read?.read(VOLUME_BYTES, 4_096)) ?? []), word.subarray(4))
      assert.deepEqual(Buffer.from((await read?.read(0, 16)) ?? []), Buffer.alloc(16))
      await read?.close()
      assert((await stage.storage.getVolume(image.location)).virtualBytes > VOLUME_BYTES)
    },
  )
}

function describeUse(stage: Stage): void {
  stage.it('keeps an image whose file is open from domains, and from whoever would change it', async () => {
    const image = await rawImage(stage)
    if (image === undefined) return
    const config = withDevices(stage, { disks: [disk(image)] })
    await stage.driver.domains.define(config)
    const { storage, repository } = stage

    for (const mode of ['read', 'write'] as const) {
      const file = await image.open(mode)
      await rejectsWith('bad-state', image.open('write'))
      await rejectsWith('bad-state', storage.deleteVolume(image.location))
      await rejectsWith('bad-state', storage.resizeVolume(image.location, 2 * VOLUME_BYTES))
      await rejectsWith('bad-state', storage.copyVolume(image.location, repository, { name: 'copy' }))
      await rejectsWith('bad-state', stage.driver.domains.start(config.id))
      await file?.close()
    }
    const readers = [await image.open('read'), await image.open('read')]
    for (const reader of readers) await reader?.close()
    await stage.driver.domains.start(config.id)
  })

  stage.it(
    'says bad-state of the file of an image that a running domain has, and not-found where there is none',
    async () => {
      const image = await rawImage(stage)
      if (image === undefined) return
      await run(stage, withDevices(stage, { disks: [disk(image)] }))

      await rejectsWith('bad-state', image.open('read'))
      await rejectsWith('bad-state', image.open('write'))
      const missing = `${image.location.slice(0, image.location.lastIndexOf('/'))}/none.raw`
      await rejectsWith('not-found', stage.storage.openVolume?.(missing, 'read') ?? Promise.resolve())
    },
  )
}

function describeKept(stage: Stage): void {
  stage.it('lets nobody write over an image in which a snapshot keeps something, until that is forgotten', async () => {
    const { storage, driver } = stage
    const { snapshots } = driver
    const image = await keptImage(stage)
    if (snapshots === undefined || image === undefined) return
    const config = withDevices(stage, { disks: [disk(image)] })
    await driver.domains.define(config)
    const open = async (mode: 'read' | 'write') => storage.openVolume?.(image.location, mode)

    const { id } = await snapshots.create(config.id, { name: 'before', description: '' })
    await rejectsWith('bad-state', open('write'))
    const file = await open('read')
    await rejectsWith('bad-state', snapshots.revert(config.id, id))
    await file?.close()
    await snapshots.revert(config.id, id)
    await snapshots.remove(config.id, id)

    await (await open('write'))?.close()
  })
}

function describeMany(stage: Stage): void {
  stage.it('tells of many images as it does of each, and leaves out what is none', async () => {
    const { storage } = stage
    if (storage.getVolumes === undefined) return
    const made = [await volume(stage, 'disk-1'), await volume(stage, 'disk-2')]
    const gone = await volume(stage, 'disk-3')
    await storage.deleteVolume(gone.location)
    const locations = made.map(({ location }) => location)
    const found = await storage.getVolumes([...locations, gone.location, '', 'no place'])

    assert.deepEqual([...found.keys()].toSorted(), locations.toSorted())
    for (const location of locations) assert.deepEqual(found.get(location), await storage.getVolume(location))
    assert.deepEqual(await storage.getVolumes([]), new Map())
  })
}

/** An image whose file the driver opens, of a format that takes snapshots where it can be. */
async function keptImage(stage: Stage): Promise<Volume | undefined> {
  for (const format of stage.storage.openVolume === undefined ? [] : (['qcow2', 'raw'] as const)) {
    if (!stage.storage.formats.includes(format)) continue
    const image = await volume(stage, `disk-${format}`, format)
    const file = await stage.storage.openVolume?.(image.location, 'read').catch(() => undefined)
    await file?.close()
    if (file !== undefined) return image
  }
  return undefined
}

function describeRemoval(stage: Stage): void {
  stage.it('removes the place of a repository that holds nothing', async () => {
    const { storage, repository } = stage
    if (storage.removeRepository === undefined) return
    const image = await volume(stage, 'disk-1')

    await rejectsWith('refused', storage.removeRepository(repository))
    await storage.deleteVolume(image.location)
    await storage.removeRepository(repository)

    await assert.rejects(storage.listVolumes(repository))
    await storage.openRepository(repository)
  })
}

/** A raw image and what opens its file; undefined where the driver opens none. */
async function rawImage(stage: Stage) {
  const { storage } = stage
  if (storage.openVolume === undefined) return undefined
  const image: Volume = await volume(stage, 'disk-1', 'raw')
  const open = async (mode: 'read' | 'write') => storage.openVolume?.(image.location, mode)
  return { ...image, open }
}
