import { setUp, TRAITS } from '../hyperv/setting.ts'
import { describeDriver } from './suite.ts'

// Of what the builds differ in, nothing takes time.
for (const build of [9_200, 9_600, 14_393, 26_100]) {
  describeDriver(`hyperv on the simulated host, build ${build}`, TRAITS, setUp(build, 0))
}
