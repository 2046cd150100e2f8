import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type { DomainEvent } from '../../src/drivers/driver.ts'
import { PythonPeer } from '../sim/http/python-peer.ts'
import { ApiClient } from '../support/client.ts'
import { until } from '../support/machine.ts'
import { ADMIN, startServer } from '../support/server.ts'
import { HYPERV_ADMIN } from '../support/sim-hyperv.ts'
import { propertyOf, readAnswer, RecordedClient, type Replacements } from '../wsman-peers/recorded-client.ts'
import { domainConfig, startHost } from './setting.ts'

// Three who manage one host at once: what libvirt's C driver sends, carried by python3-winrm; our driver; and a Polyvisor
// server with its clients. Each sees what the others do.

const MIB = 1_048_576
const SETTINGS = 'Microsoft:55555555-5555-5555-5555-555555555555'
const SYSTEM = '11111111-1111-1111-1111-111111111111'
const MEMORY = `${SETTINGS}\\4764334d-e001-4176-82ee-5594ec9b530e`
const PLACE = 'Microsoft:11111111-1111-1111-1111-111111111111\\\\83F8638B-8DCA-4152-9EDA-2CA8B33039B4\\\\1\\\\0\\\\D'

const host = await startHost('--pace', '0', '--seed', '1')
const driver = await host.connect()
const server = await startServer({ hosts: [host.uri.href] })
const client = new ApiClient(server.http)
const root = await client.login(ADMIN.name, ADMIN.password)
const peer = new PythonPeer(join(import.meta.dirname, '..', 'wsman-peers', 'pywinrm-session.py'))
await peer.ask('open', {
  url: `http://${host.uri.host}/wsman`,
  user: HYPERV_ADMIN.name,
  password: HYPERV_ADMIN.password,
  encryption: 'always',
})
const foreign = new RecordedClient(async envelope => {
  const { status, text } = await peer.ask('send', { envelope })
  return readAnswer(Number(status), String(text))
})
const heard: DomainEvent[] = []
driver.events?.subscribe(event => void heard.push(event))

after(async () => {
  client.close()
  await driver.close()
  await peer[Symbol.asyncDispose]()
  assert.equal(await server.stop(), 0, server.log())
  await host.sim.close()
  assert.deepEqual(host.complaints, [])
})

const named = async (name: string) =>
  (await foreign.query(`SELECT * FROM Msvm_ComputerSystem WHERE ElementName = '${name}'`))[0]

/** Sends what libvirt once sent, and follows its job to a good end. */
async function send(file: string, method: string, replacements: Replacements = {}): Promise<void> {
  assert.equal(await foreign.finish(await foreign.send(file, replacements), method), '0', file)
}

async function make(name: string): Promise<string> {
  await send('invoke_definesystem.txt', 'DefineSystem', { newvm: name })
  const machine = await named(name)
  return (machine && propertyOf(machine, 'Name')) ?? assert.fail('no machine was made')
}

const rename = (guid: string, name: string) =>
  send('invoke_modifysystemsettings.txt', 'ModifySystemSettings', {
    'NAME="AutomaticStartupAction" TYPE="uint16"': 'NAME="ElementName" TYPE="string"',
    '&lt;VALUE&gt;4&lt;': `&lt;VALUE&gt;${name}&lt;`,
    [SYSTEM]: guid,
  })

async function setMemory(guid: string, megabytes: number): Promise<void> {
  const all = await foreign.query('SELECT * FROM Msvm_MemorySettingData')
  const memory = all.map(each => propertyOf(each, 'InstanceID')).find(id => id?.startsWith(`Microsoft:${guid}\\`))
  await send('invoke_modifyresourcesettings_define_2.txt', 'ModifyResourceSettings', {
    [MEMORY]: memory ?? assert.fail('it has no memory'),
    '&lt;VALUE&gt;512&lt;': `&lt;VALUE&gt;${megabytes}&lt;`,
  })
}

async function attach(guid: string, file: string): Promise<void> {
  await send('invoke_addresourcesettings_1.txt', 'AddResourceSettings', { [SETTINGS]: `Microsoft:${guid}` })
  const drive = `Microsoft:${guid}\\\\83F8638B-8DCA-4152-9EDA-2CA8B33039B4\\\\0\\\\0\\\\D`
  await send('invoke_addresourcesettings_2.txt', 'AddResourceSettings', {
    [SETTINGS]: `Microsoft:${guid}`,
    [PLACE]: drive,
    'C:\\vm\\d1.vhdx': file,
  })
}

const changeState = (guid: string, state: 2 | 3) =>
  send('invoke_requeststatechange_2.txt', 'RequestStateChange', {
    [SYSTEM]: guid,
    '<n1:RequestedState>2<': `<n1:RequestedState>${state}<`,
  })

const destroy = (guid: string) => send('invoke_destroysystem.txt', 'DestroySystem', { [SYSTEM]: guid })

const hears = (id: string, kind: DomainEvent['kind']) =>
  until(`${kind} of ${id} is heard`, async () =>
    heard.some(event => event.id === id && event.kind === kind) ? true : undefined,
  )

/** Waits until the server's object says so. */
const shows = (vm: string, field: string, value: string) =>
  until(`${field} is ${value}`, async () => {
    const is = (await root.list('VM.get_all')).includes(vm) ? await root.text(`VM.get_${field}`, vm) : undefined
    return is === value ? true : undefined
  })

describe('what a foreign client does', () => {
  let guid = ''
  let id = ''

  test('a machine that it makes is a domain, and a VM', async () => {
    guid = await make('theirs')
    id = guid.toLowerCase()

    await hears(id, 'defined')
    assert.deepEqual(await driver.domains.list(), [{ id, name: 'theirs', state: 'halted' }])
    await shows(id, 'name_label', 'theirs')
  })

  test('its new name, memory and disk are those of domain and VM', async () => {
    const [sr = ''] = await root.list('SR.get_all')
    const location = await root.text('SR.get_location', sr)
    const wanted = { name: 'd1', format: 'vhdx', virtualBytes: 8 * MIB } as const
    const volume = await driver.storage?.createVolume({ type: 'dir', location }, wanted)
    assert(volume !== undefined)
    await root.ok('SR.scan', sr)

    await rename(guid, 'renamed')
    await setMemory(guid, 768)
    await attach(guid, volume.location)

    const config = await driver.domains.config(id)
    assert.deepEqual([config.name, config.memoryBytes], ['renamed', 768 * MIB])
    assert.deepEqual(
      config.disks.map(disk => disk.location),
      [volume.location],
    )
    await shows(id, 'name_label', 'renamed')
    await shows(id, 'memory_static_max', String(768 * MIB))
    const vbd = await until('the disk shows', async () => (await root.list('VM.get_VBDs', id))[0])
    assert.deepEqual(await root.list('SR.get_VDIs', sr), [await root.text('VBD.get_VDI', vbd)])
  })

  test('it starts a machine, turns it off, and destroys it', async () => {
    await changeState(guid, 2)
    assert.equal((await driver.domains.get(id)).state, 'running')
    await shows(id, 'power_state', 'Running')
    await changeState(guid, 3)
    await shows(id, 'power_state', 'Halted')
    await destroy(guid)

    await hears(id, 'undefined')
    assert.deepEqual(await driver.domains.list(), [])
  })
})

describe('what we do', () => {
  const enabledState = async (name: string) => {
    const machine = await named(name)
    return machine && propertyOf(machine, 'EnabledState')
  }

  test('a foreign client sees what our driver makes, renames, starts and destroys', async () => {
    const config = domainConfig()
    await driver.domains.define(config)
    assert.equal(await enabledState(config.name), '3')
    await driver.domains.define({ ...config, name: 'ours', memoryBytes: 96 * MIB })
    const guid = await named('ours').then(machine => machine && propertyOf(machine, 'Name'))
    const settings = await foreign.query('SELECT * FROM Msvm_MemorySettingData')

    const mine = settings.find(each => propertyOf(each, 'InstanceID')?.startsWith(`Microsoft:${guid}\\`) === true)
    assert.equal(mine && propertyOf(mine, 'VirtualQuantity'), '96')
    await driver.domains.start(config.id)
    assert.equal(await enabledState('ours'), '2')
    await driver.domains.powerOff(config.id)
    await driver.domains.undefine(config.id)
    assert.equal(await enabledState('ours'), undefined)
  })

  test('a foreign client and our driver see what clients of a server do', async () => {
    const vm = await root.text('VM.create', { name_label: 'web', memory_static_max: String(64 * MIB) })
    await root.ok('VM.start', vm, false)
    assert.equal(await enabledState('web'), '2')
    assert.equal((await driver.domains.get(vm)).state, 'running')

    await root.ok('VM.hard_shutdown', vm)
    await root.ok('VM.delete', vm)

    assert.equal(await enabledState('web'), undefined)
    assert.deepEqual(await driver.domains.list(), [])
  })
})
