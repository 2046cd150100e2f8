import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Driver } from '../../src/drivers/driver.ts'
import { memoryDriver } from '../../src/drivers/memory/index.ts'
import { followed } from '../../src/libvirt/domain-past.ts'
import {
  connectionOf,
  VIR_DOMAIN_RUNNING,
  VIR_DOMAIN_RUNNING_BOOTED,
  VIR_DOMAIN_RUNNING_SAVE_CANCELED,
  VIR_DOMAIN_RUNNING_UNKNOWN,
  VIR_DOMAIN_SHUTOFF,
  VIR_DOMAIN_SHUTOFF_FAILED,
  VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT,
} from '../../src/libvirt/index.ts'
import { domainXml } from './world.ts'

/** A host that is followed, and what is told of a domain on it that others lead. */
async function lead(name: string, wrap: (driver: Driver) => Driver = driver => driver) {
  const memory = memoryDriver({ name: crypto.randomUUID() })
  const others = await connectionOf(memory, { uri: 'memory:///others' })
  const id = (await others.domainDefineXML(domainXml({ name }))).getUUIDString()
  const driver = followed(wrap(memory))
  const connection = await connectionOf(driver, { uri: 'memory:///followed' })
  const domain = await connection.domainLookupByName(name)
  const told = async () => Object.values(await domain.getState())
  return { memory, driver, id, told }
}

test('what others do to a domain of a host that is followed is why it is what it is', async () => {
  const { driver, id, told } = await lead('web')
  const { domains, snapshots } = driver
  const { id: snapshot } = (await snapshots?.create(id, { name: 'off', description: '' })) ?? { id: '' }

  await domains.start(id)
  assert.deepEqual(await told(), [VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED])
  await snapshots?.revert(id, snapshot)
  assert.deepEqual(await told(), [VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT])
})

test('a start of theirs that fails, and a suspension that is taken back, show too', async () => {
  const broken = await lead('vm-that-fails-to-start')
  await assert.rejects(broken.driver.domains.start(broken.id), { kind: 'refused' })
  assert.deepEqual(await broken.told(), [VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_FAILED])

  const unsaved = await lead('web', driver => ({
    ...driver,
    suspension: {
      ...driver.suspension,
      async resume() {},
      // As QEMU does: it stands still while it is written, and goes on where that fails.
      async suspend(id) {
        await driver.domains.pause(id)
        await driver.domains.unpause(id)
      },
    },
  }))
  await unsaved.driver.domains.start(unsaved.id)
  await unsaved.driver.suspension?.suspend(unsaved.id)
  assert.deepEqual(await unsaved.told(), [VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_SAVE_CANCELED])
})

test('of what ran before a host was followed nobody knows why', async () => {
  const memory = memoryDriver({ name: crypto.randomUUID() })
  const others = await connectionOf(memory, { uri: 'memory:///others' })
  await (await others.domainDefineXML(domainXml({ name: 'web' }))).create()
  const connection = await connectionOf(followed({ ...memory }), { uri: 'memory:///followed' })

  const { state, reason } = await (await connection.domainLookupByName('web')).getState()
  assert.deepEqual([state, reason], [VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNKNOWN])
})
