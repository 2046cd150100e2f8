import assert from 'node:assert/strict'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { VM as VM_CLASS } from '../../src/model/index.ts'
import { startEngine } from './engine-world.ts'
import { make, startWorld } from './world.ts'

const { root } = await startWorld()

describe('templates and copies', () => {
  // Proves: VM.is_a_template
  test('what runs or is suspended cannot become a template', async () => {
    const VM = await make(root, 'VM')
    await root.ok('VM.start', VM, false)
    assert.deepEqual(await root.fails('VM.set_is_a_template', VM, true), [
      'VM_BAD_POWER_STATE',
      VM,
      'Halted',
      'Running',
    ])
    await root.ok('VM.suspend', VM, false)
    assert.equal((await root.fails('VM.set_is_a_template', VM, true))[0], 'VM_BAD_POWER_STATE')

    await root.ok('VM.hard_shutdown', VM)
    await root.ok('VM.set_is_a_template', VM, true)
    assert.equal((await root.fails('VM.start', VM, false))[0], 'VM_IS_TEMPLATE')
    await root.ok('VM.set_is_a_template', VM, false)
    await root.ok('VM.start', VM, false)
  })

  test('a clone does not inherit how often its original has crashed', async () => {
    const { call, services, close } = await startEngine()
    after(close)
    const made = await call('VM.create', [{}])
    const vm = made.ok && typeof made.value === 'string' ? made.value : assert.fail()
    await services.store.transact(transaction => transaction.patch(VM_CLASS, vm, { crash_copies: 3n }))

    const clone = await call('VM.clone', [vm, 'clone'])

    const ref = clone.ok && typeof clone.value === 'string' ? clone.value : assert.fail()
    assert.equal(services.store.get(VM_CLASS, ref)?.crash_copies, 0n)
  })

  // Proves: SR.location
  test('a repository is not cloned into the folder of another under the name of a link to it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'polyvisor-alias-'))
    after(() => rm(folder, { recursive: true, force: true }))
    const [place, link] = [join(folder, 'place'), join(folder, 'link')]
    const sr = await make(root, 'SR', { location: place })
    await symlink(folder, link)

    assert.equal((await root.fails('SR.clone', sr, join(link, 'place'), 'twin'))[0], 'OBJECT_NAME_TAKEN')
  })
})
