import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { makeEnvelope, makeRequest, reference } from './requests.ts'
import { makeWorld, post, readReply, USER, VMS, type World } from './world.ts'
import { cpuMs } from '../../support/cpu-time.ts'

// Whatever comes in, an answer goes out, in time, and it is XML.

const FOLDER = join(import.meta.dirname, '..', '..', 'fixtures', 'hyperv', 'client-requests')
const VM = { CreationClassName: 'Msvm_ComputerSystem', Name: VMS[0] }
const WQL = 'SELECT Name FROM Msvm_ComputerSystem WHERE Name LIKE "%1%" AND NOT (EnabledState = 3)'

const REQUESTS = [
  ...readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.txt'))
    .map(name => readFileSync(join(FOLDER, name), 'utf8'))
    .map(text => text.slice(text.indexOf('<?xml')).trimEnd()),
  makeRequest('Enumerate', '', { wql: WQL, isOptimized: true }),
  makeRequest('Get', 'Msvm_ComputerSystem', {
    selectors: VM,
    headers: '<w:FragmentTransfer>Name[1]/text()</w:FragmentTransfer><w:OperationTimeout>PT5.5S</w:OperationTimeout>',
  }),
  makeRequest('GetSummaryInformation', 'Msvm_VirtualSystemManagementService', {
    selectors: { CreationClassName: 'Msvm_VirtualSystemManagementService' },
    input: `<p:SettingData>${reference('Msvm_VirtualSystemSettingData', { InstanceID: 'a' })}</p:SettingData><p:RequestedInformation>1</p:RequestedInformation>`,
  }),
]

/** Longer than anything takes that is bounded, on a machine that does much else. */
const TIME_MAX_MS = 5_000

async function demandAnswer(
  world: World,
  envelope: string | Uint8Array,
  as: 'user' | 'nobody' = 'user',
): Promise<void> {
  const started = cpuMs()
  const reply = await post(world.service, envelope, as === 'user' ? USER : undefined)
  assert.ok(cpuMs() - started < TIME_MAX_MS)
  assert.ok(reply.status === 200 || reply.status === 500, String(reply.status))
  assert.equal(reply.root.name, 'Envelope')
  const isFault = reply.root.element('Body')?.elements()[0]?.name === 'Fault'
  assert.equal(isFault, reply.status === 500)
  assert.deepEqual(world.bugs, [])
}

/** Pieces that mean something somewhere. */
const PIECES =
  '< > " & &lt; &#0; &#x10FFFF; ]]> <![CDATA[ <!-- <a> </a> <a:b/> * % \' \\ \\\\ { } 0 -1 99999999999999999999 true constructor' +
  ' __proto__ uuid:1 \u0000 \ud800 \u{1F600} xsi:nil="true" s:mustUnderstand="1" xmlns="" Msvm_ComputerSystem root/ /*'
const PIECE = fc.constantFrom(...PIECES.split(' '))

/** One change: some of the text is taken away, put in twice, or replaced. */
const CHANGE = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.nat(40),
  by: fc.oneof(PIECE, fc.string({ maxLength: 5 }), fc.constant(undefined)),
})

function changed(text: string, changes: readonly { at: number; length: number; by: string | undefined }[]): string {
  return changes.reduce((sofar, { at, length, by }) => {
    const start = Math.floor(at * sofar.length)
    const end = Math.min(start + length, sofar.length)
    return sofar.slice(0, start) + (by ?? sofar.slice(start, end).repeat(2)) + sofar.slice(end)
  }, text)
}

describe('an answer goes out to', () => {
  test('any bytes', async () => {
    const world = makeWorld()

    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), bytes => demandAnswer(world, bytes)),
      { numRuns: 300 },
    )
  })

  test('requests of foreign clients in which something was changed', async () => {
    for (const build of [7601, 9200, 26100]) {
      const world = makeWorld({ build })

      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...REQUESTS),
          fc.array(CHANGE, { minLength: 1, maxLength: 4 }),
          fc.constantFrom('user' as const, 'nobody' as const),
          (request, changes, as) => demandAnswer(world, changed(request, changes), as),
        ),
        { numRuns: 400 },
      )
    }
  })

  test('values of any kind in places where values stand', async () => {
    const world = makeWorld()
    const text = fc.oneof(
      fc.string({ maxLength: 30 }).map(value => value.replace(/[<&]/g, '')),
      fc.constantFrom('constructor', '__proto__', 'toString', '', ' ', 'PT1S', '1', 'true', 'uuid:1', 'Name'),
    )
    const name = fc.constantFrom(
      'constructor',
      'Name',
      '__proto__',
      'toString',
      'RequestedState',
      'hasOwnProperty',
      'x',
    )

    await fc.assert(
      fc.asyncProperty(text, text, text, name, async (first, second, third, element) => {
        const headers = `<w:MaxEnvelopeSize>${first}</w:MaxEnvelopeSize><w:OperationTimeout>${second}</w:OperationTimeout>`
        const selectors = { [element]: third, CreationClassName: first }
        const escaped = first.replaceAll('>', '&gt;').replaceAll('"', '&quot;')
        await demandAnswer(world, makeRequest('Get', 'Msvm_ComputerSystem', { selectors, headers }))
        await demandAnswer(world, makeRequest('Get', element, { selectors: VM }))
        await demandAnswer(world, makeRequest(element, 'Msvm_ComputerSystem', { selectors: VM }))
        await demandAnswer(world, makeRequest('Enumerate', '', { wql: first }))
        await demandAnswer(world, makeRequest('Enumerate', '', { wql: `SELECT ${element} FROM ${element}` }))
        await demandAnswer(
          world,
          makeRequest('Pull', 'X', { context: escaped, input: `<n:${element}>1</n:${element}>` }),
        )
        const input = `<p:${element}>${escaped}</p:${element}><p:RequestedState>${second.replaceAll('>', '')}</p:RequestedState>`
        await demandAnswer(world, makeRequest('RequestStateChange', 'Msvm_ComputerSystem', { selectors: VM, input }))
        await demandAnswer(world, makeEnvelope(`<w:${element} s:mustUnderstand="${escaped}"/>`, escaped))
      }),
      { numRuns: 150 },
    )
  })

  test('what is made to be slow, in time', async () => {
    const world = makeWorld()
    const many = 19_000

    for (const envelope of [
      makeEnvelope('<a:To/>'.repeat(many), ''),
      makeEnvelope(`<w:SelectorSet>${'<w:Selector Name="a"/>'.repeat(many)}</w:SelectorSet>`, ''),
      makeRequest('RequestStateChange', 'Msvm_ComputerSystem', { selectors: VM, input: '<p:A/>'.repeat(many) }),
      makeRequest('TypeScancodes', 'Msvm_Keyboard', {
        selectors: VM,
        input: '<p:Scancodes>1</p:Scancodes>'.repeat(15_000),
      }),
      makeRequest('Enumerate', '', { wql: `SELECT * FROM Msvm_ComputerSystem WHERE ${'('.repeat(100_000)}` }),
      makeRequest('Enumerate', '', {
        wql: `SELECT * FROM Msvm_ComputerSystem WHERE Name LIKE '${'%a'.repeat(20_000)}b' OR Name LIKE '%'`,
      }),
      makeRequest('Get', 'a'.repeat(2_000), { selectors: VM }),
      makeRequest('Get', 'X', { resourceUri: `http://${'/'.repeat(100_000)}` }),
      makeRequest('Get', 'X', { headers: `<w:OperationTimeout>P${'1'.repeat(400_000)}D</w:OperationTimeout>` }),
      makeRequest('Get', 'X', { headers: `<w:FragmentTransfer>${'a:'.repeat(200_000)}</w:FragmentTransfer>` }),
    ]) {
      await demandAnswer(world, envelope)
    }
  })

  test('anybody without state being kept for those who did not log in', async () => {
    const world = makeWorld({ limits: { maxOperationsPerUser: 3 } })
    for (let index = 0; index < 100; index++) {
      await demandAnswer(world, makeRequest('Enumerate', 'Msvm_ComputerSystem'), 'nobody')
    }

    for (let index = 0; index < 3; index++) {
      const answer = await world.post(makeRequest('Enumerate', 'Msvm_ComputerSystem'))
      assert.equal(answer.status, 200)
    }
  })
})

test('an answer is UTF-8 and says nothing else', async () => {
  const world = makeWorld({ locale: 'ja-JP' })
  const envelope = new TextEncoder().encode(makeRequest('Get', 'Msvm_Nothing'))

  const answer = await world.service({ envelope, user: USER, signal: new AbortController().signal })

  assert.ok(answer !== 'lost')
  assert.match(readReply(answer).text, /^<s:Envelope xml:lang="ja-JP"/)
})
