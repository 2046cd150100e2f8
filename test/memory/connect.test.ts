import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Driver } from '../../src/drivers/driver.ts'
import { connect } from '../../src/drivers/memory/index.ts'
import { parseMemoryUri } from '../../src/drivers/memory/uri.ts'
import { definition } from './definition.ts'

function open(uri: string): Promise<Driver> {
  return connect({ uri: new URL(uri) })
}

test('a URI says name, domains, seed, latency and faults', () => {
  const uri = new URL('memory:///lab%20one?vms=3&seed=7&latency=20&faults=0.25')

  assert.deepEqual(parseMemoryUri(uri), { name: 'lab one', vms: 3, seed: 7, latency: 20, faults: 0.25 })
})

test('a URI that says nothing means an empty, quick, faultless host', () => {
  const empty = { name: 'memory', vms: 0, seed: 0, latency: 0, faults: 0 }

  for (const uri of ['memory:///', 'memory:', 'memory://']) assert.deepEqual(parseMemoryUri(new URL(uri)), empty)
})

const REFUSALS: ReadonlyArray<readonly [string, RegExp]> = [
  ['memory:///x?vmz=3', /unknown parameter, vmz/],
  ['memory:///x?toString=3', /unknown parameter, toString/],
  ['memory:///x?vms=3&vms=4', /vms twice/],
  ['memory:///x?vms=-1', /vms/],
  ['memory:///x?vms=', /vms/],
  ['memory:///x?vms=1.5', /vms that is not a whole number/],
  ['memory:///x?vms=1000000000', /vms that is not a number from 0 to 100000/],
  ['memory:///x?vms=0x10', /vms/],
  ['memory:///x?latency=99999999', /latency/],
  ['memory:///x?faults=1.1', /faults/],
  ['memory:///x?seed=1e3', /seed/],
  ['memory://somewhere/x', /host/],
  ['memory:///x/y', /slash/],
  ['memory:///%E0%A4%A', /encoded/],
  ['memory:///x#y', /fragment/],
]

for (const [uri, problem] of REFUSALS) {
  test(`the URI ${uri} is refused by what is wrong with it`, async () => {
    await assert.rejects(open(uri), { name: 'DriverError', kind: 'refused', message: problem })
  })
}

test('a host is found again under its name, domains and guests included', async () => {
  const config = definition('web')
  const first = await open('memory:///found-again?vms=2')
  await first.domains.define(config)
  await first.domains.start(config.id)
  await first.close()
  const second = await open('memory:///found-again?vms=2')

  assert.equal((await second.domains.list()).length, 3)
  assert.equal((await second.domains.get(config.id)).state, 'running')
  await second.close()
})

test('a guest that was asked to shut down before its driver was closed has done so when one connects again', async () => {
  const config = definition('web')
  const first = await open('memory:///asleep')
  await first.domains.define(config)
  await first.domains.start(config.id)
  await first.domains.requestShutdown(config.id)
  await first.close()
  const second = await open('memory:///asleep')

  for (let tries = 0; (await second.domains.get(config.id)).state === 'running'; tries++) {
    assert(tries < 2_000, 'the guest never shut down')
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  await second.close()
})

test('hosts of different names have nothing in common', async () => {
  const [one, other] = [await open('memory:///one?vms=1'), await open('memory:///other?vms=1')]

  assert.notEqual((await one.host.info()).id, (await other.host.info()).id)
  assert.notDeepEqual(await one.domains.list(), await other.domains.list())
})

test('a host is not made again with other domains under a name that is taken', async () => {
  await open('memory:///taken?vms=1&seed=1')

  await assert.rejects(open('memory:///taken?vms=2&seed=1'), { kind: 'refused', message: /vms=1/ })
  await open('memory:///taken?vms=1&seed=1&latency=5')
})
