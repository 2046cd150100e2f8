import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DomainEvent, Driver } from '../../src/drivers/driver.ts'
import { connect } from '../../src/drivers/hyperv/index.ts'
import { until } from '../support/machine.ts'
import { domainConfig, type HypervHost, startHost } from './setting.ts'

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
    const [first, second] = [domainConfig(), domainConfig()]
    await now.domains.define(first)
    const heard: DomainEvent[] = []
    old.events?.subscribe(event => heard.push(event))
    const untilHeard = (id: string, kind: DomainEvent['kind']) =>
      until(`${kind} is heard`, async () => (heard.some(one => one.id === id && one.kind === kind) ? true : undefined))
    await new Promise(resolve => setTimeout(resolve, 500))

    await now.domains.define(second)
    await now.domains.start(first.id)
    await untilHeard(second.id, 'defined')
    await untilHeard(first.id, 'changed')
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
