import assert from 'node:assert/strict'
import { test } from 'node:test'
import { retellActions } from '../../src/handlers/vm-life.ts'
import { startEngine } from './engine-world.ts'
import { make, startWorld } from './world.ts'

const { root } = await startWorld()

// Proves: VM.affinity
test('a VM starts on the host that has its disks', async () => {
  const here = new Set(await root.list('SR.get_all'))
  const host = await root.text('host.add', 'memory:///with-the-disks')
  const there = (await root.list('SR.get_all')).find(sr => !here.has(sr)) ?? assert.fail('no repository')
  const vm = await make(root, 'VM')
  await make(root, 'VBD', { VM: vm, VDI: await make(root, 'VDI', { SR: there }) })
  assert.notEqual(await root.text('VM.get_affinity', vm), host)

  await root.ok('VM.start', vm, false)

  assert.equal(await root.text('VM.get_resident_on', vm), host)
  assert.equal(await root.text('VM.get_affinity', vm), host)
})

// Proves: SR.host
test('a repository is a folder of the host that was chosen, and of no other', async () => {
  const host = await root.text('host.add', 'memory:///chosen')
  const place = { type: 'memory', location: 'a place' }

  const chosen = await root.text('SR.create', { ...place, host })
  const first = await root.text('SR.create', place)

  assert.equal(await root.text('SR.get_host', chosen), host)
  assert.notEqual(await root.text('SR.get_host', first), host)
  assert.deepEqual(await root.fails('SR.create', { type: 'dir', host }), ['SR_UNKNOWN_DRIVER', 'dir'])
})

test('a host that was told to halt a guest for the moment of a reboot is told again what follows its shutdown', async () => {
  const { call, driver, services, close } = await startEngine()
  const made = await call('VM.create', [{ actions_after_shutdown: 'restart' }])
  const vm = made.ok && typeof made.value === 'string' ? made.value : assert.fail()
  await call('VM.start', [vm, false])
  const config = await driver.domains.config(vm)
  const exits = config.exits ?? assert.fail()
  await services.hosts.defineForNow(vm, { ...config, exits: { ...exits, shutdown: 'halt' } })

  await retellActions(services)

  assert.equal((await driver.domains.config(vm)).exits?.shutdown, 'restart')
  await close()
})
