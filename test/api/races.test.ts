import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DomainConfig } from '../../src/drivers/driver.ts'
import { memoryDriver, MemoryHost } from '../../src/drivers/memory/index.ts'
import { draft } from '../../src/engine/dialect.ts'
import { Engine } from '../../src/engine/engine.ts'
import { ensureFirstUser, FIRST_USER } from '../../src/engine/first-user.ts'
import { Hosts } from '../../src/engine/hosts.ts'
import { Locks } from '../../src/engine/locks.ts'
import { Paths } from '../../src/engine/paths.ts'
import { Sessions } from '../../src/engine/sessions.ts'
import { Tasks } from '../../src/engine/tasks.ts'
import { implementations } from '../../src/handlers/index.ts'
import { ensureRepository } from '../../src/handlers/repository.ts'
import { storedClasses, VM } from '../../src/model/index.ts'
import { memoryLog } from '../../src/store/memory-log.ts'
import { openStore } from '../../src/store/open.ts'
import { isArray, type WireValue } from '../../src/wire/xmlrpc/value.ts'

const PASSWORD = 'a password'
const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const byText = (a = '', b = ''): number => (a < b ? -1 : 1)
const signal = new AbortController().signal

/** An engine on a host in memory, which a test may prepare and disturb behind its back. */
async function world(host = new MemoryHost({ name: 'races' })) {
  const store = await openStore({ classes: storedClasses, log: memoryLog() })
  const driver = memoryDriver({ host })
  const locks = new Locks()
  const hosts = new Hosts({ store, locks, log: quiet, owner: 'test', connect: async () => driver })
  const sessions = new Sessions({ store, now: Date.now })
  const toApiError = (error: unknown): never => {
    throw error
  }
  const tasks = new Tasks({ store, now: Date.now, owner: 'test', toApiError })
  const services = { store, hosts, sessions, tasks, paths: new Paths({ dataDir: '/nonexistent' }), locks }
  await ensureFirstUser(services, PASSWORD)
  const engine = new Engine({ services, implementations, log: quiet })
  await ensureRepository(services, await hosts.add('memory:///races'))
  const session = await sessions.login(FIRST_USER, PASSWORD, 'local')
  const call = async (method: string, ...params: readonly WireValue[]) =>
    engine.call({ method, params: [session, ...params], dialect: draft, address: 'local', signal })
  const ok = async (method: string, ...params: readonly WireValue[]): Promise<WireValue> => {
    const answer = await call(method, ...params)
    return answer.ok ? answer.value : assert.fail(answer.error.join(' '))
  }
  const codeOf = async (method: string, ...params: readonly WireValue[]) => {
    const answer = await call(method, ...params)
    return answer.ok ? 'Success' : answer.error[0]
  }
  const errorOf = async (method: string, ...params: readonly WireValue[]): Promise<readonly string[]> => {
    const answer = await call(method, ...params)
    return answer.ok ? assert.fail(`${method} succeeded`) : answer.error
  }
  const text = async (method: string, ...params: readonly WireValue[]): Promise<string> => {
    const value = await ok(method, ...params)
    return typeof value === 'string' ? value : assert.fail(`${method} answered no text`)
  }
  const list = async (method: string): Promise<readonly string[]> => {
    const value = await ok(method)
    return isArray(value) ? value.map(element => (typeof element === 'string' ? element : '')) : assert.fail(method)
  }
  const close = async () => {
    await hosts.close()
    await store.close()
  }
  return { driver, store, sessions, ok, text, list, codeOf, errorOf, close }
}

describe('what happens at once, or behind our back', () => {
  test('a VM that is adopted keeps its disks, also when it is started', async () => {
    const host = new MemoryHost({ name: 'races' })
    const before = memoryDriver({ host })
    const repository = { type: 'memory', location: 'elsewhere' }
    await before.storage.openRepository(repository)
    const volume = { name: 'root', format: 'raw', virtualBytes: 1_048_576 } as const
    const { location } = await before.storage.createVolume(repository, volume)
    const id = '6f1c1f60-3f0a-4c53-9c0e-5b8b7f0a1c2d'
    const disk = { id, location, format: 'raw', readOnly: false, device: 'hda', bus: 'emulated' } as const
    const boot = { kind: 'firmware', device: 'disk' } as const
    const config: DomainConfig = {
      id,
      name: 'old',
      description: '',
      memoryBytes: 2 ** 24,
      vcpus: 1,
      boot,
      disks: [disk],
    }
    await before.domains.define(config)
    const { driver, ok, close } = await world(host)

    await ok('VM.start', id, false)

    assert.deepEqual(
      (await driver.domains.config(id)).disks.map(found => found.location),
      [location],
    )
    await close()
  })

  test('of two VMs that start at once on one writable disk, one starts', async () => {
    const { text, codeOf, close } = await world()
    const VDI = await text('VDI.create', { virtual_size: '2048' })
    const vms = [await text('VM.create', {}), await text('VM.create', {})]
    for (const vm of vms) await text('VBD.create', { VM: vm, VDI })

    const codes = await Promise.all(vms.map(vm => codeOf('VM.start', vm, false)))

    assert.deepEqual(codes.toSorted(byText), ['Success', 'VDI_IN_USE'])
    await close()
  })

  test('images that are made while their repository is scanned are there once', async () => {
    const { ok, text, list, close } = await world()
    const [sr = ''] = await list('SR.get_all')

    const made = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const [vdi] = await Promise.all([text('VDI.create', { virtual_size: '2048', SR: sr }), ok('SR.scan', sr)])
        return vdi
      }),
    )

    assert.deepEqual((await list('VDI.get_all')).toSorted(byText), made.toSorted(byText))
    await close()
  })

  test('a repository that cannot take all images given to it gives back those it took', async () => {
    const { ok, text, list, codeOf, close } = await world()
    const [sr = ''] = await list('SR.get_all')
    const [free, used] = [
      await text('VDI.create', { virtual_size: '8' }),
      await text('VDI.create', { virtual_size: '8' }),
    ]
    const vm = await text('VM.create', {})
    await text('VBD.create', { VM: vm, VDI: used })
    await ok('VM.start', vm, false)

    assert.equal(await codeOf('SR.create', { type: 'memory', location: 'second', VDIs: [free, used] }), 'VDI_IN_USE')

    assert.equal(await text('VDI.get_SR', free), sr)
    assert.deepEqual(await list('SR.get_all'), [sr])
    await close()
  })

  test('a VM that cannot be made gives back the disks it took', async () => {
    const { driver, store, text, codeOf, close } = await world()
    const owner = await text('VM.create', {})
    const vbd = await text('VBD.create', { VM: owner })
    driver.faults.plan({ operation: 'domains.define', nth: 1, when: 'after', kind: 'refused' })

    assert.equal(await codeOf('VM.create', { VBDs: [vbd] }), 'DRIVER_FAILED')

    assert.equal(await text('VBD.get_VM', vbd), owner)
    assert.deepEqual(store.all(VM), [owner])
    assert.deepEqual(
      (await driver.domains.list()).map(domain => domain.id),
      [owner],
    )
    await close()
  })

  test('a VM that cannot be made, nor taken back, is said to remain on its host', async () => {
    const { driver, errorOf, close } = await world()
    driver.faults.plan({ operation: 'domains.define', nth: 1, when: 'after', kind: 'refused' })
    driver.faults.plan({ operation: 'domains.undefine', nth: 1, when: 'before', kind: 'refused' })

    const [code, , , reason = ''] = await errorOf('VM.create', {})

    const [left] = await driver.domains.list()
    assert.equal(code, 'DRIVER_FAILED')
    assert.match(reason, new RegExp(`domain ${left?.id} may remain on host`))
    await close()
  })

  test('a reboot that could not boot again does not shut down', async () => {
    const { ok, text, codeOf, close } = await world()
    const vm = await text('VM.create', {})
    await ok('VM.start', vm, false)
    await ok('VM.set_boot_method', vm, 'grub')

    assert.equal(await codeOf('VM.clean_reboot', vm), 'VALUE_NOT_SUPPORTED')

    assert.equal(await text('VM.get_power_state', vm), 'Running')
    await close()
  })

  test('wrong passwords that come all at once are no more than those that come one by one', async () => {
    const { sessions, close } = await world()
    const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error)

    const guesses = Array.from({ length: 40 }, () => sessions.login(FIRST_USER, 'wrong', '192.0.2.1').catch(codeOf))

    const refused = (await Promise.all(guesses)).filter(code => code === 'SESSION_LOGIN_RATE_LIMITED')
    assert.equal(refused.length, 30)
    await close()
  })
})
