import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DriverError } from '../../src/drivers/driver.ts'
import {
  connectionOf,
  type Domain,
  VIR_DOMAIN_EVENT_CRASHED,
  VIR_DOMAIN_EVENT_DEFINED,
  VIR_DOMAIN_EVENT_DEFINED_ADDED,
  VIR_DOMAIN_EVENT_DEFINED_RENAMED,
  VIR_DOMAIN_EVENT_DEFINED_UPDATED,
  VIR_DOMAIN_EVENT_ID_DEVICE_ADDED,
  VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
  VIR_DOMAIN_EVENT_ID_LAST,
  VIR_DOMAIN_EVENT_ID_LIFECYCLE,
  VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
  VIR_DOMAIN_EVENT_ID_REBOOT,
  VIR_DOMAIN_EVENT_RESUMED,
  VIR_DOMAIN_EVENT_SHUTDOWN,
  VIR_DOMAIN_EVENT_STARTED,
  VIR_DOMAIN_EVENT_STARTED_BOOTED,
  VIR_DOMAIN_EVENT_STARTED_FROM_SNAPSHOT,
  VIR_DOMAIN_EVENT_STARTED_RESTORED,
  VIR_DOMAIN_EVENT_STOPPED,
  VIR_DOMAIN_EVENT_STOPPED_CRASHED,
  VIR_DOMAIN_EVENT_STOPPED_DESTROYED,
  VIR_DOMAIN_EVENT_STOPPED_FROM_SNAPSHOT,
  VIR_DOMAIN_EVENT_STOPPED_SAVED,
  VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN,
  VIR_DOMAIN_EVENT_SUSPENDED,
  VIR_DOMAIN_EVENT_SUSPENDED_FROM_SNAPSHOT,
  VIR_DOMAIN_EVENT_UNDEFINED,
  VIR_DOMAIN_EVENT_UNDEFINED_RENAMED,
  VIR_DOMAIN_SNAPSHOT_CREATE_HALT,
  VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED,
  VIR_DOMAIN_START_PAUSED,
  VIR_DOMAIN_METADATA_TITLE,
  VIR_ERR_INTERNAL_ERROR,
  VIR_ERR_INVALID_ARG,
} from '../../src/libvirt/index.ts'
import { defined, domainXml, rejectsWith, snapshotXml, until, world } from './world.ts'

/** Keeps what it is told, as `event detail`. */
function ear() {
  const heard: [event: number, detail: number][] = []
  return { heard, listen: (_domain: Domain, event: number, detail: number) => void heard.push([event, detail]) }
}

// Proves: virConnectDomainEventRegister, virConnectDomainEventDeregister
test('what becomes of a domain is told in its order, whoever does it, until nobody wants to hear it', async () => {
  const { connection, again } = await world()
  const { heard, listen } = ear()
  await connection.domainEventRegister(listen)
  await rejectsWith(VIR_ERR_INVALID_ARG, connection.domainEventRegister(listen), /already tracked/)

  const domain = await defined(await again(), { name: 'web' })
  await domain.createWithFlags(VIR_DOMAIN_START_PAUSED)
  await domain.resume()
  await domain.suspend()
  await domain.managedSave()
  await domain.create()
  await domain.destroy()
  await connection.domainDefineXML(domainXml({ name: 'web', uuid: domain.getUUIDString(), vcpus: 2 }))
  await domain.undefine()

  await until(() => heard.at(-1)?.[0] === VIR_DOMAIN_EVENT_UNDEFINED)
  assert.deepEqual(heard, [
    [VIR_DOMAIN_EVENT_DEFINED, VIR_DOMAIN_EVENT_DEFINED_ADDED],
    [VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_BOOTED],
    [VIR_DOMAIN_EVENT_SUSPENDED, 0],
    [VIR_DOMAIN_EVENT_RESUMED, 0],
    [VIR_DOMAIN_EVENT_SUSPENDED, 0],
    [VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_SAVED],
    [VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_RESTORED],
    [VIR_DOMAIN_EVENT_SUSPENDED, 0],
    [VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_DESTROYED],
    [VIR_DOMAIN_EVENT_DEFINED, VIR_DOMAIN_EVENT_DEFINED_UPDATED],
    [VIR_DOMAIN_EVENT_UNDEFINED, 0],
  ])
  await connection.domainEventDeregister(listen)
  await rejectsWith(VIR_ERR_INVALID_ARG, connection.domainEventDeregister(listen))
  await defined(connection)
  await new Promise(setImmediate)
  assert.equal(heard.length, 11)
})

test('one that is created starts, and is not told of as one that is off first; one that cannot start is not told of', async () => {
  const { connection } = await world()
  const { heard, listen } = ear()
  await connection.domainEventRegister(listen)

  await assert.rejects(connection.domainCreateXML(domainXml({ name: 'vm-that-fails-to-start' })))
  const xml = domainXml({ name: 'web', uuid: crypto.randomUUID() })
  await connection.domainCreateXML(xml)
  await connection.domainDefineXML(xml)

  await until(() => heard.length === 2)
  assert.deepEqual(heard, [
    [VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_BOOTED],
    [VIR_DOMAIN_EVENT_DEFINED, VIR_DOMAIN_EVENT_DEFINED_UPDATED],
  ])
})

test('what guests do by themselves is told with what follows from it', async () => {
  const { connection } = await world()
  const obedient = await defined(connection)
  const broken = await defined(connection, { name: 'vm-that-crashes' })
  const [first, second] = [ear(), ear()]
  await connection.domainEventRegisterAny(obedient, VIR_DOMAIN_EVENT_ID_LIFECYCLE, first.listen)
  await connection.domainEventRegisterAny(broken, VIR_DOMAIN_EVENT_ID_LIFECYCLE, second.listen)

  await obedient.create()
  await obedient.shutdown()
  await broken.create()

  await until(() => first.heard.length === 3 && second.heard.length === 3)
  assert.deepEqual(first.heard.slice(1), [
    [VIR_DOMAIN_EVENT_SHUTDOWN, 0],
    [VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN],
  ])
  assert.deepEqual(second.heard.slice(1), [
    [VIR_DOMAIN_EVENT_CRASHED, 0],
    [VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_CRASHED],
  ])
})

// Proves: virConnectDomainEventRegisterAny, virConnectDomainEventDeregisterAny
test('one domain is listened to, or one kind of event, and a listener that throws disturbs nobody', async () => {
  const { connection, complaints } = await world()
  const restless = await defined(connection, { name: 'vm-that-reboots' })
  const other = await defined(connection)
  const { heard, listen } = ear()
  const reboots: string[] = []
  const failing = () => {
    throw new TypeError('what a listener must not do')
  }

  await connection.domainEventRegisterAny(null, VIR_DOMAIN_EVENT_ID_LIFECYCLE, failing)
  const one = await connection.domainEventRegisterAny(other, VIR_DOMAIN_EVENT_ID_LIFECYCLE, listen)
  const two = await connection.domainEventRegisterAny(null, VIR_DOMAIN_EVENT_ID_REBOOT, domain => {
    reboots.push(domain.getName())
  })
  await restless.create()
  await other.create()
  await until(() => reboots.length > 0 && heard.length > 0)
  await connection.domainEventDeregisterAny(one)
  await connection.domainEventDeregisterAny(two)

  assert.deepEqual([heard, reboots[0]], [[[VIR_DOMAIN_EVENT_STARTED, 0]], 'vm-that-reboots'])
  assert(complaints.includes('a listener to events threw'))
  await rejectsWith(VIR_ERR_INVALID_ARG, connection.domainEventDeregisterAny(one), /no event callback/)
  await connection.close()
})

test('what belongs to a snapshot is told as that, and another name as a going and a coming', async () => {
  const { connection, driver } = await world()
  const domain = await defined(connection, { name: 'web' })
  await domain.create()
  const on = await domain.snapshotCreateXML(snapshotXml('on'))
  const heard: string[] = []
  await connection.domainEventRegister((of, event, detail) => void heard.push(`${of.getName()} ${event} ${detail}`))

  await domain.revertToSnapshot(on)
  await domain.revertToSnapshot(on, VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED)
  await domain.snapshotCreateXML('<domainsnapshot/>', VIR_DOMAIN_SNAPSHOT_CREATE_HALT)
  await driver.domains.define({ ...(await driver.domains.config(domain.getUUIDString())), name: 'shop' })

  await until(() => heard.length === 8)
  const detail = VIR_DOMAIN_EVENT_STOPPED_FROM_SNAPSHOT
  assert.deepEqual(heard, [
    `web ${VIR_DOMAIN_EVENT_STOPPED} ${detail}`,
    `web ${VIR_DOMAIN_EVENT_STARTED} ${VIR_DOMAIN_EVENT_STARTED_FROM_SNAPSHOT}`,
    `web ${VIR_DOMAIN_EVENT_STOPPED} ${detail}`,
    `web ${VIR_DOMAIN_EVENT_STARTED} ${VIR_DOMAIN_EVENT_STARTED_FROM_SNAPSHOT}`,
    `web ${VIR_DOMAIN_EVENT_SUSPENDED} ${VIR_DOMAIN_EVENT_SUSPENDED_FROM_SNAPSHOT}`,
    `web ${VIR_DOMAIN_EVENT_STOPPED} ${detail}`,
    `web ${VIR_DOMAIN_EVENT_UNDEFINED} ${VIR_DOMAIN_EVENT_UNDEFINED_RENAMED}`,
    `shop ${VIR_DOMAIN_EVENT_DEFINED} ${VIR_DOMAIN_EVENT_DEFINED_RENAMED}`,
  ])
})

test('what is plugged into what runs is told by its alias, and notes that change; kinds of events that never happen are let be', async () => {
  const { connection } = await world()
  const domain = await defined(connection)
  const told: string[] = []
  const tell = (event: string) => (_domain: Domain, alias: string) => void told.push(`${event} ${alias}`)
  await connection.domainEventRegisterAny(domain, VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, tell('added'))
  await connection.domainEventRegisterAny(null, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, tell('removed'))
  const never = await connection.domainEventRegisterAny(null, VIR_DOMAIN_EVENT_ID_LAST - 1, () =>
    assert.fail('it came'),
  )
  const disk = `<disk device='cdrom'><target dev='sdb' bus='sata'/></disk>`

  await domain.attachDevice(disk)
  await domain.detachDevice(disk)
  await domain.create()
  await domain.attachDevice(disk)
  await domain.detachDevice(disk)
  await connection.domainEventRegisterAny(domain, VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, (_domain, type, uri) => {
    told.push(`note ${type} ${uri}`)
  })
  await domain.setMetadata(VIR_DOMAIN_METADATA_TITLE, 'a shop')

  await until(() => told.length === 3)
  const [, alias = ''] = /^added (ua-[-\da-f]{36})$/.exec(told[0] ?? '') ?? []
  assert.deepEqual(told, [`added ${alias}`, `removed ${alias}`, 'note 1 null'])
  await connection.domainEventDeregisterAny(never)
  await rejectsWith(VIR_ERR_INVALID_ARG, connection.domainEventDeregisterAny(never))
  const beyond = connection.domainEventRegisterAny(null, VIR_DOMAIN_EVENT_ID_LAST, () => undefined)
  await rejectsWith(VIR_ERR_INVALID_ARG, beyond, /less than 27, not 27/)
})

test('a host is watched once for all who listen to it, and no longer than somebody does', async () => {
  const { connection, driver, again } = await world({ vms: 3 })
  const calls = { subscribe: 0, unsubscribe: 0, list: 0 }
  const { events, domains } = driver
  assert(events !== undefined)
  const counted = {
    ...driver,
    events: {
      subscribe(...given: Parameters<typeof events.subscribe>) {
        // Who listens passively costs the host nothing.
        if (given[1]?.isPassive === true) return events.subscribe(...given)
        calls.subscribe++
        const stop = events.subscribe(...given)
        return () => {
          calls.unsubscribe++
          stop()
        }
      },
    },
    domains: {
      ...domains,
      list() {
        calls.list++
        return domains.list()
      },
    },
  }
  const connections = await Promise.all(
    Array.from({ length: 40 }, () => connectionOf(counted, { uri: 'memory:///world' })),
  )
  let heard = 0
  await Promise.all(
    connections.map(each =>
      each.domainEventRegister((_domain, event) => void (event === VIR_DOMAIN_EVENT_DEFINED && heard++)),
    ),
  )

  await defined(await again())
  await until(() => heard === 40)
  assert.deepEqual(calls, { subscribe: 1, unsubscribe: 0, list: 1 })
  await Promise.all(connections.map(each => each.close()))
  assert.deepEqual(calls, { subscribe: 1, unsubscribe: 1, list: 1 })
  await defined(connection)
  assert.equal(heard, 40)
})

test('where a host does not say what there is, nobody is told that he will hear of it, and may ask again', async () => {
  const { driver } = await world()
  let isSilent = true
  const silent = {
    ...driver,
    domains: {
      ...driver.domains,
      async list() {
        if (isSilent) throw new DriverError('unreachable', 'the host is silent')
        return driver.domains.list()
      },
    },
  }
  const connection = await connectionOf(silent, { uri: 'memory:///world' })
  const { heard, listen } = ear()
  await rejectsWith(VIR_ERR_INTERNAL_ERROR, connection.domainEventRegister(listen), /the host is silent/)

  isSilent = false
  await connection.domainEventRegister(listen)
  await defined(connection)

  await until(() => heard.length === 1)
  await connection.close()
})
