import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { DomainId } from '../../src/drivers/driver.ts'
import { connectQmp } from '../../src/protocols/qmp/client.ts'
import { breakSnapshot, execute, held, lastTick, MIB, SnapshotScene } from './snapshot-scene.ts'
import { TEST_MS } from './world.ts'

const DURING = { timeout: TEST_MS }

const scene = new SnapshotScene()
const { snapshots, suspension, take, withDisks, booted, write, read, assertCountsOn } = scene

test('a domain that could not go back has the disks that it had, and what it was suspended to', DURING, async () => {
  const { id, volumes } = await withDisks()
  const { id: snapshot } = await take(id)
  for (const volume of volumes) await write(volume, 'after')
  const description = 'of now'
  await scene.world.driver.domains.define({
    ...(await scene.world.driver.domains.config(id)),
    memoryBytes: 32 * MIB,
    description,
  })
  const config = await scene.world.driver.domains.config(id)
  await breakSnapshot(volumes[1])
  const message = /it could not go back: .*; the domain is halted, and its disks are as they were left$/s
  await booted(id)

  await assert.rejects(snapshots().revert(id, snapshot), { kind: 'refused', message })
  assert.equal(await scene.world.state(id), 'halted')
  assert.deepEqual(await Promise.all(volumes.map(read)), ['after', 'after'])
  assert.deepEqual(await held(volumes), [[snapshot], [snapshot]])
  assert.deepEqual(await scene.world.driver.domains.config(id), config)

  const { length } = await scene.world.serial(id)
  await scene.world.driver.domains.start(id)
  await scene.world.until('it boots', async () => (await scene.world.serial(id)).slice(length).includes('TICK 0001\n'))
  await suspension().suspend(id)
  const before = await scene.world.serial(id)
  await assert.rejects(snapshots().revert(id, snapshot), { kind: 'refused', message: /the domain is suspended still/ })
  await suspension().resume(id)
  await assertCountsOn(id, before.length, lastTick(before))
  assert.deepEqual(scene.world.warnings, [])
})

test('what is missing for going back is named, and the guest goes on', DURING, async () => {
  const { id, volumes } = await withDisks()
  await booted(id)
  const { id: snapshot } = await take(id)
  const memory = join(scene.world.files(id).snapshotFolder, snapshot, 'memory')
  const whole = await readFile(memory)
  await truncate(memory, whole.length - 1)
  await assert.rejects(snapshots().revert(id, snapshot), { kind: 'refused', message: /memory/ })
  await writeFile(memory, whole)
  const qmp = await connectQmp(scene.world.files(id).rescue, { onEvent: () => undefined, onClose: () => undefined })
  const [drive] = (await qmp.execute('query-block')).filter(({ file }) => file === volumes[1].location)
  await qmp.execute('blockdev-snapshot-delete-internal-sync', { device: drive?.node ?? '', name: snapshot })
  qmp.close()

  await assert.rejects(snapshots().revert(id, snapshot), { kind: 'refused', message: /two\.qcow2 does not hold/ })
  assert.equal(await scene.world.state(id), 'running')
  await assertCountsOn(id, (await scene.world.serial(id)).length, lastTick(await scene.world.serial(id)))
  await snapshots().remove(id, snapshot)
  assert.deepEqual(await held(volumes), [[], []])
})

/** What a manager knows that is killed in the middle of something. */
async function changeRecord(id: DomainId, change: Record<string, unknown>): Promise<void> {
  const path = scene.world.files(id).snapshots
  const record: Record<string, unknown> = existsSync(path)
    ? JSON.parse(await readFile(path, 'utf8'))
    : { format: 1, snapshots: [], current: null, reverting: null, doomed: [] }
  await writeFile(path, JSON.stringify({ ...record, ...change }))
}

test('what a killed manager had begun to keep is taken back, of a guest that goes on and of none', DURING, async () => {
  const { id, volumes } = await withDisks()
  const disks = volumes.map(({ location }) => location)
  await booted(id)
  await scene.world.driver.close()
  const doomed = [{ id: 'half', disks }]
  await changeRecord(id, { doomed })
  const qmp = await connectQmp(scene.world.files(id).rescue, { onEvent: () => undefined, onClose: () => undefined })
  const state = join(scene.world.dataDir, 'state.qcow2')
  await execute('qemu-img', ['create', '-q', '-f', 'qcow2', state, '64k'])
  const node = { driver: 'qcow2', 'node-name': 'snapshot-state', file: { driver: 'file', filename: state } }
  await qmp.execute('blockdev-add', node)
  const nodes = (await qmp.execute('query-block')).flatMap(({ node: each, file }) =>
    each !== null && disks.includes(file) ? [each] : [],
  )
  const devices = [...nodes, 'snapshot-state']
  await qmp.execute('snapshot-save', { 'job-id': 'snapshot', tag: 'half', vmstate: 'snapshot-state', devices })
  qmp.close()
  assert.deepEqual(await held(volumes), [['half'], ['half']])
  await scene.world.connect()

  assert.deepEqual(await held(volumes), [[], []])
  assert.equal(await scene.world.state(id), 'running')
  const { id: kept } = await take(id)
  await scene.world.driver.domains.powerOff(id)
  await scene.world.driver.close()
  await execute('qemu-img', ['snapshot', '-c', 'half', disks[0] ?? ''])
  await changeRecord(id, { doomed })
  await scene.world.connect()
  assert.deepEqual(await held(volumes), [[kept], [kept]])
  assert.deepEqual(scene.world.warnings, [])
})

test('a domain that a killed manager had begun to take back is what it was', DURING, async () => {
  const { id, volumes } = await withDisks()
  const off = await take(id, 'off')
  for (const volume of volumes) await write(volume, 'after')
  await booted(id)
  const on = await take(id, 'on')
  for (const [snapshot, state, content] of [
    [off, 'halted', 'before'],
    [on, 'suspended', 'after'],
  ] as const) {
    if ((await scene.world.state(id)) === 'halted') await scene.world.driver.domains.start(id)
    await scene.world.driver.close()
    await changeRecord(id, { reverting: snapshot.id })
    await scene.world.connect()

    assert.equal(await scene.world.state(id), state)
    assert.deepEqual(await Promise.all(volumes.map(read)), [content, content])
    assert.equal((await snapshots().list(id)).find(({ isCurrent }) => isCurrent)?.id, snapshot.id)
  }
  assert.deepEqual(scene.world.processes(), [])
  assert.deepEqual(scene.world.warnings, [])

  await scene.world.driver.close()
  await changeRecord(id, { reverting: 'none' })
  await scene.world.connect()
  assert.match(scene.world.warnings.join(), /cannot be mended: .*no snapshot "none"/)
  assert.match(await readFile(scene.world.files(id).snapshots, 'utf8'), /"reverting":null/)
})
