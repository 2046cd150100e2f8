import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { domainConfig } from '../hyperv/setting.ts'
import { serve, type World } from './world.ts'

const DOMAIN = { name: 'seen' } as const

let world: World
before(async () => {
  world = await serve({ hosts: ['memory'] })
  const { domains } = world.driver('memory')
  const config = { ...domainConfig(), name: DOMAIN.name, platform: { vga: 'std' } } as const
  await domains.define(config)
  await domains.start(config.id)
})
after(() => world.close())

test('a client is passed sockets that show what a domain shows, and that outlive its connection', async () => {
  const { code, stdout, stderr } = await world.python('memory', 'graphics.py', [DOMAIN.name])

  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
  assert.deepEqual(stdout.trim().split('\n'), [DOMAIN.name, 'RFB 003.008', 'True', 'RFB 003.008', 'True'])
  assert.deepEqual(world.complaints, [])
})

test('of a domain that shows nothing none is passed, and the client hears why', async () => {
  await world.ok('memory', 'destroy', DOMAIN.name)

  const { code, stderr } = await world.python('memory', 'graphics.py', [DOMAIN.name])

  assert.equal(code, 1)
  assert.match(stderr, /cannot open the console vnc of seen: it is halted/)
})
