import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { DomainConfig, DomainId } from '../../../src/drivers/driver.ts'
import type { Stage } from '../stage.ts'
import { NOBODY, rejectsWith } from '../stage.ts'

export function describeSavedFiles(stage: Stage): void {
  describe('saved files', () => {
    describeWays(stage)
    describeRestored(stage)
    describeRefusals(stage)
    describeWords(stage)
  })
}

function place(stage: Stage, name = 'saved'): string {
  const location = stage.setup.place?.(name)
  assert(location !== undefined, 'a setting that saves to files has places')
  return location
}

async function saved(stage: Stage, id: DomainId): Promise<string> {
  const location = place(stage)
  await stage.savedFiles.save(id, location)
  return location
}

/** Out and back. */
function describeWays(stage: Stage): void {
  stage.it('saves a running domain to a file, halts it, and restores it from there as often as is asked', async () => {
    const id = await stage.booted()
    const location = await saved(stage, id)
    await stage.assertState(id, 'halted')
    for (let times = 0; times < 2; times++) {
      const before = stage.traits.groups.includes('consoles') ? await stage.serial(id) : ''
      assert.equal(await stage.savedFiles.restore(location), id)
      await stage.assertState(id, 'running')
      if (stage.traits.groups.includes('consoles')) {
        await stage.until('the guest prints on', async () => (await stage.serial(id)).length > before.length)
        assert(!(await stage.serial(id)).slice(before.length).includes('BOOT-OK'))
      }
      await stage.driver.domains.powerOff(id)
    }
    await stage.driver.domains.start(id)
    await stage.assertState(id, 'running')
  })

  stage.it('restores a domain as it was saved, or as is asked for when it is saved or restored', async () => {
    const id = await stage.paused()
    await saved(stage, id)
    const location = place(stage)
    const restored = async (paused?: boolean) => {
      await stage.savedFiles.restore(location, paused === undefined ? {} : { paused })
      return stage.state(id)
    }
    assert.equal(await restored(), 'paused')
    await stage.savedFiles.save(id, location, { paused: false })
    assert.equal((await stage.savedFiles.read(location)).paused, false)
    assert.equal(await restored(), 'running')
    await stage.savedFiles.save(id, location)
    assert.equal(await restored(true), 'paused')
    await stage.driver.domains.powerOff(id)
    await stage.savedFiles.change(location, { paused: true })
    assert.equal(await restored(), 'paused')
    await stage.driver.domains.powerOff(id)

    assert.equal(await restored(false), 'running')
  })
}

/** Whom it is restored for, and how far it is. */
function describeRestored(stage: Stage): void {
  stage.it('restores a domain that the host has forgotten, and defines it as it was saved', async () => {
    const id = await stage.running()
    const config = await stage.driver.domains.config(id)
    const location = await saved(stage, id)
    await stage.driver.domains.undefine(id)
    await stage.savedFiles.restore(location)

    await stage.assertState(id, 'running')
    assert.deepEqual(await stage.driver.domains.config(id), config)
  })

  stage.it('says how far it is in shares that only grow, and does nothing for a signal that is aborted', async () => {
    const id = await stage.running()
    const [location, signal] = [place(stage), AbortSignal.abort()]
    const shares: number[] = []
    const onProgress = (share: number) => void shares.push(share)
    await assert.rejects(stage.savedFiles.save(id, location, { signal }), { name: 'DriverError' })
    await stage.assertState(id, 'running')
    await rejectsWith('refused', stage.savedFiles.read(location))
    await stage.savedFiles.save(id, location, { onProgress })
    await assert.rejects(stage.savedFiles.restore(location, { signal }), { name: 'DriverError' })
    await stage.assertState(id, 'halted')

    assert.deepEqual(
      shares,
      shares.toSorted((a, b) => a - b),
    )
    assert(shares.every(share => share >= 0 && share <= 1))
  })
}

function describeRefusals(stage: Stage): void {
  stage.it('saves no domain that is halted or suspended, or that is not there', async () => {
    const [id, location] = [await stage.halted(), place(stage)]
    await rejectsWith('bad-state', stage.savedFiles.save(id, location))
    await rejectsWith('not-found', stage.savedFiles.save(NOBODY, location))
    await stage.driver.domains.start(id)
    await stage.suspension.suspend(id)

    await rejectsWith('bad-state', stage.savedFiles.save(id, location))
    await rejectsWith('refused', stage.savedFiles.read(location))
  })

  stage.it('restores no domain that is not halted, and leaves it as it is', async () => {
    const id = await stage.running()
    const location = await saved(stage, id)
    await stage.driver.domains.start(id)
    await rejectsWith('bad-state', stage.savedFiles.restore(location))
    await stage.assertState(id, 'running')
    await stage.suspension.suspend(id)
    await rejectsWith('bad-state', stage.savedFiles.restore(location))

    await stage.suspension.resume(id)
    await stage.assertState(id, 'running')
  })

  stage.it('refuses a place where no file can be, and one where none is', async () => {
    const id = await stage.running()
    for (const location of ['saved', '', './saved']) {
      await rejectsWith('refused', stage.savedFiles.save(id, location))
      await rejectsWith('refused', stage.savedFiles.restore(location))
    }
    await rejectsWith('refused', stage.savedFiles.read(place(stage)))
    await rejectsWith('refused', stage.savedFiles.change(place(stage), { paused: true }))
    await rejectsWith('refused', stage.savedFiles.restore(place(stage)))

    await stage.assertState(id, 'running')
  })
}

/** What a file says of its domain. */
function describeWords(stage: Stage): void {
  stage.it('tells what a saved domain is made of, and takes another word for what its guest does not see', async () => {
    const id = await stage.running()
    const config = await stage.driver.domains.config(id)
    const location = await saved(stage, id)
    assert.deepEqual(await stage.savedFiles.read(location), { config, paused: false })
    const changed = { ...config, description: 'changed', disks: config.disks.map(disk => ({ ...disk, id: 'other' })) }
    await stage.savedFiles.change(location, { config: changed })

    const described = { ...config, description: 'changed' }
    assert.deepEqual(await stage.savedFiles.read(location), { config: described, paused: false })
    await stage.driver.domains.undefine(id)
    await stage.savedFiles.restore(location, { config: { ...described, description: 'again' } })
    assert.deepEqual(await stage.driver.domains.config(id), { ...config, description: 'again' })
  })

  stage.it('refuses to make another machine of a saved one, in whatever way', async () => {
    const id = await stage.running()
    const config = await stage.driver.domains.config(id)
    const others: readonly Partial<DomainConfig>[] = [
      { id: NOBODY },
      { vcpus: config.vcpus + 1 },
      { memoryBytes: config.memoryBytes * 2 },
      { platform: { ...config.platform, vga: 'cirrus' } },
      { platform: { ...config.platform, enlightened: true } },
      { cpu: { required: ['FPU'], canUse: [], forceOn: [], forceOff: [] } },
      { boot: { kind: 'firmware', device: 'cdrom' } },
      { nics: [{ ...NIC }] },
    ]
    for (const other of others) {
      await rejectsWith('refused', stage.savedFiles.save(id, place(stage), { config: { ...config, ...other } }))
    }
    await stage.assertState(id, 'running')
    const location = await saved(stage, id)
    for (const other of others) {
      await rejectsWith('refused', stage.savedFiles.change(location, { config: { ...config, ...other } }))
      await rejectsWith('refused', stage.savedFiles.restore(location, { config: { ...config, ...other } }))
    }

    await stage.assertState(id, 'halted')
    assert.deepEqual(await stage.savedFiles.read(location), { config, paused: false })
  })
}

const NIC = {
  id: 'nic',
  mac: '02:00:00:00:00:01',
  mtu: 1500,
  model: 'paravirtualised',
  device: 'eth0',
  network: null,
} as const
