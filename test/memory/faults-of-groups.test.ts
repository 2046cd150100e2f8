import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type MemoryDriver, memoryDriver, type Operation } from '../../src/drivers/memory/index.ts'
import { powerPrograms, readPowerDeeds } from '../conformance/power-programs.ts'
import { disk, drive, network, nic } from '../conformance/parts.ts'
import { definition } from './definition.ts'

const MIB = 1_048_576
const REPOSITORY = { type: 'memory', location: '/sr' }
const SNAPSHOT = { name: 'before', description: '' }
const SCHEDULING = { weight: 300, capPercent: 50, affinity: [1] }

/** A running domain with a drive and an interface, a halted one, a spare volume, a network, and programs that note. */
async function stage() {
  const folder = await mkdtemp(join(tmpdir(), 'polyvisor-faults-'))
  const driver = memoryDriver({ hostPower: powerPrograms(folder) })
  await driver.storage.openRepository(REPOSITORY)
  const spare = await driver.storage.createVolume(REPOSITORY, { name: 'spare', format: 'qcow2', virtualBytes: MIB })
  const [cd, port, lab] = [drive('cdrom'), nic(), network()]
  const config = definition('web', { disks: [cd], nics: [port] })
  await driver.networks.define(lab)
  await driver.domains.define(config)
  await driver.domains.start(config.id)
  return { driver, folder, spare, cd, port, lab, id: config.id, more: disk(spare), moreNic: nic(lab.id) }
}

type Stage = Awaited<ReturnType<typeof stage>>

/** What a deed is done by, and what changes through it, as text. */
interface Deed {
  readonly prepare?: (at: Stage) => Promise<unknown>
  readonly perform: (at: Stage) => Promise<unknown>
  readonly look: (at: Stage) => Promise<unknown>
}

const configOf = ({ driver, id }: Stage) => driver.domains.config(id)
const stateOf = async ({ driver, id }: Stage) => (await driver.domains.get(id)).state
const volumesOf = ({ driver }: Stage) => driver.storage.listVolumes(REPOSITORY)
const snapshotsOf = ({ driver, id }: Stage) => driver.snapshots.list(id)
const networksOf = ({ driver }: Stage) => driver.networks.list()

const DEEDS: Readonly<Partial<Record<Operation, Deed>>> = {
  'devices.attachDisk': { perform: at => at.driver.devices.attachDisk(at.id, at.more), look: configOf },
  'devices.detachDisk': { perform: at => at.driver.devices.detachDisk(at.id, at.cd.id), look: configOf },
  'devices.changeMedium': {
    perform: at => at.driver.devices.changeMedium(at.id, at.cd.id, { location: at.spare.location, format: 'qcow2' }),
    look: configOf,
  },
  'devices.attachNic': { perform: at => at.driver.devices.attachNic(at.id, at.moreNic), look: configOf },
  'devices.detachNic': { perform: at => at.driver.devices.detachNic(at.id, at.port.id), look: configOf },
  'devices.connectNic': { perform: at => at.driver.devices.connectNic(at.id, at.port.id, at.lab.id), look: configOf },
  'devices.setMemoryTarget': { perform: at => at.driver.devices.setMemoryTarget(at.id, MIB), look: configOf },
  'suspension.suspend': { perform: at => at.driver.suspension.suspend(at.id), look: stateOf },
  'savedFiles.save': {
    perform: at => at.driver.suspension.files?.save(at.id, '/saved') ?? Promise.reject(),
    look: stateOf,
  },
  'savedFiles.restore': {
    prepare: at => at.driver.suspension.files?.save(at.id, '/saved') ?? Promise.reject(),
    perform: at => at.driver.suspension.files?.restore('/saved') ?? Promise.reject(),
    look: stateOf,
  },
  'suspension.resume': {
    prepare: at => at.driver.suspension.suspend(at.id),
    perform: at => at.driver.suspension.resume(at.id),
    look: stateOf,
  },
  'dumps.dump': {
    prepare: at => at.driver.domains.pause(at.id),
    perform: at => at.driver.dumps.dump(at.id),
    look: at => at.driver.dumps.list(at.id),
  },
  'clones.cloneVolume': {
    perform: at => at.driver.clones.cloneVolume(at.spare.location, { name: 'clone' }),
    look: volumesOf,
  },
  'clones.copyRepository': {
    prepare: at => at.driver.storage.openRepository({ ...REPOSITORY, location: '/copy' }),
    perform: at => at.driver.clones.copyRepository(REPOSITORY, { ...REPOSITORY, location: '/copy' }, name => name),
    look: at => at.driver.storage.listVolumes({ ...REPOSITORY, location: '/copy' }),
  },
  'networks.define': { perform: at => at.driver.networks.define(network()), look: networksOf },
  'networks.undefine': { perform: at => at.driver.networks.undefine(at.lab.id), look: networksOf },
  'scheduler.set': { perform: at => at.driver.scheduler.set(at.id, SCHEDULING), look: configOf },
  'autostart.set': {
    perform: at => at.driver.autostart.set(at.id, 'always'),
    look: at => at.driver.autostart.get(at.id),
  },
  'snapshots.create': { perform: at => at.driver.snapshots.create(at.id, SNAPSHOT), look: snapshotsOf },
  'snapshots.revert': {
    prepare: at => at.driver.snapshots.create(at.id, SNAPSHOT),
    perform: at => at.driver.snapshots.revert(at.id, '1'),
    look: stateOf,
  },
  'snapshots.remove': {
    prepare: at => at.driver.snapshots.create(at.id, SNAPSHOT),
    perform: at => at.driver.snapshots.remove(at.id, '1'),
    look: snapshotsOf,
  },
  'power.shutdown': {
    perform: at => at.driver.power?.shutdown() ?? assert.fail(),
    look: at => readPowerDeeds(at.folder),
  },
  'power.reboot': { perform: at => at.driver.power?.reboot() ?? assert.fail(), look: at => readPowerDeeds(at.folder) },
}

async function suffer(deed: Deed, operation: string, when: 'before' | 'after'): Promise<boolean> {
  const at = await stage()
  try {
    await deed.prepare?.(at)
    const before = JSON.stringify(await deed.look(at))
    const planned = Object.keys(DEEDS).find((name): name is Operation => name === operation)
    assert(planned !== undefined)
    at.driver.faults.plan({ operation: planned, nth: 1, when, kind: 'unreachable' })
    await assert.rejects(deed.perform(at), { name: 'DriverError', kind: 'unreachable' })
    return JSON.stringify(await deed.look(at)) !== before
  } finally {
    await at.driver.close()
    await rm(at.folder, { recursive: true, force: true })
  }
}

for (const [operation, deed] of Object.entries(DEEDS)) {
  test(`a fault before ${operation} has no effect, one after it has had it`, async () => {
    assert.equal(await suffer(deed, operation, 'before'), false)
    assert.equal(await suffer(deed, operation, 'after'), true)
  })
}

test('reading fails as planned too', async () => {
  const { driver, id, folder } = await stage()
  const reads = {
    'dumps.list': () => driver.dumps.list(id),
    'networks.list': () => driver.networks.list(),
    'metrics.domain': () => driver.metrics.domain(id),
    'metrics.cpus': () => driver.metrics.cpus(),
    'autostart.get': () => driver.autostart.get(id),
    'snapshots.list': () => driver.snapshots.list(id),
    'screens.screenshot': () => driver.screens.screenshot(id),
    'scheduler.own': () => driver.scheduler.own?.parameters(id) ?? assert.fail(),
    'terminals.kinds': () => driver.terminals.kinds(id),
    'terminals.open': () => driver.terminals.open(id, 'serial'),
  } satisfies Partial<Record<Operation, () => Promise<unknown>>>
  for (const operation of Object.keys(reads).filter((name): name is keyof typeof reads => name in reads)) {
    driver.faults.plan({ operation, nth: 1, when: 'before', kind: 'refused' })
    await assert.rejects(reads[operation](), { name: 'DriverError', kind: 'refused' })
    await reads[operation]()
  }
  await driver.close()
  await rm(folder, { recursive: true, force: true })
})

test('consoles are open no longer than their connection, though a fault hid them from who opened them', async () => {
  const driver: MemoryDriver = memoryDriver()
  const config = definition('web')
  await driver.domains.define(config)
  await driver.domains.start(config.id)
  const wire = await driver.terminals.open(config.id, 'vnc')
  driver.faults.plan({ operation: 'terminals.open', nth: 1, when: 'after', kind: 'unreachable' })
  await assert.rejects(driver.terminals.open(config.id, 'serial'), { kind: 'unreachable' })
  await driver.close()

  assert(wire.destroyed)
})
