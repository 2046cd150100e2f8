import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { domainConfig } from '../../src/handlers/domain-config.ts'
import { memoryDriver, MemoryHost } from '../../src/drivers/memory/index.ts'
import { scan, ensureRepository } from '../../src/handlers/repository.ts'
import type { DomainConfig } from '../../src/drivers/driver.ts'
import { network, SR, VBD, VDI, VIF, VM } from '../../src/model/index.ts'
import { newRecord } from '../../src/model/kernel/operations.ts'
import { startEngine } from './engine-world.ts'

const DOMAIN = '6f1c1f60-3f0a-4c53-9c0e-5b8b7f0a1c2d'
const DISK = '0b5e7d52-9f0e-4d8f-8b8c-3f1f0e6a7b11'
const NIC = '4a7a9f0c-5d2e-4c1b-9d3f-2b6c8e1f7a22'
const NETWORK = 'c1d2e3f4-1a2b-4c3d-8e4f-5a6b7c8d9e33'

/** A definition in which nothing is as it would be by itself. */
const config = (location: string): DomainConfig => ({
  id: DOMAIN,
  name: 'stranger',
  description: 'of another manager',
  memoryBytes: 2 ** 26,
  memoryTargetBytes: 2 ** 25,
  vcpus: 2,
  cpu: { required: ['FPU'], canUse: ['FPU', 'XMM2'], forceOn: ['XMM'], forceOff: ['MMX'] },
  scheduling: { weight: 512, capPercent: 50, affinity: [0] },
  boot: { kind: 'firmware', device: 'cdrom' },
  disks: [
    {
      id: DOMAIN,
      kind: 'cdrom',
      location: '/srv/a.iso',
      format: 'raw',
      readOnly: true,
      device: 'hdc',
      bus: 'emulated',
    },
    {
      id: DISK,
      kind: 'disk',
      location,
      format: 'raw',
      readOnly: false,
      device: 'xvda',
      bus: 'paravirtualised',
      shared: true,
      limits: { readBytes: { perSecond: 4096, burst: 8192, burstSeconds: 2 }, requestBytes: 4096, group: 'slow' },
      alias: 'data',
    },
  ],
  nics: [
    {
      id: NIC,
      mac: '52:54:00:12:34:56',
      mtu: 1400,
      model: 'paravirtualised',
      device: 'eth3',
      network: NETWORK,
      linkDown: true,
      alias: 'uplink',
    },
    { id: 'not-a-uuid', mac: '52:54:00:12:34:57', mtu: 1500, model: 'emulated', device: 'eth4', network: null },
  ],
  platform: {
    vga: 'std',
    serial: 'pty',
    localTime: true,
    keepClockOffset: true,
    audio: true,
    rng: true,
    tablet: true,
    memoryStatsSeconds: 5,
    tpm: true,
    enlightened: true,
    pciDevices: ['0000:03:00.0'],
  },
  exits: { shutdown: 'restart', reboot: 'halt', suspend: 'restart', crash: 'restart' },
  annotations: { title: 'A title', metadata: { 'urn:x': '<x xmlns="urn:x"/>' } },
})

const world = await startEngine()
const { driver, services } = world
const { store, hosts } = services
after(() => world.close())
const [host = ''] = hosts.connected().map(connection => connection.host)
await ensureRepository(services, host)
const [sr = ''] = store.all(SR)
const repository = { type: store.get(SR, sr)?.type ?? '', location: store.get(SR, sr)?.location ?? '' }

/** Resolves when the engine has heard of a domain of the host. */
async function adopted(id: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const look = () => store.get(VM, id) !== undefined && resolve()
  const end = store.onChange(look)
  look()
  await promise
  end()
}

describe('domains that another made', () => {
  // Proves: VM.VIFs, VIF.network
  test('a VM that is adopted is described as it was defined, its interfaces and networks among it', async () => {
    await store.transact(transaction => transaction.insert(network, newRecord(network, { uuid: NETWORK })))
    await driver.networks?.define({ id: NETWORK, name: 'n', nic: '', vlan: null, gateway: '', netmask: '' })
    const wanted = { name: 'root', format: 'raw', virtualBytes: 2 ** 20 } as const
    const { location } = await driver.storage.createVolume(repository, wanted)

    await driver.domains.define(config(location))
    await adopted(DOMAIN)

    const vm = store.get(VM, DOMAIN) ?? assert.fail('no VM')
    const told: DomainConfig = domainConfig(services, vm)
    const [, other = ''] = vm.VIFs
    const { nics = [], ...rest } = config(location)
    assert.deepEqual(told, { ...rest, nics: nics.map(nic => (nic.id === NIC ? nic : { ...nic, id: other })) })
    assert.deepEqual(store.get(network, NETWORK)?.VIFs, [NIC])
    assert.equal(store.get(VBD, DISK)?.currently_attached, false)
  })

  test('a VM keeps the CPU with all that its host can offer, which no field says, until a field says something', async () => {
    const vm = store.get(VM, DOMAIN) ?? assert.fail('no VM')
    const cpu = { required: [], canUse: [], forceOn: [], forceOff: [] }
    const plain = {
      ...vm,
      definition: JSON.stringify({ ...config(''), cpu }),
      VCPUs_features_required: [],
      VCPUs_features_can_use: [],
      VCPUs_features_force_on: [],
      VCPUs_features_force_off: [],
    }

    assert.deepEqual(domainConfig(services, plain).cpu, cpu)
    assert.deepEqual(domainConfig(services, { ...plain, VCPUs_features_force_off: ['MMX'] }).cpu, {
      ...cpu,
      forceOff: ['MMX'],
    })
    assert.equal(domainConfig(services, { ...plain, definition: '' }).cpu, undefined)
  })

  test('a VM goes on booting from the network, which the draft has no word for, until another device is chosen', async () => {
    const vm = store.get(VM, DOMAIN) ?? assert.fail('no VM')
    const boot = { kind: 'firmware', device: 'network' } as const
    const plain = { ...vm, bios_boot: 'HD', definition: JSON.stringify({ ...config(''), boot }) } as const

    assert.deepEqual(domainConfig(services, plain).boot, boot)
    assert.deepEqual(domainConfig(services, { ...plain, bios_boot: 'CDROM' }).boot, { ...boot, device: 'cdrom' })
    assert.deepEqual(domainConfig(services, { ...plain, definition: '' }).boot, { ...boot, device: 'disk' })
  })

  // Proves: VBD.currently_attached, VIF.currently_attached
  test('the devices of a VM that runs when it is adopted are attached', async () => {
    const running = new MemoryHost({ name: 'running' })
    const before = memoryDriver({ host: running })
    const { cpu: _, platform: __, ...plain } = config('')
    const [drive = assert.fail('no drive')] = plain.disks
    const [nic = assert.fail('no interface')] = plain.nics ?? []
    const devices = { disks: [{ ...drive, id: DISK, location: '' }], nics: [{ ...nic, network: null }] }
    await before.domains.define({ ...plain, ...devices })
    await before.domains.start(DOMAIN)

    const other = await startEngine([], running)

    assert.equal(other.services.store.get(VM, DOMAIN)?.power_state, 'Running')
    assert.equal(other.services.store.get(VBD, DISK)?.currently_attached, true)
    assert.equal(other.services.store.get(VIF, NIC)?.currently_attached, true)
    await other.close()
  })
})

describe('images that are not where they were', () => {
  // Proves: VDI.image_format
  test('an image whose format a clone had changed when the server died is found again by its folder and name', async () => {
    const wanted = { name: 'brought-along', format: 'raw', virtualBytes: 2 ** 20 } as const
    const { location } = await driver.storage.createVolume(repository, wanted)
    await scan(services, sr)
    const image = store.all(VDI).find(ref => store.get(VDI, ref)?.location === location) ?? assert.fail('not adopted')
    const { original, clone } = (await driver.clones?.cloneVolume(location, { name: 'copy' })) ?? assert.fail()
    assert.notEqual(original.location, location)

    await scan(services, sr)

    const found = store.get(VDI, image)
    assert.deepEqual([found?.location, found?.image_format], [original.location, original.format])
    const others = store.all(VDI).flatMap(ref => store.get(VDI, ref)?.location ?? [])
    assert.equal(new Set(others).size, others.length)
    assert.equal(others.filter(each => each === clone.location).length, 1)
  })
})
