import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { after, before, describe, it, test } from 'node:test'
import type { DomainConfig, Driver, DriverErrorKind } from '../../src/drivers/driver.ts'
import { network, nic } from '../conformance/parts.ts'
import { disk, drivesOn, image, withDisks } from './machine-drives.ts'
import { domainConfig, type HypervHost, passwordFile, putMedium, startHost } from './setting.ts'
import { ideOf, Stranger } from './stranger.ts'

const MIB = 1_048_576

type DeviceDriver = Driver & { readonly devices: NonNullable<Driver['devices']> }

const rejects = (kind: DriverErrorKind, promise: Promise<unknown>, message?: RegExp) =>
  assert.rejects(promise, { name: 'DriverError', kind, ...(message && { message }) })

async function connected(host: HypervHost): Promise<DeviceDriver> {
  const driver = await host.connect()
  const { devices } = driver
  assert(devices !== undefined)
  return { ...driver, devices }
}

async function run(driver: Driver, config: DomainConfig): Promise<string> {
  await driver.domains.define(config)
  await driver.domains.start(config.id)
  return config.id
}

describe('devices of machines that run', () => {
  let host: HypervHost
  let driver: DeviceDriver
  let other: Stranger
  before(async () => {
    host = await startHost('--pace', '0', '--build', '26100')
    driver = await connected(host)
    other = new Stranger(host)
  })
  after(async () => {
    await driver.close()
    await other.close()
    await host.sim.close()
    assert.deepEqual(host.complaints, [])
  })

  it('plugs disks into SCSI at the places of their letters, and pulls them, which frees their images', async () => {
    const [one = '', two = ''] = await Promise.all(['plug-1.vhdx', 'plug-2.vhd'].map(name => image(host, name)))
    const domain = withDisks()
    const id = await run(driver, domain)
    const disks = [disk(one, 'xvdc', { bus: 'paravirtualised' }), disk(two, 'sdc', { bus: 'paravirtualised' })] as const
    for (const each of disks) await driver.devices.attachDisk(id, each)

    assert.deepEqual(drivesOn(host, domain.name), { 'scsi 0:2': one, 'scsi 0:3': two })
    assert.deepEqual((await driver.domains.config(id)).disks, disks)
    await driver.devices.detachDisk(id, disks[0].id)
    const second = withDisks(disk(one, 'hda'))
    await run(driver, second)
    assert.deepEqual((await driver.domains.config(id)).disks, [disks[1]])
    await driver.domains.powerOff(id)
    await driver.domains.define({ ...domain, disks: [disks[1]] })
    assert.deepEqual(drivesOn(host, domain.name), { 'scsi 0:3': two })
  })

  it('refuses by name what a machine of the first generation cannot have while it runs, and changes nothing', async () => {
    const [system = '', more = ''] = await Promise.all(['ide-1.vhdx', 'ide-2.vhdx'].map(name => image(host, name)))
    const iso = putMedium(host, 'Media', 'ide.iso')
    const cable = nic()
    const domain = {
      ...withDisks(disk(system, 'hda'), disk('', 'hdc', { kind: 'cdrom', readOnly: true })),
      nics: [cable],
    }
    const id = await run(driver, domain)
    const [hard, cd] = domain.disks
    assert(hard !== undefined && cd !== undefined)
    const { devices } = driver

    await rejects('refused', devices.attachDisk(id, disk(more, 'hdb')), /hdb would be on IDE/)
    await rejects('refused', devices.attachDisk(id, disk(iso, 'sr1', { kind: 'cdrom', readOnly: true })), /IDE/)
    await rejects(
      'refused',
      devices.attachDisk(id, disk(more, 'sdb', { bus: 'paravirtualised', shared: true })),
      /shared/,
    )
    await rejects('refused', devices.attachDisk(id, disk(system, 'sdb', { bus: 'paravirtualised' })), /another drive/)
    await rejects('refused', devices.detachDisk(id, hard.id), /hda is on IDE/)
    await rejects('refused', devices.detachDisk(id, cd.id), /hdc is on IDE/)
    await rejects('refused', devices.changeMedium(id, cd.id, { location: iso, format: 'vhd' }), /as raw/)
    await rejects('refused', devices.attachNic(id, nic(null, { device: 'eth1' })), /first generation/)
    await rejects('refused', devices.detachNic(id, cable.id), /first generation/)
    assert.deepEqual(await driver.domains.config(id), domain)
    await devices.changeMedium(id, cd.id, { location: iso, format: 'raw' })
    assert.deepEqual(drivesOn(host, domain.name), { 'ide 0:0': system, 'ide 1:0': iso })
  })

  it('has the diskette drive of a machine come and go with its diskette', async () => {
    const vfd = putMedium(host, 'Media', 'boot.vfd')
    const domain = withDisks()
    const id = await run(driver, domain)
    const floppy = disk(vfd, 'fda', { kind: 'floppy' })
    await driver.devices.attachDisk(id, floppy)

    assert.deepEqual(drivesOn(host, domain.name), { floppy: vfd })
    await rejects('refused', driver.devices.attachDisk(id, disk('', 'fdb', { kind: 'floppy' })), /diskette drive/)
    await driver.devices.changeMedium(id, floppy.id, null)
    assert.deepEqual((await driver.domains.config(id)).disks, [{ ...floppy, location: '' }])
    await driver.devices.detachDisk(id, floppy.id)
    assert.deepEqual(await driver.domains.config(id), domain)
  })

  it('changes what a definition says that waits for the next start, and what runs meanwhile', async () => {
    const [now = '', next = '', more = ''] = await Promise.all(
      ['now.vhdx', 'next.vhdx', 'more.vhdx'].map(name => image(host, name)),
    )
    const running = withDisks(disk(now, 'hda'))
    const id = await run(driver, running)
    const pending = { ...running, vcpus: 2, disks: [disk(next, 'hda')] }
    await driver.domains.define(pending)
    const plugged = disk(more, 'sdd', { bus: 'paravirtualised' })
    await driver.devices.attachDisk(id, plugged)

    const waiting = { ...pending, disks: [...pending.disks, plugged] }
    assert.deepEqual(await driver.domains.config(id), waiting)
    assert.deepEqual(drivesOn(host, running.name), { 'ide 0:0': now, 'scsi 0:3': more })
    await driver.domains.powerOff(id)
    assert.equal((await driver.domains.info(id)).vcpus, 2)
    await driver.domains.start(id)
    assert.deepEqual(drivesOn(host, running.name), { 'ide 0:0': next, 'scsi 0:3': more })
    assert.deepEqual(await driver.domains.config(id), waiting)
  })

  it('tells which image is not there', async () => {
    const id = await run(driver, withDisks())
    const absent = disk('C:\\Images\\absent.vhdx', 'sdd', { bus: 'paravirtualised' })

    await rejects(
      'refused',
      driver.devices.attachDisk(id, absent),
      /cannot add C:\\Images\\absent\.vhdx to the machine/,
    )
  })

  it('plugs everything into a machine of the second generation that somebody else has made', async () => {
    const [first = '', second = ''] = await Promise.all(['gen2-1.vhdx', 'gen2-2.vhdx'].map(name => image(host, name)))
    const lab = network({ vlan: 9 })
    await driver.networks?.define(lab)
    const guid = await other.make('second-generation', 2)
    const scsi = await other.add(guid, { type: 6, subType: 'Synthetic SCSI Controller' })
    await other.addDisk(guid, scsi, 0, first)
    const id = guid.toLowerCase()
    const before = await driver.domains.config(id)
    await driver.domains.start(id)
    const disks = [
      disk(second, 'sdb', { bus: 'emulated' }),
      disk('', 'sr0', { kind: 'cdrom', readOnly: true, format: 'raw' }),
    ]
    for (const each of disks) await driver.devices.attachDisk(id, each)
    const cable = nic(lab.id)
    await driver.devices.attachNic(id, cable)

    assert.deepEqual(await driver.domains.config(id), { ...before, disks: [...before.disks, ...disks], nics: [cable] })
    await driver.devices.connectNic(id, cable.id, null)
    assert.deepEqual((await driver.domains.config(id)).nics, [{ ...cable, network: null }])
    for (const each of disks) await driver.devices.detachDisk(id, each.id)
    await driver.devices.detachNic(id, cable.id)
    assert.deepEqual(await driver.domains.config(id), { ...before, nics: [] })
    assert.deepEqual(drivesOn(host, 'second-generation'), { 'scsi 0:0': first })
  })

  it('leaves memory alone that the host changes by itself', async () => {
    const domain = domainConfig()
    await run(driver, domain)
    const vm = host.sim.host?.state.vms.find(one => one.configuration.system.values['ElementName'] === domain.name)
    const memory = vm?.configuration.resources.find(({ className }) => className === 'Msvm_MemorySettingData')
    assert(memory !== undefined)
    memory.values['DynamicMemoryEnabled'] = true

    await rejects('refused', driver.devices.setMemoryTarget(domain.id, 32 * MIB), /by itself/)
    memory.values['DynamicMemoryEnabled'] = false
    await driver.devices.setMemoryTarget(domain.id, 33 * MIB)
    assert.equal(memory.values['VirtualQuantity'], 64n, 'settings are not changed in place')
    assert.deepEqual(await driver.domains.config(domain.id), { ...domain, memoryTargetBytes: 33 * MIB })
    assert.equal((await driver.domains.info(domain.id)).memoryNowBytes, 34 * MIB)
  })
})

let plans = 0

/** A host of this build on which something goes wrong, and a connection to it. */
async function failing(
  plan: object,
  use: (driver: DeviceDriver, host: HypervHost) => Promise<void>,
  ...options: readonly string[]
): Promise<void> {
  const file = `${passwordFile}-devices-${(plans += 1)}`
  writeFileSync(file, JSON.stringify(plan))
  const host = await startHost('--pace', '0', '--faults', file, ...options)
  const driver = await connected(host)
  try {
    await use(driver, host)
  } finally {
    await driver.close()
    await host.sim.close()
  }
}

/** Two definitions of one domain whose drives have nothing in common but their places. */
async function twoOf(host: HypervHost): Promise<[DomainConfig, DomainConfig]> {
  const files = await Promise.all(['a.vhdx', 'b.vhdx', 'c.vhdx', 'd.vhdx'].map(name => image(host, name)))
  const [a = '', b = '', c = '', d = ''] = files
  const [iso, disc] = [putMedium(host, 'Media', 'one.iso'), putMedium(host, 'Media', 'two.iso')]
  const cd = disk(iso, 'hdd', { kind: 'cdrom', readOnly: true })
  const before = withDisks(disk(a, 'hda'), disk(b, 'sdb', { bus: 'paravirtualised' }), cd)
  const after = [disk(c, 'hda'), disk(d, 'hdc'), { ...cd, location: disc }]
  return [before, { ...before, disks: after, vcpus: 2, description: 'other' }]
}

/** Where a definition is replaced by another, those that add to the machine are the third and the fourth of all. */
const STEPS = [
  { method: 'AddResourceSettings', nth: 3 },
  { method: 'AddResourceSettings', nth: 4 },
  { method: 'RemoveResourceSettings', nth: 1 },
  { method: 'RemoveResourceSettings', nth: 2 },
  { method: 'ModifyResourceSettings', nth: 3 },
  { method: 'ModifySystemSettings', nth: 2 },
]

test('a definition that somebody may not replace stays as it was, whichever step fails, and so do its drives', async () => {
  for (const step of STEPS) {
    const use = async (driver: DeviceDriver, host: HypervHost) => {
      const [first, second] = await twoOf(host)
      await driver.domains.define(first)
      const drives = drivesOn(host, first.name)
      await rejects('refused', driver.domains.define(second))

      assert.deepEqual(drivesOn(host, first.name), drives, JSON.stringify(step))
      assert.deepEqual(await driver.domains.config(first.id), first)
      await driver.domains.define(second)
      assert.deepEqual(await driver.domains.config(first.id), second)
    }
    await failing({ requests: [{ ...step, fault: 'access-denied' }] }, use)
  }
})

test('a machine that its host does not make as it is defined stays as it was, until it starts', async () => {
  const failure = { code: 32_768, message: 'Not now.' }
  // JobType of what adds and of what removes resources.
  for (const job of [
    { type: 30, nth: 3 },
    { type: 30, nth: 4 },
    { type: 32, nth: 1 },
    { type: 32, nth: 2 },
  ]) {
    const use = async (driver: DeviceDriver, host: HypervHost) => {
      const [first, second] = await twoOf(host)
      await driver.domains.define(first)
      const drives = drivesOn(host, first.name)
      await driver.domains.define(second)

      assert.deepEqual(drivesOn(host, first.name), drives, JSON.stringify(job))
      assert.deepEqual(await driver.domains.config(first.id), second)
      await driver.domains.start(first.id)
      assert.notDeepEqual(drivesOn(host, first.name), drives)
      assert.deepEqual(await driver.domains.config(first.id), second)
    }
    await failing({ answers: 'async', jobs: [{ ...job, failure }] }, use)
  }
})

test('answers that are lost half-way change nothing about what becomes of drives', async () => {
  const lost = (method: string) => ({ method, probability: 0.3, fault: 'lost-after' })
  const use = async (driver: DeviceDriver, host: HypervHost) => {
    const [first, second] = await twoOf(host)
    for (const config of [first, second, first, second]) {
      await driver.domains.define(config)
      assert.deepEqual(await driver.domains.config(config.id), config)
    }
    const id = first.id
    await driver.domains.start(id)
    const more = disk(await image(host, 'more.vhdx'), 'sde', { bus: 'paravirtualised' })
    await driver.devices.attachDisk(id, more)
    await driver.devices.detachDisk(id, more.id)
    assert.deepEqual(await driver.domains.config(id), second)
  }
  await failing({ requests: [...new Set(STEPS.map(({ method }) => method))].map(lost) }, use, '--seed', '5')
})

test('a device that cannot be written down is taken back, and one that cannot be had is not written down', async () => {
  for (const fault of STEPS.filter(({ method }) => /^(Add|ModifySystem)/.test(method))) {
    const use = async (driver: DeviceDriver, host: HypervHost) => {
      const domain = withDisks(disk(await image(host, 'system.vhdx'), 'hda'))
      const id = await run(driver, domain)
      const more = disk(await image(host, 'more.vhdx'), 'sdb', { bus: 'paravirtualised' })
      await rejects('refused', driver.devices.attachDisk(id, more))

      assert.deepEqual(await driver.domains.config(id), domain)
      assert.deepEqual(Object.keys(drivesOn(host, domain.name)), ['ide 0:0'])
      await driver.devices.attachDisk(id, more)
    }
    await failing({ requests: [{ ...fault, fault: 'access-denied' }] }, use)
  }
})

test('a disk, a medium, a cable and an amount of memory that cannot be written down are as they were', async () => {
  const use = async (driver: DeviceDriver, host: HypervHost) => {
    const lab = network()
    await driver.networks?.define(lab)
    const cd = disk(putMedium(host, 'Media', 'in.iso'), 'hdc', { kind: 'cdrom', readOnly: true })
    const data = disk(await image(host, 'data.vhdx'), 'sdb', { bus: 'paravirtualised' })
    const cable = nic(lab.id)
    const domain = { ...withDisks(cd, data), nics: [cable] }
    const id = await run(driver, domain)
    const { devices } = driver
    const before = drivesOn(host, domain.name)
    const location = putMedium(host, 'Media', 'out.iso')
    for (const attempt of [
      () => devices.detachDisk(id, data.id),
      () => devices.changeMedium(id, cd.id, null),
      () => devices.changeMedium(id, cd.id, { location, format: 'raw' }),
      () => devices.connectNic(id, cable.id, null),
      () => devices.setMemoryTarget(id, domain.memoryBytes / 2),
    ]) {
      await rejects('refused', attempt())
      assert.deepEqual(await driver.domains.config(id), domain)
      assert.deepEqual(drivesOn(host, domain.name), before)
    }
  }
  // Once the machine is defined: what one rule decides about, those behind it do not count.
  const rule = { method: 'ModifySystemSettings', class: 'Msvm_VirtualSystemManagementService', nth: 2 }
  await failing({ requests: Array.from({ length: 5 }, () => ({ ...rule, fault: 'access-denied' })) }, use)
})

test('hosts before Windows Server 2016 plug disks and change media too, and refuse the rest by name', async () => {
  for (const options of [
    ['--build', '9600'],
    ['--build', '7601'],
  ]) {
    const use = async (driver: DeviceDriver, host: HypervHost) => {
      const domain = { ...withDisks(disk('', 'hdc', { kind: 'cdrom', readOnly: true })), nics: [nic()] }
      const id = await run(driver, domain)
      const [cd] = domain.disks
      const more = disk(await image(host, 'more.vhd'), 'sdb', { bus: 'paravirtualised' })
      const iso = { location: putMedium(host, 'Media', 'in.iso'), format: 'raw' } as const
      await driver.devices.attachDisk(id, more)
      await driver.devices.changeMedium(id, cd?.id ?? '', iso)

      assert.deepEqual(drivesOn(host, domain.name), { 'ide 1:0': iso.location, 'scsi 0:1': more.location })
      const target = driver.devices.setMemoryTarget(id, domain.memoryBytes / 2)
      await rejects('refused', target, /before Windows Server 2016/)
      await driver.devices.detachDisk(id, more.id)
      await driver.devices.changeMedium(id, cd?.id ?? '', null)
      assert.deepEqual(await driver.domains.config(id), domain)
    }
    await failing({}, use, ...options)
  }
})

test('a machine of somebody else without a controller of SCSI takes no disk while it runs, and one at its next start', async () => {
  const host = await startHost('--pace', '0', '--build', '26100')
  const [driver, other] = [await connected(host), new Stranger(host)]
  try {
    const guid = await other.make('bare')
    await other.addDisk(guid, ideOf(guid, 0), 0, await image(host, 'system.vhdx'))
    const id = guid.toLowerCase()
    await driver.domains.start(id)
    const more = disk(await image(host, 'more.vhdx'), 'sdb', { bus: 'paravirtualised' })
    await rejects('refused', driver.devices.attachDisk(id, more), /no controller of SCSI/)
    await driver.domains.powerOff(id)
    const config = await driver.domains.config(id)
    await driver.domains.define({ ...config, disks: [...config.disks, more] })

    assert.equal(drivesOn(host, 'bare')['scsi 0:1'], more.location)
  } finally {
    await driver.close()
    await other.close()
    await host.sim.close()
  }
})
