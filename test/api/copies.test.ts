import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { make, startWorld } from './world.ts'

const { root } = await startWorld()

describe('copies of images', () => {
  // Proves: VDI.snapshot, VDI.parent, VDI.children
  test('a snapshot is a child of its image, in the same repository, and neither can be deleted from under the other', async () => {
    const vdi = await make(root, 'VDI', { name_label: 'original', virtual_size: '4096' })

    const snapshot = await root.text('VDI.snapshot', vdi)

    assert.equal(await root.text('VDI.get_parent', snapshot), vdi)
    assert.deepEqual(await root.list('VDI.get_children', vdi), [snapshot])
    assert.equal(await root.text('VDI.get_SR', snapshot), await root.text('VDI.get_SR', vdi))
    assert.equal(await root.text('VDI.get_virtual_size', snapshot), '4096')
    assert.equal(await root.text('VDI.get_name_label', snapshot), 'original')
    assert.deepEqual(await root.fails('VDI.delete', vdi), ['OBJECT_IN_USE', 'VDI', vdi, `VDI:${snapshot}`])
    await root.ok('VDI.delete', snapshot)
    await root.ok('VDI.delete', vdi)
  })

  test('an image that a VM writes has a snapshot taken while the VM runs', async () => {
    const [VM, VDI] = [await make(root, 'VM'), await make(root, 'VDI')]
    await make(root, 'VBD', { VM, VDI })
    await root.ok('VM.start', VM, false)

    const snapshot = await root.text('VDI.snapshot', VDI)

    assert.equal(await root.text('VDI.get_parent', snapshot), VDI)
    assert.deepEqual(await root.list('VDI.get_VBDs', snapshot), [])
  })

  test('an image with a parent begins as large as that, or larger, and not smaller', async () => {
    const parent = await make(root, 'VDI', { virtual_size: '4096' })

    const child = await root.text('VDI.create', { parent, virtual_size: '8192' })
    const same = await root.text('VDI.create', { parent })

    assert.equal(await root.text('VDI.get_virtual_size', child), '8192')
    assert.equal(await root.text('VDI.get_virtual_size', same), '4096')
    assert.deepEqual(await root.fails('VDI.create', { parent, virtual_size: '2048' }), [
      'VDI_TOO_SMALL',
      parent,
      String(4096 * 512),
    ])
    assert.deepEqual((await root.list('VDI.get_children', parent)).toSorted(), [child, same].toSorted())
  })

  // Proves: VM.clone, VM.install, VM.is_a_template
  test('a cloned VM has disks and interfaces of its own, and shares what nobody writes', async () => {
    const template = await make(root, 'VM', { is_a_template: true })
    const [disk, disc] = [await make(root, 'VDI'), await make(root, 'VDI', { read_only: true })]
    await make(root, 'VBD', { VM: template, VDI: disk, device: 'hda' })
    await make(root, 'VBD', { VM: template, VDI: disc, type: 'CD', mode: 'RO' })
    const vif = await make(root, 'VIF', { VM: template })

    const clone = await root.text('VM.install', template, 'installed')

    assert.equal(await root.ok('VM.get_is_a_template', clone), false)
    const devices = await root.list('VM.get_VBDs', clone)
    const vdis = await Promise.all(devices.map(vbd => root.text('VBD.get_VDI', vbd)))
    assert.equal(vdis.includes(disc), true)
    assert.equal(vdis.includes(disk), false)
    assert.deepEqual(
      await root.list('VDI.get_children', disk),
      vdis.filter(vdi => vdi !== disc),
    )
    const [copied = ''] = await root.list('VM.get_VIFs', clone)
    assert.notEqual(await root.text('VIF.get_MAC', copied), await root.text('VIF.get_MAC', vif))
    await root.ok('VM.start', clone, false)
  })

  // Proves: SR.clone
  test('a cloned repository has a copy of every image, with parents among the copies', async () => {
    const sr = await make(root, 'SR', { location: 'shelf-to-be-cloned' })
    const parent = await make(root, 'VDI', { SR: sr, name_label: 'parent' })
    const child = await root.text('VDI.snapshot', parent)
    await root.ok('VDI.set_name_label', child, 'child')

    const clone = await root.text('SR.clone', sr, 'shelf-of-copies', 'copies')

    const copies = await root.list('SR.get_VDIs', clone)
    const named = await Promise.all(copies.map(async vdi => [await root.text('VDI.get_name_label', vdi), vdi] as const))
    const byName = new Map(named)
    assert.deepEqual([...byName.keys()].toSorted(), ['child', 'parent'])
    assert.equal(await root.text('VDI.get_parent', byName.get('child') ?? ''), byName.get('parent'))
    assert.equal(await root.text('SR.get_location', clone), 'shelf-of-copies')
    assert.deepEqual(await root.fails('SR.clone', sr, 'shelf-of-copies', 'again'), [
      'OBJECT_NAME_TAKEN',
      'SR',
      'shelf-of-copies',
    ])
  })
})
