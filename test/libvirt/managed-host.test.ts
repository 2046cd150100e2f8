import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryDriver } from '../../src/drivers/memory/index.ts'
import { ALONE, type ManagedHost } from '../../src/libvirt/rpc/index.ts'
import { hostNamed } from '../../src/libvirt/rpc/managed-host.ts'

const host = (scheme: string, ...names: [string, ...string[]]): ManagedHost => ({
  scheme,
  names,
  driver: memoryDriver({ name: crypto.randomUUID() }),
  signal: new AbortController().signal,
  company: ALONE,
})

test('a host is found by each of its names, by its kind where it is the only one, and without a URI where there is no other', () => {
  const [lab, first, second] = [host('memory', 'lab', 'a1'), host('hyperv', 'hv', 'b1'), host('hyperv', 'hv', 'b2')]
  const hosts = [lab, first, second]

  for (const uri of ['memory:///lab', 'memory+unix:///a1?socket=/x', 'memory:///', 'MEMORY+tcp://127.0.0.1/lab']) {
    assert.equal(hostNamed(uri, hosts), lab, uri)
  }
  assert.equal(hostNamed('hyperv:///b2', hosts), second)
  assert.equal(hostNamed(null, [first]), first)
  assert.equal(hostNamed('', [first]), first)
})

test('whoever means no host, or several, is told the names of those that there are, as they can be told apart', () => {
  const hosts = [host('memory', 'hv', 'a1'), host('hyperv', 'hv', 'b1'), host('hyperv', 'hv', 'b2')]
  const those = 'there are memory:///hv, hyperv:///b1, hyperv:///b2'
  const message = (uri: string) => `no connection driver available for '${uri}'`

  assert.throws(() => hostNamed('hyperv:///hv', hosts), {
    message: `${message('hyperv:///hv')}: several hosts fit that name; ${those}`,
  })
  assert.throws(() => hostNamed('xen:///', hosts), {
    message: `${message('xen:///')}: no host of that name is managed here; ${those}`,
  })
  assert.throws(() => hostNamed('xen:///', []), {
    message: `${message('xen:///')}: no host of that name is managed here; there are none`,
  })
  const many = Array.from({ length: 12 }, (_, number) => host('memory', `lab-${number}`))
  assert.throws(() => hostNamed('memory:///', many), /memory:\/\/\/lab-9 and 2 more$/)
})
