import { test } from 'node:test'
import assert from 'node:assert/strict'
import {
  VIR_DOMAIN_CONTROL_OK,
  VIR_DOMAIN_JOB_NONE,
  VIR_DOMAIN_JOB_STATS_COMPLETED,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_OPERATION_INVALID,
} from '../../src/libvirt/index.ts'
import { defined, eachRejectsWith, rejectsWith, world } from './world.ts'

// Proves: virDomainGetControlInfo, virDomainGetJobInfo, virDomainGetJobStats, virDomainAbortJob, virDomainAbortJobFlags
test('a domain that is active can be told to do things, and nothing is being done to it that takes long', async () => {
  const domain = await defined((await world()).connection)
  const calls = {
    virDomainGetControlInfo: () => domain.getControlInfo(),
    virDomainGetJobInfo: () => domain.getJobInfo(),
    virDomainGetJobStats: () => domain.getJobStats(),
    virDomainAbortJob: () => domain.abortJob(),
    virDomainAbortJobFlags: () => domain.abortJobFlags(),
  }

  await eachRejectsWith(VIR_ERR_OPERATION_INVALID, calls, () => /domain is not running/)
  assert.deepEqual(await domain.getJobStats(VIR_DOMAIN_JOB_STATS_COMPLETED), { type: VIR_DOMAIN_JOB_NONE })
  await domain.create()

  const fine = { state: VIR_DOMAIN_CONTROL_OK, details: 0, stateTime: 0n }
  assert.deepEqual(await domain.getControlInfo(), fine)
  assert.deepEqual(
    [await domain.getJobInfo(), await domain.getJobStats()],
    [{ type: VIR_DOMAIN_JOB_NONE }, { type: VIR_DOMAIN_JOB_NONE }],
  )
  await rejectsWith(VIR_ERR_OPERATION_INVALID, domain.abortJob(), /no job is active on the domain/)
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.abortJobFlags(1), /unsupported flags/)
})
