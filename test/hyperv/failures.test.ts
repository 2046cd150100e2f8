import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Driver } from '../../src/drivers/driver.ts'
import { domainConfig, passwordFile, startHost } from './setting.ts'

let plans = 0

/** A host on which this goes wrong, and a connection to it. */
async function failing(plan: unknown, run: (driver: Driver) => Promise<void>, pace = '0'): Promise<void> {
  const file = `${passwordFile}-plan-${(plans += 1)}`
  writeFileSync(file, JSON.stringify(plan))
  const host = await startHost('--pace', pace, '--faults', file)
  const driver = await host.connect()
  try {
    await run(driver)
  } finally {
    await driver.close()
    await host.sim.close()
  }
}

test('a machine that cannot be made a domain of is taken back', async () => {
  const plan = { requests: [{ method: 'ModifySystemSettings', fault: 'access-denied' }] }
  await failing(plan, async driver => {
    await assert.rejects(driver.domains.define(domainConfig()), { name: 'DriverError', kind: 'refused' })

    assert.deepEqual(await driver.domains.list(), [])
  })
})

test('a machine that cannot be taken back is named in the error', async () => {
  const plan = {
    requests: [
      { method: 'ModifySystemSettings', fault: 'access-denied' },
      { method: 'DestroySystem', fault: 'access-denied' },
    ],
  }
  await failing(plan, async driver => {
    const config = domainConfig()
    await assert.rejects(driver.domains.define(config), { message: new RegExp(`machine ${config.name} .* remains`) })

    // It is a domain all the same, and can be undefined when the host lets it.
    assert.deepEqual(await driver.domains.list(), [{ id: config.id, name: config.name, state: 'halted' }])
  })
})

test('a definition that cannot be replaced stays as it was', async () => {
  const plan = { requests: [{ method: 'ModifySystemSettings', nth: 2, fault: 'access-denied' }] }
  await failing(plan, async driver => {
    const config = domainConfig()
    await driver.domains.define(config)
    const other = { ...config, name: 'other', vcpus: 4, memoryBytes: config.memoryBytes * 2 }
    await assert.rejects(driver.domains.define(other), { kind: 'refused' })

    assert.deepEqual(await driver.domains.config(config.id), config)
  })
})

test('a job that fails tells why, in the words of the host and with its code', async () => {
  const plan = { jobs: [{ type: 12, failure: { code: 32_788, message: 'Not enough memory.\n\nReally not.' } }] }
  await failing(plan, async driver => {
    const config = domainConfig()
    await driver.domains.define(config)

    await assert.rejects(driver.domains.start(config.id), {
      kind: 'refused',
      message: 'cannot run the machine: Not enough memory. Really not. (32788)',
    })
  })
})

test('a machine that starts but cannot be paused is turned off again', async () => {
  const plan = { jobs: [{ type: 26, failure: { code: 32_768, message: 'No.' } }] }
  await failing(plan, async driver => {
    const config = domainConfig()
    await driver.domains.define(config)
    await assert.rejects(driver.domains.start(config.id, { paused: true }), { kind: 'refused' })

    assert.equal((await driver.domains.get(config.id)).state, 'halted')
  })
})

test('a start that is aborted on its way leaves the domain halted', async () => {
  const plan = { jobs: [{ type: 12, slowness: 100 }] }
  const run = async (driver: Driver) => {
    const config = domainConfig()
    await driver.domains.define(config)
    const controller = new AbortController()
    const start = driver.domains.start(config.id, { signal: controller.signal, onProgress: () => controller.abort() })
    await assert.rejects(start, { name: 'DriverError', kind: 'refused', message: /aborted/ })

    assert.equal((await driver.domains.get(config.id)).state, 'halted')
  }
  await failing(plan, run, '0.02')
})

test('answers that always come as jobs, and such as never do, lead to the same', async () => {
  for (const answers of ['sync', 'async']) {
    await failing({ answers }, async driver => {
      const config = { ...domainConfig(), vcpus: 2 }
      await driver.domains.define(config)
      await driver.domains.start(config.id, { paused: true })

      assert.deepEqual(await driver.domains.config(config.id), config)
      assert.equal((await driver.domains.get(config.id)).state, 'paused')
    })
  }
})

test('answers that are lost are asked for again, and of changes it is looked whether they were made', async () => {
  const lost = (method: string, nth: number) => ({ method, nth, fault: 'lost-after' })
  const requests = [lost('GetSummaryInformation', 2), lost('RequestStateChange', 1), lost('RequestStateChange', 3)]
  const plan = { requests: [...requests, { operation: 'Get', nth: 1, fault: 'lost-before' }] }
  await failing(plan, async driver => {
    const config = domainConfig()
    await driver.domains.define(config)
    await driver.domains.start(config.id)
    await driver.domains.pause(config.id)
    await driver.domains.powerOff(config.id)

    assert.deepEqual(await driver.domains.get(config.id), { id: config.id, name: config.name, state: 'halted' })
  })
})

test('a domain whose machine was made, changed or deleted without an answer is one, and is none', async () => {
  const methods = ['DefineSystem', 'ModifyResourceSettings', 'ModifySystemSettings', 'DestroySystem']
  const plan = { requests: methods.map(method => ({ method, nth: 1, fault: 'lost-after' })) }
  await failing(plan, async driver => {
    const config = { ...domainConfig(), vcpus: 2 }
    await driver.domains.define(config)
    assert.deepEqual(await driver.domains.list(), [{ id: config.id, name: config.name, state: 'halted' }])
    assert.deepEqual(await driver.domains.config(config.id), config)

    await driver.domains.undefine(config.id)
    assert.deepEqual(await driver.domains.list(), [])
  })
})
