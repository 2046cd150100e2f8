import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { DiskConfig, DomainConfig, ImageFormat, RepositoryConfig, Volume } from '../../../src/drivers/driver.ts'
import type { Stage } from '../stage.ts'
import { rejectsWith } from '../stage.ts'

const MIB = 1_048_576

export function describeStorage(stage: Stage): void {
  describe('storage', () => {
    describeRepositories(stage)
    describeCreation(stage)
    describeSizes(stage)
    describeMoves(stage)
    describeDeletion(stage)
    describeUse(stage)
  })
}

async function create(stage: Stage, name: string, format: ImageFormat = 'raw'): Promise<Volume> {
  await stage.storage.openRepository(stage.repository)
  return stage.storage.createVolume(stage.repository, { name, format, virtualBytes: MIB })
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
    const volume = await create(stage, 'kept')
    await stage.storage.openRepository(stage.repository)

    assert.deepEqual(await stage.storage.listVolumes(stage.repository), [volume])
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

  stage.it('refuses a repository type that it does not know', async () => {
    await rejectsWith('refused', stage.storage.openRepository({ ...stage.repository, type: 'no-such-type' }))
  })
}

function describeCreation(stage: Stage): void {
  for (const format of ['raw', 'qcow2'] as const) {
    stage.it(`creates a sparse ${format} volume, and lists and finds it`, async () => {
      const VIRTUAL_BYTES = 64 * MIB
      await stage.storage.openRepository(stage.repository)
      const volume = await stage.storage.createVolume(stage.repository, {
        name: 'disk-1',
        format,
        virtualBytes: VIRTUAL_BYTES,
      })

      assert.equal(volume.name, 'disk-1')
      assert.equal(volume.format, format)
      assert.equal(volume.virtualBytes, VIRTUAL_BYTES)
      assert(volume.physicalBytes >= 0 && volume.physicalBytes < VIRTUAL_BYTES)
      assert.deepEqual(await stage.storage.getVolume(volume.location), volume)
      assert.deepEqual(await stage.storage.listVolumes(stage.repository), [volume])
    })
  }

  stage.it('refuses a name that is taken, and leaves the volume that has it', async () => {
    const volume = await create(stage, 'disk-1')

    await rejectsWith('refused', create(stage, 'disk-1'))
    assert.deepEqual(await stage.storage.getVolume(volume.location), volume)
  })

  stage.it('gives a name to one of two that ask for it at once', async () => {
    await stage.storage.openRepository(stage.repository)

    const settled = await Promise.allSettled([create(stage, 'disk-1'), create(stage, 'disk-1')])
    assert.equal(settled.filter(result => result.status === 'fulfilled').length, 1)
    assert.deepEqual(await names(stage), ['disk-1'])
  })

  for (const name of ['', '.', '..', 'a/b', '../a', '/a', 'a\\b', 'a\0b']) {
    stage.it(`refuses the volume name ${JSON.stringify(name)}, and leaves nothing behind`, async () => {
      await rejectsWith('refused', create(stage, name))

      assert.deepEqual(await names(stage), [])
    })
  }

  stage.it('keeps blanks, dots and letters beyond ASCII in the name of a volume', async () => {
    const name = 'Größe 1.0, neu=x'
    const volume = await create(stage, name, 'qcow2')

    assert.equal(volume.name, name)
    assert.deepEqual(await names(stage), [name])
  })

  stage.it('does not create a volume for a signal that is already aborted', async () => {
    await stage.storage.openRepository(stage.repository)
    const volume = { name: 'disk-1', format: 'qcow2', virtualBytes: MIB } as const

    const creation = stage.storage.createVolume(stage.repository, volume, { signal: AbortSignal.abort() })
    await assert.rejects(creation, { name: 'DriverError' })
    assert.deepEqual(await names(stage), [])
  })
}

function describeSizes(stage: Stage): void {
  for (const format of ['raw', 'qcow2'] as const) {
    stage.it(`grows a ${format} volume, and keeps one that has the size already`, async () => {
      const { location } = await create(stage, 'disk-1', format)

      assert.equal((await stage.storage.resizeVolume(location, 4 * MIB)).virtualBytes, 4 * MIB)
      assert.equal((await stage.storage.resizeVolume(location, 4 * MIB)).virtualBytes, 4 * MIB)
      assert.equal((await stage.storage.getVolume(location)).virtualBytes, 4 * MIB)
    })

    stage.it(`refuses to shrink a ${format} volume`, async () => {
      const volume = await create(stage, 'disk-1', format)

      await rejectsWith('refused', stage.storage.resizeVolume(volume.location, MIB / 2))
      assert.deepEqual(await stage.storage.getVolume(volume.location), volume)
    })
  }
}

function describeMoves(stage: Stage): void {
  for (const format of ['raw', 'qcow2'] as const) {
    stage.it(`moves a ${format} volume to another repository`, async () => {
      const [volume, second] = [await create(stage, 'disk-1', format), await openSecond(stage)]
      const moved = await stage.storage.moveVolume(volume.location, second)

      assert.deepEqual({ ...moved, physicalBytes: 0 }, { ...volume, location: moved.location, physicalBytes: 0 })
      assert.deepEqual(await stage.storage.listVolumes(second), [moved])
      assert.deepEqual(await names(stage), [])
      await rejectsWith('not-found', stage.storage.getVolume(volume.location))
    })
  }

  stage.it('leaves both volumes where they are when the name is taken in the other repository', async () => {
    const [volume, second] = [await create(stage, 'disk-1'), await openSecond(stage)]
    const taken = await stage.storage.createVolume(second, { name: 'disk-1', format: 'raw', virtualBytes: 2 * MIB })

    await rejectsWith('refused', stage.storage.moveVolume(volume.location, second))
    assert.deepEqual(await stage.storage.getVolume(volume.location), volume)
    assert.deepEqual(await stage.storage.listVolumes(second), [taken])
  })

  stage.it('does not move a volume for a signal that is already aborted', async () => {
    const [volume, second] = [await create(stage, 'disk-1'), await openSecond(stage)]

    const move = stage.storage.moveVolume(volume.location, second, { signal: AbortSignal.abort() })
    await assert.rejects(move, { name: 'DriverError' })
    assert.deepEqual(await stage.storage.getVolume(volume.location), volume)
    assert.deepEqual(await names(stage, second), [])
  })
}

function describeDeletion(stage: Stage): void {
  stage.it('deletes a volume, and no other', async () => {
    const [doomed] = [await create(stage, 'disk-1'), await create(stage, 'disk-2')]
    await stage.storage.deleteVolume(doomed.location)

    await rejectsWith('not-found', stage.storage.getVolume(doomed.location))
    assert.deepEqual(await names(stage), ['disk-2'])
  })

  stage.it('says not-found to whatever is asked of a volume that is gone', async () => {
    const { location } = await create(stage, 'disk-1')
    await stage.storage.deleteVolume(location)

    await rejectsWith('not-found', stage.storage.getVolume(location))
    await rejectsWith('not-found', stage.storage.resizeVolume(location, 2 * MIB))
    await rejectsWith('not-found', stage.storage.moveVolume(location, await openSecond(stage)))
    await rejectsWith('not-found', stage.storage.deleteVolume(location))
  })

  stage.it('gives the name of a deleted volume to a new one', async () => {
    const { location } = await create(stage, 'disk-1', 'qcow2')
    await stage.storage.resizeVolume(location, 4 * MIB)
    await stage.storage.deleteVolume(location)

    assert.equal((await create(stage, 'disk-1', 'qcow2')).virtualBytes, MIB)
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
    for (const format of ['raw', 'qcow2'] as const) {
      stage.it(`starts a domain with an ${bus} ${format} disk, and gives its definition back`, async () => {
        const config = withDisk(stage, await create(stage, 'disk-1', format), bus)
        await stage.driver.domains.define(config)
        await stage.driver.domains.start(config.id)

        assert.deepEqual(await stage.driver.domains.config(config.id), config)
        await stage.assertState(config.id, 'running')
      })
    }
  }

  stage.it('leaves a domain halted whose disk is gone, and says why', async () => {
    const volume = await create(stage, 'disk-1')
    const config = withDisk(stage, volume)
    await stage.driver.domains.define(config)
    await stage.storage.deleteVolume(volume.location)

    await rejectsWith('refused', stage.driver.domains.start(config.id))
    await stage.assertState(config.id, 'halted')
  })

  stage.it('grows a volume that a running domain uses, and neither deletes nor moves it', async () => {
    const second = await openSecond(stage)
    const volume = await create(stage, 'disk-1')
    const config = withDisk(stage, volume)
    await stage.driver.domains.define(config)
    await stage.driver.domains.start(config.id)

    await rejectsWith('bad-state', stage.storage.deleteVolume(volume.location))
    await rejectsWith('bad-state', stage.storage.moveVolume(volume.location, second))
    assert.equal((await stage.storage.resizeVolume(volume.location, 4 * MIB)).virtualBytes, 4 * MIB)
    await rejectsWith('refused', stage.storage.resizeVolume(volume.location, 2 * MIB))
    assert.equal((await stage.storage.getVolume(volume.location)).virtualBytes, 4 * MIB)

    await stage.driver.domains.powerOff(config.id)
    await stage.storage.deleteVolume(volume.location)
    assert.deepEqual(await names(stage), [])
  })

  stage.it('keeps the volumes of a domain that is undefined', async () => {
    const volume = await create(stage, 'disk-1')
    const config = withDisk(stage, volume)
    await stage.driver.domains.define(config)
    await stage.driver.domains.undefine(config.id)

    assert.deepEqual(await stage.storage.getVolume(volume.location), volume)
  })
}
