import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DomainEvent, DomainId } from '../../src/drivers/driver.ts'
import {
  type Connection,
  type Domain,
  VIR_DOMAIN_CRASHED,
  VIR_DOMAIN_CRASHED_PANICKED,
  VIR_DOMAIN_LIFECYCLE_ACTION_PRESERVE,
  VIR_DOMAIN_LIFECYCLE_CRASH,
  VIR_DOMAIN_LIFECYCLE_ACTION_RESTART,
  VIR_DOMAIN_PAUSED,
  VIR_DOMAIN_PAUSED_DUMP,
  VIR_DOMAIN_PAUSED_FROM_SNAPSHOT,
  VIR_DOMAIN_PAUSED_IOERROR,
  VIR_DOMAIN_PAUSED_STARTING_UP,
  VIR_DOMAIN_PAUSED_UNKNOWN,
  VIR_DOMAIN_PAUSED_USER,
  VIR_DOMAIN_PAUSED_WATCHDOG,
  VIR_DOMAIN_RUNNING,
  VIR_DOMAIN_RUNNING_BOOTED,
  VIR_DOMAIN_RUNNING_CRASHED,
  VIR_DOMAIN_RUNNING_FROM_SNAPSHOT,
  VIR_DOMAIN_RUNNING_RESTORED,
  VIR_DOMAIN_RUNNING_SAVE_CANCELED,
  VIR_DOMAIN_RUNNING_UNKNOWN,
  VIR_DOMAIN_RUNNING_UNPAUSED,
  VIR_DOMAIN_RUNNING_WAKEUP,
  VIR_DOMAIN_SHUTOFF,
  VIR_DOMAIN_SHUTOFF_CRASHED,
  VIR_DOMAIN_SHUTOFF_DESTROYED,
  VIR_DOMAIN_SHUTOFF_FAILED,
  VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT,
  VIR_DOMAIN_SHUTOFF_SAVED,
  VIR_DOMAIN_SHUTOFF_SHUTDOWN,
  VIR_DOMAIN_SHUTOFF_UNKNOWN,
  VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED,
  VIR_DOMAIN_START_PAUSED,
  VIR_DOMAIN_STATS_STATE,
  VIR_DUMP_CRASH,
  VIR_ERR_OPERATION_FAILED,
} from '../../src/libvirt/index.ts'
import type { Deed } from '../../src/libvirt/lifecycle.ts'
import { StateReasons } from '../../src/libvirt/state-reasons.ts'
import { defined, rejectsWith, snapshotXml, until, world } from './world.ts'

const ID: DomainId = '9f0e3c5e-1d0b-4b0e-8a53-6b6ad1a9a001'

const told = async (domain: Domain) => {
  const { state, reason } = await domain.getState()
  return [state, reason]
}

/** What bulk statistics tell of the only domain there is. */
async function counted(connection: Connection) {
  const [record] = await connection.getAllDomainStats(VIR_DOMAIN_STATS_STATE)
  return record?.params.map(({ value }) => Number(value))
}

test('a domain says why it is what it is, whatever was done to it, as bulk statistics do', async () => {
  const { connection, driver } = await world()
  const domain = await defined(connection)
  const id = domain.getUUIDString()
  assert.deepEqual(await told(domain), [VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_UNKNOWN])
  const steps: readonly (readonly [deed: () => Promise<unknown>, state: number, reason: number])[] = [
    [() => domain.create(), VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED],
    [() => domain.suspend(), VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER],
    [() => domain.resume(), VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNPAUSED],
    [() => domain.coreDump('/core'), VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNPAUSED],
    [() => domain.managedSave(), VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SAVED],
    [() => domain.create(), VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_RESTORED],
    [() => domain.save('/saved'), VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SAVED],
    [() => connection.restore('/saved'), VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_RESTORED],
    [() => domain.destroy(), VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_DESTROYED],
    [() => domain.createWithFlags(VIR_DOMAIN_START_PAUSED), VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER],
    [() => domain.coreDump('/core', VIR_DUMP_CRASH), VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_CRASHED],
    // What is done to it behind libvirt's back shows, too.
    [() => driver.domains.start(id), VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED],
    [() => driver.domains.pause(id), VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER],
    [() => driver.suspension.suspend(id), VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SAVED],
    [() => driver.suspension.resume(id), VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_RESTORED],
  ]

  for (const [deed, ...expected] of steps) {
    await deed()
    assert.deepEqual(await told(domain), expected, String(deed))
    assert.deepEqual(await counted(connection), expected, String(deed))
  }
  await domain.shutdown()
  await until(async () => !(await domain.isActive()))
  assert.deepEqual(await told(domain), [VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SHUTDOWN])
})

test('a domain that went back to a snapshot says so, on or off', async () => {
  const domain = await defined((await world()).connection)
  const off = await domain.snapshotCreateXML(snapshotXml('off'))
  await domain.create()
  const on = await domain.snapshotCreateXML(snapshotXml('on'))

  await domain.revertToSnapshot(off)
  assert.deepEqual(await told(domain), [VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT])
  await domain.revertToSnapshot(on)
  assert.deepEqual(await told(domain), [VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_FROM_SNAPSHOT])
  await domain.revertToSnapshot(on, VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED)
  assert.deepEqual(await told(domain), [VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_FROM_SNAPSHOT])
})

test('a guest that ends by itself is why its domain is what it is then', async () => {
  const { connection, driver } = await world()
  const domain = await defined(connection, { name: 'vm-that-crashes' })
  const id = domain.getUUIDString()
  const settled = async (state: number) => until(async () => (await domain.getState()).state === state)
  await domain.create()
  await settled(VIR_DOMAIN_SHUTOFF)
  assert.deepEqual(await told(domain), [VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_CRASHED])

  await domain.setLifecycleAction(VIR_DOMAIN_LIFECYCLE_CRASH, VIR_DOMAIN_LIFECYCLE_ACTION_PRESERVE)
  await domain.create()
  await settled(VIR_DOMAIN_CRASHED)
  assert.deepEqual(await told(domain), [VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED])
  await domain.setLifecycleAction(VIR_DOMAIN_LIFECYCLE_CRASH, VIR_DOMAIN_LIFECYCLE_ACTION_RESTART)
  await driver.domains.reset(id)
  await until(async () => (await domain.getState()).reason === VIR_DOMAIN_RUNNING_CRASHED)
})

test('a domain that was to be started and was not says that it failed', async () => {
  const { connection } = await world()
  const broken = await defined(connection, { name: 'vm-that-fails-to-start' })

  await rejectsWith(VIR_ERR_OPERATION_FAILED, broken.create())
  assert.deepEqual(await told(broken), [VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_FAILED])
})

/** Reasons after these events, the last of which led to this state. */
function after(...events: readonly (readonly [event: Omit<DomainEvent, 'id'>, deed?: Deed])[]): number {
  const reasons = new StateReasons()
  for (const [event, deed] of events) reasons.hear({ id: ID, ...event }, deed)
  const state = events.findLast(([event]) => event.state !== undefined)?.[0].state ?? 'unknown'
  return reasons.of({ id: ID, state })
}

test('reasons follow from what happened in which order, and from nothing else', () => {
  const defined_ = [{ kind: 'defined', state: 'halted' }] as const
  const running = [{ kind: 'changed', state: 'running' }] as const
  const paused = [{ kind: 'changed', state: 'paused' }] as const

  assert.equal(after(running), VIR_DOMAIN_RUNNING_UNKNOWN)
  assert.equal(after(defined_, running), VIR_DOMAIN_RUNNING_BOOTED)
  const failing = [{ kind: 'changed', state: 'paused', pause: 'io-error' }] as const
  assert.equal(after(defined_, running, failing), VIR_DOMAIN_PAUSED_IOERROR)
  const biting = [{ kind: 'changed', state: 'paused', pause: 'watchdog' }] as const
  assert.equal(after(defined_, running, biting), VIR_DOMAIN_PAUSED_WATCHDOG)
  assert.equal(after(defined_, running, [...paused, 'dumped']), VIR_DOMAIN_PAUSED_DUMP)
  assert.equal(after(defined_, running, [...paused, 'saved'], [...running, 'saved']), VIR_DOMAIN_RUNNING_SAVE_CANCELED)
  const asleep = [{ kind: 'changed', state: 'unknown' }] as const
  assert.equal(after(defined_, running, paused, running, asleep, running), VIR_DOMAIN_RUNNING_UNPAUSED)
  const awake = [{ kind: 'changed', state: 'running', isWakeUp: true }] as const
  assert.equal(after(defined_, running, asleep, awake), VIR_DOMAIN_RUNNING_WAKEUP)
  assert.equal(after(defined_, running, [{ kind: 'crashed' }], running), VIR_DOMAIN_RUNNING_CRASHED)
  assert.equal(after(defined_, running, [{ kind: 'undefined' }], running), VIR_DOMAIN_RUNNING_UNKNOWN)
})

test('who looks before the host has told is told less, and then the same', () => {
  const reasons = new StateReasons()
  const of = (state: 'halted' | 'running' | 'paused') => reasons.of({ id: ID, state })
  reasons.seeAll([{ id: ID, name: 'web', state: 'halted' }])

  reasons.see({ id: ID, state: 'paused' }, undefined)
  assert.equal(of('paused'), VIR_DOMAIN_PAUSED_UNKNOWN)
  reasons.hear({ id: ID, kind: 'changed', state: 'running' }, undefined)
  assert.equal(of('running'), VIR_DOMAIN_RUNNING_BOOTED)
  reasons.see({ id: ID, state: 'halted' }, undefined)
  reasons.hear({ id: ID, kind: 'guest-shutdown', state: 'halted' }, undefined)
  reasons.hear({ id: ID, kind: 'changed', state: 'halted' }, undefined)
  assert.equal(of('halted'), VIR_DOMAIN_SHUTOFF_SHUTDOWN)
  reasons.see({ id: ID, state: 'paused' }, 'started')
  assert.equal(of('paused'), VIR_DOMAIN_PAUSED_STARTING_UP)
  reasons.hear({ id: ID, kind: 'changed', state: 'paused' }, 'started')
  assert.equal(of('paused'), VIR_DOMAIN_PAUSED_USER)
})

test('what a hypervisor knows of a pause is more than what was heard of it, but that somebody asked for it', () => {
  const reasons = new StateReasons()
  reasons.seeAll([])
  const of = (pause: 'asked' | 'io-error') => reasons.of({ id: ID, state: 'paused', pause })
  assert.deepEqual([of('asked'), of('io-error')], [VIR_DOMAIN_PAUSED_USER, VIR_DOMAIN_PAUSED_IOERROR])
  reasons.hear({ id: ID, kind: 'changed', state: 'running' }, undefined)
  reasons.hear({ id: ID, kind: 'changed', state: 'paused', pause: 'asked' }, 'dumped')

  assert.deepEqual([of('asked'), of('io-error')], [VIR_DOMAIN_PAUSED_DUMP, VIR_DOMAIN_PAUSED_IOERROR])
})

test('a guest that was asked to shut down and is seen to be off has done so, unless the host tells otherwise', () => {
  const reasons = new StateReasons()
  reasons.seeAll([])
  const of = () => reasons.of({ id: ID, state: 'halted' })
  for (const cut of [false, true]) {
    reasons.hear({ id: ID, kind: 'changed', state: 'running' }, undefined)
    reasons.asked(ID)
    reasons.see({ id: ID, state: 'halted' }, undefined)
    assert.equal(of(), VIR_DOMAIN_SHUTOFF_SHUTDOWN)
    if (cut) reasons.hear({ id: ID, kind: 'changed', state: 'halted' }, undefined)
  }

  assert.equal(of(), VIR_DOMAIN_SHUTOFF_DESTROYED)
})

test('what is known of domains is bounded', () => {
  const reasons = new StateReasons()
  reasons.seeAll([])
  const ids = Array.from({ length: 100_001 }, (_, index) => `domain-${index}`)
  for (const id of ids) reasons.hear({ id, kind: 'changed', state: 'running' }, undefined)
  const of = (index: number) => reasons.of({ id: ids[index] ?? '', state: 'running' })

  assert.deepEqual(
    [of(0), of(1), of(100_000)],
    [VIR_DOMAIN_RUNNING_UNKNOWN, VIR_DOMAIN_RUNNING_BOOTED, VIR_DOMAIN_RUNNING_BOOTED],
  )
})
