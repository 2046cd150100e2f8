import { describe } from 'node:test'
import { part, setUp, traitsOf } from '../hyperv/setting.ts'
import { describeDriver } from './suite.ts'

// Of what the builds and languages differ in, nothing takes time. Two have the whole suite for themselves elsewhere; here, a
// part of it on each of the others, and another one on each.
describe('builds', { concurrency: true }, () => {
  for (const [nth, build, locale] of [
    [0, 9_200, 'en-US'],
    [1, 9_600, 'ja-JP'],
    [2, 14_393, 'en-US'],
    [3, 17_763, 'en-US'],
  ] as const) {
    const name = `hyperv on the simulated host, build ${build} in ${locale}`
    describeDriver(name, traitsOf({ build }), setUp({ build, pace: 0 }, '--locale', locale), part(nth, 8))
  }
})
