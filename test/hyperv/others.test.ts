import assert from 'node:assert/strict'
import { test } from 'node:test'
import { httpTransport, instanceOf, parseTargetUri, WsmanClient } from '../../src/protocols/wsman/index.ts'
import { MEMORY, settingsOf, SYSTEM_SETTINGS, systemOf } from '../../src/drivers/hyperv/v2/classes.ts'
import { DEFINE_SYSTEM, MODIFY_RESOURCES, MODIFY_SYSTEM } from '../../src/drivers/hyperv/v2/methods.ts'
import { V2 } from '../../src/drivers/hyperv/v2/names.ts'
import type { DomainEvent } from '../../src/drivers/driver.ts'
import { HYPERV_ADMIN } from '../support/sim-hyperv.ts'
import { until } from '../support/machine.ts'
import { domainConfig, type HypervHost, startHost } from './setting.ts'

const MIB = 1_048_576
/** How many machines are made until the driver tells of one. */
const MADE_MAX = 200

/** Somebody else who manages the same host. */
function stranger({ uri }: HypervHost) {
  const target = parseTargetUri(
    `hyperv://${HYPERV_ADMIN.name}@${uri.host}/?transport=http`,
    () => HYPERV_ADMIN.password,
  )
  const client = new WsmanClient(httpTransport(target), { namespace: V2 })
  const service = async () => {
    const [found] = await client.queryReferences('Msvm_VirtualSystemManagementService')
    assert(found !== undefined)
    return found
  }
  return {
    client,
    async make(name: string, notes: string): Promise<string> {
      const SystemSettings = instanceOf(SYSTEM_SETTINGS, { ElementName: name, Notes: [notes] })
      const { values } = await client.call(await service(), DEFINE_SYSTEM, { SystemSettings })
      return values.ResultingSystem?.key('Name') ?? ''
    },
    async change(guid: string, values: { readonly ElementName?: string; readonly Notes?: readonly string[] }) {
      const SystemSettings = instanceOf(SYSTEM_SETTINGS, { InstanceID: `Microsoft:${guid}`, ...values })
      assert.equal((await client.call(await service(), MODIFY_SYSTEM, { SystemSettings })).returnValue, 0)
    },
    async setMemory(guid: string, megabytes: number) {
      const [memory] = await client.associators(settingsOf(guid), { resultClass: MEMORY.name })
      const InstanceID = memory?.string('InstanceID') ?? ''
      const ResourceSettings = [instanceOf(MEMORY, { InstanceID, VirtualQuantity: megabytes })]
      assert.equal((await client.call(await service(), MODIFY_RESOURCES, { ResourceSettings })).returnValue, 0)
    },
    async guidOf(name: string): Promise<string> {
      const rows = await client.query({ className: 'Msvm_ComputerSystem', where: { ElementName: name } })
      return rows[0]?.string('Name') ?? ''
    },
    start: (guid: string) => client.invoke(systemOf(guid), 'RequestStateChange', { RequestedState: 2 }),
    notesOf: async (guid: string) => (await client.get(settingsOf(guid))).strings('Notes')[0] ?? '',
  }
}

test('a machine that somebody else made is a domain under its own GUID, described as it is', async () => {
  const host = await startHost('--pace', '0')
  const other = stranger(host)
  const driver = await host.connect()
  try {
    const guid = await other.make('theirs', 'made by hand')
    await other.setMemory(guid, 256)
    const id = guid.toLowerCase()

    assert.deepEqual(await driver.domains.list(), [{ id, name: 'theirs', state: 'halted' }])
    const config = await driver.domains.config(id)
    assert.deepEqual(
      [config.id, config.name, config.description, config.memoryBytes, config.vcpus],
      [id, 'theirs', 'made by hand', 256 * MIB, 1],
    )
    await driver.domains.define({ ...config, vcpus: 2 })
    assert.deepEqual(await driver.domains.config(id), { ...config, vcpus: 2 })
    assert.match(await other.notesOf(guid), /^made by hand\n/)
  } finally {
    await driver.close()
    await other.client.close()
    await host.sim.close()
  }
})

test('what somebody else changes of a domain shows, and what they leave alone stays', async () => {
  const host = await startHost('--pace', '0')
  const other = stranger(host)
  const driver = await host.connect()
  try {
    const config = { ...domainConfig(), description: 'ours' }
    await driver.domains.define(config)
    const guid = await other.guidOf(config.name)
    const line = (await other.notesOf(guid)).split('\n').at(-1)
    await other.change(guid, { ElementName: 'renamed', Notes: [`theirs\n\n${line}`] })
    await other.setMemory(guid, 32)

    const now = { ...config, name: 'renamed', description: 'theirs', memoryTargetBytes: 32 * MIB }
    assert.deepEqual(await driver.domains.config(config.id), now)
    await other.setMemory(guid, 128)
    const { memoryTargetBytes: _less, ...more } = { ...now, memoryBytes: 128 * MIB }
    assert.deepEqual(await driver.domains.config(config.id), more)
  } finally {
    await driver.close()
    await other.client.close()
    await host.sim.close()
  }
})

test('a copy of a machine, its notes and all, is another domain', async () => {
  const host = await startHost('--pace', '0')
  const other = stranger(host)
  const driver = await host.connect()
  try {
    const config = domainConfig()
    await driver.domains.define(config)
    const notes = await other.notesOf(await other.guidOf(config.name))
    const copy = await other.make('copy', notes)

    const ids = (await driver.domains.list()).map(({ id }) => id)
    assert.deepEqual(new Set(ids), new Set([config.id, copy.toLowerCase()]))
    assert.equal((await driver.domains.get(config.id)).name, config.name)
  } finally {
    await driver.close()
    await other.client.close()
    await host.sim.close()
  }
})

test('a definition that somebody has broken leaves the domain its id, described as its machine is', async () => {
  const host = await startHost('--pace', '0')
  const other = stranger(host)
  const driver = await host.connect()
  try {
    const config = { ...domainConfig(), description: 'kept' }
    await driver.domains.define(config)
    const guid = await other.guidOf(config.name)
    await other.change(guid, { Notes: [(await other.notesOf(guid)).replace('"vcpus":1', '"vcpus":"one"')] })

    assert.deepEqual(await driver.domains.config(config.id), config)
  } finally {
    await driver.close()
    await other.client.close()
    await host.sim.close()
  }
})

test('what somebody else does is heard', async () => {
  const host = await startHost('--pace', '0')
  const other = stranger(host)
  const driver = await host.connect()
  try {
    const first = await other.make('first', '')
    const heard: DomainEvent[] = []
    driver.events?.subscribe(event => heard.push(event))
    const kindsOf = (guid: string) => heard.filter(({ id }) => id === guid.toLowerCase()).map(({ kind }) => kind)
    // Nobody is told when the driver has looked for the first time, and what was there by then is not heard of.
    const made: string[] = []
    await until('a machine is heard of', async () => {
      if (made.length < MADE_MAX) made.push(await other.make(`machine ${made.length}`, ''))
      return made.some(guid => kindsOf(guid).includes('defined')) ? true : undefined
    })

    await other.start(first)
    await other.change(made.at(-1) ?? '', { ElementName: 'renamed' })
    await until('the start is heard of', async () => (kindsOf(first).includes('changed') ? true : undefined))
    assert.deepEqual(host.complaints, [])
  } finally {
    await driver.close()
    await other.client.close()
    await host.sim.close()
  }
})

test('a host with more machines than fit into one answer lists them all', async () => {
  const host = await startHost('--pace', '0', '--vms', '3000')
  const driver = await host.connect()
  try {
    assert.equal((await driver.domains.list()).length, 3_000)
  } finally {
    await driver.close()
    await host.sim.close()
  }
})

test('machines of either generation are taken over, with firmware of either kind', async () => {
  const host = await startHost('--pace', '0', '--vms', '6', '--seed', '1')
  const driver = await host.connect()
  try {
    for (const { id, state } of await driver.domains.list()) {
      if (state !== 'halted') await driver.domains.powerOff(id)
      const config = await driver.domains.config(id)
      await driver.domains.define({ ...config, description: 'taken over' })
      await driver.domains.start(id)

      assert.equal((await driver.domains.config(id)).description, 'taken over')
      assert.equal((await driver.domains.get(id)).state, 'running')
    }
    const kinds = host.sim.host?.state.vms.map(vm => vm.configuration.system.values['VirtualSystemSubType'])
    assert.deepEqual(new Set(kinds), new Set(['Microsoft:Hyper-V:SubType:1', 'Microsoft:Hyper-V:SubType:2']))
  } finally {
    await driver.close()
    await host.sim.close()
  }
})
