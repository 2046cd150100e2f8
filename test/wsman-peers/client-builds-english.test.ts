import { after, before, describe, test } from 'node:test'
import { BuildHost, BUILDS } from './client-builds.ts'
import { CHECKS, type View } from './client-checks.ts'

describe('in English', { concurrency: 2 }, () => {
  for (const { build, version, stack, faces } of BUILDS) {
    describe(`a host of build ${build}`, { concurrency: 1 }, () => {
      let host: BuildHost
      before(async () => {
        host = await BuildHost.start(build, 'en-US')
      })
      after(() => host.end())

      test('says what it is', () => host.checkIdentity(version, stack))

      for (const face of faces) {
        describe(`through ${face.namespace}`, () => {
          let view: View
          before(async () => {
            view = await host.view(face)
          })

          for (const [name, check] of CHECKS) test(name, () => check(view))
        })
      }
    })
  }
})
