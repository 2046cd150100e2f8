import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cpuTimesOf } from '../../sim/hyperv/host/life.ts'
import type { Asker } from '../../src/drivers/hyperv/cimv2/counters.ts'
import { readAdapterCounters, readImageCounters } from '../../src/drivers/hyperv/cimv2/device-counters.ts'
import { CpuTimes } from '../../src/drivers/hyperv/cpu-times.ts'
import { WsmanFault } from '../../src/protocols/wsman/index.ts'
import { network, nic } from '../conformance/parts.ts'
import { disk, image, withDisks } from './machine-drives.ts'
import { domainConfig, startHost } from './setting.ts'

const FAULT = {
  providerCode: undefined,
  cimStatus: undefined,
  subcodes: [],
  soapCode: undefined,
  reason: 'no',
  detail: undefined,
  provider: undefined,
  faultDetail: undefined,
  notUnderstood: undefined,
  status: undefined,
} as const

test('a machine is measured by its own counters: processors, images and adapters', async () => {
  for (const build of ['7601', '20348']) {
    const host = await startHost('--pace', '0', '--build', build)
    const driver = await host.connect()
    const { domains, metrics } = driver
    assert(metrics !== undefined)
    try {
      const lab = network()
      await driver.networks?.define(lab)
      const [plugged, unplugged] = [nic(lab.id), nic()]
      const [system, data] = [disk(await image(host, 'a-b.vhd'), 'hda'), disk(await image(host, 'b.vhd'), 'hdb')]
      const config = { ...withDisks(system, data), nics: [plugged, unplugged], vcpus: 2 }
      await domains.define(config)
      await driver.snapshots?.create(config.id, { name: 'a', description: '' })
      await domains.start(config.id)
      // Turns and not one time, for the guest starts by timers of no time at all, however late they are.
      for (let turn = 0; turn < 10; turn++) await new Promise(resolve => setTimeout(resolve, 10))
      const { disks, nics, vcpuMs, memoryBytes, tools } = await metrics.domain(config.id)

      assert.deepEqual(new Set(disks.map(({ id }) => id)), new Set([system.id, data.id]))
      for (const { readBytes, writtenBytes } of disks) assert(readBytes + writtenBytes > 0)
      for (const { readBytes, reads = -1, writtenBytes, writes = -1, flushes = -1, errors, readNs } of disks) {
        assert(reads >= 0 && reads <= readBytes && writes >= 0 && writes <= writtenBytes && flushes >= 0)
        // How long requests took, no host tells.
        assert.deepEqual([errors, readNs], [0, undefined])
      }
      const packets = nics.find(({ id }) => id === plugged.id) ?? assert.fail()
      assert((packets.receivedPackets ?? -1) >= 0 && (packets.sentPackets ?? -1) <= packets.sentBytes)
      assert.equal(packets.sentDropped, build === '7601' ? undefined : 0)
      assert.equal(packets.sentErrors, undefined)
      const bytesOf = (id: string) => nics.filter(one => one.id === id).map(one => one.receivedBytes + one.sentBytes)
      assert((bytesOf(plugged.id)[0] ?? 0) > 0)
      assert.deepEqual(bytesOf(unplugged.id), [0])
      assert.equal(memoryBytes, config.memoryBytes)
      assert.match(tools['hyper-v-integration-services'] ?? '', /^\d+\.\d+/)
      const vm = host.sim.host?.state.vms[0]
      assert(vm !== undefined && host.sim.host !== undefined)
      const now = cpuTimesOf(host.sim.host, vm).map(time => Number(time) / 10_000)
      vcpuMs.forEach((ms, number) => assert(ms <= (now[number] ?? 0) && ms > (now[number] ?? 0) - 1_000))
      assert.deepEqual(host.complaints, [])
    } finally {
      await driver.close()
      await host.sim.close()
    }
  }
})

test('of machines that share their name no processor times are told, and of one of them again when it is alone', async () => {
  const host = await startHost('--pace', '0')
  const driver = await host.connect()
  const { domains, metrics } = driver
  assert(metrics !== undefined)
  try {
    const [one, other] = [
      { ...domainConfig(), name: 'twin' },
      { ...domainConfig(), name: 'twin' },
    ]
    for (const config of [one, other]) {
      await domains.define(config)
      await domains.start(config.id)
    }
    await assert.rejects(metrics.vcpus(one.id), { kind: 'refused', message: /several are called twin/ })
    await assert.rejects(metrics.domain(other.id), { kind: 'refused' })
    assert.equal((await domains.info(one.id)).cpuMs, 0)
    await domains.powerOff(other.id)

    assert.equal((await metrics.vcpus(one.id)).length, 1)
    // Counters do not look at the case of names, and the second one's have a number behind.
    const shouting = { ...domainConfig(), name: 'TWIN' }
    await domains.define(shouting)
    await domains.start(shouting.id)
    await assert.rejects(metrics.vcpus(shouting.id), { kind: 'refused', message: /several are called TWIN/ })
    assert.equal((await metrics.vcpus(one.id)).length, 1)
  } finally {
    await driver.close()
    await host.sim.close()
  }
})

test('where Windows has lost its classes of counters, nothing of them is told, and other refusals are', async () => {
  const answering = (code: number): Asker => ({
    query: () => Promise.reject(new WsmanFault({ ...FAULT, code })),
  })
  const [invalidClass, cannotProcessFilter, accessDenied] = [0x80041010, 0x80041017, 0x80041003]
  const asked = ['C:\\a.vhdx']

  for (const code of [invalidClass, cannotProcessFilter]) {
    assert.deepEqual(await readImageCounters(answering(code), asked), new Map())
    assert.deepEqual(await readAdapterCounters(answering(code), asked, 20_348), new Map())
  }
  await assert.rejects(readImageCounters(answering(accessDenied), asked), WsmanFault)
  assert.deepEqual(await new CpuTimes(answering(invalidClass)).of('web'), [])
  assert.deepEqual(await new CpuTimes(answering(invalidClass)).ofAll(), new Map())
})
