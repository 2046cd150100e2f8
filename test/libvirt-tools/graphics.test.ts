import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { until } from '../support/machine.ts'
import { domainConfig } from '../hyperv/setting.ts'
import { serve, type World } from './world.ts'

const DOMAIN = { name: 'seen' } as const

/** The number of the user `nobody`. */
const NOBODY = 65_534
/** How many connections are made and closed at once. */
const BLIND = 5

let world: World
before(async () => {
  world = await serve({ hosts: ['memory'] })
  const { domains } = world.driver('memory')
  const config = { ...domainConfig(), name: DOMAIN.name, platform: { vga: 'std' } } as const
  await domains.define(config)
  await domains.start(config.id)
})
after(() => world.close())

// Proves: virDomainOpenGraphicsFD
test('a client is passed sockets that show what a domain shows, and that outlive its connection', async () => {
  const { code, stdout, stderr } = await world.python('memory', 'graphics.py', [DOMAIN.name])

  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
  assert.deepEqual(stdout.trim().split('\n'), [DOMAIN.name, 'RFB 003.008', 'True', 'RFB 003.008', 'True'])
  assert.deepEqual(world.complaints, [])
})

test('who describes a running domain is told of a port of the loopback interface that shows it, and may define it so', async () => {
  const xml = await world.ok('memory', 'dumpxml', DOMAIN.name)
  const file = join(world.folder, 'seen.xml')
  await writeFile(file, xml)

  const port = portIn(xml)
  assert.equal(portIn(await world.ok('memory', 'dumpxml', DOMAIN.name)), port)
  assert.equal(await greeting(port), 'RFB 003.008\n')
  assert.match(await world.ok('memory', 'vncdisplay', DOMAIN.name), new RegExp(`^localhost:${port - 5900}$`, 'm'))
  await world.ok('memory', 'define', file)
  assert.match(
    await world.ok('memory', 'dumpxml', DOMAIN.name, '--inactive'),
    /<graphics type='vnc'>\s*<listen type='none'/,
  )
})

test('nobody but root and the user of the server may look, or press keys and be gone', async () => {
  const port = portIn(await world.ok('memory', 'dumpxml', DOMAIN.name))
  const connection = (address: string) => `socket.create_connection(("${address}", ${port}))`
  const own = process.getuid?.() ?? 0
  // Only root can do something as somebody else.
  const others = own === 0 ? [NOBODY] : []

  for (const address of ['127.0.0.1', '::ffff:127.0.0.1']) {
    const look = `print(${connection(address)}.recv(12))`
    assert.equal(await python(own, look), "b'RFB 003.008\\n'")
    for (const other of others) assert.equal(await python(other, look), "b''")
  }
  // What was sent is there to be read when the kernel does not know any more whose it is.
  const blind = `[${connection('127.0.0.1')}.close() for _ in range(${BLIND})]`
  for (const other of others) await python(other, blind)
  // Those who came before have been looked at when one who comes later is let in.
  assert.equal(await greeting(port), 'RFB 003.008\n')
  const told = world.complaints.length
  assert(told <= 2, 'once of the user, and once of those of whom there is no telling')

  await world.ok('memory', 'destroy', DOMAIN.name)
  const wanted = others.length * (BLIND + 2)
  await until('all to be told of', async () => (refusals() === wanted ? true : undefined))
})

/** How often somebody who may not look was refused, as the operator is told when the domain has stopped. */
const refusals = () =>
  world.complaints.reduce((sum, complaint) => {
    const [, times = complaint.startsWith('somebody may not look') ? 1 : 0] = /"times":(\d+)/.exec(complaint) ?? []
    return sum + Number(times)
  }, 0)

/** What a program prints that a user runs. */
async function python(uid: number, program: string): Promise<string> {
  const child = spawn('/usr/bin/python3', ['-c', `import socket; ${program}`], {
    uid,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return (await text(child.stdout)).trim()
}

test('a domain that shows nothing is on no port, and no socket is passed of it', async () => {
  await world.ok('memory', 'start', DOMAIN.name)
  const port = portIn(await world.ok('memory', 'dumpxml', DOMAIN.name))
  await world.ok('memory', 'destroy', DOMAIN.name)

  const { code, stderr } = await world.python('memory', 'graphics.py', [DOMAIN.name])

  assert.equal(code, 1)
  assert.match(stderr, /domain is not running/)
  await assert.rejects(greeting(port), { code: 'ECONNREFUSED' })
})

function portIn(xml: string): number {
  const [, port] = /<graphics type='vnc' port='(\d+)' autoport='yes' listen='localhost'>/.exec(xml) ?? []
  assert(port !== undefined, xml)
  return Number(port)
}

/** What a server of RFB says first. */
async function greeting(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  try {
    const [chunk] = await once(socket, 'data')
    return String(chunk)
  } finally {
    socket.destroy()
  }
}
