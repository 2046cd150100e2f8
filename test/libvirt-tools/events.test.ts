import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Driver } from '../../src/drivers/driver.ts'
import { ALONE, LibvirtFace, type ManagedHost, OPERATOR } from '../../src/libvirt/rpc/index.ts'
import { writeBootImage } from '../guests/boot-sector.ts'
import { RunningTool } from './running-tool.ts'
import { programNamed } from './tool.ts'
import { type HostName, serve, uriOf, type World } from './world.ts'

const HOSTS = ['memory', 'qemu', 'v1', 'v2'] as const satisfies readonly HostName[]
const TYPES = { memory: 'test', qemu: 'qemu', v1: 'hyperv', v2: 'hyperv' } as const
/** What a test may take in all, on a machine that is busy with others. */
const TEST_MS = 120_000
const HERALD = { id: crypto.randomUUID(), name: 'herald', description: '', memoryBytes: 67_108_864, vcpus: 1 } as const

let world: World
before(async () => (world = await serve({ hosts: HOSTS })))
after(() => world.close())

/** What virsh has told so far of a domain, without the times. */
const told = (events: RunningTool, name: string): string[] =>
  [...events.screen.text.matchAll(/^(\S+ \S+): event '(.+)' for domain '(.+?)':? ?(.*)$/gm)].flatMap(
    ([, , event = '', domain, detail = '']) =>
      domain === name ? [event === 'lifecycle' ? detail : `${event} ${detail}`.trim()] : [],
  )

/** virsh does not say since when it listens: since it has told of this domain. */
async function listening(driver: Driver, events: RunningTool): Promise<RunningTool> {
  const config = { ...HERALD, boot: { kind: 'firmware', device: 'disk' }, disks: [] } as const
  while (!events.screen.text.includes(HERALD.name)) {
    await driver.domains.define(config)
    await pause(10)
  }
  await driver.domains.undefine(HERALD.id)
  return events
}

async function written(xml: string): Promise<string> {
  const path = join(world.folder, `${crypto.randomUUID()}.xml`)
  await writeFile(path, xml)
  return path
}

const domainXml = (host: HostName, name: string, devices = ''): string =>
  `<domain type='${TYPES[host]}'><name>${name}</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
    <os><type arch='x86_64'>hvm</type></os><devices>${devices}</devices></domain>`

/** A disk that a guest of QEMU boots from, and obeys; other hosts pretend. */
async function diskFor(host: HostName): Promise<string> {
  if (host !== 'qemu') return ''
  const path = join(world.folder, 'boot.raw')
  await writeBootImage(path, 'obedient')
  return `<disk type='file'><driver type='raw'/><source file='${path}'/><target dev='hda' bus='ide'/></disk>`
}

/** Starts a domain, and resolves once its guest listens to its power button. */
async function boot({ domains, consoles }: Driver, id: string): Promise<void> {
  const read = async (from: number) => consoles?.readSerial(id, from, 65_536)
  const before = await read(0)
  await domains.start(id)
  for (let shown = before; shown !== undefined; shown = await read(before?.next ?? 0)) {
    if (Buffer.from(shown.data).includes('0001') && shown !== before) return
    await pause(20)
  }
}

/** Does something as another user of a host of Hyper-V does; other hosts have no others. */
async function elsewhere(host: HostName, act: (driver: Driver) => Promise<void>): Promise<void> {
  if (host === 'memory' || host === 'qemu') return act(world.driver(host))
  const other = await world.simulated(host).connect()
  try {
    await act(other)
  } finally {
    await other.close()
  }
}

for (const host of HOSTS) {
  test(`virsh tells of all that becomes of a domain on ${host}, whoever does it`, { timeout: TEST_MS }, async () => {
    const driver = world.driver(host)
    const args = ['-c', world.uri(host), 'event', '--loop', '--all', '--timestamp']
    const events = await listening(driver, new RunningTool('virsh', args, world.folder))
    try {
      await world.ok(host, 'define', await written(domainXml(host, 'web', await diskFor(host))))
      for (const step of ['start', 'suspend', 'resume', 'managedsave', 'start', 'destroy']) {
        await world.ok(host, step, 'web')
      }
      const [{ id } = assert.fail('it is there')] = await driver.domains.list()
      await boot(driver, id)
      await world.ok(host, 'shutdown', 'web')
      await events.screen.shows("'web': Stopped Shutdown")
      await elsewhere(host, async other => {
        await other.domains.undefine(id)
        await events.screen.shows("'web': Undefined Removed")
      })

      const saved = host === 'qemu' ? ['Suspended Paused', 'Stopped Saved'] : ['Stopped Saved']
      const steps = [
        'Defined Added, Started Booted, Suspended Paused, Resumed Unpaused',
        ...saved,
        'Started Restored, Stopped Destroyed, Started Booted, Shutdown Finished, Stopped Shutdown, Undefined Removed',
      ]
      assert.equal(told(events, 'web').join(', '), steps.join(', '))
    } finally {
      await events.end()
    }
  })
}

test('Python is told of what it registers for: guests, devices, notes and snapshots, and not before it is answered', {
  timeout: TEST_MS,
}, async () => {
  const events = new RunningTool('/usr/bin/python3', [programNamed('events.py'), world.uri('memory')], world.folder)
  try {
    await events.screen.shows('LISTENING 27\n')
    for (const name of ['vm-that-reboots', 'vm-that-crashes', 'web']) {
      await world.ok('memory', 'define', await written(domainXml('memory', name)))
      await world.ok('memory', 'start', name)
    }
    await world.ok('memory', 'attach-disk', 'web', '', 'sdb', '--type', 'cdrom')
    await world.ok('memory', 'detach-disk', 'web', 'sdb')
    await world.ok('memory', 'desc', 'web', '--title', '--new-desc', 'a shop')
    await world.ok('memory', 'snapshot-create-as', 'web', 'now')
    await world.ok('memory', 'snapshot-revert', 'web', 'now')

    await events.screen.shows('REBOOT vm-that-reboots\n')
    await events.screen.shows('LIFECYCLE vm-that-crashes 5 2\n')
    await events.screen.shows('LIFECYCLE web 2 3\n')
    const [web, crashed] = ['web', 'vm-that-crashes'].map(name =>
      events.screen.text.split('\n').filter(line => line.split(' ')[1] === name),
    )
    const [, alias] = /DEVICE_ADDED web (ua-[-\da-f]{36})\n/.exec(events.screen.text) ?? []
    assert.deepEqual(web, [
      'LIFECYCLE web 0 0',
      'LIFECYCLE web 2 0',
      `DEVICE_ADDED web ${alias}`,
      `DEVICE_REMOVED web ${alias}`,
      'LIFECYCLE web 0 1',
      'METADATA_CHANGE web 1 None',
      'LIFECYCLE web 5 6',
      'LIFECYCLE web 2 3',
    ])
    assert.deepEqual(crashed?.slice(2), ['LIFECYCLE vm-that-crashes 8 0', 'LIFECYCLE vm-that-crashes 5 2'])

    events.type('\n')
    await events.screen.shows('DEAF\n')
    await world.ok('memory', 'destroy', 'web')
    events.hangUp()
    assert.match(await events.screen.untilEnd(), /DEAF\nGONE\n$/)
    assert.deepEqual([await events.ended(), events.complaints.text], [0, ''])
  } finally {
    await events.end()
  }
})

test('a client is told that its host goes away, and its connection ends', { timeout: TEST_MS }, async () => {
  const socket = join(world.folder, 'passing')
  const going = new AbortController()
  const driver = world.driver('memory')
  const managed: ManagedHost = { scheme: 'memory', names: ['lab'], driver, signal: going.signal, company: ALONE }
  const face = new LibvirtFace({ hosts: () => [managed], warn: () => undefined })
  const server = createServer(client => face.accept(client, { who: { user: OPERATOR } }))
  server.listen(socket)
  await once(server, 'listening')
  const uri = uriOf('memory', 'lab', socket)
  const python = new RunningTool('/usr/bin/python3', [programNamed('events.py'), uri], world.folder)
  const virsh = new RunningTool('virsh', ['-c', uri, 'event', '--loop', '--all'], world.folder)
  try {
    await python.screen.shows('LISTENING')
    await listening(driver, virsh)

    going.abort()

    await python.screen.shows('CLOSED 1\n')
    await virsh.complaints.shows('Disconnected from')
  } finally {
    await python.end()
    await virsh.end()
    await new Promise(resolve => server.close(resolve))
  }
})
