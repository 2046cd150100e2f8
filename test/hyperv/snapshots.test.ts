import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { type Driver, DriverError, type SnapshotOps } from '../../src/drivers/driver.ts'
import { disk, drivesOn, image, withDisks } from './machine-drives.ts'
import { domainConfig, type HypervHost, passwordFile, startHost } from './setting.ts'
import { Stranger } from './stranger.ts'

const BUILDS = { v1: '7601', v2: '26100' } as const
/** What each takes snapshots with. */
const METHODS = {
  v1: {
    take: 'CreateVirtualSystemSnapshot',
    name: 'ModifyVirtualSystem',
    apply: 'ApplyVirtualSystemSnapshotEx',
    remove: 'RemoveVirtualSystemSnapshot',
  },
  v2: { take: 'CreateSnapshot', name: 'ModifySystemSettings', apply: 'ApplySnapshot', remove: 'DestroySnapshot' },
} as const
const NAMESPACES = ['v1', 'v2'] as const
type Namespace = (typeof NAMESPACES)[number]

/** JobType. Source: the ValueMap of Msvm_ConcreteJob.JobType. */
const JOB = { take: 70, apply: 71, remove: 72 } as const

interface World {
  readonly host: HypervHost
  readonly driver: Driver
  readonly snapshots: SnapshotOps
  readonly id: string
  /** What the names of its snapshots are. */
  readonly names: () => Promise<string[]>
}

let plans = 0

/** A host on which this goes wrong, and a domain on it. */
async function on(namespace: Namespace, plan: unknown, run: (world: World) => Promise<void>, pace = '0') {
  const file = `${passwordFile}-snapshots-${(plans += 1)}`
  writeFileSync(file, JSON.stringify(plan))
  const host = await startHost('--pace', pace, '--faults', file, '--build', BUILDS[namespace])
  const driver = await host.connect()
  try {
    const { snapshots } = driver
    assert(snapshots !== undefined)
    const { id } = await define(driver)
    await run({ host, driver, snapshots, id, names: async () => (await snapshots.list(id)).map(({ name }) => name) })
  } finally {
    await driver.close()
    await host.sim.close()
  }
}

async function define(driver: Driver) {
  const config = domainConfig()
  await driver.domains.define(config)
  return config
}

const WISH = { name: 'before', description: 'all is well' }
const FAILURE = { code: 32_768, message: 'No.' }
const refused = (message: RegExp) => (error: unknown) =>
  error instanceof DriverError && error.kind === 'refused' && message.test(error.message)

/** What kind of snapshots a machine is set to. */
const kindOf = ({ sim }: HypervHost) => sim.host?.state.vms[0]?.configuration.system.values['UserSnapshotType']

for (const namespace of NAMESPACES) {
  const { take, name, apply, remove } = METHODS[namespace]

  test(`a snapshot that cannot be taken through ${namespace} leaves the machine as it was, and none`, async () => {
    await on(namespace, { jobs: [{ type: JOB.take, failure: FAILURE }] }, async ({ host, driver, snapshots, id }) => {
      await driver.domains.start(id)
      const kind = kindOf(host)
      await assert.rejects(snapshots.create(id, WISH), refused(/cannot take the snapshot: No\. \(32768\)/))

      assert.deepEqual(await snapshots.list(id), [])
      assert.equal(kindOf(host), kind)
      assert.equal((await driver.domains.get(id)).state, 'running')
    })
  })

  test(`a snapshot that cannot be named through ${namespace} is taken back, or the error names it`, async () => {
    // The domain takes calls to be defined.
    const nth = namespace === 'v1' ? 4 : 2
    const unnamed = { method: name, nth, fault: 'access-denied' }
    await on(namespace, { requests: [unnamed] }, async ({ snapshots, id }) => {
      await assert.rejects(snapshots.create(id, WISH), { kind: 'refused' })
      assert.deepEqual(await snapshots.list(id), [])
    })
    const stuck = { method: remove, nth: 1, fault: 'access-denied' }
    await on(namespace, { requests: [unnamed, stuck] }, async ({ snapshots, id }) => {
      await assert.rejects(snapshots.create(id, WISH), refused(/the snapshot [0-9A-F-]{36} remains/))
      assert.equal((await snapshots.list(id)).length, 1)
    })
  })

  test(`a snapshot that cannot be gone back to or deleted through ${namespace} stays`, async () => {
    const jobs = [JOB.apply, JOB.remove].map(type => ({ type, nth: 1, failure: FAILURE }))
    await on(namespace, { jobs }, async ({ driver, snapshots, id, names }) => {
      const { id: snapshot } = await snapshots.create(id, WISH)
      await driver.domains.start(id)
      await assert.rejects(snapshots.revert(id, snapshot), refused(/cannot go back to the snapshot.*halted now$/))
      await assert.rejects(snapshots.remove(id, snapshot), refused(/cannot delete the snapshot/))
      assert.deepEqual(await names(), ['before'])
      await snapshots.revert(id, snapshot)
      await snapshots.remove(id, snapshot)

      assert.deepEqual(await names(), [])
      assert.equal((await driver.domains.get(id)).state, 'halted')
    })
  })

  test(`answers that are lost through ${namespace} are looked into, whatever was asked of snapshots`, async () => {
    const lost = [take, apply, remove].map(method => ({ method, nth: 1, fault: 'lost-after' }))
    const run = async ({ driver, snapshots, id, names }: World) => {
      await driver.domains.start(id)
      const made = await snapshots.create(id, WISH)
      assert.deepEqual([made.name, made.description, made.state], ['before', 'all is well', 'suspended'])
      await snapshots.revert(id, made.id)
      assert.equal((await driver.domains.get(id)).state, 'suspended')
      await snapshots.remove(id, made.id)

      assert.deepEqual(await names(), [])
    }
    await on(namespace, { requests: lost }, run, '0.02')
  })
}

test('a snapshot that is aborted on its way is none, and one whose kind cannot be set back is taken back', async () => {
  const run = async ({ snapshots, id }: World) => {
    const controller = new AbortController()
    const options = { signal: controller.signal, onProgress: () => controller.abort() }
    await assert.rejects(snapshots.create(id, WISH, options), refused(/aborted/))
    assert.deepEqual(await snapshots.list(id), [])
    const long = { ...WISH, description: 'x'.repeat(65_536) }
    await assert.rejects(snapshots.create(id, long), refused(/longer than/))
  }
  await on('v2', { jobs: [{ type: JOB.take, slowness: 100 }] }, run, '0.02')
  const stuck = { method: METHODS.v2.name, nth: 3, fault: 'access-denied' }
  await on('v2', { requests: [stuck] }, async ({ driver, snapshots, id }) => {
    await driver.domains.start(id)
    await assert.rejects(snapshots.create(id, WISH), { kind: 'refused' })
    assert.deepEqual(await snapshots.list(id), [])
  })
})

test('disks go on in images of their own, are told as what they were, and go back to it', async () => {
  const host = await startHost('--pace', '0', '--build', '20348')
  const driver = await host.connect()
  const { domains, snapshots } = driver
  assert(snapshots !== undefined)
  try {
    const system = disk(await image(host, 'a.vhdx'), 'hda')
    const config = withDisks(system, disk(await image(host, 'b.vhdx'), 'sdb', { bus: 'paravirtualised' }))
    const { id } = config
    await domains.define(config)
    const first = await snapshots.create(id, WISH)
    assert.match(drivesOn(host, config.name)['ide 0:0'] ?? '', /a_[0-9A-F-]{36}\.avhdx$/i)
    assert.deepEqual(await domains.config(id), config)

    await domains.define({ ...config, vcpus: 2, disks: [system] })
    await snapshots.create(id, { name: 'second', description: '' })
    await snapshots.revert(id, first.id)
    assert.deepEqual(await domains.config(id), config)
    await domains.start(id)
    await domains.powerOff(id)
    await domains.undefine(id)

    assert.deepEqual(await domains.list(), [])
    assert.deepEqual(host.complaints, [])
  } finally {
    await driver.close()
    await host.sim.close()
  }
})

test('snapshots that somebody else has taken are told, gone back to and deleted, and the domain stays ours', async () => {
  const host = await startHost('--pace', '0', '--build', '9600')
  const other = new Stranger(host)
  const driver = await host.connect()
  const { domains, snapshots } = driver
  assert(snapshots !== undefined)
  try {
    const config = { ...domainConfig(), description: 'ours' }
    await domains.define(config)
    const guid = host.sim.host?.state.vms[0]?.id ?? ''
    await other.snapshot(guid)
    await domains.define({ ...config, vcpus: 3 })
    const [theirs] = await snapshots.list(config.id)
    assert(theirs !== undefined)
    assert.match(theirs.name, new RegExp(`^${config.name} - \\(`))
    assert.deepEqual(
      [theirs.description, theirs.state, theirs.parent, theirs.isCurrent],
      ['ours', 'halted', null, true],
    )
    await snapshots.revert(config.id, theirs.id)
    assert.deepEqual(await domains.config(config.id), config)
    await snapshots.remove(config.id, theirs.id)

    assert.deepEqual(await snapshots.list(config.id), [])
    assert.deepEqual(await domains.list(), [{ id: config.id, name: config.name, state: 'halted' }])
  } finally {
    await driver.close()
    await other.client.close()
    await host.sim.close()
  }
})
