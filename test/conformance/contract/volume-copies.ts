import assert from 'node:assert/strict'
import type { Volume } from '../../../src/drivers/driver.ts'
import { disk, run, VOLUME_BYTES, volume, withDevices } from '../parts.ts'
import type { Stage } from '../stage.ts'
import { rejectsWith } from '../stage.ts'

/** Copies of volumes that share nothing with them. */
export function describeCopies(stage: Stage): void {
  describeFormats(stage)
  describeLayout(stage)
  describeRefusals(stage)
}

/** The names of the volumes that there are. */
async function names(stage: Stage): Promise<string[]> {
  return (await stage.storage.listVolumes(stage.repository)).map(({ name }) => name).toSorted()
}

function describeFormats(stage: Stage): void {
  for (const format of stage.traits.formats) {
    stage.it(`copies a volume to a ${format} one, which outlives it`, async () => {
      const image = await volume(stage, 'disk-1')
      const copy = await stage.storage.copyVolume(image.location, stage.repository, { name: 'copy', format })

      const { location, physicalBytes } = copy
      assert.deepEqual(copy, { location, name: 'copy', format, virtualBytes: VOLUME_BYTES, physicalBytes })
      await stage.storage.deleteVolume(image.location)
      assert.deepEqual(await stage.storage.listVolumes(stage.repository), [copy])
    })
  }

  stage.it('copies a volume in the format that it has, to a larger one, and tells how far that is', async () => {
    const image = await volume(stage, 'disk-1', stage.traits.formats.at(-1))
    const told: number[] = []
    const plan = { name: 'copy', virtualBytes: 2 * VOLUME_BYTES }
    const onProgress = (share: number) => void told.push(share)
    const copy = await stage.storage.copyVolume(image.location, stage.repository, plan, { onProgress })

    assert.equal(copy.format, image.format)
    assert.equal(copy.virtualBytes, 2 * VOLUME_BYTES)
    assert.deepEqual(await stage.storage.getVolume(image.location), image)
    assert(told.every((share, index) => share >= (told[index - 1] ?? 0) && share <= 1))
  })
}

function describeLayout(stage: Stage): void {
  stage.it(
    'lays down where each part of a copy goes, where the format has that, and refuses it elsewhere',
    async () => {
      const image = await volume(stage, 'disk-1')
      for (const format of stage.storage.formats) {
        const plan = {
          name: `copy-${format}`,
          format,
          preallocation: 'metadata',
          virtualBytes: 2 * VOLUME_BYTES,
        } as const
        const copy = stage.storage.copyVolume(image.location, stage.repository, plan)
        if (format === 'qcow2') assert.equal((await copy).virtualBytes, 2 * VOLUME_BYTES)
        else await rejectsWith('refused', copy)
      }
    },
  )
}

function describeRefusals(stage: Stage): void {
  const copyOf = (image: Volume, plan: Parameters<Stage['storage']['copyVolume']>[2]) =>
    stage.storage.copyVolume(image.location, stage.repository, plan)

  stage.it('refuses a copy that would be smaller, or of a name that is taken or none, and leaves no file', async () => {
    const image = await volume(stage, 'disk-1')

    await rejectsWith('refused', copyOf(image, { name: 'copy', virtualBytes: VOLUME_BYTES - 512 }))
    await rejectsWith('refused', copyOf(image, { name: 'disk-1' }))
    for (const name of ['', '..', 'a/b']) await rejectsWith('refused', copyOf(image, { name }))
    assert.deepEqual(await stage.storage.listVolumes(stage.repository), [image])
  })

  stage.it('says not-found of the copy of a volume that is gone', async () => {
    const image = await volume(stage, 'disk-1')
    await stage.storage.deleteVolume(image.location)

    await rejectsWith('not-found', copyOf(image, { name: 'copy' }))
    assert.deepEqual(await names(stage), [])
  })

  stage.it('does not copy a volume for a signal that is already aborted', async () => {
    const { location } = await volume(stage, 'disk-1')
    const signal = AbortSignal.abort()

    const copy = stage.storage.copyVolume(location, stage.repository, { name: 'copy' }, { signal })
    await assert.rejects(copy, { name: 'DriverError' })
    assert.deepEqual(await names(stage), ['disk-1'])
  })

  stage.it('does not copy a volume that a running domain may write to', async () => {
    const image = await volume(stage, 'disk-1')
    const config = withDevices(stage, { disks: [disk(image)] })
    await run(stage, config)

    await rejectsWith('bad-state', copyOf(image, { name: 'copy' }))
    assert.deepEqual(await names(stage), ['disk-1'])
    await stage.driver.domains.powerOff(config.id)
    assert.equal((await copyOf(image, { name: 'copy' })).name, 'copy')
  })
}
