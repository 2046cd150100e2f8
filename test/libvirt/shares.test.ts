import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Domain,
  VIR_DOMAIN_AFFECT_CONFIG,
  VIR_DOMAIN_AFFECT_LIVE,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_OPERATION_FAILED,
  VIR_ERR_OPERATION_INVALID,
  VIR_ERR_OPERATION_UNSUPPORTED,
  VIR_TYPED_PARAM_UINT,
} from '../../src/libvirt/index.ts'
import { defined, rejectsWith, world } from './world.ts'

const uint = (field: string, value: number) => ({ field, type: VIR_TYPED_PARAM_UINT, value: BigInt(value) })

async function sharesOf(domain: Domain, flags = 0): Promise<Record<string, bigint>> {
  const parameters = await domain.getSchedulerParametersFlags(undefined, flags)
  return Object.fromEntries(parameters.map(({ field, value }) => [field, value]))
}

// Proves: virDomainSetSchedulerParameters, virDomainSetSchedulerParametersFlags
test("parameters of the host's scheduler are changed: of a domain that runs now, or from its next start", async () => {
  const domain = await defined((await world()).connection)

  await domain.setSchedulerParameters([uint('weight', 512)])
  assert.deepEqual(await sharesOf(domain), { weight: 512n, cap: 0n })
  await domain.create()
  await domain.setSchedulerParametersFlags([uint('cap', 50)], VIR_DOMAIN_AFFECT_LIVE)
  assert.deepEqual(await sharesOf(domain), { weight: 512n, cap: 50n })
  await domain.setSchedulerParametersFlags([uint('weight', 100), uint('cap', 0)], VIR_DOMAIN_AFFECT_CONFIG)
  assert.deepEqual(await sharesOf(domain, VIR_DOMAIN_AFFECT_LIVE), { weight: 512n, cap: 50n })
  await domain.destroy()

  assert.deepEqual(await sharesOf(domain), { weight: 100n, cap: 0n })
})

test('parameters that there are not, or that cannot have the value, change nothing', async () => {
  const domain = await defined((await world()).connection)

  await rejectsWith(VIR_ERR_OPERATION_FAILED, domain.setSchedulerParameters([uint('speed', 1)]), /no parameter speed/)
  await rejectsWith(VIR_ERR_OPERATION_FAILED, domain.setSchedulerParameters([uint('weight', 0)]), /a weight is from 1/)
  const twice = domain.setSchedulerParameters([uint('weight', 1), uint('weight', 2)])
  await rejectsWith(VIR_ERR_INVALID_ARG, twice, /occurs multiple times/)
  const live = domain.setSchedulerParametersFlags([uint('weight', 1)], VIR_DOMAIN_AFFECT_LIVE)
  await rejectsWith(VIR_ERR_OPERATION_INVALID, live, /domain is not running/)
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.setSchedulerParametersFlags([], 8), /unsupported flags \(0x8\)/)

  assert.deepEqual(await sharesOf(domain), { weight: 256n, cap: 0n })
})

const [CPUS_1_AND_9, ALL] = [Uint8Array.of(2, 2), Uint8Array.of(0xff, 0xff)]

// Proves: virDomainPinVcpu, virDomainPinVcpuFlags, virDomainGetVcpuPinInfo
test('the virtual CPU of a domain is bound to CPUs of the host, now or from the next start, and set free', async () => {
  const domain = await defined((await world()).connection)
  assert.deepEqual(await domain.getVcpuPinInfo(), [ALL])

  await domain.pinVcpu(0, CPUS_1_AND_9)
  assert.deepEqual(await domain.getVcpuPinInfo(), [CPUS_1_AND_9])
  assert.match(await domain.getXMLDesc(), /cpuset=['"]1,9['"]/)
  await domain.create()
  await domain.pinVcpuFlags(0, ALL, VIR_DOMAIN_AFFECT_CONFIG)
  await domain.pinVcpuFlags(0, Uint8Array.of(1), VIR_DOMAIN_AFFECT_LIVE)
  assert.deepEqual(await domain.getVcpuPinInfo(1, 1, VIR_DOMAIN_AFFECT_LIVE), [Uint8Array.of(1)])
  assert.deepEqual(await domain.getVcpuPinInfo(0), [])
})

test('virtual CPUs of a domain run on the same CPUs, so that one of several is not bound alone', async () => {
  const domain = await defined((await world()).connection, { vcpus: 2 })

  const alone = domain.pinVcpu(1, CPUS_1_AND_9)
  await rejectsWith(VIR_ERR_OPERATION_UNSUPPORTED, alone, /cannot bind virtual CPU 1 alone/)
  await domain.pinVcpu(1, Uint8Array.of(0xff, 0xff, 0xff)) // As it is already.
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.pinVcpu(2, ALL), /vcpu 2 is out of range of cpu count 2/)
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.pinVcpu(0, Uint8Array.of(0, 0)), /no CPU of the host is in the map/)
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.getVcpuPinInfo(1, -1), /maplen in virDomainGetVcpuPinInfo/)

  assert.deepEqual(await domain.getVcpuPinInfo(), [ALL, ALL])
})
