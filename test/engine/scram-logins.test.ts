import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { ScramLogins } from '../../src/engine/scram-logins.ts'
import { Sessions } from '../../src/engine/sessions.ts'
import { UserWatch } from '../../src/engine/user-watch.ts'
import { credential, storedClasses, user } from '../../src/model/index.ts'
import { newRecord } from '../../src/model/kernel/operations.ts'
import { MemoryLogContents, memoryLog } from '../../src/store/memory-log.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { ScramError } from '../../src/wire/scram/index.ts'
import { atEnd } from '../support/at-end.ts'
import { ScramClient } from '../support/scram-client.ts'

/** Users in a store that ends with the test. */
async function world(context: TestContext, contents = new MemoryLogContents()) {
  const store = await openStore({ classes: storedClasses, log: memoryLog(contents) })
  atEnd(context, () => store.close())
  const warnings: string[] = []
  const log = {
    warn: (details: object, message: string) => void warnings.push(`${message} ${JSON.stringify(details)}`),
  }
  const sessions = new Sessions({ store, now: Date.now })
  const { credentials, attempts } = sessions
  const logins = new ScramLogins({ store, credentials, attempts, log })
  const attempt = async (name: string, password: string, meanwhile?: () => Promise<void>) => {
    const [login, client] = [logins.begin('192.0.2.1'), new ScramClient(name, password)]
    const challenge = await login.step(client.first())
    assert.ok(challenge !== undefined && challenge.user === undefined)
    await meanwhile?.()
    const answer = await login.step(client.last(challenge.message))
    if (answer !== undefined) assert.ok(client.trusts(answer.message))
    return { user: answer?.user, salt: /s=([^,]+)/.exec(challenge.message)?.[1] ?? '' }
  }
  return { store, sessions, warnings, logins, attempt }
}

async function addUser({ store, sessions }: { store: Store; sessions: Sessions }, name: string, password: string) {
  const uuid = randomUUID()
  await store.transact(transaction => transaction.insert(user, newRecord(user, { uuid, short_name: name })))
  await sessions.setPassword(uuid, password)
  return uuid
}

test('a user logs in with the password, and with no other', async context => {
  const all = await world(context)
  const ada = await addUser(all, 'ada', 'correct horse')

  assert.equal((await all.attempt('ada', 'correct horse')).user, ada)
  assert.equal((await all.attempt('ada', 'wrong horse')).user, undefined)
  assert.deepEqual(all.warnings, [])
})

test('who is unknown has a salt like everybody, the same after a restart, and is refused at the end', async context => {
  const contents = new MemoryLogContents()
  const first = await world(context, contents)
  await addUser(first, 'ada', 'correct horse')
  const [known, unknown, other] = [
    await first.attempt('ada', 'x'),
    await first.attempt('eve', 'x'),
    await first.attempt('bob', 'x'),
  ]
  await first.store.close()
  const second = await world(context, contents)
  const again = await second.attempt('eve', 'x')

  assert.deepEqual([known.user, unknown.user, other.user], [undefined, undefined, undefined])
  assert.equal(unknown.salt.length, known.salt.length)
  assert.notEqual(unknown.salt, other.salt)
  assert.equal(again.salt, unknown.salt)
})

test('a password that an older version set is good here once it was shown, and the log says so until then', async context => {
  const all = await world(context)
  const ada = await addUser(all, 'ada', 'correct horse')
  await all.store.transact(transaction => transaction.patch(credential, ada, { scram: '' }))
  assert.deepEqual(all.sessions.credentials.namesWithoutScram(), ['ada'])

  const before = await all.attempt('ada', 'correct horse')
  await assert.rejects(all.sessions.login('ada', 'wrong horse', 'local'))
  assert.deepEqual(all.sessions.credentials.namesWithoutScram(), ['ada'])
  await all.sessions.login('ada', 'correct horse', 'local')
  const after = await all.attempt('ada', 'correct horse')

  assert.deepEqual([before.user, after.user], [undefined, ada])
  assert.equal(all.warnings.length, 1)
  assert.match(all.warnings[0] ?? '', /cannot log in to libvirt.*"user":"ada".*polyvisor user passwd/)
  assert.deepEqual(all.sessions.credentials.namesWithoutScram(), [])
})

test('a password with control characters is good for sessions alone', async context => {
  const all = await world(context)
  await addUser(all, 'ada', 'bell\u0007')

  await all.sessions.login('ada', 'bell\u0007', 'local')

  assert.equal((await all.attempt('ada', 'bell\u0007')).user, undefined)
})

test('a password that is changed during the login, and a user who is deleted, are not let in', async context => {
  const all = await world(context)
  const ada = await addUser(all, 'ada', 'correct horse')

  const changed = await all.attempt('ada', 'correct horse', () => all.sessions.setPassword(ada, 'another'))
  const deleted = await all.attempt('ada', 'another', () =>
    all.store.transact(transaction => {
      transaction.remove(credential, ada)
      transaction.remove(user, ada)
    }),
  )

  assert.deepEqual([changed.user, deleted.user], [undefined, undefined])
})

test('guesses count together with those at sessions', async context => {
  const all = await world(context)
  await addUser(all, 'ada', 'correct horse')

  for (let guess = 0; guess < 5; guess++) await all.attempt('ada', 'x')
  for (let guess = 0; guess < 5; guess++) await all.sessions.login('ada', 'x', '192.0.2.1').catch(() => undefined)

  await assert.rejects(all.attempt('ada', 'correct horse'), { code: 'SESSION_LOGIN_RATE_LIMITED' })
  await assert.rejects(all.sessions.login('ada', 'correct horse', '192.0.2.1'), { code: 'SESSION_LOGIN_RATE_LIMITED' })
})

test('a third message is none', async context => {
  const all = await world(context)
  await addUser(all, 'ada', 'correct horse')
  const [login, client] = [all.logins.begin('local'), new ScramClient('ada', 'correct horse')]
  const challenge = await login.step(client.first())
  const last = client.last(challenge?.message ?? '')

  assert.ok((await login.step(last))?.user)
  await assert.rejects(login.step(client.first()), ScramError)
})

test('who watches a user is told when the password is changed or the user is deleted, and of nothing else', async context => {
  const all = await world(context)
  const [ada, bob] = [await addUser(all, 'ada', 'one'), await addUser(all, 'bob', 'two')]
  const watch = new UserWatch(all.store)
  const [first, left, other] = [watch.watch(ada), watch.watch(ada), watch.watch(bob)]
  left.release()

  await all.store.transact(transaction => transaction.patch(credential, ada, { scram: '' }))
  await all.sessions.login('ada', 'one', 'local')
  await all.store.transact(transaction => transaction.patch(user, ada, { fullname: 'Ada' }))
  assert.equal(first.signal.aborted, false)
  await all.sessions.setPassword(ada, 'three')

  assert.deepEqual([first.signal.aborted, left.signal.aborted, other.signal.aborted], [true, false, false])
  await all.store.transact(transaction => {
    transaction.remove(credential, bob)
    transaction.remove(user, bob)
  })
  assert.equal(other.signal.aborted, true)
})
