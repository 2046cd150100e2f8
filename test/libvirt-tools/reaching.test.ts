import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type HostName, serve } from './world.ts'

const HOSTS = ['memory', 'qemu', 'v1', 'v2'] as const satisfies readonly HostName[]

const KINDS = { memory: 'TEST', qemu: 'QEMU', v1: 'Hyper-V', v2: 'Hyper-V' } as const

test("libvirt's virsh and Python reach every kind of host", async () => {
  const world = await serve({ hosts: HOSTS })
  try {
    for (const host of HOSTS) {
      const told = await world.ok(host, 'version')
      assert.match(told, /^Using API: /m)
      const program = await world.python(host, 'reach.py')
      assert.deepEqual(program, { code: 0, stdout: `${KINDS[host]}\n`, stderr: '' })
    }
    assert.deepEqual(world.complaints, [])
  } finally {
    await world.close()
  }
})
