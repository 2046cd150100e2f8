import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { atEnd } from '../support/at-end.ts'
import { ApiClient } from '../support/client.ts'
import { HttpClient } from '../support/http.ts'
import { ADMIN } from '../support/server.ts'
import { asStruct } from '../support/value.ts'
import { decodeResponse, Fault } from '../support/xml-rpc.ts'
import { AWKWARD } from './samples.ts'
import { make, NOBODY, startWorld } from './world.ts'

const { server, root } = await startWorld()
const { http, https, unix } = server

describe('the API is the same over every transport', () => {
  for (const endpoint of [http, https, unix]) {
    test(endpoint.transport, async context => {
      const client = new ApiClient(endpoint, 4)
      atEnd(context, () => client.close())
      const session = await client.login(ADMIN.name, ADMIN.password)
      const vm = await make(session, 'VM', { name_label: endpoint.transport })

      await session.ok('VM.set_name_description', vm, AWKWARD)
      assert.equal(await session.text('VM.get_name_description', vm), AWKWARD)
      assert.deepEqual(await session.list('VM.get_all'), await root.list('VM.list'))
      assert.deepEqual(await session.fails('VM.pause', vm), ['VM_BAD_POWER_STATE', vm, 'Running', 'Halted'])
      assert.deepEqual(await session.fails('VM.get_uuid', NOBODY), ['HANDLE_INVALID', 'VM', NOBODY])
      assert.equal((await session.fails('VM.start', vm, 'yes'))[0], 'FIELD_TYPE_ERROR')
      const task = await session.text('Async.VM.start', vm, true)
      for (
        let poll = 0;
        poll < 1_000 && asStruct(await session.ok('Task.GetStatus', task))['Progress'] !== 100n;
        poll++
      )
        await sleep(10)
      assert.equal(await session.text('VM.get_power_state', vm), 'Paused')
      const parallel = await Promise.all(Array.from({ length: 100 }, () => session.text('VM.get_name_label', vm)))
      assert.ok(parallel.every(label => label === endpoint.transport))

      const { body } = await client.http.post('<methodCall>')
      assert.throws(() => decodeResponse(body), Fault)
      assert.equal((await client.http.post('x'.repeat(4 * 1024 * 1024 + 1))).status, 413)

      await session.ok('session.logout')
      assert.equal((await session.fails('VM.list'))[0], 'SESSION_INVALID')
    })
  }
})

test('a session opened over one transport is good over the others', async () => {
  for (const endpoint of [https, unix]) {
    const client = new ApiClient(endpoint)
    assert.equal((await client.call('VM.list', root.ref)).status, 'Success')
    client.close()
  }
})

test('the Unix socket is the operator’s alone', async () => {
  const path = unix.transport === 'unix' ? unix.socketPath : assert.fail()

  assert.equal((await stat(path)).mode & 0o777, 0o600)
})

test('an answer is XML in UTF-8 with its length, and a GET says what is here', async () => {
  const client = new HttpClient(http)
  const reply = await client.post('<methodCall><methodName>VM.list</methodName></methodCall>')
  assert.equal(reply.headers['content-type'], 'text/xml; charset=utf-8')
  assert.equal(reply.headers['content-length'], String(Buffer.byteLength(reply.body)))

  const page = await client.exchange({ method: 'GET', path: '/' }, request => void request.end())
  assert.equal(page.status, 200)
  client.close()
})
