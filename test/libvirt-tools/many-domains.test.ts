import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Relay } from '../wsman/transport-relay.ts'
import { type HostName, serve } from './world.ts'

const MACHINES = 200
const DOMAINS = 5_000
/** Of the driver to a host, of which each logs on once, in several requests. */
const CONNECTIONS = 4
/** However many machines there are. */
const STATS_TRIPS_MAX = 60

/** What is told of domains, without the values. */
const namesIn = (told: string): string => told.replaceAll(/=.*/g, '')

for (const host of ['v1', 'v2'] as const satisfies readonly HostName[]) {
  test(`virsh lists and measures ${MACHINES} machines of Hyper-V through ${host} in few round trips`, async () => {
    const relays: Relay[] = []
    const through = async (uri: URL) => {
      const relay = await new Relay(Number(uri.port)).listen()
      relays.push(relay)
      const detour = new URL(uri)
      detour.host = new URL(relay.url).host
      return detour
    }
    const world = await serve({ hosts: [host], hyperv: ['--vms', `${MACHINES}`], through })
    try {
      const driver = world.driver(host)
      await Promise.all(Array.from({ length: CONNECTIONS }, () => driver.domains.list()))
      const requests = () =>
        Buffer.concat(relays.flatMap(({ seen }) => seen))
          .toString('latin1')
          .split('POST /wsman')
      const before = requests().length

      const listed = await world.ok(host, 'list', '--all')

      assert.equal(listed.match(/shut off|running/g)?.length, MACHINES)
      // One where this machine is fast; on one that is busy, another for each quarter of a second.
      const trips = requests().length - before
      assert(trips >= 1 && trips <= 10, `${trips} round trips`)

      const told = await world.ok(host, 'domstats')
      const between = requests().length
      assert.deepEqual(namesIn(await world.ok(host, 'domstats')), namesIn(told))
      // What lies in images was read by then.
      const tripsAgain = requests().length - between
      assert(tripsAgain <= STATS_TRIPS_MAX, `${tripsAgain} round trips for statistics`)
      assert.equal(told.match(/^Domain: /gm)?.length, MACHINES)
      assert.deepEqual(world.complaints, [])
    } finally {
      await world.close()
      for (const relay of relays) await relay[Symbol.asyncDispose]()
    }
  })
}

test(`virsh lists ${DOMAINS} domains within seconds`, async () => {
  const world = await serve({ hosts: ['memory'], memory: { vms: DOMAINS } })
  try {
    const began = performance.now()
    const listed = await world.ok('memory', 'list', '--all', '--managed-save')

    assert.equal(listed.match(/shut off/g)?.length, DOMAINS)
    assert(performance.now() - began < 15_000)
  } finally {
    await world.close()
  }
})
