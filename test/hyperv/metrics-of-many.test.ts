import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from '../../src/drivers/hyperv/index.ts'
import type { DomainMetrics } from '../../src/drivers/driver.ts'
import { network, nic } from '../conformance/parts.ts'
import { Relay } from '../wsman/transport-relay.ts'
import { disk, image, withDisks } from './machine-drives.ts'
import { startHost } from './setting.ts'

const MACHINES = 40

/** What does not grow by itself from one reading to the next. */
const shape = ({ memoryBytes, vcpuMs, disks, nics, tools }: DomainMetrics) => ({
  memoryBytes,
  vcpus: vcpuMs.length,
  disks: disks.map(({ id }) => id).toSorted(),
  nics: nics.map(({ id }) => id).toSorted(),
  tools,
})

for (const build of ['7601', '20348']) {
  test(`the machines of a host of build ${build} are measured together, in few round trips, as each alone`, async () => {
    const host = await startHost('--pace', '0', '--vms', String(MACHINES), '--build', build)
    const relay = await new Relay(Number(host.uri.port)).listen()
    const uri = new URL(host.uri)
    uri.host = new URL(relay.url).host
    const driver = await connect({ uri, warn: message => host.complaints.push(message) })
    const { domains, metrics } = driver
    assert(metrics?.domains !== undefined)
    try {
      const lab = network()
      await driver.networks?.define(lab)
      const config = { ...withDisks(disk(await image(host, 'own.vhd'), 'hda')), nics: [nic(lab.id)] }
      await domains.define(config)
      await domains.start(config.id)
      const all = await domains.list()
      const running = all.filter(({ state }) => state === 'running').map(({ id }) => id)
      relay.seen.length = 0

      const measured = await metrics.domains(all.map(({ id }) => id))

      const trips = Buffer.concat(relay.seen).toString('latin1').split('POST /wsman').length - 1
      assert.deepEqual(measured.map(({ id }) => id).toSorted(), running.toSorted())
      // However many there are.
      assert(trips <= 24, `${trips} round trips`)
      const { id: _, ...own } = measured.find(({ id }) => id === config.id) ?? assert.fail('it was left out')
      assert.deepEqual(shape(own), shape(await metrics.domain(config.id)))
      assert.equal(own.disks.length, 1)
      assert.deepEqual(await metrics.domains(['nobody']), [])
      assert.deepEqual(host.complaints, [])
    } finally {
      await driver.close()
      await relay[Symbol.asyncDispose]()
      await host.sim.close()
    }
  })
}
