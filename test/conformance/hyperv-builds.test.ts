import { setUp, traitsOf } from '../hyperv/setting.ts'
import { describeDriver } from './suite.ts'

// Of what the builds and languages differ in, nothing takes time.
for (const [build, locale] of [
  [9_200, 'en-US'],
  [9_600, 'ja-JP'],
  [26_100, 'en-US'],
] as const) {
  const name = `hyperv on the simulated host, build ${build} in ${locale}`
  describeDriver(name, traitsOf({ build }), setUp({ build, pace: 0 }, '--locale', locale))
}
