import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import type { DomainId, DomainState, ExitActions } from '../../src/drivers/driver.ts'
import { RESTARTS_MAX, RestartBudget, RESTARTS_WITHIN_MS } from '../../src/drivers/qemu/exits.ts'
import { connectQmp } from '../../src/protocols/qmp/client.ts'
import { count, TEST_MS, World } from './world.ts'

let world: World
beforeEach(async () => {
  world = await World.open()
})
afterEach(() => world.close())

const HALT: ExitActions = { shutdown: 'halt', reboot: 'halt', suspend: 'halt', crash: 'halt' }
const RESTART: ExitActions = { shutdown: 'restart', reboot: 'restart', suspend: 'restart', crash: 'restart' }
const WAYS = { shutdown: 'p', reboot: 'r', suspend: 's', crash: 'c' } as const
const EVENTS = {
  shutdown: 'guest-shutdown',
  reboot: 'guest-reset',
  suspend: 'guest-suspended',
  crash: 'crashed',
} as const
const EXITS = ['shutdown', 'reboot', 'suspend', 'crash'] as const

const boots = async (id: DomainId) => count(await world.serial(id), 'BOOT-OK')

/** Waits, without a driver, until QEMU has ended or holds the guest where it ended. */
async function untilNobodyRuns(id: DomainId): Promise<void> {
  const status = async () => {
    if (world.processes().length === 0) return 'gone'
    try {
      const qmp = await connectQmp(world.files(id).rescue, { onEvent: () => undefined, onClose: () => undefined })
      try {
        return (await qmp.execute('query-status')).status
      } finally {
        qmp.close()
      }
    } catch {
      return 'going'
    }
  }
  await world.until('the guest has ended', async () => !['running', 'going'].includes(await status()))
}

// Each exit with each action, both where all other exits do the same and where they do the opposite: what QEMU cannot
// tell apart, the driver must.
// Proves: VM.actions/after_shutdown, VM.actions/after_reboot, VM.actions/after_suspend, VM.actions/after_crash
for (const exit of EXITS) {
  for (const action of ['halt', 'restart'] as const) {
    for (const others of [HALT, RESTART]) {
      const exits = { ...others, [exit]: action }
      const situation = `a ${exit} of the guest leads to ${action} where the rest leads to ${others.shutdown}`

      test(situation, { timeout: TEST_MS }, async () => {
        const id = await world.booted({ exits })
        await world.send(id, WAYS[exit])

        if (action === 'halt') await world.untilState(id, 'halted')
        else await world.until('it boots again', async () => (await boots(id)) === 2)
        assert.equal(await world.state(id), action === 'halt' ? 'halted' : 'running')
        assert.deepEqual(
          world.kinds(id).filter(kind => kind !== 'defined' && kind !== 'changed'),
          [EVENTS[exit]],
        )
        assert.equal(world.processes().length, action === 'halt' ? 0 : 1)
        assert.deepEqual(world.warnings, [])
      })

      test(`${situation}, with nobody connected`, { timeout: TEST_MS }, async () => {
        const id = await world.booted({ exits })
        await world.driver.close()
        await world.send(id, WAYS[exit])
        if (exit !== 'reboot' || action === 'halt') await untilNobodyRuns(id)
        await world.connect()

        if (action === 'halt') assert.equal(await world.state(id), 'halted')
        else await world.until('it boots again', async () => (await boots(id)) === 2)
        assert.equal(await world.state(id), action === 'halt' ? 'halted' : 'running')
        assert.equal(world.processes().length, action === 'halt' ? 0 : 1)
        assert.deepEqual(world.warnings, [])
      })
    }
  }
}

test('a guest whose reboot is its end can be reset all the same, and halts at its next reboot', {
  timeout: TEST_MS,
}, async () => {
  const id = await world.booted({ exits: HALT })
  await world.driver.domains.reset(id)
  await world.until('it boots again', async () => (await boots(id)) === 2)
  await world.until('it counts again', async () => count(await world.serial(id), 'TICK 0003') > 0)
  assert.equal(await world.state(id), 'running')

  await world.send(id, 'r')
  await world.untilState(id, 'halted')
  assert.equal(await boots(id), 2)
})

async function crashedAndHeld(): Promise<DomainId> {
  const id = await world.booted({ exits: { ...HALT, crash: 'hold' } })
  await world.send(id, 'c')
  await world.untilState(id, 'crashed')
  return id
}

test('a crash that is held stays so, whoever comes and goes', { timeout: TEST_MS }, async () => {
  const id = await crashedAndHeld()
  assert.deepEqual(world.kinds(id).slice(-2), ['crashed', 'changed'])
  await world.reconnect()
  await world.reconnect()

  assert.equal(await world.state(id), 'crashed')
  for (const operation of ['pause', 'unpause', 'requestShutdown', 'start'] as const) {
    await assert.rejects(world.driver.domains[operation](id), { kind: 'bad-state', message: /is crashed/ }, operation)
  }
  assert.equal(await world.state(id), 'crashed')
})

test('a crash that nobody saw is held too', { timeout: TEST_MS }, async () => {
  const id = await world.booted({ exits: { ...RESTART, crash: 'hold' } })
  await world.driver.close()
  await world.send(id, 'c')
  await untilNobodyRuns(id)
  await world.connect()

  assert.equal(await world.state(id), 'crashed')
})

for (const exits of [HALT, RESTART]) {
  test(`a crashed guest is reset where a reboot would lead to ${exits.reboot}`, { timeout: TEST_MS }, async () => {
    const id = await crashedAndHeld()
    await world.driver.domains.define({ ...(await world.driver.domains.config(id)), exits })
    await world.driver.domains.reset(id)

    assert.equal(await world.state(id), 'running')
    await world.until('it boots again', async () => (await boots(id)) === 2)
  })
}

test('a crashed guest loses its power, and nothing is left of it', { timeout: TEST_MS }, async () => {
  const id = await crashedAndHeld()
  await world.driver.domains.powerOff(id)

  assert.equal(await world.state(id), 'halted')
  assert.deepEqual(world.processes(), [])
})

test('new exits count at once for a guest that runs', { timeout: TEST_MS }, async () => {
  const id = await world.booted({ exits: HALT })
  await world.driver.domains.define({ ...(await world.driver.domains.config(id)), exits: RESTART })
  await world.driver.close()
  await world.send(id, 'p')
  await untilNobodyRuns(id)
  await world.connect()

  await world.until('it boots again', async () => (await boots(id)) === 2)
  await world.driver.domains.define({ ...(await world.driver.domains.config(id)), exits: HALT })
  await world.send(id, 'p')
  await world.untilState(id, 'halted')
})

test('what QEMU said last is heard, though a command was given just as it had closed', {
  timeout: TEST_MS,
}, async () => {
  const id = await world.booted()
  const { pid } = world.process()
  // The guest looks for commands at its next timer tick, and nobody reads then, as where the thread is busy.
  await world.send(id, 'p')
  const isOver = () => world.processes().every(process => process.pid !== pid)
  const deadline = performance.now() + 20_000
  while (!isOver() && performance.now() < deadline) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)

  await assert.rejects(world.driver.domains.pause(id), { name: 'DriverError', kind: 'bad-state' })
  await world.untilState(id, 'halted')
  assert.deepEqual(world.kinds(id).slice(-2), ['guest-shutdown', 'changed'])
})

test('a guest that crashes again and again is not restarted for ever', { timeout: TEST_MS }, async () => {
  const id = await world.define({ exits: RESTART }, 'crashing')
  await world.driver.domains.start(id)

  await world.untilState(id, 'crashed' satisfies DomainState)
  assert.equal(world.kinds(id).filter(kind => kind === 'crashed').length, RESTARTS_MAX + 1)
  assert.equal(await boots(id), RESTARTS_MAX + 1)
  assert.match(world.warnings.join('\n'), /crash.*now it stays/)
})

test('restarts are counted within a stretch of time only', () => {
  const budget = new RestartBudget()
  const allowed = Array.from({ length: RESTARTS_MAX + 1 }, (_, index) => budget.allows(index))

  assert.deepEqual(allowed.indexOf(false), RESTARTS_MAX)
  assert(!budget.allows(RESTARTS_WITHIN_MS - 1))
  assert(budget.allows(RESTARTS_WITHIN_MS))
})
