import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type { Driver } from '../../src/drivers/driver.ts'
import { type MemoryDriver, MemoryHost } from '../../src/drivers/memory/index.ts'
import { ensureRepository } from '../../src/handlers/repository.ts'
import { SR, VBD, VDI, VM } from '../../src/model/index.ts'
import { startEngine } from './engine-world.ts'

// A host whose images cannot share blocks, such as Hyper-V: there everything is copied.

const memoryHost = new MemoryHost({ name: 'sharing nothing' })
function withoutClones(driver: MemoryDriver): Driver {
  const { clones: _, ...others } = driver
  return others
}
const world = await startEngine([], memoryHost, withoutClones)
const { store, hosts } = world.services
after(() => world.close())
await ensureRepository(world.services, hosts.connected()[0]?.host ?? '')

const call = async (method: string, ...params: readonly (string | boolean | Readonly<Record<string, string>>)[]) => {
  const answer = await world.call(method, params)
  return answer.ok && typeof answer.value === 'string' ? answer.value : assert.fail(JSON.stringify(answer))
}

const imageOf = (vdi: string) => store.get(VDI, vdi) ?? assert.fail('no image')

describe('where images cannot share blocks', () => {
  test('a cloned VM has copies of its disks, of the same format, that are nobody’s children', async () => {
    const vm = await call('VM.create', { name_label: 'first', memory_static_max: '67108864' })
    const disk = await call('VDI.create', { virtual_size: '2048', image_format: 'vhd' })
    await call('VBD.create', { VM: vm, VDI: disk, device: 'hda' })

    const clone = await call('VM.clone', vm, 'second')

    const [vbd = ''] = store.get(VM, clone)?.VBDs ?? []
    const copy = imageOf(store.get(VBD, vbd)?.VDI ?? '')
    assert.notEqual(copy.uuid, disk)
    assert.deepEqual([copy.parent, copy.image_format, copy.virtual_size], ['', 'vhd', 2048n])
    assert.deepEqual(imageOf(disk).children, [])
    assert.deepEqual((await world.driver.storage.getVolume(copy.location)).virtualBytes, 2048 * 512)
  })

  test('an image that a VM writes cannot be copied, and nothing is left of the attempt', async () => {
    const vm = await call('VM.create', { name_label: 'writer', memory_static_max: '67108864' })
    const disk = await call('VDI.create', { virtual_size: '2048' })
    await call('VBD.create', { VM: vm, VDI: disk, device: 'hda' })
    assert.equal((await world.call('VM.start', [vm, false])).ok, true)
    const before = store.all(VDI)

    const answer = await world.call('VDI.snapshot', [disk])

    assert.deepEqual(answer, { ok: false, error: ['VDI_IN_USE', disk, 'VDI.snapshot'] })
    assert.deepEqual(store.all(VDI), before)
  })

  test('a child that was asked for is one, however it was made, and as large as was asked for', async () => {
    const parent = await call('VDI.create', { virtual_size: '2048' })

    const child = await call('VDI.create', { parent, virtual_size: '4096' })

    assert.deepEqual([imageOf(child).parent, imageOf(child).virtual_size], [parent, 4096n])
  })

  test('a repository cannot be cloned', async () => {
    const [sr = ''] = store.all(SR)

    const answer = await world.call('SR.clone', [sr, '', 'copy'])

    assert.deepEqual(answer, { ok: false, error: ['DRIVER_UNSUPPORTED', 'memory', 'SR.clone'] })
  })
})
