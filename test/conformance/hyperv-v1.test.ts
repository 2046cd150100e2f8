import { setUp, traitsOf } from '../hyperv/setting.ts'
import { describeDriver } from './suite.ts'

const host = { build: 7_601, namespace: 'v1', pace: 0 } as const
describeDriver('hyperv on the simulated host, build 7601, through v1', traitsOf(host), setUp(host))
