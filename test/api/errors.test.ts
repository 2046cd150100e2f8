import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { implement } from '../../src/engine/context.ts'
import { errors } from '../../src/model/errors.ts'
import { network } from '../../src/model/index.ts'
import { ApiClient, type Session } from '../support/client.ts'
import { ADMIN, startServer } from '../support/server.ts'
import { asString, asStruct } from '../support/value.ts'
import { type EngineWorld, startEngine } from './engine-world.ts'
import { make, NOBODY, startWorld } from './world.ts'

const { client, root } = await startWorld({ connectionsMax: 200, isCutOff: true }) // Some VMs never come to rest.
const folder = await mkdtemp(join(tmpdir(), 'polyvisor-errors-'))
after(() => rm(folder, { recursive: true, force: true }))

type Provoked = keyof typeof errors.table
type Provoke = () => Promise<readonly string[]>

const firstOf = async (of: string, session = root) =>
  (await session.list(`${of}.get_all`))[0] ?? assert.fail(`no ${of}`)
const make2 = async (of: string): Promise<readonly [string, string]> => [await make(root, of), await make(root, of)]

/** For every code of the error table, one way to bring it about. */
const PROVOCATIONS: Readonly<Record<Provoked, Provoke>> = {
  MESSAGE_METHOD_UNKNOWN: () => root.fails('VM.levitate'),
  MESSAGE_PARAMETER_COUNT_MISMATCH: () => root.fails('VM.list', 'surplus'),
  FIELD_TYPE_ERROR: async () => root.fails('VM.set_is_a_template', await firstOf('VM'), 'yes'),
  SESSION_INVALID: async () => errorOf(await client.call('VM.list', NOBODY)),
  HANDLE_INVALID: () => root.fails('VM.get_uuid', NOBODY),
  UUID_INVALID: () => root.fails('VM.get_by_uuid', NOBODY),
  PERMISSION_DENIED: async () => (await ordinaryUser()).fails('user.create', {}),
  OTHER_OPERATION_IN_PROGRESS: crowdOneVm,
  TOO_MANY_PENDING_TASKS: startTooManyTasks,
  INTERNAL_ERROR: breakHandler,
  STORE_FAILED: fillDisk,
  SESSION_AUTHENTICATION_FAILED: async () => errorOf(await client.call('session.login_with_password', 'nobody', 'x')),
  SESSION_LOGIN_RATE_LIMITED: guessPasswords,
  INVALID_VALUE: () => root.fails('VIF.create', { MTU: '1' }),
  VALUE_NOT_SUPPORTED: () => root.fails('VDI.create', { sector_size: '1000' }),
  PATH_NOT_ALLOWED: () => root.fails('SR.create', { type: 'memory', location: '/etc/passwd' }),
  FIELD_UNKNOWN: () => root.fails('VM.create', { colour: 'red' }),
  FIELD_READ_ONLY: () => root.fails('VM.create', { power_state: 'Running' }),
  OBJECT_IN_USE: async () => {
    const used = await make(root, 'network')
    await make(root, 'VIF', { network: used })
    return root.fails('network.delete', used)
  },
  OBJECT_NAME_TAKEN: () => root.fails('user.create', { short_name: ADMIN.name }),
  VM_BAD_POWER_STATE: async () => root.fails('VM.pause', await make(root, 'VM')),
  VM_IS_TEMPLATE: async () => root.fails('VM.start', await make(root, 'VM', { is_a_template: true }), false),
  VM_INCOMPATIBLE_WITH_THIS_HOST: async () =>
    root.fails('VM.start', await make(root, 'VM', { VCPUs_features_required: ['CYRIX_ARR'] }), false),
  HOST_NOT_ENOUGH_FREE_MEMORY: async () =>
    root.fails('VM.start', await make(root, 'VM', { memory_static_max: String(2n ** 49n) }), false),
  VM_SHUTDOWN_TIMEOUT: ignoreShutdown,
  VM_NO_HOST: removeEveryHost,
  VM_DUPLICATE_VBD_DEVICE: async () => {
    const VM = await make(root, 'VM')
    await make(root, 'VBD', { VM, device: 'hda' })
    return root.fails('VBD.create', { VM, device: 'hda' })
  },
  VDI_IN_USE: async () => {
    const [[one, other], VDI] = [await make2('VM'), await make(root, 'VDI')]
    for (const VM of [one, other]) await make(root, 'VBD', { VM, VDI })
    await root.ok('VM.start', one, false)
    return root.fails('VM.start', other, false)
  },
  VDI_TOO_SMALL: async () => root.fails('VDI.set_virtual_size', await make(root, 'VDI'), '1'),
  SR_UNKNOWN_DRIVER: () => root.fails('SR.create', { type: 'punched cards' }),
  HOST_DISABLED: () =>
    withHost('disabled', async host => {
      await root.ok('host.disable', host)
      return root.fails('VM.start', await make(root, 'VM', { affinity: host }), false)
    }),
  HOST_NOT_DISABLED: async () => root.fails('host.shutdown', await firstOf('host')),
  HOST_HAS_RESIDENT_VMS: () =>
    withHost('busy', async host => {
      await root.ok('VM.start', await make(root, 'VM', { affinity: host }), false)
      return root.fails('host.remove', host)
    }),
  HOST_OFFLINE: () => scanOnFlakyHost('HOST_OFFLINE'),
  HOST_URI_INVALID: () => root.fails('host.add', 'carrier-pigeon://loft'),
  OPERATION_NOT_ALLOWED: async () => root.fails('VM.install', await make(root, 'VM'), 'copy'),
  TASK_INTERRUPTED: killServer,
  TASK_CANCELLED: async () => {
    const task = await root.text('Async.VM.start', await make(root, 'VM', { name_label: 'vm-that-is-slow' }), false)
    await root.ok('task.cancel', task)
    return root.taskFails(task)
  },
  DRIVER_UNSUPPORTED: async () => {
    const [vdi, here] = [await make(root, 'VDI'), new Set(await root.list('SR.get_all'))]
    await root.text('host.add', 'memory:///elsewhere')
    const there = (await root.list('SR.get_all')).find(sr => !here.has(sr)) ?? assert.fail('no repository')
    return root.fails('VDI.set_SR', vdi, there)
  },
  DRIVER_FAILED: async () =>
    root.fails('VM.start', await make(root, 'VM', { name_label: 'vm-that-fails-to-start' }), false),
}

describe('a code of the error table comes about, with the parameters that the table gives it', () => {
  for (const [code, provoke] of Object.entries(PROVOCATIONS)) {
    test(code, async () => {
      const [got, ...values] = await provoke()

      assert.equal(got, code)
      const declared = Object.entries(errors.table).find(([name]) => name === code)?.[1].params ?? assert.fail()
      assert.equal(values.length, declared.length, values.join())
    })
  }
})

test('every code of the error table is provoked here', () => {
  assert.deepEqual(Object.keys(PROVOCATIONS).toSorted(), Object.keys(errors.table).toSorted())
})

function errorOf(answer: Awaited<ReturnType<ApiClient['call']>>): readonly string[] {
  return answer.status === 'Failure' ? answer.error : assert.fail('it succeeded')
}

async function ordinaryUser(): Promise<Session> {
  const user = await make(root, 'user')
  await root.ok('user.change_password', user, 'a password')
  return client.login(await root.text('user.get_short_name', user), 'a password')
}

const withHost = async (name: string, body: (host: string) => Promise<readonly string[]>) =>
  body(await root.text('host.add', `memory:///${name}`))

/** More callers than may wait for one VM while it takes its time to start. */
async function crowdOneVm(): Promise<readonly string[]> {
  const vm = await make(root, 'VM', { name_label: 'vm-that-is-slow' })
  await root.ok('Async.VM.start', vm, false)
  const calls = Array.from({ length: 130 }, () => client.call('VM.set_affinity', root.ref, vm, ''))
  return Promise.any(calls.map(async call => errorOf(await call))) // Those that may wait are cut off with the server.
}

async function startTooManyTasks(): Promise<readonly string[]> {
  const session = await ordinaryUser()
  const vm = await make(root, 'VM', { name_label: 'vm-that-is-slow' })
  await session.ok('Async.VM.start', vm, false)
  for (let count = 1; count < 100; count++) await session.ok('Async.VM.set_affinity', vm, '')
  return session.fails('Async.VM.set_affinity', vm, '')
}

async function guessPasswords(): Promise<readonly string[]> {
  for (let guess = 0; guess < 20; guess++) {
    const error = errorOf(await client.call('session.login_with_password', 'guessed', 'guess'))
    if (error[0] !== 'SESSION_AUTHENTICATION_FAILED') return error
  }
  return assert.fail('guessing is not limited')
}

/** A host that fails a third of all calls, in each of the ways there are. */
async function scanOnFlakyHost(code: string): Promise<readonly string[]> {
  const [host, repository] = await flakyHost()
  for (let attempt = 0; attempt < 200; attempt++) {
    const answer = await client.call('SR.scan', root.ref, repository)
    if (answer.status === 'Success' || answer.error[0] !== code) continue
    assert.equal(answer.error[1], host)
    return answer.error
  }
  return assert.fail(`${code} does not come about`)
}

async function flakyHost(): Promise<readonly [host: string, repository: string]> {
  for (let seed = 0; seed < 100; seed++) {
    const answer = await client.call('host.add', root.ref, `memory:///flaky-${seed}?faults=0.3&seed=${seed}`)
    if (answer.status === 'Success') return [asString(answer.value), (await root.list('SR.get_all')).at(-1) ?? '']
  }
  return assert.fail('it never connected')
}

async function killServer(): Promise<readonly string[]> {
  const data = join(folder, 'killed')
  const before = await startServer({ data })
  const first = new ApiClient(before.http)
  const session = await first.login(ADMIN.name, ADMIN.password)
  const vm = await make(session, 'VM', { name_label: 'vm-that-is-slow' })
  const task = await session.text('Async.VM.start', vm, false)
  await before.kill()
  first.close()

  const again = await startServer({ data })
  const second = new ApiClient(again.http)
  try {
    const { Progress, Result } = asStruct(
      await (await second.login(ADMIN.name, ADMIN.password)).ok('task.GetStatus', task),
    )
    assert.equal(Progress, 100n)
    const { Status, ErrorDescription } = asStruct(Result)
    assert.equal(Status, 'Failure')
    const error = Array.isArray(ErrorDescription) ? ErrorDescription.map(String) : []
    assert.deepEqual(error, ['TASK_INTERRUPTED', task, 'VM.start', ''])
    return error
  } finally {
    second.close()
    await again.stop()
  }
}

async function removeEveryHost(): Promise<readonly string[]> {
  const bare = await startServer({ hosts: ['memory:///bare'] })
  const its = new ApiClient(bare.http)
  try {
    const session = await its.login(ADMIN.name, ADMIN.password)
    await session.ok('host.remove', await firstOf('host', session))
    return await session.fails('VM.start', await make(session, 'VM'), false)
  } finally {
    its.close()
    await bare.stop()
  }
}

/** No file of the server's may grow beyond this, as on a disk that is full. */
const FILE_BYTES_MAX = 8 * 1024 * 1024

async function fillDisk(): Promise<readonly string[]> {
  const full = await startServer({ wrapper: ['prlimit', `--fsize=${FILE_BYTES_MAX}`] })
  const its = new ApiClient(full.http)
  try {
    const session = await its.login(ADMIN.name, ADMIN.password)
    const vm = await make(session, 'VM', { name_description: 'before' })
    for (let attempt = 0; attempt < 20; attempt++) {
      const before = await session.text('VM.get_name_description', vm)
      const answer = await its.call('VM.set_name_description', session.ref, vm, String(attempt).padEnd(3_000_000))
      if (answer.status === 'Success') continue
      assert.equal(await session.text('VM.get_name_description', vm), before, 'the change is taken back')
      return answer.error
    }
    return assert.fail('the disk does not fill')
  } finally {
    its.close()
    await full.kill()
  }
}

async function inEngine(world: EngineWorld, body: () => Promise<readonly string[]>): Promise<readonly string[]> {
  try {
    return await body()
  } finally {
    await world.close()
  }
}

/** A fault of ours: the client is given an id, and what it was stands in the log only. */
async function breakHandler(): Promise<readonly string[]> {
  const broken = implement(network, {
    list() {
      throw new RangeError('a fault of ours')
    },
  })
  const world = await startEngine([broken])
  return inEngine(world, async () => {
    const answer = await world.call('network.list', [])
    const error = answer.ok ? assert.fail() : answer.error
    const line = world.logged.find(entry => entry.includes(error[1] ?? assert.fail()))
    assert.match(line ?? '', /a fault of ours/)
    assert.doesNotMatch(JSON.stringify(answer), /fault of ours/)
    return error
  })
}

/** The wait for a guest that does not obey goes on though its caller goes away. */
async function ignoreShutdown(): Promise<readonly string[]> {
  const world = await startEngine()
  return inEngine(world, async () => {
    const created = await world.call('VM.create', [{ name_label: 'vm-that-ignores-shutdown' }])
    const vm = created.ok ? created.value : assert.fail()
    await world.call('VM.start', [vm, false])
    const answer = await world.call('VM.clean_shutdown', [vm], AbortSignal.timeout(50))
    const state = await world.call('VM.get_power_state', [vm])
    assert.equal(state.ok && state.value, 'Running')
    return answer.ok ? assert.fail() : answer.error
  })
}
