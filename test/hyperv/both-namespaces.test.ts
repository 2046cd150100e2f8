import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DomainEvent, Driver } from '../../src/drivers/driver.ts'
import { connect } from '../../src/drivers/hyperv/index.ts'
import { until } from '../support/machine.ts'
import { domainConfig, type HypervHost, startHost } from './setting.ts'

/** How many domains are made until a driver tells of one. */
const MADE_MAX = 200

// Windows Server 2012 shows the same machines through both namespaces.

async function through(namespace: 'v1' | 'v2', { uri }: HypervHost): Promise<Driver> {
  const own = new URL(uri)
  own.searchParams.set('namespace', namespace)
  return connect({ uri: own, warn: message => assert.fail(message) })
}

test('what is defined through one namespace is the same domain through the other, whoever changes it', async () => {
  const host = await startHost('--build', '9200', '--pace', '0')
  const [old, now] = [await through('v1', host), await through('v2', host)]
  try {
    for (const [one, other] of [
      [old, now],
      [now, old],
    ] as const) {
      const config = { ...domainConfig(), vcpus: 2, description: 'hello & <you>' }
      await one.domains.define(config)
      assert.deepEqual(await other.domains.config(config.id), config)

      const second = { ...config, name: 'renamed', memoryBytes: config.memoryBytes * 2, description: '' }
      await other.domains.define(second)
      assert.deepEqual(await one.domains.config(config.id), second)
      await one.domains.start(config.id, { paused: true })
      assert.equal((await other.domains.get(config.id)).state, 'paused')
      await other.suspension?.suspend(config.id)
      assert.equal((await one.domains.get(config.id)).state, 'suspended')
      await one.domains.powerOff(config.id)
      await other.domains.undefine(config.id)
      assert.deepEqual(await one.domains.list(), [])
    }
    assert.deepEqual(host.complaints, [])
  } finally {
    await Promise.all([old.close(), now.close()])
    await host.sim.close()
  }
})

test('what somebody does through the other namespace is heard', async () => {
  const host = await startHost('--build', '9200', '--pace', '0')
  const [old, now] = [await through('v1', host), await through('v2', host)]
  try {
    const first = domainConfig()
    await now.domains.define(first)
    const heard: DomainEvent[] = []
    old.events?.subscribe(event => heard.push(event))
    const made: string[] = []
    // Nobody is told when a driver has looked for the first time, and what was there by then is not heard of.
    await until('a definition is heard', async () => {
      const another = domainConfig()
      if (made.length < MADE_MAX) await now.domains.define(another)
      made.push(another.id)
      return heard.some(one => made.includes(one.id) && one.kind === 'defined') ? true : undefined
    })

    await now.domains.start(first.id)
    await until('the start is heard', async () =>
      heard.some(one => one.id === first.id && one.kind === 'changed') ? true : undefined,
    )
  } finally {
    await Promise.all([old.close(), now.close()])
    await host.sim.close()
  }
})

test('more machines than fit into one answer are listed through v1 too', async () => {
  const host = await startHost('--build', '7601', '--pace', '0', '--vms', '2000')
  const driver = await host.connect()
  try {
    assert.equal((await driver.domains.list()).length, 2_000)
  } finally {
    await driver.close()
    await host.sim.close()
  }
})
