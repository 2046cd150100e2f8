import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { configure, type ServeOptions } from '../../src/server/configuration.ts'
import { folder } from './world.ts'

const NOTHING: ServeOptions = { listen: [], host: [], allowPlainHttp: false, allowPath: [] }

async function configured(context: TestContext, file: object, options: Partial<ServeOptions> = {}) {
  const config = join(await folder(context), 'config.json')
  await writeFile(config, JSON.stringify(file))
  return configure({ ...NOTHING, config, ...options })
}

test('the paths that clients may name come from the file, and the command line replaces them', async context => {
  const file = { allowPaths: ['/images'] }
  assert.equal((await configured(context, {})).allowPaths, undefined)
  assert.deepEqual((await configured(context, file)).allowPaths, ['/images'])
  assert.deepEqual((await configured(context, { allowPaths: [] })).allowPaths, [])
  assert.deepEqual((await configured(context, file, { allowPath: ['/a', '/b'] })).allowPaths, ['/a', '/b'])
  await assert.rejects(configured(context, file, { allowPath: ['images'] }), { name: 'ConfigurationError' })
})

test('the programs that end the machine are both named, each with its whole path', async context => {
  const hostPower = { shutdown: ['/sbin/poweroff', '--no-wall'], reboot: ['/sbin/reboot'] }
  assert.deepEqual((await configured(context, { hostPower })).hostPower, hostPower)
  assert.equal((await configured(context, {})).hostPower, undefined)
  for (const wrong of [
    { shutdown: ['/sbin/poweroff'] },
    { ...hostPower, reboot: [] },
    { ...hostPower, reboot: ['reboot'] },
  ])
    await assert.rejects(configured(context, { hostPower: wrong }), { name: 'ConfigurationError' })
})

test('what is wrong with the file is told in one line, each with the member that it is about', async context => {
  const wrong = { logLevel: 'loud', hostPower: { shutdown: ['poweroff'], reboot: ['/sbin/reboot'] }, nonsense: 1 }
  await assert.rejects(configured(context, wrong), ({ message }: Error) => {
    assert.doesNotMatch(message, /[\n✖]/)
    assert.match(message, /hostPower\.shutdown: the program needs its whole path; logLevel: .*; .*nonsense/)
    return true
  })
})
