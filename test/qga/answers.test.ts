import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { afterEach, test } from 'node:test'
import * as fc from 'fast-check'
import { TEXT_LENGTH_MAX } from '../../src/protocols/qga/answers.ts'
import { connectQga, type QgaClient } from '../../src/protocols/qga/client.ts'
import { QgaError, type QgaFailure } from '../../src/protocols/qga/error.ts'
import { freezeFileSystems, readDisks, readFileSystems, thawFileSystems } from '../../src/protocols/qga/file-systems.ts'
import { readInterfaces } from '../../src/protocols/qga/interfaces.ts'
import {
  readHostName,
  readSystem,
  readTime,
  readTimezone,
  readUsers,
  writeTime,
} from '../../src/protocols/qga/system.ts'
import { type FakeServer, listen } from '../qmp/fake-server.ts'
import { agent, type Command, returned, synced } from './fake-agent.ts'

const LONG_MS = 30_000

let server: FakeServer | undefined
let client: QgaClient | undefined
afterEach(async () => {
  client?.close()
  await server?.close()
})

/** An agent that answers everything with what `answer` gives now. */
async function answering(answer: (command: Command) => unknown): Promise<QgaClient> {
  server = await listen(agent(command => synced(command) ?? returned(answer(command))))
  client = await connectQga(server.path, LONG_MS)
  return client
}

const failsBy = (failure: QgaFailure) => (error: unknown) => {
  assert(error instanceof QgaError, String(error))
  assert.equal(error.failure, failure, error.message)
  return true
}

const PCI = { domain: 0, bus: 0, slot: 5, function: 0 }

test('interfaces are told with their addresses, those under another name with the one that they are of', async () => {
  const guest = await answering(() => [
    { name: 'lo', 'ip-addresses': [{ 'ip-address': '127.0.0.1', 'ip-address-type': 'ipv4', prefix: 8 }] },
    {
      name: 'eth0',
      'hardware-address': '52:54:00:AA:bb:01',
      'ip-addresses': [
        { 'ip-address': 'fe80::1', 'ip-address-type': 'ipv6', prefix: 64 },
        { 'ip-address': 'not an address', 'ip-address-type': 'ipv4', prefix: 8 },
      ],
      statistics: { 'rx-bytes': 1 },
    },
    { name: 'eth0:1', 'ip-addresses': [{ 'ip-address': '10.0.0.2', 'ip-address-type': 'ipv4', prefix: 24 }] },
    { name: 'ib0', 'hardware-address': '80:00:02:08:fe:80:00:00:00:00:00:00:f4:52:14:03:00:7b:cb:a1' },
  ])

  assert.deepEqual(await readInterfaces(guest, LONG_MS), [
    { name: 'lo', addresses: [{ family: 'ipv4', address: '127.0.0.1', prefix: 8 }] },
    {
      name: 'eth0',
      mac: '52:54:00:aa:bb:01',
      addresses: [
        { family: 'ipv6', address: 'fe80::1', prefix: 64 },
        { family: 'ipv4', address: '10.0.0.2', prefix: 24 },
      ],
    },
    { name: 'ib0', addresses: [] },
  ])
})

test('file systems are told in the order in which they were mounted, and disks with their places', async () => {
  const place = { 'pci-controller': PCI, 'bus-type': 'virtio', bus: 0, target: 0, unit: 0, dev: '/dev/vda1' }
  const read = { domain: 0, bus: 0, slot: 5, function: 0, channel: 0, unit: 0, kind: 'virtio', device: '/dev/vda1' }
  let answer: unknown = [
    { name: 'vda2', mountpoint: '/home', type: 'xfs', disk: [] },
    { name: 'vda1', mountpoint: '/', type: 'ext4', 'used-bytes': 1, 'total-bytes': 2, disk: [place] },
  ]
  const guest = await answering(() => answer)

  assert.deepEqual(await readFileSystems(guest, LONG_MS), [
    { name: 'vda1', mountpoint: '/', type: 'ext4', totalBytes: 2, usedBytes: 1, disks: [read] },
    { name: 'vda2', mountpoint: '/home', type: 'xfs', disks: [] },
  ])
  answer = [{ name: '/dev/dm-0', partition: false, dependencies: ['/dev/vda1', 7], alias: 'root' }]
  assert.deepEqual(await readDisks(guest, LONG_MS), [
    { name: '/dev/dm-0', isPartition: false, dependencies: ['/dev/vda1'], alias: 'root' },
  ])
})

test('users, time zone and clock are read in the units that we have, and the clock is set so', async () => {
  const heard: Command[] = []
  const answers: Readonly<Record<string, unknown>> = {
    'guest-get-users': [{ user: 'ada', domain: 'LAB', 'login-time': 1.5 }],
    'guest-get-timezone': { zone: 'CET', offset: 3600 },
    'guest-get-time': 1_700_000_000_123_456_768,
    'guest-set-time': {},
  }
  const guest = await answering(command => {
    heard.push(command)
    return answers[command.execute]
  })

  assert.deepEqual(await readUsers(guest, LONG_MS), [{ name: 'ada', domain: 'LAB', loginMs: 1_500 }])
  assert.deepEqual(await readTimezone(guest, LONG_MS), { name: 'CET', offsetSeconds: 3600 })
  assert.equal(await readTime(guest, LONG_MS), 1_700_000_000_123_456_768n)
  await writeTime(guest, 1_700_000_000_000_000_000n, LONG_MS)
  await writeTime(guest, 'rtc', LONG_MS)
  assert.deepEqual(
    heard.slice(-2).map(command => command.arguments),
    [{ time: 1_700_000_000_000_000_000 }, {}],
  )
})

test('what makes no sense, or is more than anybody needs, is no answer', async () => {
  let answer: unknown
  const guest = await answering(() => answer)
  const eth0 = (address: object) => [{ name: 'eth0', 'ip-addresses': [address] }]
  const long = 'x'.repeat(TEXT_LENGTH_MAX + 1)
  const cases: readonly (readonly [unknown, (guest: QgaClient, timeoutMs: number) => Promise<unknown>])[] = [
    [null, readInterfaces],
    [[null], readInterfaces],
    [[{ name: '' }], readInterfaces],
    [[{ name: 'a\nb' }], readInterfaces],
    [[{ name: long }], readInterfaces],
    [[{ name: '\ud800' }], readInterfaces],
    [eth0({ 'ip-address': '1.2.3.4', 'ip-address-type': 'ipx', prefix: 8 }), readInterfaces],
    [eth0({ 'ip-address': '1.2.3.4', 'ip-address-type': 'ipv4', prefix: 33 }), readInterfaces],
    [Array.from({ length: 2_049 }, () => ({ name: 'eth0' })), readInterfaces],
    [{ 'host-name': 7 }, readHostName],
    [{ offset: 1.5 }, readTimezone],
    [{ offset: 1e9 }, readTimezone],
    [-1, readTime],
    ['1', readTime],
    [[{ user: 'ada' }], readUsers],
    [[{ name: 'vda1', mountpoint: '/', type: 'ext4', disk: [{}] }], readFileSystems],
    [[{ name: 'vda1', mountpoint: '/', type: 'ext4', disk: 1 }], readFileSystems],
    [[{ name: '/dev/vda', partition: 'no' }], readDisks],
    [{}, thawFileSystems],
  ]
  for (const [value, read] of cases) {
    answer = value
    await assert.rejects(read(guest, LONG_MS), failsBy('garbage'), JSON.stringify(value)?.slice(0, 80))
  }
})

test('a command that an agent has not is told from one that it refuses', async () => {
  let error: unknown = { class: 'CommandNotFound', desc: 'The command guest-get-users has not been found' }
  server = await listen(agent(command => synced(command) ?? `${JSON.stringify({ error })}\n`))
  client = await connectQga(server.path, LONG_MS)

  await assert.rejects(readUsers(client, LONG_MS), {
    failure: 'unable',
    message: `unable to execute QEMU agent command 'guest-get-users': The command guest-get-users has not been found`,
  })
  error = { class: 'GenericError', desc: 'failed to open /mnt' }
  await assert.rejects(freezeFileSystems(client, ['/mnt'], LONG_MS), failsBy('refused'))
  error = 7
  await assert.rejects(freezeFileSystems(client, undefined, LONG_MS), failsBy('refused'))
})

test('whatever a guest answers, what is read of it can be shown', async () => {
  let answer: unknown
  const guest = await answering(() => answer)
  const word = fc.constantFrom('name', 'ip-addresses', 'ip-address', 'ip-address-type', 'prefix', 'host-name', 'disk')
  const value = fc.letrec(tie => ({
    any: fc.oneof({ maxDepth: 3 }, fc.jsonValue(), tie('object'), fc.array(tie('any'), { maxLength: 3 })),
    object: fc.dictionary(word, fc.oneof(fc.constantFrom('ipv4', 'ipv6', '1.2.3.4', '::1', 8, []), tie('any'))),
  })).any
  const readers = [
    readInterfaces,
    readSystem,
    readHostName,
    readTimezone,
    readUsers,
    readTime,
    readFileSystems,
    readDisks,
  ]
  await fc.assert(
    fc.asyncProperty(value, fc.constantFrom(...readers), async (given, read) => {
      answer = given
      try {
        assertShown(await read(guest, LONG_MS))
      } catch (error) {
        assert(error instanceof QgaError && error.failure === 'garbage', String(error))
      }
    }),
    { numRuns: 500 },
  )
})

function assertShown(told: unknown): void {
  if (typeof told === 'string') assert(told !== '' && told.isWellFormed() && !/\p{Cc}/u.test(told))
  if (typeof told === 'number') assert(Number.isInteger(told))
  if (typeof told !== 'object' || told === null) return
  if ('address' in told && typeof told.address === 'string') assert(isIP(told.address) > 0)
  for (const member of Object.values(told)) assertShown(member)
}
