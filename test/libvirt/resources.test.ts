import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AUTOSTART_ALWAYS,
  AUTOSTART_IF_WAS_RUNNING,
  AUTOSTART_NONE,
  VIR_DOMAIN_AFFECT_CONFIG,
  VIR_DOMAIN_AFFECT_LIVE,
  VIR_DOMAIN_MEM_CONFIG,
  VIR_DOMAIN_MEM_LIVE,
  VIR_DOMAIN_MEM_MAXIMUM,
  VIR_DOMAIN_RUNNING,
  VIR_DOMAIN_SHUTOFF,
  VIR_DOMAIN_VCPU_CONFIG,
  VIR_DOMAIN_VCPU_GUEST,
  VIR_DOMAIN_VCPU_LIVE,
  VIR_DOMAIN_VCPU_MAXIMUM,
  VIR_ERR_ARGUMENT_UNSUPPORTED,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_OPERATION_INVALID,
  VIR_ERR_OPERATION_UNSUPPORTED,
  VIR_ERR_OVERFLOW,
  VIR_TYPED_PARAM_UINT,
  VIR_VCPU_INFO_CPU_UNAVAILABLE,
  VIR_VCPU_OFFLINE,
  VIR_VCPU_RUNNING,
} from '../../src/libvirt/index.ts'
import { definition } from '../memory/definition.ts'
import { defined, rejectsWith, until, world } from './world.ts'

// Proves: virDomainGetInfo, virDomainGetMaxMemory
test('a domain tells what it is doing, has, and has used', async () => {
  const domain = await defined((await world()).connection, { memoryKib: 131_072, vcpus: 2 })

  const off = { state: VIR_DOMAIN_SHUTOFF, maxMem: 131_072, memory: 131_072, nrVirtCpu: 2, cpuTime: 0n }
  assert.deepEqual(await domain.getInfo(), off)
  assert.equal(await domain.getMaxMemory(), 131_072)
  await domain.create()
  await until(async () => (await domain.getInfo()).cpuTime > 0n)

  assert.equal((await domain.getInfo()).state, VIR_DOMAIN_RUNNING)
})

// Proves: virDomainSetVcpus, virDomainSetVcpusFlags, virDomainGetVcpusFlags, virDomainGetMaxVcpus
test('virtual CPUs are counted and changed: now while a domain is off, from its next start while it runs', async () => {
  const domain = await defined((await world()).connection, { vcpus: 2 })

  await domain.setVcpus(4)
  assert.equal(await domain.getVcpusFlags(), 4)
  assert.equal(await domain.getMaxVcpus(), 240)
  assert.equal(await domain.getVcpusFlags(VIR_DOMAIN_VCPU_MAXIMUM), 240)
  await rejectsWith(VIR_ERR_OPERATION_INVALID, domain.getVcpusFlags(VIR_DOMAIN_VCPU_LIVE), /domain is not running/)

  await domain.create()
  await rejectsWith(VIR_ERR_OPERATION_UNSUPPORTED, domain.setVcpus(8), /VIR_DOMAIN_VCPU_CONFIG/)
  await rejectsWith(
    VIR_ERR_OPERATION_UNSUPPORTED,
    domain.setVcpusFlags(8, VIR_DOMAIN_VCPU_LIVE | VIR_DOMAIN_VCPU_CONFIG),
  )
  await rejectsWith(
    VIR_ERR_OPERATION_INVALID,
    domain.setVcpusFlags(8, VIR_DOMAIN_VCPU_MAXIMUM),
    /maximum vcpu count of a live domain can't be modified/,
  )
  await domain.setVcpusFlags(6, VIR_DOMAIN_VCPU_MAXIMUM | VIR_DOMAIN_VCPU_CONFIG)
  assert.equal(await domain.getVcpusFlags(VIR_DOMAIN_VCPU_CONFIG), 6)
  await domain.setVcpusFlags(8, VIR_DOMAIN_VCPU_CONFIG)
  assert.equal(await domain.getVcpusFlags(VIR_DOMAIN_VCPU_CONFIG), 8)
  assert.equal(await domain.getVcpusFlags(VIR_DOMAIN_VCPU_LIVE), 4)
  assert.equal(await domain.getMaxVcpus(), 4)
  await domain.destroy()

  assert.equal((await domain.getInfo()).nrVirtCpu, 8)
})

test('numbers of virtual CPUs that cannot be, and flags that cannot be honoured, change nothing', async () => {
  const domain = await defined((await world()).connection, { vcpus: 2 })

  await rejectsWith(VIR_ERR_INVALID_ARG, domain.setVcpus(0), /must be greater than zero/)
  await rejectsWith(
    VIR_ERR_INVALID_ARG,
    domain.setVcpus(241),
    /greater than max allowable vcpus for the domain: 241 > 240/,
  )
  await rejectsWith(VIR_ERR_ARGUMENT_UNSUPPORTED, domain.getVcpusFlags(VIR_DOMAIN_VCPU_GUEST), /VIR_DOMAIN_VCPU_GUEST/)
  await rejectsWith(
    VIR_ERR_INVALID_ARG,
    domain.setVcpusFlags(1, 32),
    /unsupported flags \(0x20\) in function virDomainSetVcpusFlags/,
  )

  assert.equal(await domain.getVcpusFlags(), 2)
})

// Proves: virDomainGetVcpus
test('each virtual CPU tells what it has used and where it may run; of a domain that is off, that it is', async () => {
  const { connection, driver } = await world()
  const scheduling = { weight: 256, capPercent: null, affinity: [1, 9] }
  const config = definition('web-bound', { vcpus: 2, scheduling })
  await driver.domains.define(config)
  const bound = await connection.domainLookupByUUID(config.id)
  const free = await defined(connection, { vcpus: 1 })

  assert.deepEqual(await free.getVcpus(), {
    info: [{ number: 0, state: VIR_VCPU_OFFLINE, cpuTime: 0n, cpu: VIR_VCPU_INFO_CPU_UNAVAILABLE }],
    cpumaps: [Uint8Array.of(0xff, 0xff)],
  })
  await bound.create()
  await until(async () => (await bound.getVcpus()).info.every(({ cpuTime }) => cpuTime > 0n))

  for (const maplen of [-1, 1.5, 2 ** 40]) {
    await rejectsWith(VIR_ERR_INVALID_ARG, bound.getVcpus(1, maplen), /maplen/)
  }
  const { info, cpumaps } = await bound.getVcpus()
  assert.deepEqual(
    info.map(({ number, state }) => [number, state]),
    [
      [0, VIR_VCPU_RUNNING],
      [1, VIR_VCPU_RUNNING],
    ],
  )
  assert.deepEqual(cpumaps, [Uint8Array.of(2, 2), Uint8Array.of(2, 2)])
  const one = await bound.getVcpus(1, 4)
  assert.deepEqual([one.info.length, one.cpumaps], [1, [Uint8Array.of(2, 2, 0, 0)]])
  assert.deepEqual((await bound.getVcpus(2, 1)).cpumaps, [Uint8Array.of(2), Uint8Array.of(2)])
})

// Proves: virDomainSetMemory, virDomainSetMemoryFlags, virDomainSetMaxMemory
test('memory is changed: what a domain has now, what it has from its start, and the most it can have', async () => {
  const domain = await defined((await world()).connection, { memoryKib: 131_072 })
  const memory = async () => {
    const { maxMem, memory: now } = await domain.getInfo()
    return [maxMem, now]
  }

  await domain.setMemory(65_536)
  assert.deepEqual(await memory(), [131_072, 65_536])
  await domain.setMaxMemory(262_144)
  assert.deepEqual(await memory(), [262_144, 65_536])
  await domain.setMemoryFlags(262_144, VIR_DOMAIN_MEM_CONFIG)
  await domain.setMemoryFlags(131_072, VIR_DOMAIN_MEM_MAXIMUM)
  assert.deepEqual(await memory(), [131_072, 131_072])

  await domain.create()
  await domain.setMemoryFlags(98_304, VIR_DOMAIN_MEM_LIVE | VIR_DOMAIN_MEM_CONFIG)
  await until(async () => (await memory())[1] === 98_304)
  await domain.setMemory(65_536)
  await until(async () => (await memory())[1] === 65_536)
})

test('memory that cannot be changes nothing', async () => {
  const { connection } = await world()
  const domain = await defined(connection, { memoryKib: 131_072 })

  await rejectsWith(VIR_ERR_INVALID_ARG, domain.setMemory(0), /must be greater than zero/)
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.setMemory(131_073), /cannot set memory higher than max memory/)
  await rejectsWith(VIR_ERR_OVERFLOW, domain.setMaxMemory(Number.MAX_SAFE_INTEGER))
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.setMemoryFlags(1, 8), /unsupported flags/)
  await rejectsWith(
    VIR_ERR_OPERATION_INVALID,
    domain.setMemoryFlags(1_024, VIR_DOMAIN_MEM_LIVE),
    /domain is not running/,
  )
  await domain.create()
  await rejectsWith(VIR_ERR_OPERATION_INVALID, domain.setMaxMemory(262_144), /on an active domain/)
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.setMemory(131_073), /cannot set memory higher than max memory/)

  assert.equal(await domain.getMaxMemory(), 131_072)
})

test('changes of one definition that are made at once are all made', async () => {
  const { connection, again } = await world()
  const domain = await defined(connection, { memoryKib: 131_072 })
  const same = await (await again()).domainLookupByUUID(domain.getUUID())

  await Promise.all([domain.setVcpus(3), same.setMaxMemory(262_144), domain.setMemory(65_536)])

  const { maxMem, memory, nrVirtCpu } = await domain.getInfo()
  assert.deepEqual([maxMem, memory, nrVirtCpu], [262_144, 65_536, 3])
})

// Proves: virDomainGetSchedulerType, virDomainGetSchedulerParameters, virDomainGetSchedulerParametersFlags
test("a host's own scheduler tells its name and its parameters, as many as there is room for", async () => {
  const domain = await defined((await world()).connection)
  const weight = { field: 'weight', type: VIR_TYPED_PARAM_UINT, value: 256n }
  const cap = { field: 'cap', type: VIR_TYPED_PARAM_UINT, value: 0n }

  assert.deepEqual(await domain.getSchedulerType(), { type: 'memory', nparams: 2 })
  assert.deepEqual(await domain.getSchedulerParameters(), [weight, cap])
  assert.deepEqual(await domain.getSchedulerParameters(1), [weight])
  assert.deepEqual(await domain.getSchedulerParametersFlags(2, VIR_DOMAIN_AFFECT_CONFIG), [weight, cap])
  await rejectsWith(
    VIR_ERR_OPERATION_INVALID,
    domain.getSchedulerParametersFlags(2, VIR_DOMAIN_AFFECT_LIVE),
    /not running/,
  )
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.getSchedulerParametersFlags(2, 8))
})

// Proves: virDomainGetAutostart, virDomainSetAutostart
test('all three actions are kept that a host may take with a domain when it starts', async () => {
  const { connection, driver } = await world()
  const domain = await defined(connection)
  const chosen = [AUTOSTART_ALWAYS, AUTOSTART_IF_WAS_RUNNING, AUTOSTART_NONE, true, false]

  const found: unknown[] = []
  for (const action of chosen) {
    await domain.setAutostart(action)
    found.push([await domain.getAutostart(), await driver.autostart?.get(domain.getUUIDString())])
  }

  assert.deepEqual(found, [
    [2, 'always'],
    [1, 'if-was-running'],
    [0, 'never'],
    [2, 'always'],
    [0, 'never'],
  ])
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.setAutostart(3))
})
