import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Driver, DriverErrorKind } from '../../src/drivers/driver.ts'
import { nic } from '../conformance/parts.ts'
import { disk, drivesOn, image, withDisks } from './machine-drives.ts'
import { type HypervHost, putMedium, startHost } from './setting.ts'
import { ideOf, IMAGE_CLASS, RESOURCE_CLASS, Stranger } from './stranger.ts'

const IDE = ['hda', 'hdb', 'hdc', 'hdd'] as const
const IDE_PLACES = new Map([
  ['hda', 'ide 0:0'],
  ['hdb', 'ide 0:1'],
  ['hdc', 'ide 1:0'],
  ['hdd', 'ide 1:1'],
])

const rejects = (kind: DriverErrorKind, promise: Promise<unknown>, message?: RegExp) =>
  assert.rejects(promise, { name: 'DriverError', kind, ...(message && { message }) })

for (const [title, ending, ...options] of [
  ['root\\virtualization\\v2', 'vhdx', '--build', '26100'],
  ['root\\virtualization', 'vhd', '--build', '7601'],
] as const) {
  const isNewer = ending === 'vhdx'
  describe(`disks through ${title}`, () => {
    let host: HypervHost
    let driver: Driver
    before(async () => {
      host = await startHost('--pace', '0', ...options)
      driver = await host.connect()
    })
    after(async () => {
      await driver.close()
      await host.sim.close()
      assert.deepEqual(host.complaints, [])
    })
    const config = (id: string) => driver.domains.config(id)

    it('takes the places of IDE in every order, one after another', async () => {
      const files = await Promise.all(IDE.map(name => image(host, `${name}.${ending}`)))
      const all = IDE.map((name, index) => disk(files[index] ?? '', name))
      const placesOf = (disks: typeof all) =>
        Object.fromEntries(disks.map(({ device, location }) => [IDE_PLACES.get(device), location]))
      // Half of the pairs in each namespace, and all four the other way round.
      const pairs = all.flatMap((first, place) =>
        all.filter((_, other) => (isNewer ? other > place : other < place)).map(second => [first, second]),
      )
      for (const order of [...pairs, isNewer ? all.toReversed() : all]) {
        const domain = withDisks(...order.slice(0, 1))
        await driver.domains.define(domain)
        for (let count = 2; count <= order.length; count++) {
          await driver.domains.define({ ...domain, disks: order.slice(0, count) })
        }

        assert.deepEqual(drivesOn(host, domain.name), placesOf(order))
        assert.deepEqual((await config(domain.id)).disks, order)
        await driver.domains.undefine(domain.id)
      }
    })

    it('puts disks, discs and diskettes where their names and buses say, and gives the definition back', async () => {
      const [boot, more, xen] = await Promise.all(['boot', 'more', 'xen'].map(name => image(host, `${name}.${ending}`)))
      const [iso, vfd] = [putMedium(host, 'Media', 'setup.iso'), putMedium(host, 'Media', 'driver.vfd')]
      const domain = withDisks(
        disk(more ?? '', 'sdc', { bus: 'paravirtualised' }),
        disk(xen ?? '', 'xvdc', { bus: 'paravirtualised' }),
        disk(boot ?? '', 'xvda', { bus: 'paravirtualised' }),
        disk(iso, 'hdd', { kind: 'cdrom', readOnly: true }),
        disk('', 'sr0', { kind: 'cdrom', readOnly: true, bus: 'paravirtualised', format: 'raw' }),
        disk(vfd, 'fda', { kind: 'floppy' }),
      )
      await driver.domains.define(domain)

      assert.deepEqual(drivesOn(host, domain.name), {
        // The first disk by its name is where firmware boots from, which knows IDE alone.
        'ide 0:0': boot,
        'ide 0:1': '',
        'ide 1:1': iso,
        'scsi 0:2': more,
        'scsi 0:3': xen,
        floppy: vfd,
      })
      assert.deepEqual(await config(domain.id), domain)
      await driver.domains.start(domain.id)
      assert.equal((await driver.domains.get(domain.id)).state, 'running')
      await driver.domains.powerOff(domain.id)
      await driver.domains.define({ ...domain, disks: [] })
      assert.deepEqual(drivesOn(host, domain.name), {})
      await driver.domains.undefine(domain.id)
    })

    it('exchanges the images of two drives, and moves a disk from place to place', async () => {
      const [one = '', other = ''] = await Promise.all(['one', 'other'].map(name => image(host, `${name}.${ending}`)))
      const [first, second] = [disk(one, 'hda'), disk(other, 'hdb')]
      const domain = withDisks(first, second)
      for (const disks of [
        [first, second],
        [
          { ...first, location: other },
          { ...second, location: one },
        ],
        [
          { ...first, device: 'hdb' },
          { ...second, device: 'hda' },
        ],
        [{ ...first, device: 'sdb', bus: 'paravirtualised' as const }],
        [{ ...first, device: 'hdc' }],
      ]) {
        await driver.domains.define({ ...domain, disks })
        assert.deepEqual((await config(domain.id)).disks, disks)
      }
      assert.deepEqual(drivesOn(host, domain.name), { 'ide 1:0': one })
      await driver.domains.undefine(domain.id)
    })

    it('finds a file whichever way its path is spelled', async () => {
      const path = await image(host, `spelled.${ending}`)
      for (const spelling of [path.replaceAll('\\', '/'), path.replaceAll('\\', '\\\\'), path.toUpperCase()]) {
        const domain = withDisks(disk(path, 'hda', { location: spelling }))
        await driver.domains.define(domain)
        await driver.domains.start(domain.id)

        assert.deepEqual(await config(domain.id), domain)
        await driver.domains.powerOff(domain.id)
        await driver.domains.undefine(domain.id)
      }
    })

    it('keeps a definition that no machine can be made by, and says at its start why', async () => {
      for (const [location, format, why] of [
        ['C:\\gone.vhd', 'vhd', /find the file|0x80070002/],
        ['C:\\gone.vhdx', 'vhdx', isNewer ? /find the file|0x80070002/ : /came with Windows Server 2012/],
        ['\\\\.\\PHYSICALDRIVE77', 'raw', /no disk .*77/],
        ['/images/a.qcow2', 'qcow2', /qcow2, and Hyper-V has vhd and vhdx/],
      ] as const) {
        const domain = withDisks(disk(location, 'hda', { format }))
        await driver.domains.define(domain)

        assert.deepEqual(await config(domain.id), domain)
        assert.deepEqual(drivesOn(host, domain.name), {})
        await rejects('refused', driver.domains.start(domain.id), why)
        assert.equal((await driver.domains.get(domain.id)).state, 'halted')
        await driver.domains.undefine(domain.id)
      }
    })

    it('starts no domain with an image that a suspended one writes to', async () => {
      const path = await image(host, `claimed.${ending}`)
      const [first, second] = [withDisks(disk(path, 'hda')), withDisks(disk(path.toUpperCase(), 'hdb'))]
      await driver.domains.define(first)
      await driver.domains.define(second)
      await driver.domains.start(first.id)
      await driver.suspension?.suspend(first.id)

      await rejects('refused', driver.domains.start(second.id), /suspended/)
      assert.equal((await driver.domains.get(second.id)).state, 'halted')
      await driver.domains.powerOff(first.id)
      await driver.domains.start(second.id)
      await driver.domains.powerOff(second.id)
      for (const { id } of [first, second]) await driver.domains.undefine(id)
    })

    it('tells definitions of many machines as it tells them one by one', async () => {
      const path = await image(host, `many.${ending}`)
      const domains = Array.from({ length: 6 }, (_, index) => withDisks(disk(path, IDE[index % 4] ?? 'hda')))
      for (const domain of domains) await driver.domains.define(domain)
      const ids = domains.map(({ id }) => id)

      const byId = new Map((await driver.domains.configs(ids)).map(each => [each.id, each]))
      assert.deepEqual(
        ids.map(id => byId.get(id)),
        domains,
      )
      for (const id of ids) await driver.domains.undefine(id)
    })
  })
}

describe('disks that others have a hand in', () => {
  let host: HypervHost
  let driver: Driver
  let other: Stranger
  before(async () => {
    host = await startHost('--pace', '0', '--build', '26100')
    driver = await host.connect()
    other = new Stranger(host)
  })
  after(async () => {
    await driver.close()
    await other.close()
    await host.sim.close()
    assert.deepEqual(host.complaints, [])
  })

  const adaptersOf = (guid: string) =>
    host.sim.host?.state.vms
      .find(vm => vm.id === guid)
      ?.configuration.resources.filter(({ values }) => values['ResourceType'] === 10)
  const guidOf = (name: string): string =>
    host.sim.host?.state.vms.find(vm => vm.configuration.system.values['ElementName'] === name)?.id ?? ''

  it('leaves the image that a snapshot made in its drive, and tells the volume that it is of', async () => {
    const path = await image(host, 'snapped.vhdx')
    const domain = withDisks(disk(path, 'hda'))
    await driver.domains.define(domain)
    for (let count = 0; count < 2; count++) await other.snapshot(guidOf(domain.name))
    const [before] = Object.values(drivesOn(host, domain.name))
    assert.match(before ?? '', /snapped_.*\.avhdx$/)

    assert.deepEqual(await driver.domains.config(domain.id), domain)
    await driver.domains.define({ ...domain, description: 'changed' })
    assert.deepEqual(drivesOn(host, domain.name), { 'ide 0:0': before })
    // It goes with the disk to another place, and not back to where the disk was when the snapshot was taken.
    const moved = { ...domain, disks: domain.disks.map(each => ({ ...each, device: 'hdb' })) }
    await driver.domains.define(moved)
    assert.deepEqual(drivesOn(host, domain.name), { 'ide 0:1': before })
    assert.deepEqual(await driver.domains.config(domain.id), moved)
    await driver.domains.start(domain.id)
    await driver.domains.powerOff(domain.id)
  })

  it('starts no domain with a volume that a running one goes on with in the image of a snapshot', async () => {
    const path = await image(host, 'branched.vhdx')
    const [first, second] = [withDisks(disk(path, 'hda')), withDisks(disk(path, 'hda'))]
    await driver.domains.define(first)
    await other.snapshot(guidOf(first.name))
    await driver.domains.define(second)
    await driver.domains.start(first.id)

    await rejects('refused', driver.domains.start(second.id), /used by another process|0x80070020/)
    await driver.domains.powerOff(first.id)
    await driver.domains.start(second.id)
    await rejects('refused', driver.domains.start(first.id), /0x80070020/)
    await driver.domains.powerOff(second.id)
  })

  it('tells what somebody else has changed, added and taken away', async () => {
    const [mine = '', theirs = '', instead = ''] = await Promise.all(
      ['mine.vhdx', 'theirs.vhdx', 'instead.vhd'].map(name => image(host, name)),
    )
    const domain = withDisks(disk(mine, 'hda'), disk('', 'hdc', { kind: 'cdrom', readOnly: true }))
    await driver.domains.define(domain)
    const guid = guidOf(domain.name)
    await other.exchange(`${ideOf(guid, 0)}\\0\\L`, instead)
    await other.addDisk(guid, ideOf(guid, 1), 1, theirs)

    const [first, second] = domain.disks
    const now = await driver.domains.config(domain.id)
    assert.deepEqual(now.disks.slice(0, 2), [{ ...first, location: instead, format: 'vhd' }, second])
    const [added] = now.disks.slice(2)
    assert.deepEqual({ ...added, id: '' }, { ...disk(theirs, 'hdd'), id: '' })
    await other.remove([IMAGE_CLASS, `${ideOf(guid, 0)}\\0\\L`])
    await other.remove([RESOURCE_CLASS, `${ideOf(guid, 0)}\\0\\D`])
    assert.deepEqual((await driver.domains.config(domain.id)).disks, [second, added])
    await driver.domains.define({ ...domain, disks: [added ?? disk('', '')] })
    assert.deepEqual(drivesOn(host, domain.name), { 'ide 1:1': theirs })
  })

  it('describes a machine of somebody else, and neither loses nor doubles a device of it', async () => {
    const [system = '', data = ''] = await Promise.all(['system.vhdx', 'data.vhdx'].map(name => image(host, name)))
    const guid = await other.make('theirs')
    const scsi = await other.add(guid, { type: 6, subType: 'Synthetic SCSI Controller' })
    await other.addDisk(guid, ideOf(guid, 0), 0, system)
    await other.addDisk(guid, scsi, 5, data)
    await other.add(guid, { type: 16, subType: 'Synthetic DVD Drive', on: ideOf(guid, 1), slot: 0 })
    const card = { type: 10, subType: 'Synthetic Ethernet Port', className: 'Msvm_SyntheticEthernetPortSettingData' }
    await other.add(guid, card)
    await other.add(guid, card)
    const id = guid.toLowerCase()
    const before = drivesOn(host, 'theirs')

    const config = await driver.domains.config(id)
    const shown = config.disks.map(({ device, bus, kind = 'disk', location }) => ({ device, bus, kind, location }))
    assert.deepEqual(
      new Set(shown),
      new Set([
        { device: 'hda', bus: 'emulated', kind: 'disk', location: system },
        { device: 'hdc', bus: 'emulated', kind: 'cdrom', location: '' },
        { device: 'sdf', bus: 'paravirtualised', kind: 'disk', location: data },
      ]),
    )
    assert.deepEqual(
      config.nics?.map(({ device, model, network }) => [device, model, network]),
      [
        ['eth0', 'paravirtualised', null],
        ['eth1', 'paravirtualised', null],
      ],
    )
    assert.deepEqual(await driver.domains.config(id), config, 'the ids are the same each time')
    const kept = adaptersOf(guid)
    const order = () => host.sim.host?.vm(guid)?.configuration.system.values['BootOrder']
    const booted = order()
    for (const description of ['taken over', 'and changed']) {
      await driver.domains.define({ ...config, description })
      assert.deepEqual(drivesOn(host, 'theirs'), before)
      assert.deepEqual(adaptersOf(guid), kept)
      assert.deepEqual(order(), booted)
      assert.deepEqual(await driver.domains.config(id), { ...config, description })
    }
    await driver.domains.start(id)
    await driver.domains.powerOff(id)
  })

  it('has firmware try the network first, where the machine has an interface that it knows', async () => {
    const path = await image(host, 'network.vhdx')
    const domain = { ...withDisks(disk(path, 'hda')), boot: { kind: 'firmware', device: 'network' } } as const
    await driver.domains.define({ ...domain, nics: [nic(null)] })
    await rejects('refused', driver.domains.start(domain.id), /from the network by an emulated interface/)

    await driver.domains.define({ ...domain, nics: [nic(null, { model: 'emulated' })] })
    await driver.domains.start(domain.id)

    const order = host.sim.host?.vm(guidOf(domain.name))?.configuration.system.values['BootOrder']
    assert.deepEqual(Array.from(Object.values(order ?? {}), Number), [3, 2, 1, 0])
    await driver.domains.powerOff(domain.id)
  })

  it('leaves a machine its devices whose note somebody has removed', async () => {
    const path = await image(host, 'orphan.vhdx')
    const domain = { ...withDisks(disk(path, 'hdb')), nics: [nic(null, { device: 'eth3' })] }
    await driver.domains.define(domain)
    const guid = guidOf(domain.name)
    await other.write(guid, 'mine now')
    const [drives, adapters] = [drivesOn(host, domain.name), adaptersOf(guid)]

    const config = await driver.domains.config(guid.toLowerCase())
    assert.deepEqual([config.description, config.nics], ['mine now', domain.nics])
    await driver.domains.define({ ...config, vcpus: 2 })
    assert.deepEqual(await driver.domains.config(config.id), { ...config, vcpus: 2 })
    assert.deepEqual([drivesOn(host, domain.name), adaptersOf(guid)], [drives, adapters])
  })

  it('sees no medium where somebody has taken the file away and left the place of it', async () => {
    const [iso, vfd] = [putMedium(host, 'Media', 'left.iso'), putMedium(host, 'Media', 'left.vfd')]
    const cd = disk(iso, 'hdc', { kind: 'cdrom', readOnly: true })
    const floppy = disk(vfd, 'fda', { kind: 'floppy' })
    const domain = withDisks(cd)
    await driver.domains.define({ ...domain, disks: [cd, floppy] })
    await driver.domains.define(domain)
    const guid = guidOf(domain.name)
    const diskette = `Microsoft:${guid}\\8F0D2762-0B00-4E04-AF4F-19010527CB93\\0\\0\\D`
    await other.add(guid, { type: 31, subType: 'Virtual Floppy Disk', on: diskette, file: vfd, className: IMAGE_CLASS })
    await other.exchange(diskette.replace(/D$/, 'L'), '')
    await other.exchange(`${ideOf(guid, 1)}\\0\\L`, '')

    assert.deepEqual(await driver.domains.config(domain.id), { ...domain, disks: [{ ...cd, location: '' }] })
    await driver.domains.define({ ...domain, disks: [cd, floppy] })
    assert.deepEqual(drivesOn(host, domain.name), { 'ide 1:0': iso, floppy: vfd })
  })

  it('rids a machine of what was told and is left out, and leaves what nobody was told of', async () => {
    const [first = '', second = ''] = await Promise.all(['first.vhdx', 'second.vhdx'].map(name => image(host, name)))
    const guid = await other.make('lent')
    await other.addDisk(guid, ideOf(guid, 0), 0, first)
    const config = await driver.domains.config(guid.toLowerCase())
    await other.addDisk(guid, ideOf(guid, 0), 1, second)

    await driver.domains.define({ ...config, disks: [] })
    assert.deepEqual(drivesOn(host, 'lent'), { 'ide 0:1': second })
    const [left] = (await driver.domains.config(config.id)).disks
    assert.equal(left?.location, second)
    await driver.domains.define({ ...config, disks: [] })
    assert.deepEqual(drivesOn(host, 'lent'), {})
  })

  it('takes no place that somebody else has, unless what lies there is just what is wanted', async () => {
    const [wanted = '', theirs = ''] = await Promise.all(['wanted.vhdx', 'there.vhdx'].map(name => image(host, name)))
    const domain = withDisks()
    await driver.domains.define(domain)
    const guid = guidOf(domain.name)
    await other.addDisk(guid, ideOf(guid, 0), 0, theirs)

    await driver.domains.define({ ...domain, disks: [disk(wanted, 'hda')] })
    assert.deepEqual(drivesOn(host, domain.name), { 'ide 0:0': theirs })
    await rejects('refused', driver.domains.start(domain.id), /no free place for the disk hda/)
    const same = { ...domain, disks: [disk(theirs, 'hda')] }
    await driver.domains.define(same)
    assert.deepEqual(await driver.domains.config(domain.id), same)
    await driver.domains.start(domain.id)
  })

  it('passes a disk of the host on to one machine', async () => {
    const domain = withDisks(disk('\\\\.\\PHYSICALDRIVE1', 'hdb', { format: 'raw' }))
    await driver.domains.define(domain)
    assert.deepEqual(await driver.domains.config(domain.id), domain)
    await driver.domains.start(domain.id)
    await driver.domains.powerOff(domain.id)

    for (const [number, why] of [
      [1, /not found or is in use/],
      [77, /no disk .*77/],
    ] as const) {
      const second = withDisks(disk(`\\\\.\\PHYSICALDRIVE${number}`, 'sdb', { format: 'raw', bus: 'paravirtualised' }))
      await driver.domains.define(second)
      await rejects('refused', driver.domains.start(second.id), why)
    }
    await driver.domains.define({ ...domain, disks: [] })
    assert.deepEqual(drivesOn(host, domain.name), {})
  })
})
