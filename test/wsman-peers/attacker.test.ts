import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { WsmanClient } from '../../src/protocols/wsman/index.ts'
import { headersNamed, postOf, RawClient } from '../sim/http/raw-client.ts'
import { type SimHyperv, startSimHyperv } from '../support/sim-hyperv.ts'
import { connect, machineNamed, stateOf } from './client-world.ts'
import { recorded } from './recorded-client.ts'

// Somebody without credentials has all of a host's doors to try, and leaves nothing behind: no enumeration, no job, no
// memory. The host is a Server 2012 R2 in its default configuration but that it takes Basic, so that passwords can be tried.

const ROUNDS = 3
/** What is left behind grows with each round; what is only not collected yet is gone after one of so many. */
const ROUNDS_MAX = 7
/** Of each kind in each round, and how many at one time. */
const ATTEMPTS = 90
const WIDTH = 30
const MB = 1024 * 1024
const GROWTH_MAX = 48 * MB
const PEAK_MAX = 512 * MB

const NEGOTIATE = 'TlRMTVNTUAABAAAANYII4gAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=='
const ENUMERATE = recorded('libvirt-v2/enumerate_wql_vm_by_name.txt')
const START = recorded('libvirt-v2/invoke_requeststatechange_2.txt')
const IDENTIFY = recorded('wsmancli/identify.txt')
const basic = (password: string) => ({
  Authorization: `Basic ${Buffer.from(`Administrator:${password}`).toString('base64')}`,
})

let host: SimHyperv
let port: number
let client: WsmanClient
before(async () => {
  host = await startSimHyperv('--build', '9600', '--vms', '2', '--seed', '1', '--basic', '--allow-unencrypted')
  port = Number(new URL(host.urls[0] ?? '').port)
  client = connect(host)
})
after(async () => {
  await client.close()
  assert.equal(await host.stop(), 0)
  assert.equal(host.complaints(), '')
})

/** What can be tried, and the status that it comes to. */
const ATTACKS: Readonly<Record<string, (raw: RawClient, number: number) => Promise<number | undefined>>> = {
  'an enumeration': async raw => (await raw.post(ENUMERATE))?.status,
  'a call': async raw => (await raw.post(START))?.status,
  'a call under the word of Identify': async raw =>
    (await raw.post(START, { WSMANIDENTIFY: 'unauthenticated' }))?.status,
  'a wrong password': async (raw, number) => (await raw.post(ENUMERATE, basic(`password ${number}`)))?.status,
  'half a handshake': async raw => {
    const reply = await raw.post('', { Authorization: `Negotiate ${NEGOTIATE}` })
    assert.match(headersNamed(reply, 'WWW-Authenticate')[0] ?? '', /^Negotiate TlRMTVNTUAAC/)
    return reply?.status
  },
  'a handshake with an answer of chance': async (raw, number) => {
    await raw.post('', { Authorization: `Negotiate ${NEGOTIATE}` })
    const answer = Buffer.concat([Buffer.from('NTLMSSP\0\x03\0\0\0', 'latin1'), Buffer.alloc(200, number)])
    return (await raw.post(ENUMERATE, { Authorization: `Negotiate ${answer.toString('base64')}` }))?.status
  },
  'a token that is none': async raw =>
    (await raw.post(ENUMERATE, { Authorization: `Negotiate ${'QUJD'.repeat(2000)}` }))?.status,
  'a sealed message of nobody': async raw => {
    const type =
      'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"'
    return (await raw.post(ENUMERATE, { 'Content-Type': type }))?.status
  },
  'a body without end': async raw => {
    raw.send(postOf(Buffer.alloc(2 * MB, 'x'), { 'Content-Length': String(4 * 1024 * MB) }))
    return (await raw.reply())?.status
  },
  'an envelope that is large': async raw => (await raw.post(Buffer.alloc(400_000, '<a>')))?.status,
  Identify: async raw => (await raw.post(IDENTIFY, { WSMANIDENTIFY: 'unauthenticated' }))?.status,
}
const STATUSES: Readonly<Record<string, readonly (number | undefined)[]>> = {
  'a body without end': [413],
  'a token that is none': [401, 400],
  Identify: [200],
}

/** Tries a thing so often, some at a time, each over a connection of its own. */
async function flood(what: string): Promise<Set<number | undefined>> {
  const attack = ATTACKS[what] ?? assert.fail()
  const statuses = new Set<number | undefined>()
  let number = 0
  const work = async () => {
    while (number < ATTEMPTS) {
      using raw = await RawClient.connect(port)
      statuses.add(await attack(raw, number++))
    }
  }
  await Promise.all(Array.from({ length: WIDTH }, work))
  return statuses
}

/** Of the host's process, in bytes. */
function memory(field: 'VmRSS' | 'VmHWM'): number {
  const [, kilobytes = 'none'] =
    new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${host.pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) * 1024
}

test('somebody without credentials leaves nothing behind, and keeps nobody from the host', async () => {
  const machine = await machineNamed(client, 'vm-0002')
  const idle = await Promise.all(Array.from({ length: 200 }, () => RawClient.connect(port)))
  const resident: number[] = []
  const attack = new AbortController()
  let served = 0
  const serve = async () => {
    for (; !attack.signal.aborted; served++) {
      assert.equal((await client.query('Msvm_ComputerSystem')).length, 3)
      await sleep(20)
    }
  }

  const serving = serve()
  // Since some rounds ago, for a process takes its room while it warms up, and then no more.
  const isGrown = () => (resident.at(-1) ?? 0) - (resident.at(-ROUNDS) ?? 0) >= GROWTH_MAX
  for (let round = 0; round < ROUNDS || (round < ROUNDS_MAX && isGrown()); round++) {
    for (const what of Object.keys(ATTACKS)) {
      const statuses = await flood(what)
      const expected = STATUSES[what] ?? [401]
      assert.ok(
        [...statuses].every(status => expected.includes(status)),
        `${what}: ${[...statuses].join()}`,
      )
    }
    await sleep(200)
    resident.push(memory('VmRSS'))
  }
  attack.abort()
  await serving
  for (const each of idle) each[Symbol.dispose]()

  assert.ok(served > ROUNDS, `${served} times`)
  assert.deepEqual(await client.query('Msvm_ConcreteJob'), [])
  assert.equal(await stateOf(client, machine), 3)
  assert.ok(!isGrown(), `${resident.map(bytes => Math.round(bytes / MB)).join()} MB`)
  assert.ok(memory('VmHWM') < PEAK_MAX, `${Math.round(memory('VmHWM') / MB)} MB`)
})
