import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Driver } from '../../src/drivers/driver.ts'
import { domainConfig, type HypervHost, passwordFile, startHost } from './setting.ts'

let plans = 0

/** A running domain on a host on which this goes wrong. */
async function running(
  build: string,
  requests: readonly unknown[],
  run: (driver: Driver, id: string, host: HypervHost) => Promise<void>,
) {
  const file = `${passwordFile}-shares-${(plans += 1)}`
  writeFileSync(file, JSON.stringify({ requests }))
  const host = await startHost('--pace', '0', '--faults', file, '--build', build)
  const driver = await host.connect()
  try {
    const config = { ...domainConfig(), description: 'ours' }
    await driver.domains.define(config)
    await driver.domains.start(config.id)
    await run(driver, config.id, host)
  } finally {
    await driver.close()
    await host.sim.close()
  }
}

/** The scheduler's own parameters, by name. */
async function ownOf(driver: Driver, id: string): Promise<Record<string, bigint>> {
  const parameters = await driver.scheduler?.own?.parameters(id)
  return Object.fromEntries((parameters ?? []).map(({ name, value }) => [name, value]))
}

const HALF = { weight: 512, capPercent: 50, affinity: null }
const PLAIN = { limit: 100_000n, reservation: 0n, weight: 100n }

test('weight and cap of a machine that is on change in the units of Hyper-V, from Windows Server 2016 on', async () => {
  await running('14393', [], async (driver, id) => {
    assert.equal(driver.scheduler?.own?.name, 'allocation')
    assert.deepEqual(await ownOf(driver, id), PLAIN)
    const before = await driver.domains.config(id)
    await driver.scheduler.set(id, HALF)

    assert.deepEqual(await ownOf(driver, id), { limit: 50_000n, reservation: 0n, weight: 200n })
    assert.deepEqual(await driver.domains.config(id), { ...before, scheduling: HALF })
    await assert.rejects(driver.scheduler.set(id, { ...HALF, weight: 25_700 }), { kind: 'refused', message: /25700/ })
    await assert.rejects(driver.scheduler.set(id, { ...HALF, capPercent: 0.0001 }), { kind: 'refused' })
    await assert.rejects(driver.scheduler.set(id, { ...HALF, affinity: [0] }), { kind: 'refused', message: /CPUs/ })
    assert.deepEqual(await driver.domains.config(id), { ...before, scheduling: HALF })
  })
  await running('9600', [], async (driver, id) => {
    await assert.rejects(driver.scheduler?.set(id, HALF) ?? assert.fail(), { kind: 'refused', message: /Server 2016/ })
    assert.deepEqual(await ownOf(driver, id), PLAIN)
  })
})

test('shares that cannot be written down are taken back', async () => {
  const unwritten = { method: 'ModifySystemSettings', nth: 2, fault: 'access-denied' }
  await running('20348', [unwritten], async (driver, id) => {
    await assert.rejects(driver.scheduler?.set(id, HALF) ?? assert.fail(), { kind: 'refused' })

    assert.deepEqual(await ownOf(driver, id), PLAIN)
    assert.equal((await driver.domains.config(id)).scheduling, undefined)
  })
})

test('the three startup actions are those of Hyper-V, by the numbers of each namespace', async () => {
  for (const build of ['7601', '26100']) {
    await running(build, [], async (driver, id, host) => {
      const { autostart } = driver
      assert(autostart !== undefined)
      for (const [action, number] of [
        ['never', 2],
        ['if-was-running', 3],
        ['always', 4],
      ] as const) {
        await autostart.set(id, action)
        // A simulated host keeps those of v2.
        assert.equal(host.sim.host?.state.vms[0]?.configuration.system.values['AutomaticStartupAction'], number)
      }
    })
  }
})
