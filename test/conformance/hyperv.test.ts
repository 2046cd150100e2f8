import { setUp, TRAITS } from '../hyperv/setting.ts'
import { describeDriver } from './suite.ts'

// Where things take time, states that lie between are seen.
describeDriver('hyperv on the simulated host, build 20348', TRAITS, setUp({ build: 20_348, pace: 0.02 }))
