import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { disk, drive, medium, run, volume, withDevices } from '../parts.ts'
import type { Stage } from '../stage.ts'
import { rejectsWith } from '../stage.ts'

/** Disks of kinds and uses that most domains do not have. */
export function describeDrives(stage: Stage): void {
  describe('drives', () => {
    describeKinds(stage)
    describeSharing(stage)
  })
}

function describeKinds(stage: Stage): void {
  for (const kind of ['cdrom', 'floppy'] as const) {
    stage.it(`starts a domain with an empty ${kind} drive, and gives its definition back`, async () => {
      const config = withDevices(stage, { disks: [drive(kind)] })
      await run(stage, config)

      assert.deepEqual(await stage.driver.domains.config(config.id), config)
      await stage.assertState(config.id, 'running')
    })

    stage.it(`starts a domain with a medium in its ${kind} drive`, async () => {
      const { location, format } = await medium(stage, kind)
      const config = withDevices(stage, { disks: [{ ...drive(kind), location, format }] })
      await run(stage, config)

      await stage.assertState(config.id, 'running')
      await rejectsWith('bad-state', stage.storage.deleteVolume(location))
    })
  }

  stage.it('leaves a domain halted whose disk has no volume at all, and says why', async () => {
    const config = withDevices(stage, { disks: [disk({ location: '', format: 'raw' })] })
    await stage.driver.domains.define(config)

    await rejectsWith('refused', stage.driver.domains.start(config.id))
    await stage.assertState(config.id, 'halted')
  })
}

/** Several domains with one image. */
function describeSharing(stage: Stage): void {
  for (const format of stage.traits.formats) {
    stage.it(`lets one domain at a time write to a ${format} image that is not shared`, async () => {
      const image = await volume(stage, 'disk-1', format)
      const [first, second] = [disk(image), disk(image)].map(one => withDevices(stage, { disks: [one] }))
      assert(first !== undefined && second !== undefined)
      await run(stage, first)
      await stage.driver.domains.define(second)

      await rejectsWith('refused', stage.driver.domains.start(second.id))
      await stage.assertState(second.id, 'halted')
      await stage.driver.domains.powerOff(first.id)
      await stage.driver.domains.start(second.id)
      await stage.assertState(second.id, 'running')
    })
  }

  if (stage.traits.sharesNoImages === true) return describeNoSharing(stage)

  for (const format of stage.traits.formats) {
    stage.it(`lets two domains read one ${format} image`, async () => {
      const image = await volume(stage, 'disk-1', format)
      for (let count = 0; count < 2; count++) {
        const config = withDevices(stage, { disks: [disk(image, { readOnly: true })] })
        await run(stage, config)
        await stage.assertState(config.id, 'running')
      }
    })
  }

  stage.it('lets two domains write to an image that both share', async () => {
    const image = await volume(stage, 'disk-1', stage.traits.formats.at(-1))
    for (let count = 0; count < 2; count++) {
      const config = withDevices(stage, { disks: [disk(image, { shared: true })] })
      await run(stage, config)
      await stage.assertState(config.id, 'running')
      assert.deepEqual(await stage.driver.domains.config(config.id), config)
    }
  })
}

/** A host that gives no image to several domains. */
function describeNoSharing(stage: Stage): void {
  for (const change of [{ readOnly: true }, { shared: true }]) {
    stage.it(`keeps a definition with a disk of ${JSON.stringify(change)}, and refuses to start by it`, async () => {
      const config = withDevices(stage, { disks: [disk(await volume(stage, 'disk-1'), change)] })
      await stage.driver.domains.define(config)

      await rejectsWith('refused', stage.driver.domains.start(config.id))
      await stage.assertState(config.id, 'halted')
      assert.deepEqual(await stage.driver.domains.config(config.id), config)
    })
  }
}
