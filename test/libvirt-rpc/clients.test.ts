import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { serve } from '../../src/protocols/libvirt-rpc/index.ts'
import { type Outcome, run } from '../support/command.ts'
import { listen, type Listening } from './listening.ts'
import { SmallHost, smallHandlers } from './small-host.ts'

const PYTHON = '/usr/bin/python3'
const SCRIPT = fileURLToPath(new URL('client.py', import.meta.url))

describe("libvirt's own clients at a small host of ours", () => {
  const faults: unknown[] = []
  let host: SmallHost
  let listening: Listening
  let folder: string
  before(async () => {
    host = new SmallHost()
    const onFault = (error: unknown) => faults.push(error)
    listening = await listen(socket => serve(socket, smallHandlers, { context: host, onFault }))
    folder = await mkdtemp(join(tmpdir(), 'pv-'))
  })
  after(async () => {
    await listening.close()
    await rm(folder, { recursive: true, force: true })
    assert.deepEqual(faults, [])
  })

  const uri = () => `small+unix:///default?socket=${listening.path}`
  const virsh = async (...args: string[]): Promise<Outcome> => await run('virsh', ['-c', uri(), '-q', ...args])

  test('python3-libvirt lists, is refused, hears events, and moves bytes both ways', async () => {
    const { code, stdout, stderr } = await run(PYTHON, [SCRIPT, uri()])
    assert.equal(code, 0, stderr)
    const noSupport = 'this function is not supported by the connection driver: virConnectGetMaxVcpus'
    const readOnly = 'read only access prevents virDomainDestroy'

    assert.deepEqual(JSON.parse(stdout), {
      hostname: 'smallhost.example',
      type: 'SMALL',
      version: 3_002_001,
      domains: [
        ['alpha', '00000000-1111-4222-8333-444444444444', 1, 1],
        ['beta', '00000001-1111-4222-8333-444444444444', -1, 5],
        ['gamma', '00000002-1111-4222-8333-444444444444', -1, 5],
      ],
      unsupported: [3, 20, noSupport, 'virConnectGetMaxVcpus'],
      absent: [42, 12, 'Domain not found: no such domain', null],
      events: [
        ['beta', 2],
        ['beta', 5],
      ],
      same: true,
      console: ['console of a small host\r\n', 'HELLO'],
      threads: Array.from({ length: 40 }, () => 3),
      readonly: [29, 20, `operation forbidden: ${readOnly}`, readOnly],
    })
    assert.equal(host.volume.length, 3_000_001)
    // The console and both uploads, in the order in which the program was done with them.
    assert.deepEqual(host.ends, ['upload', 'console', 'upload'])
  })

  test('virsh lists, describes, starts, and tells in its words what is not supported', async () => {
    const [list, xml, name, start, unsupported, again] = [
      await virsh('list', '--all', '--name'),
      await virsh('dumpxml', 'beta'),
      await virsh('hostname'),
      await virsh('start', 'gamma'),
      await virsh('setvcpus', 'beta', '2'),
      await virsh('start', 'gamma'),
    ]

    assert.deepEqual(list.stdout.split(/\s+/).filter(Boolean), ['alpha', 'beta', 'gamma'])
    assert.match(xml.stdout, /<name>beta<\/name>/)
    assert.equal(name.stdout.trim(), 'smallhost.example')
    assert.deepEqual([start.code, again.code, unsupported.code], [0, 1, 1])
    assert.match(unsupported.stderr, /not supported by the connection driver: virDomainSetVcpus/)
    assert.match(again.stderr, /already active/)
  })

  test('virsh moves a volume with its holes, and tells why it cannot be stored', async () => {
    const [up, down, large] = ['up', 'down', 'large'].map(name => join(folder, name))
    assert.ok(up !== undefined && down !== undefined && large !== undefined)
    const content = Buffer.concat([Buffer.alloc(1_000_000), Buffer.alloc(500_000, 'x')])
    await writeFile(up, content)
    await writeFile(large, Buffer.alloc(5_000_000, 'y'))

    const sent = await virsh('vol-upload', '--sparse', 'disk', up, '--pool', 'pool')
    const fetched = await virsh('vol-download', 'disk', down, '--pool', 'pool')
    const refused = await virsh('vol-upload', 'disk', large, '--pool', 'pool')

    assert.deepEqual([sent.code, fetched.code, refused.code], [0, 0, 1], sent.stderr + fetched.stderr)
    assert.ok((await readFile(down)).equals(content))
    assert.match(refused.stderr, /the volume is full/)
  })
})
