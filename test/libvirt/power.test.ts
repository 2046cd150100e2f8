import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  VIR_DOMAIN_DESTROY_GRACEFUL,
  VIR_DOMAIN_DESTROY_REMOVE_LOGS,
  VIR_DOMAIN_PAUSED,
  VIR_DOMAIN_REBOOT_INITCTL,
  VIR_DOMAIN_RUNNING,
  VIR_DOMAIN_SAVE_BYPASS_CACHE,
  VIR_DOMAIN_SAVE_PAUSED,
  VIR_DOMAIN_SAVE_RUNNING,
  VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN,
  VIR_DOMAIN_SHUTDOWN_INITCTL,
  VIR_DOMAIN_SHUTOFF,
  VIR_DOMAIN_SHUTOFF_SAVED,
  VIR_DOMAIN_START_BYPASS_CACHE,
  VIR_DOMAIN_START_FORCE_BOOT,
  VIR_DOMAIN_START_PAUSED,
  VIR_ERR_ARGUMENT_UNSUPPORTED,
  VIR_ERR_INTERNAL_ERROR,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_CONFIG_UNSUPPORTED,
  VIR_ERR_OPERATION_FAILED,
  VIR_ERR_OPERATION_INVALID,
} from '../../src/libvirt/index.ts'
import { defined, eachRejectsWith, rejectsWith, until, world } from './world.ts'

// Proves: virDomainCreate, virDomainSuspend, virDomainResume, virDomainDestroy, virDomainGetState, virDomainIsActive
test('a domain starts, is paused, goes on, and stops', async () => {
  const domain = await defined((await world()).connection)
  const state = async () => (await domain.getState()).state

  await domain.create()
  assert.equal(await state(), VIR_DOMAIN_RUNNING)
  assert.equal(await domain.isActive(), true)
  await domain.suspend()
  assert.equal(await state(), VIR_DOMAIN_PAUSED)
  await domain.resume()
  assert.equal(await state(), VIR_DOMAIN_RUNNING)
  await domain.destroy()
  assert.equal(await state(), VIR_DOMAIN_SHUTOFF)
  assert.equal(await domain.isActive(), false)
})

test("what does not fit the state of a domain is refused as by libvirt's driver, and changes nothing", async () => {
  const domain = await defined((await world()).connection, { name: 'web' })

  const calls = {
    virDomainReboot: () => domain.reboot(),
    virDomainReset: () => domain.reset(),
    virDomainDestroy: () => domain.destroy(),
    virDomainManagedSave: () => domain.managedSave(),
  }
  await eachRejectsWith(VIR_ERR_OPERATION_INVALID, calls, () => /^Requested operation is not valid: domain is not runn/)
  await rejectsWith(VIR_ERR_INTERNAL_ERROR, domain.suspend(), /^internal error: domain 'web' not running$/)
  await rejectsWith(VIR_ERR_INTERNAL_ERROR, domain.shutdown(), /^internal error: domain 'web' not running$/)
  await rejectsWith(VIR_ERR_INTERNAL_ERROR, domain.resume(), /^internal error: domain 'web' not paused$/)
  await domain.create()
  await rejectsWith(VIR_ERR_INTERNAL_ERROR, domain.create(), /^internal error: Domain 'web' is already running$/)
  await rejectsWith(VIR_ERR_INTERNAL_ERROR, domain.resume(), /not paused$/)
  assert.equal((await domain.getState()).state, VIR_DOMAIN_RUNNING)
  await domain.suspend()
  await rejectsWith(VIR_ERR_INTERNAL_ERROR, domain.suspend(), /not running$/)
  await rejectsWith(VIR_ERR_INTERNAL_ERROR, domain.shutdown(), /not running$/)
  assert.equal((await domain.getState()).state, VIR_DOMAIN_PAUSED)
})

// Proves: virDomainCreateWithFlags
test('a domain is started paused, and flags that cannot be honoured start nothing', async () => {
  const domain = await defined((await world()).connection)

  const refusal = /^argument unsupported: VIR_DOMAIN_START_BYPASS_CACHE cannot be honoured/
  await rejectsWith(VIR_ERR_ARGUMENT_UNSUPPORTED, domain.createWithFlags(VIR_DOMAIN_START_BYPASS_CACHE), refusal)
  await rejectsWith(
    VIR_ERR_INVALID_ARG,
    domain.createWithFlags(64),
    /unsupported flags \(0x40\) in function virDomainCreateWithFlags/,
  )
  assert.equal(await domain.isActive(), false)
  await domain.createWithFlags(VIR_DOMAIN_START_PAUSED)

  assert.equal((await domain.getState()).state, VIR_DOMAIN_PAUSED)
})

// Proves: virDomainShutdown, virDomainShutdownFlags
test('a guest is asked to shut down, in the way of the host and no other', async () => {
  const { connection } = await world()
  const [obedient, deaf] = [await defined(connection), await defined(connection, { name: 'vm-that-ignores-shutdown' })]
  await obedient.create()
  await deaf.create()

  await rejectsWith(VIR_ERR_ARGUMENT_UNSUPPORTED, obedient.shutdownFlags(VIR_DOMAIN_SHUTDOWN_INITCTL), /INITCTL/)
  await obedient.shutdownFlags(VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN)
  await deaf.shutdown()

  await until(async () => !(await obedient.isActive()))
  assert.equal((await deaf.getState()).state, VIR_DOMAIN_RUNNING)
})

// Proves: virDomainReboot, virDomainReset
test('a domain is restarted where it stands', async () => {
  const { connection, driver } = await world()
  const domain = await defined(connection)
  await domain.create()
  const number = domain.getID()
  await domain.suspend()

  await domain.reset()
  assert.equal((await domain.getState()).state, VIR_DOMAIN_PAUSED)
  await domain.reboot()
  assert.equal((await domain.getState()).state, VIR_DOMAIN_RUNNING)
  await rejectsWith(VIR_ERR_ARGUMENT_UNSUPPORTED, domain.reboot(VIR_DOMAIN_REBOOT_INITCTL))
  driver.faults.plan({ operation: 'domains.reset', nth: 1, when: 'before', kind: 'refused' })
  await rejectsWith(VIR_ERR_OPERATION_FAILED, domain.reboot())
  await domain.reboot()

  assert.equal(domain.getID(), number)
})

// Proves: virDomainDestroyFlags
test('power is cut gently, and without touching logs that the host does not keep', async () => {
  const domain = await defined((await world()).connection)
  await domain.create()

  await rejectsWith(VIR_ERR_ARGUMENT_UNSUPPORTED, domain.destroyFlags(VIR_DOMAIN_DESTROY_REMOVE_LOGS))
  assert.equal(await domain.isActive(), true)
  await domain.destroyFlags(VIR_DOMAIN_DESTROY_GRACEFUL)

  assert.equal(await domain.isActive(), false)
})

// Proves: virDomainManagedSave, virDomainHasManagedSaveImage
test('a domain that was saved is off, and starts where it was, paused if it was paused', async () => {
  const domain = await defined((await world()).connection)
  await domain.create()

  await rejectsWith(VIR_ERR_ARGUMENT_UNSUPPORTED, domain.managedSave(VIR_DOMAIN_SAVE_BYPASS_CACHE))
  await domain.managedSave()
  assert.deepEqual(await domain.getState(), { state: VIR_DOMAIN_SHUTOFF, reason: VIR_DOMAIN_SHUTOFF_SAVED })
  assert.equal(await domain.hasManagedSaveImage(), true)
  assert.equal(domain.getID(), -1)
  await domain.create()
  assert.equal((await domain.getState()).state, VIR_DOMAIN_RUNNING)
  assert.equal(await domain.hasManagedSaveImage(), false)

  await domain.suspend()
  await domain.managedSave()
  await domain.create()
  assert.equal((await domain.getState()).state, VIR_DOMAIN_PAUSED)
  await domain.managedSave(VIR_DOMAIN_SAVE_RUNNING)
  await domain.create()
  assert.equal((await domain.getState()).state, VIR_DOMAIN_RUNNING)
})

// Proves: virDomainManagedSaveGetXMLDesc, virDomainManagedSaveDefineXML
test('what was saved of a domain is described, and comes back as it is described then', async () => {
  const { connection, again } = await world()
  const domain = await defined(connection, { name: 'web' })
  const missing = /domain does not have managed save image/
  await rejectsWith(VIR_ERR_OPERATION_INVALID, domain.managedSaveGetXMLDesc(), missing)
  await rejectsWith(VIR_ERR_OPERATION_INVALID, domain.managedSaveDefineXML('<domain/>'), missing)
  await domain.create()
  await domain.managedSave(VIR_DOMAIN_SAVE_PAUSED)

  const xml = await domain.managedSaveGetXMLDesc()
  assert.match(xml, /<name>web<\/name>/)
  const titled = xml.replace('<memory', '<title>saved</title><memory')
  await domain.managedSaveDefineXML(titled)
  const other = titled.replace('>1</vcpu>', '>2</vcpu>')
  await rejectsWith(
    VIR_ERR_OPERATION_FAILED,
    domain.managedSaveDefineXML(other),
    /cannot be other than when it was saved/,
  )
  await rejectsWith(
    VIR_ERR_CONFIG_UNSUPPORTED,
    domain.managedSaveDefineXML(titled.replace('<name>web<', '<name>mail<')),
    /Target domain name mail does not match source web/,
  )
  // Whoever comes next finds it so.
  const found = await (await again()).domainLookupByName('web')
  assert.match(await found.managedSaveGetXMLDesc(), /<title>saved<\/title>/)
  await found.create()
  assert.equal((await domain.getState()).state, VIR_DOMAIN_PAUSED)

  await domain.managedSave()
  await domain.managedSaveDefineXML(titled, VIR_DOMAIN_SAVE_RUNNING)
  await domain.create()
  assert.equal((await domain.getState()).state, VIR_DOMAIN_RUNNING)
})

// Proves: virDomainManagedSaveRemove
test('what was saved is kept when the power of what is not on is cut, and goes when it is removed or booted over', async () => {
  const domain = await defined((await world()).connection)
  await domain.create()
  await domain.managedSave()

  await rejectsWith(VIR_ERR_OPERATION_INVALID, domain.destroy(), /domain is not running/)
  assert.equal(await domain.hasManagedSaveImage(), true)
  await domain.managedSaveRemove()
  assert.equal(await domain.hasManagedSaveImage(), false)
  await domain.managedSaveRemove() // As libvirt's test driver: it is gone then, too.

  await domain.create()
  await domain.managedSave()
  await domain.createWithFlags(VIR_DOMAIN_START_FORCE_BOOT | VIR_DOMAIN_START_PAUSED)
  assert.equal((await domain.getState()).state, VIR_DOMAIN_PAUSED)
  assert.equal(await domain.hasManagedSaveImage(), false)
})
