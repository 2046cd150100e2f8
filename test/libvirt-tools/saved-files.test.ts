import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { domainXml } from '../libvirt/world.ts'
import { serve, type World } from './world.ts'

let world: World
before(async () => {
  world = await serve({ hosts: ['memory', 'qemu', 'v2'], hyperv: ['--vms', '1'] })
})
after(() => world.close())

const TYPES = { memory: 'test', qemu: 'qemu' } as const
const DURING = { timeout: 120_000 }

for (const host of ['memory', 'qemu'] as const) {
  test(`virsh saves a domain of a ${host} host to a file, edits that, and restores it`, DURING, async () => {
    const { ok, no, folder } = world
    const [described, file] = [join(folder, `${host}.xml`), join(folder, `${host}.saved`)]

    await writeFile(described, domainXml({ name: 'web', type: TYPES[host] }))
    await ok(host, 'create', described)
    if (host === 'qemu') {
      const [nowhere, within] = [join(folder, 'nowhere'), join(described, 'web.saved')]
      const [lost, core, inFile] = await Promise.all([
        no(host, 'save', 'web', join(nowhere, 'web.saved')),
        no(host, 'dump', 'web', join(nowhere, 'web.core'), '--memory-only'),
        no(host, 'save', 'web', within),
      ])
      for (const text of [lost, core]) assert.match(text, new RegExp(`there is no folder ${nowhere}$`, 'm'))
      assert.match(inFile, new RegExp(`cannot make ${within}: ${described} is no folder$`, 'm'))
    }
    const state = async () => (await ok(host, 'domstate', 'web', '--reason')).trim()
    assert.match(await ok(host, 'save', 'web', file), /saved to/)
    assert.equal(await state(), 'shut off (saved)')
    await writeFile(
      described,
      (await ok(host, 'save-image-dumpxml', file)).replace('</uuid>', '</uuid><title>T</title>'),
    )
    await ok(host, 'save-image-define', file, described, '--paused')
    assert.match(await ok(host, 'restore', file), /restored from/)
    assert.equal(await state(), 'paused (user)')
    assert.match(await no(host, 'restore', file), /already active/)
    await ok(host, 'resume', 'web')
    await ok(host, 'dump', 'web', join(folder, `${host}.core`), '--memory-only', '--crash')

    assert.equal(await state(), 'shut off (crashed)')
    assert.equal(existsSync(join(folder, `${host}.core`)), host === 'qemu')
    await ok(host, 'restore', file, '--running')
    assert.equal(await state(), 'running (restored)')

    const missing = /domain does not have managed save image/
    assert.match(await no(host, 'managedsave-dumpxml', 'web'), missing)
    await ok(host, 'managedsave', 'web', '--paused')
    await writeFile(described, (await ok(host, 'managedsave-dumpxml', 'web')).replace('>T<', '>managed<'))
    await ok(host, 'managedsave-define', 'web', described)
    assert.match(await ok(host, 'managedsave-dumpxml', 'web'), /<title>managed<\/title>/)
    await ok(host, 'start', 'web')
    assert.equal(await state(), 'paused (user)')
    assert.match(await no(host, 'managedsave-define', 'web', described, '--running'), missing)
  })
}

test('virsh hears that a Hyper-V host saves domains nowhere but where it wants', DURING, async () => {
  const [name] = (await world.ok('v2', 'list', '--all', '--name')).trim().split('\n')
  assert(name !== undefined)

  assert.match(
    await world.no('v2', 'save', name, '/tmp/saved'),
    /not supported by the connection driver: virDomainSave/,
  )
  assert.match(await world.no('v2', 'managedsave-dumpxml', name), /driver: virDomainManagedSaveGetXMLDesc/)
})
