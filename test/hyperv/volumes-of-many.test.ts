import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from '../../src/drivers/hyperv/index.ts'
import { Relay } from '../wsman/transport-relay.ts'
import { putMedium, startHost } from './setting.ts'

const IMAGES = 12
const BYTES = 67_108_864

for (const [build, format] of [
  ['7601', 'vhd'],
  ['20348', 'vhdx'],
] as const) {
  test(`the volumes of a host of build ${build} are told of together, in few round trips once each was looked into`, async () => {
    const host = await startHost('--pace', '0', '--vms', '2', '--build', build)
    const relay = await new Relay(Number(host.uri.port)).listen()
    const uri = new URL(host.uri)
    uri.host = new URL(relay.url).host
    const driver = await connect({ uri, warn: message => host.complaints.push(message) })
    const { storage } = driver
    assert(storage?.getVolumes !== undefined)
    try {
      const repository = { type: 'dir', location: 'C:\\Images' }
      await storage.openRepository(repository)
      const made = []
      for (let index = 0; index < IMAGES; index++) {
        made.push(await storage.createVolume(repository, { name: `disk-${index}`, format, virtualBytes: BYTES }))
      }
      const cd = putMedium(host, 'Media', 'cd.iso')
      const locations = [...made.map(({ location }) => location), cd]
      const asked = [...locations, 'C:\\Images\\gone.vhd', 'C:\\Nowhere\\a.vhd', 'no place']
      const first = await storage.getVolumes(asked)
      relay.seen.length = 0

      const told = await storage.getVolumes(asked)

      const trips = Buffer.concat(relay.seen).toString('latin1').split('POST /wsman').length - 1
      // The files of three folders, and what lies in drives.
      assert(trips <= 8, `${trips} round trips`)
      assert.deepEqual(told, first)
      assert.deepEqual([...told.keys()], locations)
      const alone = await Promise.all(locations.map(location => storage.getVolume(location)))
      assert.deepEqual([...told.values()], alone)
      await storage.resizeVolume(locations[0] ?? '', 2 * BYTES)
      assert.equal((await storage.getVolumes(locations)).get(locations[0] ?? '')?.virtualBytes, 2 * BYTES)
      assert.deepEqual(host.complaints, [])
    } finally {
      await driver.close()
      await relay[Symbol.asyncDispose]()
      await host.sim.close()
    }
  })
}
