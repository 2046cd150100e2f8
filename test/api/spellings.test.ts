import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { messagesOf, operationsOf } from '../draft/operations.ts'
import { readAnswer } from '../support/client.ts'
import { run } from '../support/command.ts'
import { ADMIN } from '../support/server.ts'
import { asString, asStruct } from '../support/value.ts'
import { decodeResponse } from '../support/xml-rpc.ts'
import { CLASSES, make, makeObjects, startWorld } from './world.ts'

const { server, client, root } = await startWorld()
const objects = await makeObjects(root)
const { host, port } = server.http.transport === 'unix' ? assert.fail() : server.http
const url = `http://${host}:${port}`

/** §1.5, byte for byte. */
const LOGIN_OF_THE_DRAFT = `<?xml version='1.0'?>
<methodCall>
  <methodName>Session.do_login_with_password</methodName>
  <params>
    <param>
      <value><string>user</string></value>
    </param>
    <param>
      <value><string>passwd</string></value>
    </param>
  </params>
</methodCall>
`

test('the request that §1.5 prints is understood with its white space, and answered with one struct', async () => {
  const user = await make(root, 'user', { short_name: 'user' })
  await root.ok('user.change_password', user, 'passwd')

  const { code, stdout, stderr } = await run('curl', ['-sS', '-i', '--data-binary', '@-', url], LOGIN_OF_THE_DRAFT)

  assert.equal(code, 0, stderr)
  const [head = '', body = ''] = stdout.split('\r\n\r\n')
  assert.match(head, /^HTTP\/1\.1 200 OK\r\n/)
  assert.match(head, /^Content-Type: text\/xml/im)
  assert.equal(readAnswer(decodeResponse(body)).status, 'Success')
})

test('the session that §1.5 prints runs in Python as it stands', async () => {
  await make(root, 'VM')
  const script = fileURLToPath(new URL('session-of-the-draft.py', import.meta.url))
  const vms = await root.list('VM.list')

  const { code, stdout, stderr } = await run('python3', [script, url, ADMIN.name, ADMIN.password])

  assert.equal(code, 0, stderr)
  const [all = '', start = '', label = '', description = ''] = stdout.split('\n')
  assert.deepEqual(JSON.parse(all.replaceAll("'", '"')), vms)
  assert.equal(start, "{'Status': 'Success', 'Value': ''}")
  assert.equal(label, await root.text('VM.get_name_label', vms[3] ?? ''))
  assert.equal(description, '')
  assert.equal(await root.text('VM.get_power_state', vms[3] ?? ''), 'Running')
})

/** The spellings of chapter 1, and what each is short for. */
const CHAPTER_1: readonly (readonly [spelling: string, canonical: string])[] = [
  ['Host.ListAllVMs', 'VM.list'],
  ['host.ListAllVMs', 'VM.list'],
  ['VM.do_list', 'VM.list'],
  ['vm.list', 'VM.list'],
  ['Vm.List', 'VM.list'],
  ['Host.do_list', 'host.list'],
  ['HOST.list', 'host.list'],
  ['Network.List', 'network.list'],
  ['sr.do_list', 'SR.list'],
  ['VM.Get_all', 'VM.get_all'],
  ['Host_CPU.get_all', 'host_cpu.get_all'],
  ['Task.GetAllTasks', 'task.get_all_tasks'],
  ['Async.Task.GetAllTasks', 'task.get_all_tasks'],
  ['Async.task.get_all_tasks', 'task.get_all_tasks'],
]

test('the spellings of chapter 1 are the canonical methods', async () => {
  for (const [spelling, canonical] of CHAPTER_1) {
    assert.deepEqual(await root.ok(spelling), await root.ok(canonical), spelling)
  }
})

const LOGINS = [
  'Session.Login_with_password',
  'Session.Login',
  'Session.do_login_with_password',
  'SESSION.login_with_password',
]

test('every spelling of the login opens a session, and every spelling of the logout ends it', async () => {
  for (const [index, spelling] of LOGINS.entries()) {
    const answer = await client.call(spelling, ADMIN.name, ADMIN.password)
    const session = answer.status === 'Success' ? asString(answer.value) : assert.fail(spelling)
    assert.equal((await client.call('VM.list', session)).status, 'Success')

    const logout = ['Session.Logout', 'session.logout', 'Session.do_logout'][index % 3] ?? ''
    assert.deepEqual(await client.call(logout, session), { status: 'Success', value: '' })

    assert.equal((await client.call('VM.list', session)).status, 'Failure')
  }
})

describe('getF and setF are get_F and set_F, do_ may stand in front, and capitals are forgiven at the beginning', () => {
  for (const of of CLASSES) {
    test(of, async () => {
      const getters = operationsOf(of).filter(
        ({ name }) => name.startsWith(`${of}.get_`) && !name.includes('.get_all') && !name.includes('.get_by_'),
      )
      for (const { name } of getters) {
        const value = await root.ok(name, objects[of] ?? '')
        const field = name.slice(`${of}.get_`.length)
        const spellings = [
          `${of}.get${field}`,
          `${of}.Get_${field}`,
          `${of}.do_get_${field}`,
          `${of.toUpperCase()}.get_${field}`,
        ]
        for (const spelling of spellings) assert.deepEqual(await root.ok(spelling, objects[of] ?? ''), value, spelling)
      }
    })
  }
})

test('setF sets', async () => {
  for (const [spelling, label] of [
    ['VM.setname_label', 'one'],
    ['Vm.SetName_label', 'two'],
    ['VM.do_set_name_label', 'three'],
  ] as const) {
    await root.ok(spelling, objects['VM'] ?? '', label)
    assert.equal(await root.text('VM.getname_label', objects['VM'] ?? ''), label)
  }
})

test('do_X of every message is X, also as a task', async () => {
  for (const of of CLASSES) {
    for (const [, name] of messagesOf(of)) {
      const spelling = `${of}.do_${name}`
      const [code, method] = await root.fails(spelling, 'surplus', 'surplus', 'surplus', 'surplus')
      assert.deepEqual([code, method], ['MESSAGE_PARAMETER_COUNT_MISMATCH', `${of}.${name}`])
      assert.equal(
        (await root.fails(`Async.${spelling}`, 'surplus', 'surplus', 'surplus', 'surplus'))[1],
        `${of}.${name}`,
      )
    }
  }
})

test('all four spellings of get_status answer for the same task; the old one as XML text, the others as a struct', async () => {
  const task = await root.text('Async.VM.list')
  for (const spelling of ['Task.GetStatus', 'Async.Task.GetStatus', 'task.GetStatus']) {
    assert.deepEqual(Object.keys(asStruct(await root.ok(spelling, task))), ['Progress', 'ETA', 'Result'])
  }
  for (const spelling of ['task.get_status', 'Async.task.get_status', 'Task.do_get_status']) {
    assert.match(await root.text(spelling, task), /^<task_status><Progress>\d+<\/Progress>/)
  }
})

/** Requests as sloppy as the draft prints its answer in §1.3.1. */
const SLOPPY: readonly (readonly [what: string, params: string])[] = [
  ['an untyped value', '<param><value>SESSION</value></param>'],
  ['spaces round an untyped reference', '<param><value> SESSION </value></param>'],
  ['spaces round a typed reference', '<param><value> <string> SESSION </string> </value></param>'],
  ['a typed value without a value round it', '<param><string>SESSION</string></param>'],
  ['CDATA and comments', '<!-- a --><param><value><string><![CDATA[SESSION]]></string></value><!-- b --></param>'],
]

test('sloppy XML as the draft prints it is understood', async () => {
  for (const [what, params] of SLOPPY) {
    const call = `<methodCall><methodName> VM.list </methodName><params>${params}</params></methodCall>`
    const { body } = await client.http.post(call.replace('SESSION', root.ref))
    assert.equal(readAnswer(decodeResponse(body)).status, 'Success', what)
  }
})

test('a set may be an array without a value round it, a struct’s names may have spaces', async () => {
  const vm = objects['VM'] ?? ''
  const param = (value: string) => `<param>${value}</param>`
  const array = '<array> <data> <value> PAE </value> <value> <string>NX</string> </value> </data> </array>'
  const call = `<methodCall><methodName>VM.set_VCPUs_features_force_on</methodName><params>${[root.ref, vm].map(text => param(`<value>${text}</value>`)).join('')}${param(array)}</params></methodCall>`
  const { body } = await client.http.post(call)
  assert.deepEqual(readAnswer(decodeResponse(body)), { status: 'Success', value: '' })
  assert.deepEqual(await root.list('VM.get_VCPUs_features_force_on', vm), ['PAE', 'NX'])

  const record = '<struct> <member> <name> name/label </name> <value> spaced </value> </member> </struct>'
  const create = `<methodCall><methodName>network.create</methodName><params>${param(`<value>${root.ref}</value>`)}${param(record)}</params></methodCall>`
  const created = readAnswer(decodeResponse((await client.http.post(create)).body))
  const network = created.status === 'Success' ? asString(created.value) : assert.fail(JSON.stringify(created))
  assert.equal(await root.text('network.get_name_label', network), ' spaced ')
})

test('any POST path is XML-RPC', async () => {
  for (const path of ['/', '/RPC2', '/xmlrpc', '/0.2', '/some/where?else=1']) {
    const reply = await client.http.post(LOGIN_OF_THE_DRAFT, path)
    assert.equal(reply.status, 200, path)
    assert.equal(readAnswer(decodeResponse(reply.body)).status, 'Success')
  }
})
