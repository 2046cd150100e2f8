import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allOperations, hasAsync } from '../draft/operations.ts'
import { readAnswer } from '../support/client.ts'
import { asStrings } from '../support/value.ts'
import { decodeResponse, encodeCall } from '../support/xml-rpc.ts'
import { startWorld } from './world.ts'

const { client, root } = await startWorld()

test('system.listMethods names what the draft and our extensions give, and every Async twin, each once and canonically', async () => {
  const { body } = await client.http.post(encodeCall('system.listMethods', []))
  const answer = readAnswer(decodeResponse(body))
  const names = answer.status === 'Success' ? asStrings(answer.value) : assert.fail()

  const operations = allOperations()
  const twins = operations.filter(hasAsync).map(({ name }) => `Async.${name}`)
  assert.deepEqual(names.toSorted(), [...operations.map(({ name }) => name), ...twins].toSorted())
})

/** What could be thought to exist and must not. Source: readings §3. */
const ABSENT = [
  'session.create',
  'session.get_all',
  'session.get_uuid',
  'session.to_XML',
  'session.delete',
  'task.create',
  'task.get_all',
  'task.get_by_uuid',
  'task.to_XML',
  'task.delete',
  'host.create',
  'host.delete',
  'host_cpu.create',
  'host_cpu.delete',
  'host_cpu.list',
  'VM.set_uuid',
  'VM.set_power_state',
  'VM.set_resident_on',
  'VM.set_memory_static_max',
  'VM.set_PCI_bus',
  'VM.add_to_tools_version',
  'VM.add_to_VCPUs_features_required',
  'VM.get_domain',
  'user.set_short_name',
  'user.get_administrator',
  'credential.get_all',
  'VM.constructor',
  'VM.__proto__',
  'VM.',
  '.start',
  'VM',
  'Async.',
  'Async.Async.VM.start',
  'system.methodHelp',
  '__proto__',
  'constructor',
  'hasOwnProperty',
]

test('a method that nobody declared is MESSAGE_METHOD_UNKNOWN, with its name', async () => {
  for (const method of ABSENT) {
    assert.deepEqual(await root.fails(method), ['MESSAGE_METHOD_UNKNOWN', method])
  }
})

test('a method of session or task is no task itself, whatever it is called by', async () => {
  const other = await client.login('root', 'correct horse')

  assert.equal(await other.ok('Async.session.logout'), '')

  assert.equal((await other.fails('VM.list'))[0], 'SESSION_INVALID')
})
