import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from '../../src/drivers/hyperv/index.ts'
import { Relay } from '../wsman/transport-relay.ts'
import { network, nic } from '../conformance/parts.ts'
import { disk, image, withDisks } from './machine-drives.ts'
import { domainConfig, startHost } from './setting.ts'

const CONNECTIONS = 4

/** What each operation may cost of round trips, logging on and the waits for jobs left out. */
const COSTS = [
  {
    namespace: 'v2',
    build: '20348',
    costs: { list: 1, define: 7, get: 1, config: 3, redefine: 5, start: 5, powerOff: 4, undefine: 3 },
  },
  // A machine's name and its notes are two objects, and its ports others than its own.
  {
    namespace: 'v1',
    build: '7601',
    costs: { list: 1, define: 10, get: 1, config: 3, redefine: 6, start: 5, powerOff: 4, undefine: 5 },
  },
] as const

for (const { namespace, build, costs } of COSTS) {
  test(`operations take few round trips through ${namespace}, however many machines there are`, async () => {
    const { host, driver, count, close } = await counted('--vms', '200', '--pace', '0', '--build', build)
    try {
      const config = domainConfig()
      const trips: Record<string, number> = {
        list: await count(() => driver.domains.list()),
        define: await count(() => driver.domains.define(config)),
        get: await count(() => driver.domains.get(config.id)),
        config: await count(() => driver.domains.config(config.id)),
        redefine: await count(() => driver.domains.define({ ...config, description: 'other', vcpus: 2 })),
        start: await count(() => driver.domains.start(config.id)),
        powerOff: await count(() => driver.domains.powerOff(config.id)),
        undefine: await count(() => driver.domains.undefine(config.id)),
      }

      assert.deepEqual(trips, costs)
      assert.deepEqual(host.complaints, [])
    } finally {
      await close()
    }
  })
}

/** A host, a connection to it, and what counts the requests that an operation sends. */
async function counted(...options: readonly string[]) {
  const host = await startHost(...options)
  const relay = await new Relay(Number(host.uri.port)).listen()
  const uri = new URL(host.uri)
  uri.host = new URL(relay.url).host
  const driver = await connect({ uri, warn: message => host.complaints.push(message) })
  // Every connection logs on once, in several requests.
  await Promise.all(Array.from({ length: CONNECTIONS }, () => driver.domains.list()))
  const requests = () => Buffer.concat(relay.seen).toString('latin1').split('POST /wsman').length
  const count = async (operation: () => Promise<unknown>) => {
    const before = requests()
    await operation()
    return requests() - before
  }
  const close = async () => {
    await driver.close()
    await relay[Symbol.asyncDispose]()
    await host.sim.close()
  }
  return { host, driver, count, close }
}
