import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { atEnd } from '../support/at-end.ts'
import { startServer } from '../support/server.ts'
import { toolsFor, uriOf } from './world.ts'

const HOST = 'qemu:///system?accelerator=tcg'
const NETWORKS = ['marked', 'unmarked'] as const

test('pools and networks are kept over the end of the server, which starts those again that are marked', async t => {
  const data = await mkdtemp(join(tmpdir(), 'polyvisor-restart-'))
  atEnd(t, () => rm(data, { recursive: true, force: true, maxRetries: 3 }))
  const socket = join(data, 'libvirt-sock')
  const options = { hosts: [HOST], data, options: ['--listen', `libvirt+unix://${socket}`] }
  const { ok } = toolsFor(() => uriOf('qemu', 'system', socket), data)
  const first = await startServer(options)
  for (const name of NETWORKS) {
    const file = join(data, `${name}.xml`)
    await writeFile(file, `<network><name>${name}</name><forward mode='nat'/></network>`)
    await ok('', 'net-define', file)
    await ok('', 'pool-define-as', name, 'dir', '--target', join(data, 'sr', name))
  }
  await ok('', 'net-autostart; pool-autostart'.replaceAll('start', 'start marked'))
  await ok('', 'pool-create-as', 'made', 'dir', '--target', join(data, 'sr', 'made'))
  await ok('', 'vol-create-as', 'made', 'disk.qcow2', '1M', '--format', 'qcow2')

  assert.equal(await first.stop(), 0, first.log())
  const second = await startServer(options)
  atEnd(t, () => second.stop())

  /** Without what the host had by itself. */
  const state = async (command: string) =>
    [...(await ok('', command, '--all')).matchAll(/^ (\S+) +(active|inactive) +(yes|no)/gm)]
      .map(([line]) => line.trim().split(/ +/).join(' '))
      .filter(line => !/^(default|Primordial) /.test(line))
  assert.deepEqual(await state('net-list'), ['marked active yes', 'unmarked inactive no'])
  assert.deepEqual(await state('pool-list'), ['made active no', 'marked active yes', 'unmarked inactive no'])
  assert.match(await ok('', 'vol-list', 'made'), /disk\.qcow2/)
  await ok('', 'pool-destroy', 'made')
  assert(!(await ok('', 'pool-list', '--all', '--name')).includes('made'))
})
