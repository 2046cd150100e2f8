import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { DomainConfig, ImageFormat, RepositoryConfig, Volume } from '../../../src/drivers/driver.ts'
import type { Stage } from '../stage.ts'
import { rejectsWith } from '../stage.ts'

const MIB = 1_048_576
const LARGE_BYTES = 1024 * MIB
const FRESH_BYTES_MAX = 4 * MIB

export function describeClones(stage: Stage): void {
  describe('clones', () => {
    describeVolumes(stage)
    describeLives(stage)
    describeRefusals(stage)
    describeUse(stage)
    describeRepositories(stage)
    describeRefusedCopies(stage)
  })
}

async function create(stage: Stage, name: string, format: ImageFormat = 'qcow2', bytes = MIB): Promise<Volume> {
  await stage.storage.openRepository(stage.repository)
  return stage.storage.createVolume(stage.repository, { name, format, virtualBytes: bytes })
}

async function names(stage: Stage, repository = stage.repository): Promise<string[]> {
  return (await stage.storage.listVolumes(repository)).map(volume => volume.name).toSorted()
}

/** A repository beside that of the setting, which nothing is in. */
function target(stage: Stage): RepositoryConfig {
  return { type: stage.repository.type, location: stage.storage.defaultLocation('copy') }
}

/** A definition of an obedient guest with one more disk. */
function withDisk(stage: Stage, { location, format }: Volume): DomainConfig {
  const config = stage.config()
  const disk = { location, format, readOnly: false, device: 'hdd', bus: 'paravirtualised' } as const
  return { ...config, disks: [...config.disks, { ...disk, id: crypto.randomUUID() }] }
}

function describeVolumes(stage: Stage): void {
  for (const format of ['raw', 'qcow2'] as const) {
    stage.it(`clones a ${format} volume, sharing its blocks, and finds both`, async () => {
      const volume = await create(stage, 'disk-1', format, LARGE_BYTES)
      const before = await stage.storage.openRepository(stage.repository)
      const { original, clone } = await stage.clones.cloneVolume(volume.location, { name: 'clone-1' })
      const after = await stage.storage.openRepository(stage.repository)

      assert.deepEqual([original.name, clone.name], ['disk-1', 'clone-1'])
      assert.deepEqual([original.virtualBytes, clone.virtualBytes], [LARGE_BYTES, LARGE_BYTES])
      assert.notEqual(original.location, clone.location)
      assert(clone.physicalBytes <= FRESH_BYTES_MAX, `${clone.physicalBytes} bytes`)
      assert(after.usedBytes - before.usedBytes <= FRESH_BYTES_MAX)
      assert.deepEqual(await stage.storage.getVolume(original.location), original)
      assert.deepEqual(await stage.storage.getVolume(clone.location), clone)
      assert.deepEqual(await names(stage), ['clone-1', 'disk-1'])
      const below = await stage.storage.volumesBelow?.(clone.location)
      if (below === undefined) return
      assert.deepEqual(await stage.storage.volumesBelow?.(original.location), below)
      assert.deepEqual(
        below.map(({ virtualBytes }) => virtualBytes),
        [LARGE_BYTES],
      )
      await rejectsWith('not-found', stage.storage.volumesBelow?.('/no/place.qcow2') ?? Promise.resolve())
    })

    stage.it(`makes the clone of a ${format} volume larger than the first, which keeps its size`, async () => {
      const { location } = await create(stage, 'disk-1', format)
      const { original, clone } = await stage.clones.cloneVolume(location, { name: 'clone-1', virtualBytes: 4 * MIB })

      assert.deepEqual([original.virtualBytes, clone.virtualBytes], [MIB, 4 * MIB])
    })
  }

  stage.it('clones a clone, and the first again', async () => {
    const { location } = await create(stage, 'disk-1')
    const first = await stage.clones.cloneVolume(location, { name: 'clone-1' })
    const second = await stage.clones.cloneVolume(first.clone.location, { name: 'clone-2' })
    const third = await stage.clones.cloneVolume(first.original.location, { name: 'clone-3' })

    assert.deepEqual(await names(stage), ['clone-1', 'clone-2', 'clone-3', 'disk-1'])
    for (const { location: place } of [second.original, second.clone, third.original, third.clone]) {
      assert.equal((await stage.storage.getVolume(place)).virtualBytes, MIB)
    }
  })
}

/** Each goes on by itself. */
function describeLives(stage: Stage): void {
  for (const first of ['original', 'clone'] as const) {
    stage.it(`deletes the ${first} first, and keeps and grows the other`, async () => {
      const { location } = await create(stage, 'disk-1')
      const pair = await stage.clones.cloneVolume(location, { name: 'clone-1' })
      const other = first === 'original' ? pair.clone : pair.original
      await stage.storage.deleteVolume(pair[first].location)

      await rejectsWith('not-found', stage.storage.getVolume(pair[first].location))
      assert.equal((await stage.storage.resizeVolume(other.location, 2 * MIB)).virtualBytes, 2 * MIB)
      const config = withDisk(stage, other)
      await stage.driver.domains.define(config)
      await stage.driver.domains.start(config.id)
      await stage.assertState(config.id, 'running')
      await stage.driver.domains.powerOff(config.id)
      await stage.storage.deleteVolume(other.location)
      assert.deepEqual(await names(stage), [])
    })

    stage.it(`moves the ${first} to another repository, and the other stays whole`, async () => {
      const { location } = await create(stage, 'disk-1')
      const pair = await stage.clones.cloneVolume(location, { name: 'clone-1' })
      const other = first === 'original' ? pair.clone : pair.original
      const second = target(stage)
      await stage.storage.openRepository(second)
      const moved = await stage.storage.moveVolume(pair[first].location, second)
      await stage.storage.deleteVolume(other.location)

      assert.deepEqual(await names(stage), [])
      assert.deepEqual(await stage.storage.listVolumes(second), [moved])
      const config = withDisk(stage, moved)
      await stage.driver.domains.define(config)
      await stage.driver.domains.start(config.id)
      await stage.assertState(config.id, 'running')
    })
  }

  stage.it('leaves nothing in the repository when all are deleted, in whatever order', async () => {
    const { location } = await create(stage, 'disk-1', 'raw')
    const empty = await stage.storage.openRepository(target(stage))
    const first = await stage.clones.cloneVolume(location, { name: 'clone-1' })
    const second = await stage.clones.cloneVolume(first.clone.location, { name: 'clone-2' })
    for (const volume of [second.original, first.original, second.clone]) {
      await stage.storage.deleteVolume(volume.location)
    }

    assert.deepEqual(await names(stage), [])
    const { usedBytes } = await stage.storage.openRepository(stage.repository)
    assert(usedBytes <= empty.usedBytes, `${usedBytes} bytes are left`)
  })
}

function describeRefusals(stage: Stage): void {
  stage.it('refuses a clone whose name is taken or that would be smaller, and leaves the first as it was', async () => {
    const volume = await create(stage, 'disk-1')

    await rejectsWith('refused', stage.clones.cloneVolume(volume.location, { name: 'disk-1' }))
    await rejectsWith('refused', stage.clones.cloneVolume(volume.location, { name: '../x' }))
    await rejectsWith('refused', stage.clones.cloneVolume(volume.location, { name: 'clone-1', virtualBytes: MIB / 2 }))
    assert.deepEqual(await stage.storage.listVolumes(stage.repository), [volume])
  })

  stage.it('says not-found to a clone of a volume that is gone', async () => {
    const { location } = await create(stage, 'disk-1')
    await stage.storage.deleteVolume(location)

    await rejectsWith('not-found', stage.clones.cloneVolume(location, { name: 'clone-1' }))
  })

  stage.it('does not clone a volume for a signal that is already aborted', async () => {
    const volume = await create(stage, 'disk-1')
    const options = { signal: AbortSignal.abort() }

    const cloning = stage.clones.cloneVolume(volume.location, { name: 'clone-1' }, options)
    await assert.rejects(cloning, { name: 'DriverError' })
    assert.deepEqual(await stage.storage.listVolumes(stage.repository), [volume])
  })
}

/** Cloning what domains have. */
function describeUse(stage: Stage): void {
  for (const state of ['halted', 'running', 'paused'] as const) {
    for (const format of ['raw', 'qcow2'] as const) {
      stage.it(`clones a ${format} volume of a ${state} domain, whose definition goes with it`, async () => {
        const config = withDisk(stage, await create(stage, 'disk-1', format))
        const bystander = config.disks.slice(0, -1)
        await stage.driver.domains.define(config)
        if (state !== 'halted') await stage.driver.domains.start(config.id, { paused: state === 'paused' })
        const location = config.disks.at(-1)?.location ?? ''
        const { original, clone } = await stage.clones.cloneVolume(location, { name: 'clone-1' })

        await stage.assertState(config.id, state)
        const { disks } = await stage.driver.domains.config(config.id)
        assert.deepEqual(disks.slice(0, -1), bystander)
        assert.deepEqual(disks.at(-1), { ...config.disks.at(-1), location: original.location, format: original.format })
        if (state !== 'halted') {
          await rejectsWith('bad-state', stage.storage.deleteVolume(original.location))
          await stage.storage.deleteVolume(clone.location)
          await stage.driver.domains.powerOff(config.id)
        }
        await stage.driver.domains.start(config.id)
        await stage.assertState(config.id, 'running')
      })
    }
  }

  stage.it('starts a domain with a clone while another writes to the first', async () => {
    const config = withDisk(stage, await create(stage, 'disk-1'))
    await stage.driver.domains.define(config)
    await stage.driver.domains.start(config.id)
    const location = config.disks.at(-1)?.location ?? ''
    const { clone } = await stage.clones.cloneVolume(location, { name: 'clone-1' })
    const second = withDisk(stage, clone)
    await stage.driver.domains.define(second)
    await stage.driver.domains.start(second.id)

    await stage.assertState(config.id, 'running')
    await stage.assertState(second.id, 'running')
  })
}

function describeRepositories(stage: Stage): void {
  stage.it('copies every volume of a repository under its new name, and leaves the repository alone', async () => {
    const raw = await create(stage, 'disk-1', 'raw')
    const { location } = await create(stage, 'disk-2')
    await stage.clones.cloneVolume(location, { name: 'clone-2', virtualBytes: 2 * MIB })
    const originals = await stage.storage.listVolumes(stage.repository)
    const shares: number[] = []
    const copies = await stage.clones.copyRepository(stage.repository, target(stage), name => `copy-${name}`, {
      onProgress: share => shares.push(share),
    })

    assert.deepEqual(await names(stage, target(stage)), ['copy-clone-2', 'copy-disk-1', 'copy-disk-2'])
    assert.deepEqual(copies.map(copy => copy.from).toSorted(), originals.map(volume => volume.location).toSorted())
    for (const { from, volume } of copies) {
      const original = originals.find(other => other.location === from)
      assert.equal(volume.name, `copy-${original?.name}`)
      assert.equal(volume.virtualBytes, original?.virtualBytes)
      assert.deepEqual(await stage.storage.getVolume(volume.location), volume)
    }
    assert.deepEqual(await stage.storage.listVolumes(stage.repository), originals)
    assert.deepEqual(
      shares,
      shares.toSorted((a, b) => a - b),
    )
    assert(originals.some(volume => volume.location === raw.location))
  })

  stage.it('starts a domain with a copy after all originals are deleted', async () => {
    const { location } = await create(stage, 'disk-1')
    const { original, clone } = await stage.clones.cloneVolume(location, { name: 'clone-1' })
    const copies = await stage.clones.copyRepository(stage.repository, target(stage), name => name)
    await stage.storage.deleteVolume(original.location)
    await stage.storage.deleteVolume(clone.location)

    for (const { volume } of copies) {
      const config = withDisk(stage, volume)
      await stage.driver.domains.define(config)
      await stage.driver.domains.start(config.id)
      await stage.assertState(config.id, 'running')
    }
  })

  stage.it('copies an empty repository into an empty one', async () => {
    await stage.storage.openRepository(stage.repository)

    assert.deepEqual(await stage.clones.copyRepository(stage.repository, target(stage), name => name), [])
    assert.deepEqual(await names(stage, target(stage)), [])
  })
}

function describeRefusedCopies(stage: Stage): void {
  stage.it('does not copy a repository while a running domain writes to one of its volumes', async () => {
    const config = withDisk(stage, await create(stage, 'disk-1'))
    await stage.driver.domains.define(config)
    await stage.driver.domains.start(config.id)
    await stage.storage.openRepository(target(stage))

    await rejectsWith(
      'bad-state',
      stage.clones.copyRepository(stage.repository, target(stage), name => name),
    )
    assert.deepEqual(await names(stage, target(stage)), [])
  })

  stage.it('leaves nothing behind when a copy is refused half-way, or is told to stop', async () => {
    await create(stage, 'disk-1')
    await create(stage, 'disk-2')
    await stage.storage.openRepository(target(stage))
    const copy = (nameOf: (name: string) => string, signal?: AbortSignal) =>
      stage.clones.copyRepository(stage.repository, target(stage), nameOf, signal && { signal })

    await rejectsWith(
      'refused',
      copy(() => 'same'),
    )
    assert.deepEqual(await names(stage, target(stage)), [])
    await assert.rejects(
      copy(name => name, AbortSignal.abort()),
      { name: 'DriverError' },
    )
    assert.deepEqual(await names(stage, target(stage)), [])
    assert.deepEqual(await names(stage), ['disk-1', 'disk-2'])
  })

  stage.it('refuses to copy into a repository that holds something, and leaves it as it was', async () => {
    await create(stage, 'disk-1')
    await stage.storage.openRepository(target(stage))
    const taken = await stage.storage.createVolume(target(stage), { name: 'x', format: 'raw', virtualBytes: MIB })

    await rejectsWith(
      'refused',
      stage.clones.copyRepository(stage.repository, target(stage), name => name),
    )
    assert.deepEqual(await stage.storage.listVolumes(target(stage)), [taken])
  })
}
