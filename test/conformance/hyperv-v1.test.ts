import { setUp, V1_TRAITS } from '../hyperv/setting.ts'
import { describeDriver } from './suite.ts'

const name = 'hyperv on the simulated host, build 7601, through v1'
describeDriver(name, V1_TRAITS, setUp({ build: 7_601, pace: 0 }))
