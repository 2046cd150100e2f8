import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import {
  type CimInstance,
  type EndpointReference,
  reference,
  type WsmanClient,
} from '../../src/protocols/wsman/index.ts'
import { type SimHyperv, startSimHyperv } from '../support/sim-hyperv.ts'
import { connect, finish, machineNamed, stateOf } from './client-world.ts'

// What a client of ours makes of a host that fails as its plan says. Each rule is for a class of its own, so that tests do
// not disturb each other.

const PLAN = {
  requests: [
    { operation: 'Enumerate', class: 'Msvm_Processor', fault: 'lost-before', limit: 2 },
    { operation: 'Enumerate', class: 'Msvm_Memory', fault: 'lost-after', limit: 1 },
    { operation: 'Pull', class: 'Msvm_MemorySettingData', fault: 'lost-after', nth: 1 },
    { operation: 'Pull', class: 'Msvm_ProcessorSettingData', fault: 'lost-after', nth: 1 },
    { operation: 'Get', class: 'Msvm_VirtualSystemManagementService', fault: 'throttled', limit: 2 },
    { operation: 'Enumerate', class: 'Msvm_SecurityService', fault: 'access-denied' },
    { operation: 'Enumerate', class: 'Msvm_S3DisplayController', fault: 'slow', ms: 20_000 },
    { operation: 'Enumerate', class: 'Msvm_VideoHead', fault: 'slow', ms: 20_000 },
    { method: 'TypeText', fault: 'throttled', nth: 1 },
    { method: 'RequestStateChange', fault: 'lost-before', nth: 1 },
    { method: 'RequestStateChange', fault: 'lost-after', nth: 1 },
  ],
  jobs: [
    { type: 12, target: 'vm-0004', failure: { code: 32788, message: 'Not enough <memory> & more.' } },
    { type: 14, target: 'vm-0001', slowness: 20 },
  ],
}
const LOST = { name: 'TransportError', kind: 'lost' } as const

const folder = mkdtempSync(join(tmpdir(), 'polyvisor-faults-'))
let host: SimHyperv
let client: WsmanClient

before(async () => {
  const plan = join(folder, 'plan.json')
  writeFileSync(plan, JSON.stringify(PLAN))
  host = await startSimHyperv('--vms', '4', '--seed', '1', '--pace', '0.1', '--faults', plan)
  client = connect(host, {}, { retry: { pauseMs: 10 } })
})
after(async () => {
  await client.close()
  assert.equal(await host.stop(), 0)
  assert.equal(host.complaints(), '')
  rmSync(folder, { recursive: true })
})

describe('where the connection breaks', () => {
  test('what only reads is asked for once more, whether the host had done it or not', async () => {
    assert.ok((await client.query('Msvm_Processor')).length > 0)
    assert.ok((await client.query('Msvm_Memory')).length > 0)
  })

  test('a query is begun anew, and what is read piece by piece says that it is not whole', async () => {
    const settings = await client.query('Msvm_MemorySettingData')
    const ids = settings.map(each => each.string('InstanceID') ?? '')
    const read = async () => {
      for await (const each of client.enumerate('Msvm_ProcessorSettingData')) assert.ok(each.has('InstanceID'))
    }

    assert.equal(new Set(ids).size, ids.length)
    await assert.rejects(read(), LOST)
    await read()
  })

  test('a call is sent once, and whoever called is told that nobody knows what became of it', async () => {
    const machine = await machineNamed(client, 'vm-0002')
    const start = () => client.invoke(machine, 'RequestStateChange', { RequestedState: 2 })

    await assert.rejects(start(), { ...LOST, wasSent: true })
    assert.equal(await stateOf(client, machine), 3) // The host had not begun.
    await assert.rejects(start(), { ...LOST, wasSent: true })
    await untilState(machine, 2) // The host had done it.
    assert.equal((await start()).returnValue, 32775)
  })
})

describe('where the host has too much to do', () => {
  test('what reads is asked for again, a call is not', async () => {
    const [service] = await client.queryReferences('Msvm_VirtualSystemManagementService')
    const [keyboard] = await client.queryReferences('Msvm_Keyboard')
    assert.ok(service && keyboard)

    assert.equal((await client.get(service)).string('Name'), 'vmms')
    const type = () => client.invoke(keyboard, 'TypeText', { AsciiText: 'a' })
    await assert.rejects(type(), { name: 'WsmanFault', kind: 'quota' })
    assert.equal((await type()).returnValue, 0)
  })
})

test('where the host denies access, it is told as that, however often one asks', async () => {
  for (let times = 0; times < 2; times++) {
    await assert.rejects(client.query('Msvm_SecurityService'), { name: 'WsmanFault', kind: 'access-denied' })
  }
})

describe('where the host is slow', () => {
  test('it says itself that time has run out, and goes on', async () => {
    await assert.rejects(client.query('Msvm_S3DisplayController', { timeoutMs: 300 }), {
      name: 'WsmanFault',
      kind: 'timed-out',
    })
    await client.identify()
  })

  test('whoever asked may give up at any time', async () => {
    const signal = AbortSignal.timeout(300)
    const begun = performance.now()

    await assert.rejects(client.query('Msvm_VideoHead', { signal }), { name: 'TransportError', kind: 'aborted' })

    assert.ok(performance.now() - begun < 5_000)
    await client.identify()
  })

  test('several ask at once and wait but once', async () => {
    const slow = await startSimHyperv('--latency', '1000', '--seed', '1')
    const asking = connect(slow, { connectionsMax: 8 })
    const begun = performance.now()
    await asking.identify()
    const once = performance.now() - begun

    const all = performance.now()
    await Promise.all(Array.from({ length: 8 }, () => asking.identify()))
    const together = performance.now() - all
    await asking.close()
    await slow.stop()

    assert.ok(once >= 500, `${once} ms`)
    assert.ok(together < 8 * 500, `${together} ms`)
  })
})

describe('a job', () => {
  test('that the plan has fail ends in exception, with its code and its words', async () => {
    const machine = await machineNamed(client, 'vm-0004')

    const job = await finish(client, await client.invoke(machine, 'RequestStateChange', { RequestedState: 2 }))

    assert.ok(job)
    const told = [job.number('JobState'), job.number('ErrorCode'), job.string('ErrorDescription')]
    assert.deepEqual(told, [10, 32788, 'Not enough <memory> & more.'])
    const errors = await client.invoke(referenceOf(job), 'GetErrorEx')
    const [error] = errors.output.instances('Errors')
    assert.equal(error?.string('Message'), 'Not enough <memory> & more.')
    assert.equal(await stateOf(client, machine), 3)
  })

  test('that takes its time can be watched, and be ended before its work is done', async () => {
    const machine = await machineNamed(client, 'vm-0001')
    const begun = await client.invoke(machine, 'RequestStateChange', { RequestedState: 6 })
    const name = begun.output.reference('Job')
    assert.ok(name)

    const seen: number[] = []
    for (let polls = 0; polls < 500 && (seen.at(-1) ?? 0) < 5; polls++) {
      const job = await client.get(name)
      assert.ok((job.number('JobState') ?? 0) < 7)
      seen.push(job.number('PercentComplete') ?? 0)
    }
    assert.deepEqual(
      seen,
      seen.toSorted((one, other) => one - other),
    )
    assert.equal((await client.invoke(name, 'RequestStateChange', { RequestedState: 4 })).returnValue, 0)
    const ended = await finish(client, begun)

    assert.ok([8, 9].includes(ended?.number('JobState') ?? 0))
    assert.equal(await stateOf(client, machine), 2)
  })
})

async function untilState(machine: EndpointReference, state: number): Promise<void> {
  for (let polls = 0; (await stateOf(client, machine)) !== state; polls++) assert.ok(polls < 500)
}

function referenceOf(job: CimInstance): EndpointReference {
  return reference('root/virtualization/v2', job.className, { InstanceID: job.string('InstanceID') ?? '' })
}
