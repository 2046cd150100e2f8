import assert from 'node:assert/strict'
import { test } from 'node:test'
import { volumeNamed } from '../../src/libvirt/volume-name.ts'

test('an image that is asked for raw is what the host makes first where it makes none raw', () => {
  const hyperv = ['vhdx', 'vhd'] as const

  assert.deepEqual(volumeNamed({ name: 'web.img', format: 'raw' }, hyperv), { name: 'web.img', format: 'vhdx' })
  assert.deepEqual(volumeNamed({ name: 'web.vhd', format: 'raw' }, hyperv), { name: 'web', format: 'vhd' })
  assert.deepEqual(volumeNamed({ name: 'web.img' }, hyperv), { name: 'web.img', format: 'vhdx' })
  assert.deepEqual(volumeNamed({ name: 'web.qcow2', format: 'qcow2' }, hyperv), { name: 'web', format: 'qcow2' })
})

test('an image that is asked for raw is raw where the host makes such images', () => {
  const qemu = ['qcow2', 'raw'] as const

  assert.deepEqual(volumeNamed({ name: 'web', format: 'raw' }, qemu), { name: 'web', format: 'raw' })
  assert.deepEqual(volumeNamed({ name: 'web.img' }, qemu), { name: 'web', format: 'raw', ending: '.img' })
})
