import { setUp, traitsOf } from '../hyperv/setting.ts'
import { describeDriver } from './suite.ts'

// Where things take time, states that lie between are seen.
const host = { build: 20_348, pace: 0.02 }
describeDriver('hyperv on the simulated host, build 20348', traitsOf(host), setUp(host))
