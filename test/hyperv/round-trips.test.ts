import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { connect } from '../../src/drivers/hyperv/index.ts'
import { Relay } from '../wsman/transport-relay.ts'
import { network, nic } from '../conformance/parts.ts'
import { disk, image, withDisks } from './machine-drives.ts'
import { domainConfig, startHost } from './setting.ts'

const CONNECTIONS = 4

/** How often what was looked at is looked at again: a busy machine ends a job late now and then, and it is asked about once more. */
const AGAIN_MAX = 3

/** Demands that what `look` counts is `costs`, to the request; what costs more does so each time. */
async function assertCosts(
  costs: Readonly<Record<string, number>>,
  look: () => Promise<Readonly<Record<string, number>>>,
): Promise<void> {
  let trips = await look()
  for (let left = AGAIN_MAX; left > 0 && !isDeepStrictEqual(trips, costs); left--) trips = await look()
  assert.deepEqual(trips, costs)
}

/** What each operation may cost of round trips, logging on and the waits for jobs left out. */
const COSTS = [
  {
    namespace: 'v2',
    build: '20348',
    costs: { list: 1, define: 6, get: 1, config: 3, redefine: 5, start: 5, powerOff: 4, undefine: 3 },
  },
  // A machine's name and its notes are two objects, and its ports others than its own.
  {
    namespace: 'v1',
    build: '7601',
    costs: { list: 1, define: 8, get: 1, config: 3, redefine: 5, start: 5, powerOff: 4, undefine: 5 },
  },
] as const

for (const { namespace, build, costs } of COSTS) {
  test(`operations take few round trips through ${namespace}, however many machines there are`, () =>
    assertCosts(costs, async () => {
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

        assert.deepEqual(host.complaints, [])
        return trips
      } finally {
        await close()
      }
    }))
}

const SCSI = { bus: 'paravirtualised' } as const

/** The same of a machine with a disk and an interface in a network; a tag costs one more. */
const DEVICE_COSTS = [
  {
    namespace: 'v2',
    build: '20348',
    costs: {
      define: 11,
      config: 3,
      setMemory: 5,
      infoOfHalted: 2,
      start: 7,
      infoOfRunning: 2,
      attachDisk: 7,
      detachDisk: 6,
      connectNic: 6,
      configs: 16,
    },
  },
  {
    namespace: 'v1',
    build: '7601',
    costs: {
      define: 15,
      config: 4,
      setMemory: 6,
      infoOfHalted: 2,
      start: 8,
      infoOfRunning: 2,
      attachDisk: 8,
      detachDisk: 7,
      connectNic: 8,
      configs: 14,
    },
  },
] as const

for (const { namespace, build, costs } of DEVICE_COSTS) {
  test(`devices take few round trips through ${namespace}`, () =>
    assertCosts(costs, async () => {
      const { host, driver, count, close } = await counted('--vms', '50', '--pace', '0', '--build', build)
      try {
        const lab = network()
        await driver.networks?.define(lab)
        const [system, more] = [disk(await image(host, 'a.vhd'), 'hda'), disk(await image(host, 'b.vhd'), 'sdb', SCSI)]
        const config = { ...withDisks(system), nics: [nic(lab.id)] }
        const { id } = config
        const ids = (await driver.domains.list()).map(domain => domain.id)
        const trips: Record<string, number> = {
          define: await count(() => driver.domains.define(config)),
          config: await count(() => driver.domains.config(id)),
          setMemory: await count(() => driver.domains.define({ ...config, memoryBytes: config.memoryBytes * 2 })),
          infoOfHalted: await count(() => driver.domains.info(id)),
          start: await count(() => driver.domains.start(id)),
          infoOfRunning: await count(() => driver.domains.info(id)),
          attachDisk: await count(async () => driver.devices?.attachDisk(id, more)),
          detachDisk: await count(async () => driver.devices?.detachDisk(id, more.id)),
          connectNic: await count(async () => driver.devices?.connectNic(id, config.nics[0]?.id ?? '', null)),
          configs: await count(() => driver.domains.configs(ids)),
        }

        assert.deepEqual(host.complaints, [])
        return trips
      } finally {
        await close()
      }
    }))
}

/**
 * What it costs to look at a domain that runs, with as many processors as it may have, and to set what does not stop it.
 * The times of processors come in two answers; that the machine is on was seen a moment before.
 */
const LOOKS = [
  {
    namespace: 'v2',
    build: '20348',
    vcpus: 64,
    costs: {
      vcpus: 2,
      metrics: 6,
      autostart: 2,
      setAutostart: 2,
      shares: 2,
      setShares: 4,
      screenshot: 3,
      pressKeys: 6,
      takeSnapshot: 11,
      snapshots: 3,
      revert: 10,
      removeSnapshot: 5,
    },
  },
  {
    namespace: 'v1',
    build: '7601',
    vcpus: 4,
    costs: {
      vcpus: 2,
      metrics: 6,
      autostart: 2,
      setAutostart: 2,
      shares: 2,
      setShares: 3,
      screenshot: 3,
      pressKeys: 6,
      takeSnapshot: 8,
      snapshots: 3,
      revert: 10,
      removeSnapshot: 5,
    },
  },
] as const

for (const { namespace, build, vcpus, costs } of LOOKS) {
  test(`looking at a domain that runs takes few round trips through ${namespace}`, () =>
    assertCosts(costs, async () => {
      const cpus = ['--cpus', '64', '--build', build]
      const { host, driver, count, close } = await counted('--vms', '50', '--pace', '0', ...cpus)
      const { domains, metrics, autostart, scheduler, screens, snapshots } = driver
      try {
        const config = { ...domainConfig(), vcpus }
        const { id } = config
        // The oldest hosts change shares only where that is none.
        const scheduling = { weight: build === '7601' ? 256 : 512, capPercent: null, affinity: null }
        await domains.define(config)
        await domains.start(id)
        assert.equal((await metrics?.vcpus(id))?.length, vcpus)
        await domains.get(id)
        const trips: Record<string, number> = {
          vcpus: await count(async () => metrics?.vcpus(id)),
          metrics: await count(async () => metrics?.domain(id)),
          autostart: await count(async () => autostart?.get(id)),
          setAutostart: await count(async () => autostart?.set(id, 'always')),
          shares: await count(async () => scheduler?.own?.parameters(id)),
          setShares: await count(async () => scheduler?.set(id, scheduling)),
          screenshot: await count(async () => screens?.screenshot(id)),
          pressKeys: await count(async () => screens?.pressKeys(id, [30, 31], 0)),
          takeSnapshot: await count(async () => snapshots?.create(id, { name: 'a', description: '' })),
          snapshots: await count(async () => snapshots?.list(id)),
        }
        const [made] = (await snapshots?.list(id)) ?? []
        trips['revert'] = await count(async () => snapshots?.revert(id, made?.id ?? ''))
        trips['removeSnapshot'] = await count(async () => snapshots?.remove(id, made?.id ?? ''))

        assert.deepEqual(host.complaints, [])
        return trips
      } finally {
        await close()
      }
    }))
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
