import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { until } from '../support/machine.ts'
import { ApiClient } from '../support/client.ts'
import { ADMIN, startServer } from '../support/server.ts'
import { disk, network, nic } from '../conformance/parts.ts'
import { domainConfig, type HypervHost, putMedium, startHost } from './setting.ts'

// Hyper-V hosts behind the API that clients speak: everything below goes through the same handlers as on any host.

const MEMORY = String(64 * 1_048_576)
/** Hyper-V makes none smaller than 3 MiB. */
const SECTORS = '8192'
const FOLDER = 'C:\\Images'

/** One that has both namespaces would be driven through the newer. */
const HOSTS = [
  { name: 'root\\virtualization\\v2', format: 'vhdx', sim: await startHost('--pace', '0', '--vms', '2') },
  {
    name: 'root\\virtualization',
    format: 'vhd',
    sim: await startHost('--pace', '0', '--vms', '2', '--build', '7601', '--name', 'HV2008'),
  },
] as const
/** A machine with a disk in a folder of its own and a cable in a switch, as somebody has them whose host is added. */
const theirs = { machine: 'theirs', network: 'office', folder: 'C:\\VMs' } as const
for (const { sim, format } of HOSTS) await settle(sim, format)
const server = await startServer({ hosts: HOSTS.map(({ sim }) => sim.uri.href) })
const client = new ApiClient(server.http)
const root = await client.login(ADMIN.name, ADMIN.password)

after(async () => {
  client.close()
  assert.equal(await server.stop(), 0, server.log())
  for (const { sim } of HOSTS) await sim.sim.close()
  // Clients are promised which errors each message answers.
  assert.doesNotMatch(server.log(), /an error that is not declared/)
})

async function settle(host: HypervHost, format: 'vhd' | 'vhdx'): Promise<void> {
  const driver = await host.connect()
  const { networks, storage, domains } = driver
  const place = { type: 'dir', location: theirs.folder }
  const office = network({ name: theirs.network })
  await networks?.define(office)
  await storage?.openRepository(place)
  const volume = await storage?.createVolume(place, { name: 'root', format, virtualBytes: 4_194_304 })
  assert(volume !== undefined)
  await domains.define({
    ...domainConfig(),
    name: theirs.machine,
    disks: [disk(volume, { device: 'hda', bus: 'emulated' })],
    nics: [nic(office.id)],
  })
  await driver.close()
}

for (const { name, format, sim } of HOSTS) {
  describe(`a host with ${name}`, () => {
    const place = placeOf(sim)
    finds(place, format)
    lives(place)
    stores(place, format)
    plugs(place)
    copies(place, format)
    refuses(place)
  })
}

/** One of the hosts, and what is there. */
interface Place {
  readonly host: HypervHost
  readonly here: () => Promise<string>
  readonly repository: () => Promise<string>
  readonly machine: (values?: Readonly<Record<string, string | boolean>>) => Promise<string>
  readonly image: () => Promise<string>
  /** Both hosts have a file of this name. */
  readonly disc: () => Promise<string>
}

function placeOf(host: HypervHost): Place {
  const here = async () => {
    const refs = await root.list('host.get_all')
    const uris = await Promise.all(refs.map(ref => root.text('host.get_uri', ref)))
    return refs[uris.indexOf(host.uri.href)] ?? assert.fail('no host')
  }
  const repository = async () => {
    const [own, all] = [await here(), await root.list('SR.get_all')]
    const hosts = await Promise.all(all.map(sr => root.text('SR.get_host', sr)))
    return all[hosts.indexOf(own)] ?? assert.fail('no repository')
  }
  const machine = async (values: Readonly<Record<string, string | boolean>> = {}) =>
    root.text('VM.create', { memory_static_max: MEMORY, affinity: await here(), ...values })
  const image = async () => root.text('VDI.create', { virtual_size: SECTORS, SR: await repository() })
  const disc = async () => {
    const [own, all] = [await here(), await root.list('VDI.get_by_name_label', 'first')]
    const hosts = await Promise.all(all.map(async vdi => root.text('SR.get_host', await root.text('VDI.get_SR', vdi))))
    return all[hosts.indexOf(own)] ?? assert.fail('no disc')
  }
  return { host, here, repository, machine, image, disc }
}

const powerState = (vm: string) => root.text('VM.get_power_state', vm)

function finds({ here, repository }: Place, format: string): void {
  test('it is an object, as are the machines that somebody else made on it', async () => {
    const own = await here()
    const vms = await root.list('VM.get_all')
    const places = await Promise.all(vms.map(vm => root.text('VM.get_affinity', vm)))
    const names = await Promise.all(vms.map(vm => root.text('VM.get_name_label', vm)))

    assert.notEqual(await root.text('host.get_name_label', own), '')
    const found = names.filter((_, at) => places[at] === own)
    assert.deepEqual(new Set(found), new Set(['vm-0001', 'vm-0002', theirs.machine]))
  })

  test('so are its switch and its images, in repositories where Hyper-V puts them and where its machines have them', async () => {
    const own = await here()
    const vms = await root.list('VM.get_by_name_label', theirs.machine)
    const places = await Promise.all(vms.map(vm => root.text('VM.get_affinity', vm)))
    const vm = vms[places.indexOf(own)] ?? ''
    const [vbd = ''] = await root.list('VM.get_VBDs', vm)
    const [vif = ''] = await root.list('VM.get_VIFs', vm)
    const vdi = await root.text('VBD.get_VDI', vbd)
    const sr = await root.text('VDI.get_SR', vdi)

    assert.equal(await root.text('SR.get_location', sr), theirs.folder)
    assert.deepEqual(
      [await root.text('VDI.get_name_label', vdi), await root.text('VDI.get_image_format', vdi)],
      ['root', format],
    )
    assert.equal(await root.text('network.get_name_label', await root.text('VIF.get_network', vif)), theirs.network)
    assert.match(await root.text('SR.get_location', await repository()), /^C:\\.*Hard Disks$/)
  })
}

function lives({ host, machine }: Place): void {
  test('a VM lives its life, and is gone from it when it is deleted', async () => {
    const before = host.sim.host?.state.vms.length
    const vm = await machine({ name_label: 'web' })
    for (const [message, params, state] of [
      ['start', [true], 'Paused'],
      ['unpause', [], 'Running'],
      ['suspend', [false], 'Suspended'],
      ['resume', [false], 'Running'],
      ['hard_reboot', [], 'Running'],
      ['hard_shutdown', [], 'Halted'],
      ['start', [false], 'Running'],
    ] as const) {
      await root.ok(`VM.${message}`, vm, ...params)
      assert.equal(await powerState(vm), state, message)
    }
    await root.ok('VM.clean_shutdown', vm)
    await until('the guest has shut down', async () => ((await powerState(vm)) === 'Halted' ? true : undefined))
    await root.ok('VM.delete', vm)

    assert.equal(host.sim.host?.state.vms.length, before)
  })
}

function stores({ host, here, repository, image }: Place, format: string): void {
  test('images are made where Hyper-V puts them, in its format, grown, and deleted; another format is refused', async () => {
    const vdi = await image()
    const error = await root.fails('VDI.create', { SR: await repository(), virtual_size: SECTORS, image_format: 'raw' })

    assert.equal(await root.text('VDI.get_image_format', vdi), format)
    assert.deepEqual(error.slice(0, 3), ['VALUE_NOT_SUPPORTED', 'image_format', 'raw'])
    await root.ok('VDI.set_virtual_size', vdi, '16384')
    assert.equal(await root.text('VDI.get_virtual_size', vdi), '16384')
    await root.ok('VDI.delete', vdi)
    assert.deepEqual(await root.list('SR.get_VDIs', await repository()), [])
  })

  test('a folder of the host becomes a repository with what lies in it, and what comes later is found by a scan', async () => {
    putMedium(host, 'Images', 'first.iso')
    const place = { type: 'dir', location: FOLDER, host: await here() }
    const sr = await root.text('SR.create', place)
    putMedium(host, 'Images', 'second.iso')

    await root.ok('SR.scan', sr)

    const vdis = await root.list('SR.get_VDIs', sr)
    const names = await Promise.all(vdis.map(vdi => root.text('VDI.get_name_label', vdi)))
    assert.deepEqual(new Set(names), new Set(['first', 'second']))
    assert.equal((await root.fails('SR.create', { ...place, location: 'c:\\images' }))[0], 'OBJECT_NAME_TAKEN')
  })
}

function plugs({ machine, image, disc }: Place): void {
  test('disks, media and cables of a VM come and go while it runs', async () => {
    const vm = await machine({ name_label: 'plugged' })
    const [first, other] = [
      await root.text('network.create', { name_label: 'lab' }),
      await root.text('network.create', {}),
    ]
    await root.ok('VBD.create', { VM: vm, VDI: await image(), device: 'hda' })
    const drive = await root.text('VBD.create', { VM: vm, type: 'CD', mode: 'RO' })
    const vif = await root.text('VIF.create', { VM: vm, network: first, type: 'paravirtualised' })
    await root.ok('VM.start', vm, false)
    const isAttached = (of: string, ref: string) => root.ok(`${of}.get_currently_attached`, ref)

    const vdi = await image()
    const disk = await root.text('VBD.create', { VM: vm, VDI: vdi, driver: 'paravirtualised' })
    assert.equal(await isAttached('VBD', disk), true)
    assert.deepEqual(await root.fails('VDI.delete', vdi), ['OBJECT_IN_USE', 'VDI', vdi, `VBD:${disk}`])
    await root.ok('VBD.delete', disk)
    await root.ok('VDI.delete', vdi)
    await root.ok('VBD.insert', drive, await disc())
    await root.ok('VBD.eject', drive)
    await root.ok('VIF.set_network', vif, other)

    assert.equal(await isAttached('VIF', vif), true)
    assert.equal((await root.fails('network.delete', other))[0], 'OBJECT_IN_USE')
    // Who refuses is named.
    assert.deepEqual((await root.fails('VIF.delete', vif)).slice(0, 3), ['DRIVER_FAILED', 'hyperv', 'VIF.delete'])
    await root.ok('VM.hard_shutdown', vm)
    await root.ok('VIF.delete', vif)
    await root.ok('network.delete', other)
    await root.ok('network.delete', first)
  })
}

function copies({ machine, image }: Place, format: string): void {
  test('a VM is cloned with copies of its disks', async () => {
    const vm = await machine({ name_label: 'original' })
    await root.ok('VBD.create', { VM: vm, VDI: await image(), device: 'hda' })

    const clone = await root.text('VM.clone', vm, 'copy')

    const [vbd = ''] = await root.list('VM.get_VBDs', clone)
    const copy = await root.text('VBD.get_VDI', vbd)
    assert.equal(await root.text('VDI.get_image_format', copy), format)
    assert.equal(await root.text('VDI.get_parent', copy), '')
    await root.ok('VM.start', clone, false)
    await root.ok('VM.hard_shutdown', clone)
  })
}

function refuses({ machine, repository }: Place): void {
  test('what Hyper-V cannot do is refused by name, and leaves the VM halted', async () => {
    const vm = await machine({ name_label: 'loud', platform_enable_audio: true })
    const error = await root.fails('VM.start', vm, false)

    assert.match(error.join(' '), /Hyper-V has no sound card/)
    assert.equal(await powerState(vm), 'Halted')
    assert.equal((await root.fails('SR.clone', await repository(), '', 'copy'))[0], 'DRIVER_UNSUPPORTED')
  })
}
