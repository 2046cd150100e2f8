import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { DomainConfig, Snapshot } from '../../../src/drivers/driver.ts'
import type { Stage } from '../stage.ts'
import { NOBODY, rejectsWith } from '../stage.ts'

const NONE = '00000000-0000-4000-8000-000000000001'
const HOUR_MS = 3_600_000

export function describeSnapshots(stage: Stage): void {
  describe('snapshots', () => {
    describeCreation(stage)
    describeTrees(stage)
    describeReverting(stage)
    describeRemoval(stage)
    describeErrors(stage)
  })
}

const take = (stage: Stage, id: string, name: string, description = ''): Promise<Snapshot> =>
  stage.snapshots.create(id, { name, description })

/** What the tree of a domain looks like: each name, that of its parent, and which is the current one. */
async function shapeOf(stage: Stage, id: string): Promise<string[]> {
  const list = await stage.snapshots.list(id)
  const nameOf = (snapshot: string | null) => list.find(one => one.id === snapshot)?.name ?? '-'
  return list.map(({ name, parent, isCurrent }) => `${nameOf(parent)} > ${name}${isCurrent ? ' *' : ''}`)
}

async function defined(stage: Stage): Promise<DomainConfig> {
  const config = stage.config()
  await stage.driver.domains.define(config)
  return config
}

function describeCreation(stage: Stage): void {
  stage.it('keeps what a halted domain is, and tells of it', async () => {
    const config = await defined(stage)
    assert.deepEqual(await stage.snapshots.list(config.id), [])
    const made = await take(stage, config.id, 'before', 'all is well\nstill')

    const { id, createdMs, ...rest } = made
    const told = { name: 'before', description: 'all is well\nstill', state: 'halted', parent: null, isCurrent: true }
    assert.deepEqual(rest, told)
    assert.notEqual(id, '')
    assert(Math.abs(createdMs - Date.now()) < HOUR_MS)
    assert.deepEqual(await stage.snapshots.list(config.id), [made])
    assert.deepEqual(await stage.driver.domains.config(config.id), config)
  })

  stage.it('keeps the memory of a domain that runs or is paused, and leaves it as it was', async () => {
    const id = await stage.booted()
    const running = await take(stage, id, 'running')
    assert.deepEqual([running.state, running.wasPaused], ['suspended', undefined])
    await stage.assertState(id, 'running')
    await stage.driver.domains.pause(id)
    const paused = await take(stage, id, 'paused')
    assert.deepEqual([paused.state, paused.wasPaused], ['suspended', true])
    await stage.assertState(id, 'paused')

    assert.deepEqual(await shapeOf(stage, id), ['- > running', 'running > paused *'])
  })

  stage.it('tells how far it is', async () => {
    const id = await stage.halted()
    const shares: number[] = []
    const onProgress = (share: number) => void shares.push(share)
    const { id: snapshot } = await stage.snapshots.create(id, { name: 'a', description: '' }, { onProgress })
    await stage.snapshots.revert(id, snapshot, { onProgress })
    await stage.snapshots.remove(id, snapshot, { onProgress })

    for (const share of shares) assert(share >= 0 && share <= 1)
  })

  stage.it('keeps nothing where it was told to stop before it began', async () => {
    const id = await stage.halted()
    const options = { signal: AbortSignal.abort() }
    await rejectsWith('refused', stage.snapshots.create(id, { name: 'a', description: '' }, options))

    assert.deepEqual(await stage.snapshots.list(id), [])
  })
}

function describeTrees(stage: Stage): void {
  stage.it('builds each snapshot on the one before, whatever they are called', async () => {
    const id = await stage.halted()
    const [first, second] = [await take(stage, id, 'same'), await take(stage, id, 'same')]

    assert.notEqual(first.id, second.id)
    assert.deepEqual(await shapeOf(stage, id), ['- > same', 'same > same *'])
    assert.equal((await stage.snapshots.list(id))[1]?.parent, first.id)
  })

  stage.it('branches where it went back to', async () => {
    const id = await stage.halted()
    const first = await take(stage, id, 'root')
    await take(stage, id, 'left')
    await stage.snapshots.revert(id, first.id)
    assert.deepEqual(await shapeOf(stage, id), ['- > root *', 'root > left'])
    await take(stage, id, 'right')

    assert.deepEqual(await shapeOf(stage, id), ['- > root', 'root > left', 'root > right *'])
  })

  stage.it('tells of the snapshots of the domain that is meant, and of no other', async () => {
    const [one, other] = [await stage.halted(), await stage.halted()]
    const made = await take(stage, one, 'mine')

    assert.deepEqual(await stage.snapshots.list(other), [])
    await rejectsWith('not-found', stage.snapshots.revert(other, made.id))
    await rejectsWith('not-found', stage.snapshots.remove(other, made.id))
    assert.deepEqual(await stage.snapshots.list(one), [made])
  })
}

function describeReverting(stage: Stage): void {
  stage.it('makes the definition what it was, but for name and description, and keeps the snapshot', async () => {
    const config = await defined(stage)
    const made = await take(stage, config.id, 'before')
    const { name, description } = { name: `${config.name}-2`, description: 'renamed' }
    const exits = { shutdown: 'halt', reboot: 'halt', suspend: 'halt', crash: 'halt' } as const
    await stage.driver.domains.define({ ...config, name, description, vcpus: config.vcpus + 1, exits })
    await stage.snapshots.revert(config.id, made.id)

    assert.deepEqual(await stage.driver.domains.config(config.id), { ...config, name, description })
    assert.equal((await stage.driver.domains.get(config.id)).name, name)
    assert.deepEqual(await stage.snapshots.list(config.id), [made])
    await stage.driver.domains.start(config.id)
    await stage.assertState(config.id, 'running')
  })

  stage.it('ends halted where no memory was kept, whatever the domain is doing', async () => {
    const id = await stage.halted()
    const made = await take(stage, id, 'off')
    for (const paused of [false, true]) {
      await stage.driver.domains.start(id, { paused })
      await stage.snapshots.revert(id, made.id)
      await stage.assertState(id, 'halted')
    }
  })

  stage.it('ends suspended where memory was kept, whatever the domain is doing, and can be halted', async () => {
    const id = await stage.booted()
    const made = await take(stage, id, 'on')
    await stage.snapshots.revert(id, made.id)
    await stage.assertState(id, 'suspended')
    await stage.driver.domains.powerOff(id)
    await stage.snapshots.revert(id, made.id)

    await stage.assertState(id, 'suspended')
    assert.deepEqual(await stage.snapshots.list(id), [{ ...made, isCurrent: true }])
  })

  if (stage.traits.groups.includes('suspension')) {
    stage.it('goes on from the memory that was kept, and keeps that of a suspended domain', async () => {
      const id = await stage.booted()
      const made = await take(stage, id, 'on')
      await stage.snapshots.revert(id, made.id)
      const again = await take(stage, id, 'suspended')
      assert.deepEqual([again.state, again.parent], ['suspended', made.id])
      await stage.assertState(id, 'suspended')
      await stage.suspension.resume(id)

      await stage.assertState(id, 'running')
    })
  }
}

function describeRemoval(stage: Stage): void {
  stage.it('forgets one, and lets those that build on it build on its parent', async () => {
    const config = await defined(stage)
    const { id } = config
    const made: Snapshot[] = []
    for (const name of ['a', 'b', 'c']) made.push(await take(stage, id, name))
    await stage.snapshots.remove(id, made[1]?.id ?? '')
    assert.deepEqual(await shapeOf(stage, id), ['- > a', 'a > c *'])
    await stage.snapshots.remove(id, made[2]?.id ?? '')
    assert.deepEqual(await shapeOf(stage, id), ['- > a *'])
    await stage.snapshots.remove(id, made[0]?.id ?? '')

    assert.deepEqual(await stage.snapshots.list(id), [])
    assert.deepEqual(await stage.driver.domains.config(id), config)
  })

  stage.it('forgets one with all that build on it, and no other', async () => {
    const id = await stage.halted()
    const root = await take(stage, id, 'root')
    const left = await take(stage, id, 'left')
    await take(stage, id, 'leaf')
    await stage.snapshots.revert(id, root.id)
    await take(stage, id, 'right')
    await stage.snapshots.remove(id, left.id, { children: true })
    assert.deepEqual(await shapeOf(stage, id), ['- > root', 'root > right *'])
    await stage.snapshots.remove(id, root.id, { children: true })

    assert.deepEqual(await stage.snapshots.list(id), [])
  })

  stage.it('forgets one of a domain that runs on', async () => {
    const id = await stage.running()
    const made = await take(stage, id, 'a')
    await stage.snapshots.remove(id, made.id)

    assert.deepEqual(await stage.snapshots.list(id), [])
    await stage.assertState(id, 'running')
  })

  stage.it('forgets all when the domain is undefined', async () => {
    const config = await defined(stage)
    await take(stage, config.id, 'a')
    await take(stage, config.id, 'b')
    await stage.driver.domains.undefine(config.id)
    await rejectsWith('not-found', stage.snapshots.list(config.id))
    await stage.driver.domains.define(config)

    assert.deepEqual(await stage.snapshots.list(config.id), [])
  })

  if (stage.traits.outlivesConnection) {
    stage.it('finds snapshots again after a new connection', async () => {
      const id = await stage.halted()
      await take(stage, id, 'a', 'kept')
      const before = await stage.snapshots.list(id)
      await stage.disconnect()
      await stage.connect()

      assert.deepEqual(await stage.snapshots.list(id), before)
    })
  }
}

function describeErrors(stage: Stage): void {
  stage.it('says not-found of snapshots that a domain does not have, and leaves it alone', async () => {
    const id = await stage.running()
    for (const snapshot of [NONE, 'no such thing', '', id]) {
      await rejectsWith('not-found', stage.snapshots.revert(id, snapshot))
      await rejectsWith('not-found', stage.snapshots.remove(id, snapshot))
    }

    await stage.assertState(id, 'running')
  })

  stage.it('says not-found of a domain that the host does not have', async () => {
    await rejectsWith('not-found', stage.snapshots.list(NOBODY))
    await rejectsWith('not-found', take(stage, NOBODY, 'a'))
    await rejectsWith('not-found', stage.snapshots.revert(NOBODY, NONE))
    await rejectsWith('not-found', stage.snapshots.remove(NOBODY, NONE))
  })
}
