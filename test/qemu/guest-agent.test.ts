import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { afterEach, test } from 'node:test'
import { readHostName } from '../../src/protocols/qga/system.ts'
import { DriverError } from '../../src/drivers/driver.ts'
import { GuestAgent, type GuestPort } from '../../src/drivers/qemu/guest-agent.ts'
import { type FakeServer, listen } from '../qmp/fake-server.ts'
import { agent, type Command, returned, synced } from '../qga/fake-agent.ts'

const LONG_MS = 30_000
const SHORT_MS = 50

let server: FakeServer | undefined
afterEach(() => server?.close())

const open: GuestPort = { isOpen: async () => true, look: async () => undefined }

/** An agent behind a socket, and who speaks with it. */
async function agentOf(
  answer: (command: Command, socket: Socket) => string | Buffer | undefined,
  { syncMs = LONG_MS, turnMs = LONG_MS } = {},
): Promise<GuestAgent> {
  server = await listen(agent(answer))
  return new GuestAgent(server.path, { syncMs, turnMs })
}

const failsBy = (guest: DriverError['guest'], message: RegExp) => (error: unknown) => {
  assert(error instanceof DriverError, String(error))
  assert.deepEqual([error.kind, error.guest], ['refused', guest])
  assert.match(error.message, message)
  return true
}

const hostName = (guest: GuestAgent, port: GuestPort = open, timeoutMs = LONG_MS) =>
  guest.ask(port, client => readHostName(client, timeoutMs))

test('questions to one guest are asked one after another', async () => {
  const guest = await agentOf(command => synced(command) ?? returned({ 'host-name': 'web' }))
  let speaking = 0
  let most = 0
  const ask = () =>
    guest.ask(open, async client => {
      most = Math.max(most, ++speaking)
      const name = await readHostName(client, LONG_MS)
      speaking -= 1
      return name
    })

  const names = await Promise.all(Array.from({ length: 8 }, ask))

  assert.deepEqual(new Set(names), new Set(['web']))
  assert.equal(most, 1)
})

test('a port that nobody has opened is not waited for, and no line to it is opened', async () => {
  const guest = new GuestAgent('/nowhere')
  const asked = hostName(guest, { ...open, isOpen: async () => false })

  await assert.rejects(asked, failsBy('silent', /^QEMU guest agent is not connected$/))
})

test('an agent that does not answer at first, or then, is said to be silent', async () => {
  const deaf = await agentOf(() => undefined, { syncMs: SHORT_MS })
  await assert.rejects(hostName(deaf), failsBy('silent', /^Guest agent not available for now$/))
  await server?.close()

  const mute = await agentOf(synced)
  await assert.rejects(hostName(mute, open, SHORT_MS), failsBy('silent', /^Guest agent not available for now$/))
})

test('an agent that goes away is said to have disappeared, and its guest to have ended where it has', async () => {
  const guest = await agentOf((command, socket) => synced(command) ?? void socket.destroy())
  await assert.rejects(hostName(guest), failsBy('silent', /^Guest agent disappeared while executing command$/))

  const ended = { ...open, look: async () => Promise.reject(new DriverError('bad-state', 'halted')) }
  await assert.rejects(hostName(guest, ended), { kind: 'bad-state' })
})

test('what an agent cannot do is told from what it refuses, and from what makes no sense', async () => {
  let answer = '{"error":{"class":"CommandNotFound","desc":"no such command"}}\n'
  const guest = await agentOf(command => synced(command) ?? answer)
  await assert.rejects(hostName(guest), failsBy('unable', /'guest-get-host-name': no such command$/))

  answer = '{"error":{"class":"GenericError","desc":"not today"}}\n'
  await assert.rejects(hostName(guest), failsBy('refused', /'guest-get-host-name': not today$/))
  for (const garbage of [returned({ 'host-name': 7 }), returned(null), '[]\n', 'nonsense\n']) {
    answer = garbage
    await assert.rejects(hostName(guest), failsBy('refused', /^[\u0020-\u007e]+$/))
  }
})

test('who waits for others for too long gives up, and is not asked for then', async () => {
  const guest = await agentOf(command => synced(command) ?? returned({ 'host-name': 'web' }), { turnMs: SHORT_MS })
  const { promise, resolve } = Promise.withResolvers<void>()
  const others = guest.inTurn(() => promise)
  let isAsked = false

  const late = guest.ask(open, async () => {
    isAsked = true
  })
  await assert.rejects(late, failsBy('silent', /^Guest agent not available for now$/))
  resolve()
  await others

  assert.equal(await hostName(guest), 'web')
  assert.equal(isAsked, false)
})
