import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type TaskProgress, XenApiClient } from '../../src/client/index.ts'
import { classes } from '../../src/model/index.ts'
import { operationsOf } from '../../src/model/kernel/operations.ts'
import { ROOT_PASSWORD, startWorld, type World } from '../cli/world.ts'

let world: World
let client: XenApiClient
before(async () => {
  world = await startWorld()
  client = new XenApiClient({ url: world.http })
  await client.login('root', ROOT_PASSWORD)
})
after(async () => {
  await client.logout()
  client.close()
  await world.close()
})

test('every operation of the declaration is a method of its class, and of Async where it can be a task', () => {
  for (const of of Object.values(classes)) {
    const methods = new Map<string, unknown>(Object.entries(client))
    const here = Object.keys(Object(methods.get(of.name)))
    assert.deepEqual(
      here,
      operationsOf(of).map(({ name }) => name.slice(of.name.length + 1)),
    )
  }
  assert.deepEqual(
    Object.keys(client.Async),
    Object.keys(classes).filter(name => name !== 'session' && name !== 'task'),
  )
})

test('values come in the form they have in memory', async () => {
  const [vm = ''] = await client.VM.get_all()

  assert.equal(typeof (await client.VM.get_memory_static_max({ self: vm })), 'bigint')
  assert.equal(await client.VM.get_power_state({ self: vm }), 'Halted')
  assert.equal(await client.VM.get_is_a_template({ self: vm }), false)
  assert.deepEqual(await client.VM.get_VBDs({ self: vm }), [])
  assert.ok((await client.VM.get_tools_version({ self: vm })) instanceof Map)
  assert.equal(await client.VM.set_user_version({ self: vm, value: 2n ** 62n }), null)
  assert.equal(await client.VM.get_user_version({ self: vm }), 2n ** 62n)
})

test('sets are added to, removed from and replaced', async () => {
  const vm = await client.VM.create({ name_label: 'features' })

  await client.VM.set_VCPUs_features_force_on({ self: vm, value: ['FPU', 'MMX'] })
  await client.VM.add_to_VCPUs_features_force_on({ self: vm, value: 'PAE' })
  await client.VM.remove_from_VCPUs_features_force_on({ self: vm, value: 'FPU' })
  assert.deepEqual(await client.VM.get_VCPUs_features_force_on({ self: vm }), ['MMX', 'PAE'])
  assert.deepEqual(await client.VM.get_by_name_label({ name: 'features' }), [vm])
  await client.VM.delete({ self: vm })
  await assert.rejects(client.VM.get_uuid({ self: vm }), { name: 'ApiError', code: 'HANDLE_INVALID' })
})

test('record gives every field that its getter gives', async () => {
  const vm = await client.VM.create({ name_label: 'a "name", (odd) & <long>', name_description: 'two\nlines' })
  const record = await client.record('VM', vm)

  for (const [field, value] of Object.entries(record)) {
    assert.deepEqual(await client.invoke(`VM.get_${field}`, { self: vm }), value, field)
  }
  const [host = ''] = await client.host.get_all()
  assert.deepEqual(
    (await client.record('host', host)).software_version,
    await client.host.get_software_version({ self: host }),
  )
})

test('a task tells how far it is, and gives what the method would have answered', async () => {
  const vm = await client.VM.create({ name_label: 'vm-that-is-slow' })
  const seen: TaskProgress[] = []

  const started = await client.Async.VM.start({ vm, start_paused: false })
  assert.equal(await client.waitForTask(started, { onProgress: progress => seen.push(progress) }), null)
  assert.ok(seen.some(({ percent }) => percent > 0 && percent < 100))
  assert.equal(seen.at(-1)?.percent, 100)
  const listed = await client.waitForTask(await client.Async.VM.get_all())
  assert.ok(listed.includes(vm))
  const size = await client.waitForTask(await client.Async.VM.get_memory_static_max({ self: vm }))
  assert.equal(size, 268_435_456n)
})

test('a task that failed rejects with its error, and one of another client gives what the wire has', async () => {
  const vm = await client.VM.create({ name_label: 'vm-that-fails-to-start' })
  const failed = await client.Async.VM.start({ vm, start_paused: false })
  const size = await client.Async.VM.get_memory_static_max({ self: vm })
  const other = new XenApiClient({ url: world.http })
  await other.login('root', ROOT_PASSWORD)

  await assert.rejects(client.waitForTask(failed), { name: 'ApiError', code: 'DRIVER_FAILED' })
  assert.equal(await other.waitForTask(size), '268435456')
  await other.logout()
  other.close()
})

test('waiting for a task ends with its signal or its time, and the task goes on', async () => {
  const vm = await client.VM.create({ name_label: 'vm-that-is-slow-too' })
  const task = await client.Async.VM.start({ vm, start_paused: false })
  const reason = new Error('enough')
  const abort = new AbortController()
  const waiting = client.waitForTask(task, { signal: abort.signal, onProgress: () => abort.abort(reason) })

  await assert.rejects(waiting, reason)
  await assert.rejects(client.waitForTask(task, { timeoutMs: 10 }), { name: 'TransportError', kind: 'timeout' })
  assert.equal(await client.waitForTask(task), null)
})

test('call takes any spelling and values as the wire has them', async () => {
  const [vm] = await client.VM.get_all()

  assert.deepEqual(await client.call('Host.ListAllVMs'), await client.VM.get_all())
  assert.equal(await client.call('VM.get_memory_static_max', [vm ?? '']), '2147483648')
  await assert.rejects(client.call('VM.nonsense'), { name: 'ApiError', code: 'MESSAGE_METHOD_UNKNOWN' })
})

test('a session is resumed by another client, and logout ends it for both', async () => {
  const first = new XenApiClient({ url: world.unix })
  const second = new XenApiClient({ url: world.unix })
  const session = await first.login('root', ROOT_PASSWORD)
  second.resume(session)

  assert.equal((await second.VM.get_all()).length > 0, true)
  await first.logout()
  await first.logout()
  assert.equal(first.isLoggedIn, false)
  await assert.rejects(first.VM.get_all(), { code: 'SESSION_INVALID' })
  await assert.rejects(second.VM.get_all(), { code: 'SESSION_INVALID' })
  await second.logout()
  first.close()
  first.close()
  second.close()
})

test('https works with a CA, with a fingerprint, and without either only for those who ask for it', async () => {
  const ca = await readFile(join(world.data, 'tls', 'self-signed.crt'), 'utf8')
  const fingerprint = new X509Certificate(ca).fingerprint256
  const answerOf = async (tls: ConstructorParameters<typeof XenApiClient>[0]['tls']) => {
    const https = new XenApiClient({ url: world.https, ...(tls === undefined ? {} : { tls }) })
    try {
      await https.login('root', ROOT_PASSWORD)
      await Promise.all([https.VM.get_all(), https.host.get_all()])
      await https.logout()
    } finally {
      https.close()
    }
  }

  for (const tls of [{ ca }, { fingerprint }, { fingerprint: fingerprint.replaceAll(':', '').toLowerCase() }]) {
    await answerOf(tls)
  }
  await answerOf({ rejectUnauthorized: false })
  await assert.rejects(answerOf(undefined), { name: 'TransportError', kind: 'certificate' })
  const other = fingerprint.replace(/^../, pair => (pair === '00' ? '01' : '00'))
  await assert.rejects(answerOf({ fingerprint: other }), { kind: 'certificate', message: /another certificate/ })
})
