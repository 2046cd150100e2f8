import assert from 'node:assert/strict'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiClient } from '../support/client.ts'
import { ADMIN } from '../support/server.ts'
import { startEngine } from './engine-world.ts'
import { changesNothing, make, NOBODY, startWorld } from './world.ts'

const { server, client, root } = await startWorld()
const login = (name: string, password: string) => client.call('session.login_with_password', name, password)

/** A user who is no administrator, with the password that is said. */
async function makeUser(password: string): Promise<{ readonly ref: string; readonly name: string }> {
  const ref = await make(root, 'user')
  await root.ok('user.change_password', ref, password)
  return { ref, name: await root.text('user.get_short_name', ref) }
}

// Proves: session.login_with_password, session.logout
test('a session ends with its logout, and another of the same user does not', async () => {
  const [one, other] = [await client.login(ADMIN.name, ADMIN.password), await client.login(ADMIN.name, ADMIN.password)]
  assert.notEqual(one.ref, other.ref)
  assert.match(one.ref, /^[0-9a-f]{32,}$/)

  assert.equal(await one.ok('session.logout'), '')

  assert.equal((await one.fails('VM.list'))[0], 'SESSION_INVALID')
  assert.equal((await one.fails('session.logout'))[0], 'SESSION_INVALID')
  await other.ok('VM.list')
})

test('a wrong password, an unknown user and a user without a password are told apart neither by answer nor by time', async () => {
  const known = await makeUser('a password')
  const without = await root.text('user.get_short_name', await make(root, 'user'))
  const timesMs: number[] = []

  for (const name of [known.name, without, 'unknown', '', 'é😀', 'x'.repeat(100_000)]) {
    const tries: number[] = []
    for (let attempt = 0; attempt < 3; attempt++) {
      const startMs = performance.now()
      assert.deepEqual(await login(name, 'another password'), {
        status: 'Failure',
        error: ['SESSION_AUTHENTICATION_FAILED'],
      })
      tries.push(performance.now() - startMs)
    }
    timesMs.push(Math.min(...tries))
  }

  // Between a hash and none lie two orders of magnitude; the machine may be busy with other things.
  assert.ok(Math.max(...timesMs) < 10 * Math.min(...timesMs), timesMs.join(' '))
})

test('a user logs in with the whole password and no other', async () => {
  const { name } = await makeUser('pässwörd 😀 <&>')

  assert.equal((await login(name, 'pässwörd 😀 <&>')).status, 'Success')

  for (const wrong of ['pässwörd 😀 <&', 'pässwörd 😀 <&> ', 'PÄSSWÖRD 😀 <&>', '']) {
    assert.equal((await login(name, wrong)).status, 'Failure', wrong)
  }
  assert.equal((await login(name.toUpperCase(), 'pässwörd 😀 <&>')).status, 'Failure')
})

test('a user who is no administrator manages no users and no hosts, and nothing changes', async () => {
  const { ref, name } = await makeUser('a password')
  const session = await client.login(name, 'a password')
  const [[host = ''], victim] = [await root.list('host.list'), await make(root, 'user')]
  const calls: readonly (readonly [string, ...(string | Readonly<Record<string, string>>)[]])[] = [
    ['user.create', { short_name: 'accomplice' }],
    ['user.delete', victim],
    ['user.delete', ref],
    ['host.add', 'memory:///other'],
    ['host.remove', host],
    ['host.disable', host],
    ['host.enable', host],
    ['host.shutdown', host],
    ['host.reboot', host],
    ['Async.user.create', { short_name: 'accomplice' }],
    ['user.change_password', victim, 'not my business'],
  ]

  await changesNothing(root, async () => {
    for (const [method, ...params] of calls) {
      assert.deepEqual(await session.fails(method, ...params), ['PERMISSION_DENIED', method])
    }
  })

  await session.ok('VM.set_name_label', (await session.list('VM.list'))[0] ?? '', 'mine to manage')
})

// Proves: user.change_password
test('changing one’s own password ends one’s other sessions and keeps this one', async () => {
  const { ref, name } = await makeUser('the old one')
  const [session, other] = [await client.login(name, 'the old one'), await client.login(name, 'the old one')]

  await session.ok('user.change_password', ref, 'the new one')

  await session.ok('VM.list')
  assert.equal((await other.fails('VM.list'))[0], 'SESSION_INVALID')
  assert.equal((await login(name, 'the old one')).status, 'Failure')
  assert.equal((await login(name, 'the new one')).status, 'Success')
})

test('a password that is empty or absurdly long is refused without being repeated', async () => {
  const { ref, name } = await makeUser('the right one')

  for (const password of ['', 'x'.repeat(1025)]) {
    const error = await root.fails('user.change_password', ref, password)
    assert.deepEqual(error.slice(0, 2), ['INVALID_VALUE', 'password'])
    assert.ok(password === '' || !JSON.stringify(error).includes(password))
  }

  assert.equal((await login(name, 'the right one')).status, 'Success')
})

test('two users cannot have the same name, and the last administrator cannot be deleted', async () => {
  const { name } = await makeUser('a password')
  const [administrator = ''] = await root.list('user.get_by_short_name', ADMIN.name)

  await changesNothing(root, async () => {
    assert.deepEqual(await root.fails('user.create', { short_name: name }), ['OBJECT_NAME_TAKEN', 'user', name])
    assert.equal((await root.fails('user.delete', administrator))[0], 'OPERATION_NOT_ALLOWED')
    assert.deepEqual(await root.fails('user.delete', NOBODY), ['HANDLE_INVALID', 'user', NOBODY])
  })
})

test('deleting a user ends the user’s sessions', async () => {
  const { ref, name } = await makeUser('a password')
  const session = await client.login(name, 'a password')

  await root.ok('user.delete', ref)

  assert.equal((await session.fails('VM.list'))[0], 'SESSION_INVALID')
  assert.equal((await login(name, 'a password')).status, 'Failure')
})

test('after ten failures a user must wait at that address; others need not, nor the same user elsewhere', async () => {
  const [victim, bystander] = [await makeUser('the right one'), await makeUser('a right one too')]
  const codes: string[] = []
  for (let failure = 0; failure < 12; failure++) codes.push(await failureOf(victim.name, 'guess'))
  assert.ok(codes.slice(0, 10).every(code => code === 'SESSION_AUTHENTICATION_FAILED'))
  assert.equal(codes.at(-1), 'SESSION_LOGIN_RATE_LIMITED') // One more may have been forgotten in the meantime.

  const answer = await login(victim.name, 'the right one')

  const [code, seconds] = answer.status === 'Failure' ? answer.error : assert.fail('not limited')
  assert.equal(code, 'SESSION_LOGIN_RATE_LIMITED')
  assert.ok(Number(seconds) > 0 && Number(seconds) <= 60, seconds)
  assert.equal((await login(bystander.name, 'a right one too')).status, 'Success')
  const local = new ApiClient(server.unix)
  await local.login(victim.name, 'the right one')
  local.close()
})

async function failureOf(name: string, password: string): Promise<string> {
  const answer = await login(name, password)
  return answer.status === 'Failure' ? (answer.error[0] ?? '') : assert.fail('logged in')
}

test('the secret in the data directory opens a session for the administrator, and on the Unix socket only', async () => {
  const file = join(server.data, 'local-secret')
  const secret = (await readFile(file, 'utf8')).trim()
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  const { name } = await makeUser('a password')
  const local = new ApiClient(server.unix)

  await local.login(ADMIN.name, secret)

  assert.equal((await login(ADMIN.name, secret)).status, 'Failure')
  assert.equal((await local.call('session.login_with_password', name, secret)).status, 'Failure')
  local.close()
})

test('a user has at most 500 sessions, also when logins come at once; the one that was used the longest time ago ends first', async () => {
  const secret = (await readFile(join(server.data, 'local-secret'), 'utf8')).trim()
  const local = new ApiClient(server.unix, 50)
  const crowd = (count: number) => Promise.all(Array.from({ length: count }, () => local.login(ADMIN.name, secret)))
  const [oldest, second] = [await local.login(ADMIN.name, secret), await local.login(ADMIN.name, secret)]

  const some = await crowd(490)
  await sleep(1100) // The order of last use is kept to the second.
  for (const session of [oldest, root]) await session.ok('VM.list')
  const more = await crowd(20)

  const answers = await Promise.all([...some, ...more, oldest, root].map(({ ref }) => local.call('VM.list', ref)))
  assert.equal(answers.filter(({ status }) => status === 'Success').length, 500)
  assert.ok(answers.slice(-22).every(({ status }) => status === 'Success'))
  assert.equal((await second.fails('VM.list'))[0], 'SESSION_INVALID')
  local.close()
})

test('a session ends after a day without a call, counted from the last one', async () => {
  const engine = await startEngine()
  const HOUR_MS = 3_600_000
  for (const _ of [1, 2, 3]) {
    engine.pass(23 * HOUR_MS)
    assert.ok((await engine.call('VM.list', [])).ok)
  }

  engine.pass(25 * HOUR_MS)

  const answer = await engine.call('VM.list', [])
  assert.equal(!answer.ok && answer.error[0], 'SESSION_INVALID')
  await engine.close()
})

test('neither log nor data directory holds a password or a session', async () => {
  const { name } = await makeUser('a memorable secret')
  const session = await client.login(name, 'a memorable secret')
  await login(name, 'a memorable mistake')
  const files = (await readdir(server.data, { recursive: true, withFileTypes: true })).filter(entry => entry.isFile())

  for (const secret of ['a memorable secret', 'a memorable mistake', ADMIN.password, session.ref, root.ref]) {
    assert.ok(!server.log().includes(secret))
    for (const { parentPath, name: file } of files) {
      assert.ok(!(await readFile(join(parentPath, file))).includes(secret), file)
    }
  }
})
