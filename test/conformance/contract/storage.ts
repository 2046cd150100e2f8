import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { DiskConfig, DomainConfig, ImageFormat, RepositoryConfig, Volume } from '../../../src/drivers/driver.ts'
import { VOLUME_BYTES, volume } from '../parts.ts'
import type { Stage } from '../stage.ts'
import { rejectsWith } from '../stage.ts'
import { describeCopies } from './volume-copies.ts'
import { describeFiles } from './volume-files.ts'

const FORMATS: readonly ImageFormat[] = ['raw', 'qcow2', 'vhd', 'vhdx']
const LARGER = 4 * VOLUME_BYTES
const SMALLER = VOLUME_BYTES - 512

export function describeStorage(stage: Stage): void {
  describe('storage', () => {
    describeRepositories(stage)
    describeCreation(stage)
    describeLayouts(stage)
    describeSizes(stage)
    describeMoves(stage)
    describeCopies(stage)
    describeDeletion(stage)
    describeUse(stage)
    describeFiles(stage)
  })
}

async function names(stage: Stage, repository = stage.repository): Promise<string[]> {
  return (await stage.storage.listVolumes(repository)).map(volume => volume.name).toSorted()
}

/** A second repository, open, where the driver puts one that nobody chose a place for. */
async function openSecond(stage: Stage): Promise<RepositoryConfig> {
  const [type] = stage.storage.types
  assert(type !== undefined)
  const second = { type, location: stage.storage.defaultLocation('second') }
  await stage.storage.openRepository(second)
  return second
}

function describeRepositories(stage: Stage): void {
  stage.it('makes a new repository usable and empty, and opens it again', async () => {
    const first = await stage.storage.openRepository(stage.repository)
    const second = await stage.storage.openRepository(stage.repository)

    assert(stage.storage.types.includes(stage.repository.type))
    for (const { capacityBytes, usedBytes } of [first, second]) {
      assert(capacityBytes > 0 && usedBytes >= 0 && usedBytes <= capacityBytes)
    }
    assert.deepEqual(await names(stage), [])
  })

  stage.it('keeps the volumes of a repository that is opened again', async () => {
    const image = await volume(stage, 'kept')
    await stage.storage.openRepository(stage.repository)

    assert.deepEqual(await stage.storage.listVolumes(stage.repository), [image])
  })

  stage.it('has a place of its own for a repository of any name', async () => {
    const places = ['second', 'third', 'with/slash', '..', '../..', 'Größe 1'].map(name =>
      stage.storage.defaultLocation(name),
    )

    assert.equal(new Set(places).size, places.length)
    for (const place of places) assert(!place.split(/[/\\]/).includes('..'), place)
    assert.equal(stage.storage.defaultLocation('second'), places[0])
    assert.deepEqual(await names(stage, await openSecond(stage)), [])
  })

  stage.it('tells the repositories that the host has by itself, each in one place', async () => {
    const repositories = await stage.storage.repositories()

    assert.equal(new Set(repositories.map(({ location }) => location)).size, repositories.length)
    for (const { name, ...repository } of repositories) {
      assert(name !== '' && stage.storage.types.includes(repository.type))
      await stage.storage.openRepository(repository)
    }
  })

  stage.it('tells the file systems of the host, where there is telling', async () => {
    const roots = (await stage.storage.roots?.()) ?? []

    assert.equal(new Set(roots.map(({ location }) => location)).size, roots.length)
    assert.equal(roots.length > 0, stage.storage.roots !== undefined)
    for (const { capacityBytes, freeBytes } of roots) assert(freeBytes >= 0 && freeBytes <= capacityBytes)
  })

  stage.it('refuses a repository type that it does not know', async () => {
    await rejectsWith('refused', stage.storage.openRepository({ ...stage.repository, type: 'no-such-type' }))
  })
}

function describeLayouts(stage: Stage): void {
  stage.it('lays down the metadata of an image where its format has some, and refuses to where not', async () => {
    await stage.storage.openRepository(stage.repository)
    for (const format of stage.traits.formats) {
      const wanted = {
        name: `laid-${format}`,
        format,
        virtualBytes: 16 * VOLUME_BYTES,
        preallocation: 'metadata',
      } as const
      const made = stage.storage.createVolume(stage.repository, wanted)
      if (format !== 'qcow2') {
        await rejectsWith('refused', made)
        continue
      }
      const { virtualBytes, physicalBytes } = await made
      assert(virtualBytes === wanted.virtualBytes && physicalBytes < virtualBytes)
    }
    assert.deepEqual(await names(stage), stage.traits.formats.includes('qcow2') ? ['laid-qcow2'] : [])
  })

  stage.it('ends the file of a raw image as it is told, and of no other format', async () => {
    await stage.storage.openRepository(stage.repository)
    for (const format of stage.traits.formats) {
      const wanted = { name: `told-${format}`, format, virtualBytes: VOLUME_BYTES, ending: '.img' } as const
      const made = stage.storage.createVolume(stage.repository, wanted)
      if (format !== 'raw') {
        await rejectsWith('refused', made)
        continue
      }
      const { location, name } = await made
      assert.deepEqual([name, location.endsWith('/told-raw.img')], ['told-raw', true])
      const copy = { name: 'copied', ending: '.img' } as const
      assert.match((await stage.storage.copyVolume(location, stage.repository, copy)).location, /\/copied\.img$/)
    }
    const hasRaw = stage.traits.formats.includes('raw')
    assert.deepEqual(await names(stage), hasRaw ? ['copied', 'told-raw'] : [])
  })
}

function describeCreation(stage: Stage): void {
  stage.it('has the formats that its setting says it has', async () => {
    assert.deepEqual(stage.storage.formats, stage.traits.formats)
  })

  for (const format of stage.traits.formats) {
    stage.it(`creates a sparse ${format} volume, and lists and finds it`, async () => {
      const wanted = { name: 'disk-1', format, virtualBytes: 16 * VOLUME_BYTES } as const
      await stage.storage.openRepository(stage.repository)
      const made = await stage.storage.createVolume(stage.repository, wanted)

      const { location, physicalBytes } = made
      assert.deepEqual(made, { ...wanted, location, physicalBytes })
      assert(physicalBytes >= 0 && physicalBytes < wanted.virtualBytes)
      assert.deepEqual(await stage.storage.getVolume(location), made)
      assert.deepEqual(await stage.storage.listVolumes(stage.repository), [made])
    })
  }

  for (const format of FORMATS.filter(each => !stage.traits.formats.includes(each))) {
    stage.it(`refuses to create a ${format} volume, and leaves nothing behind`, async () => {
      await rejectsWith('refused', volume(stage, 'disk-1', format))
      assert.deepEqual(await names(stage), [])
    })
  }

  stage.it('refuses a name that is taken in any format, and leaves the volume that has it', async () => {
    const first = await volume(stage, 'disk-1')

    for (const format of stage.traits.formats) await rejectsWith('refused', volume(stage, 'disk-1', format))
    assert.deepEqual(await stage.storage.listVolumes(stage.repository), [first])
  })

  stage.it('gives a name to one of two that ask for it at once', async () => {
    await stage.storage.openRepository(stage.repository)

    const settled = await Promise.allSettled([volume(stage, 'disk-1'), volume(stage, 'disk-1')])
    assert.equal(settled.filter(result => result.status === 'fulfilled').length, 1)
    assert.deepEqual(await names(stage), ['disk-1'])
  })

  for (const name of ['', '.', '..', 'a/b', '../a', '/a', 'a\\b', 'a\0b']) {
    stage.it(`refuses the volume name ${JSON.stringify(name)}, and leaves nothing behind`, async () => {
      await rejectsWith('refused', volume(stage, name))

      assert.deepEqual(await names(stage), [])
    })
  }

  stage.it('keeps blanks, dots and letters beyond ASCII in the name of a volume', async () => {
    const name = 'Größe 1.0, neu=x'
    const told = stage.traits.foldsNames === true ? name.toLowerCase() : name

    assert.equal((await volume(stage, name)).name, told)
    assert.deepEqual(await names(stage), [told])
  })

  stage.it('does not create a volume for a signal that is already aborted', async () => {
    await stage.storage.openRepository(stage.repository)
    const wanted = { name: 'disk-1', format: stage.format, virtualBytes: VOLUME_BYTES }

    const creation = stage.storage.createVolume(stage.repository, wanted, { signal: AbortSignal.abort() })
    await assert.rejects(creation, { name: 'DriverError' })
    assert.deepEqual(await names(stage), [])
  })
}

function describeSizes(stage: Stage): void {
  for (const format of stage.traits.formats) {
    stage.it(`grows a ${format} volume, and keeps one that has the size already`, async () => {
      const { location } = await volume(stage, 'disk-1', format)

      assert.equal((await stage.storage.resizeVolume(location, LARGER)).virtualBytes, LARGER)
      assert.equal((await stage.storage.resizeVolume(location, LARGER)).virtualBytes, LARGER)
      assert.equal((await stage.storage.getVolume(location)).virtualBytes, LARGER)
    })

    stage.it(`refuses to shrink a ${format} volume`, async () => {
      const image = await volume(stage, 'disk-1', format)

      await rejectsWith('refused', stage.storage.resizeVolume(image.location, SMALLER))
      assert.deepEqual(await stage.storage.getVolume(image.location), image)
    })
  }
}

function describeMoves(stage: Stage): void {
  for (const format of stage.traits.formats) {
    stage.it(`moves a ${format} volume to another repository`, async () => {
      const [image, second] = [await volume(stage, 'disk-1', format), await openSecond(stage)]
      const moved = await stage.storage.moveVolume(image.location, second)

      assert.deepEqual({ ...moved, physicalBytes: 0 }, { ...image, location: moved.location, physicalBytes: 0 })
      assert.deepEqual(await stage.storage.listVolumes(second), [moved])
      assert.deepEqual(await names(stage), [])
      await rejectsWith('not-found', stage.storage.getVolume(image.location))
    })
  }

  stage.it('leaves both volumes where they are when the name is taken in the other repository', async () => {
    const [image, second] = [await volume(stage, 'disk-1'), await openSecond(stage)]
    const wanted = { name: 'disk-1', format: stage.format, virtualBytes: 2 * VOLUME_BYTES }
    const taken = await stage.storage.createVolume(second, wanted)

    await rejectsWith('refused', stage.storage.moveVolume(image.location, second))
    assert.deepEqual(await stage.storage.getVolume(image.location), image)
    assert.deepEqual(await stage.storage.listVolumes(second), [taken])
  })

  stage.it('does not move a volume for a signal that is already aborted', async () => {
    const [image, second] = [await volume(stage, 'disk-1'), await openSecond(stage)]

    const move = stage.storage.moveVolume(image.location, second, { signal: AbortSignal.abort() })
    await assert.rejects(move, { name: 'DriverError' })
    assert.deepEqual(await stage.storage.getVolume(image.location), image)
    assert.deepEqual(await names(stage, second), [])
  })
}

function describeDeletion(stage: Stage): void {
  stage.it('deletes a volume, and no other', async () => {
    const [doomed] = [await volume(stage, 'disk-1'), await volume(stage, 'disk-2')]
    await stage.storage.deleteVolume(doomed.location)

    await rejectsWith('not-found', stage.storage.getVolume(doomed.location))
    assert.deepEqual(await names(stage), ['disk-2'])
  })

  stage.it('says not-found to whatever is asked of a volume that is gone', async () => {
    const { location } = await volume(stage, 'disk-1')
    await stage.storage.deleteVolume(location)

    await rejectsWith('not-found', stage.storage.getVolume(location))
    await rejectsWith('not-found', stage.storage.resizeVolume(location, 2 * VOLUME_BYTES))
    await rejectsWith('not-found', stage.storage.moveVolume(location, await openSecond(stage)))
    await rejectsWith('not-found', stage.storage.deleteVolume(location))
  })

  stage.it('gives the name of a deleted volume to a new one', async () => {
    const { location } = await volume(stage, 'disk-1')
    await stage.storage.resizeVolume(location, LARGER)
    await stage.storage.deleteVolume(location)

    assert.equal((await volume(stage, 'disk-1')).virtualBytes, VOLUME_BYTES)
  })
}

/** The definition of an obedient guest with one more disk. */
function withDisk(
  stage: Stage,
  { location, format }: Volume,
  bus: DiskConfig['bus'] = 'paravirtualised',
): DomainConfig {
  const config = stage.config()
  const disk = { id: crypto.randomUUID(), location, format, readOnly: false, device: 'hdd', bus }
  return { ...config, disks: [...config.disks, disk] }
}

function describeUse(stage: Stage): void {
  for (const bus of ['emulated', 'paravirtualised'] as const) {
    for (const format of stage.traits.formats) {
      stage.it(`starts a domain with an ${bus} ${format} disk, and gives its definition back`, async () => {
        const config = withDisk(stage, await volume(stage, 'disk-1', format), bus)
        await stage.driver.domains.define(config)
        await stage.driver.domains.start(config.id)

        assert.deepEqual(await stage.driver.domains.config(config.id), config)
        await stage.assertState(config.id, 'running')
      })
    }
  }

  stage.it('leaves a domain halted whose disk is gone, and says why', async () => {
    const image = await volume(stage, 'disk-1')
    const config = withDisk(stage, image)
    await stage.driver.domains.define(config)
    await stage.storage.deleteVolume(image.location)

    await rejectsWith('refused', stage.driver.domains.start(config.id))
    await stage.assertState(config.id, 'halted')
  })

  stage.it('grows a volume that a running domain uses, and neither deletes nor moves it', async () => {
    const second = await openSecond(stage)
    const image = await volume(stage, 'disk-1')
    const config = withDisk(stage, image)
    await stage.driver.domains.define(config)
    await stage.driver.domains.start(config.id)

    await rejectsWith('bad-state', stage.storage.deleteVolume(image.location))
    await rejectsWith('bad-state', stage.storage.moveVolume(image.location, second))
    await growInUse(stage, image.location)

    await stage.driver.domains.powerOff(config.id)
    await stage.storage.deleteVolume(image.location)
    assert.deepEqual(await names(stage), [])
  })

  stage.it('keeps the volumes of a domain that is undefined', async () => {
    const image = await volume(stage, 'disk-1')
    const config = withDisk(stage, image)
    await stage.driver.domains.define(config)
    await stage.driver.domains.undefine(config.id)

    assert.deepEqual(await stage.storage.getVolume(image.location), image)
  })
}

/** Under a running domain. */
async function growInUse({ storage, traits }: Stage, location: string): Promise<void> {
  if (traits.growsInUse === false) {
    await rejectsWith('bad-state', storage.resizeVolume(location, LARGER))
    assert.equal((await storage.getVolume(location)).virtualBytes, VOLUME_BYTES)
    return
  }
  assert.equal((await storage.resizeVolume(location, LARGER)).virtualBytes, LARGER)
  await rejectsWith('refused', storage.resizeVolume(location, 2 * VOLUME_BYTES))
  assert.equal((await storage.getVolume(location)).virtualBytes, LARGER)
}
