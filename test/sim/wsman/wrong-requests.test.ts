import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, test } from 'node:test'
import { FAULTS } from '../../../sim/hyperv/wsman/fault-table.ts'
import { faultOf } from './replies.ts'
import { makeEnvelope, makeRequest } from './requests.ts'
import { makeWorld, post, readReply, USER } from './world.ts'
import { call, enumerate, get, GOOD } from './wrong.ts'
import { CALLS, ENUMERATIONS } from './wrong-enumerations.ts'
import { ENVELOPES, HEADERS, RESOURCES } from './wrong-requests.ts'
import { SHAPES, VALUES } from './wrong-shapes.ts'

// One wrong request of every kind, and the fault that it gets: a client's mistake has nowhere to hide.

for (const [kind, wrongs] of Object.entries({ ENVELOPES, HEADERS, RESOURCES, ENUMERATIONS, CALLS, SHAPES, VALUES })) {
  describe(`a request is refused (${kind.toLowerCase()}) that`, () => {
    const world = makeWorld()
    for (const { what, request, fault } of wrongs) {
      test(what, async () => {
        const seen = faultOf(await world.post(request))

        const name = seen.subcode === '' ? seen.who : seen.subcode
        assert.equal(`${name} ${seen.code} ${seen.detail}`.trim(), fault)
        assert.equal(world.calls.length, 0)
        assert.deepEqual(world.bugs, [])
      })
    }
  })
}

describe('without credentials', () => {
  test('nothing is answered but Identify', async () => {
    const world = makeWorld()

    for (const request of [GOOD, enumerate(), call('<p:RequestedState>2</p:RequestedState>')]) {
      const fault = faultOf(await post(world.service, request, undefined))

      assert.equal(`${fault.subcode} ${fault.code}`, 'w:AccessDenied 5')
    }
    assert.equal(world.calls.length, 0)
  })

  test('no mistake in a request shows more than that', async () => {
    const world = makeWorld()

    const fault = faultOf(await post(world.service, get({}, 'Msvm_Nothing'), undefined))

    assert.equal(fault.subcode, 'w:AccessDenied')
  })
})

test('a user who is no administrator is told what host it is, and refused everything else with code 5', async () => {
  const world = makeWorld()
  const signal = new AbortController().signal
  const ask = async (envelope: string) => {
    const answer = await world.service({ envelope: Buffer.from(envelope), user: USER, isAdministrator: false, signal })
    return answer === 'lost' ? assert.fail('lost') : readReply(answer)
  }
  const identify = makeEnvelope(
    '',
    `<i:Identify xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"/>`,
  )

  assert.match((await ask(identify)).text, /<wsmid:ProductVersion>OS: 10\.0\.20348 /)
  for (const operation of ['Put', 'Create', 'Delete', 'Pull', 'Release']) {
    const { subcode, code } = faultOf(await ask(makeRequest(operation, 'Msvm_ComputerSystem')))
    assert.equal(`${subcode} ${code}`, 'w:AccessDenied 5', operation)
  }
  for (const request of [GOOD, enumerate(), call('<p:RequestedState>2</p:RequestedState>'), get({}, 'Msvm_Nothing')]) {
    const { subcode, code } = faultOf(await ask(request))
    assert.equal(`${subcode} ${code}`, 'w:AccessDenied 5')
  }
  assert.equal(world.calls.length, 0)
})

test('every fault of the table has a code, and the codes of one subcode tell its faults apart', () => {
  const seen = new Map<string, string>()
  for (const [name, { subcode, code, detail }] of Object.entries(FAULTS)) {
    assert.ok(code > 0, name)
    const key = `${subcode} ${code} ${detail}`
    assert.equal(seen.get(key), undefined, `${name} and ${seen.get(key)}`)
    seen.set(key, name)
  }
})
