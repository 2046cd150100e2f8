import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type { DiskConfig, DomainConfig, NicConfig } from '../../src/drivers/driver.ts'
import { memoryDriver, MemoryHost } from '../../src/drivers/memory/index.ts'
import { ensureRepository } from '../../src/handlers/repository.ts'
import { network, SR, VBD, VDI, VIF, VM } from '../../src/model/index.ts'
import { startEngine } from './engine-world.ts'

// What somebody else does on a host while this server manages it.

const MIB = 1_048_576
const memoryHost = new MemoryHost({ name: 'shared' })
const other = memoryDriver({ host: memoryHost })
const BEFORE = crypto.randomUUID()
await other.networks?.define({ id: BEFORE, name: 'theirs', nic: '', vlan: 7, gateway: '', netmask: '' })
const world = await startEngine([], memoryHost)
const { store, hosts } = world.services
after(() => world.close())
const [host = ''] = hosts.connected().map(connection => connection.host)
await ensureRepository(world.services, host)
const [sr = assert.fail('no SR')] = store.all(SR)
const repository = { type: store.get(SR, sr)?.type ?? '', location: store.get(SR, sr)?.location ?? '' }

/** Resolves when the store is as it is to be. */
async function until(fits: () => boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const look = () => fits() && resolve()
  const end = store.onChange(look)
  look()
  await promise
  end()
}

const volume = async () => {
  const wanted = { name: crypto.randomUUID(), format: 'raw', virtualBytes: MIB } as const
  return (await other.storage.createVolume(repository, wanted)).location
}

const disk = (location: string, device: string): DiskConfig => ({
  id: crypto.randomUUID(),
  location,
  format: 'raw',
  readOnly: false,
  device,
  bus: 'paravirtualised',
})

const nic = (to: string | null, device: string): NicConfig => ({
  id: crypto.randomUUID(),
  mac: '52:54:00:12:34:56',
  mtu: 1500,
  model: 'paravirtualised',
  device,
  network: to,
})

const plain = (): DomainConfig => ({
  id: crypto.randomUUID(),
  name: 'theirs',
  description: '',
  memoryBytes: 64 * MIB,
  vcpus: 1,
  boot: { kind: 'firmware', device: 'disk' },
  disks: [],
})

async function defined(config: DomainConfig): Promise<DomainConfig> {
  await other.domains.define(config)
  await until(() => store.get(VM, config.id)?.definition === JSON.stringify(config))
  return config
}

const text = async (method: string, ...params: readonly (string | Readonly<Record<string, string>>)[]) => {
  const answer = await world.call(method, params)
  return answer.ok && typeof answer.value === 'string' ? answer.value : assert.fail(JSON.stringify(answer))
}

describe('what somebody else changes of a VM on its host', () => {
  test('its name, memory, processors and description are taken over', async () => {
    const config = await defined(plain())

    await defined({ ...config, name: 'renamed', description: 'new', memoryBytes: 128 * MIB, vcpus: 3 })

    const vm = store.get(VM, config.id)
    assert.deepEqual(
      [vm?.name_label, vm?.name_description, vm?.memory_static_max, vm?.memory_dynamic_max, vm?.VCPUs_number],
      ['renamed', 'new', 128n * 1_048_576n, 128n * 1_048_576n, 3n],
    )
  })

  test('a machine that was made smaller keeps no minimum above its memory', async () => {
    const config = await defined(plain())
    const size = BigInt(64 * MIB)
    await store.transact(transaction => transaction.patch(VM, config.id, { memory_static_min: size }))

    await defined({ ...config, memoryBytes: 32 * MIB })

    assert.equal(store.get(VM, config.id)?.memory_static_min, BigInt(32 * MIB))
  })

  test('disks and interfaces come, change and go with those of the machine', async () => {
    const [kept, changed, gone] = [disk(await volume(), 'xvda'), disk(await volume(), 'xvdb'), disk('', 'xvdc')]
    const config = await defined({ ...plain(), disks: [kept, changed, { ...gone, location: await volume() }] })
    const [added, card] = [disk(await volume(), 'xvdd'), nic(BEFORE, 'eth0')]
    const location = await volume()

    await defined({ ...config, disks: [kept, { ...changed, location, readOnly: true }, added], nics: [card] })

    assert.deepEqual(store.get(VM, config.id)?.VBDs, [kept.id, changed.id, added.id])
    const { VDI: image = '', mode } = store.get(VBD, changed.id) ?? {}
    assert.deepEqual([store.get(VDI, image)?.location, mode], [location, 'RO'])
    assert.equal(store.get(VIF, card.id)?.network, BEFORE)
    await defined({ ...config, disks: [], nics: [{ ...card, network: null }] })
    assert.deepEqual(store.get(VM, config.id)?.VBDs, [])
    assert.equal(store.get(VIF, card.id)?.network, '')
  })

  test('what is plugged into a machine that runs is attached, and what is pulled is gone', async () => {
    const config = await defined(plain())
    await other.domains.start(config.id)
    await until(() => store.get(VM, config.id)?.power_state === 'Running')
    const plugged = disk(await volume(), 'xvda')

    await other.devices.attachDisk(config.id, plugged)
    await other.domains.define({ ...config, disks: [plugged] })

    await until(() => store.get(VBD, plugged.id)?.currently_attached === true)
    await other.devices.detachDisk(config.id, plugged.id)
    await defined({ ...config, disks: [] })
    assert.equal(store.get(VBD, plugged.id), undefined)
    await other.domains.powerOff(config.id)
  })

  test('what a client changed here, and the host was not told of yet, stays', async () => {
    const mine = await text('VM.create', { name_label: 'ours', memory_static_max: String(64 * MIB) })
    const config = await other.domains.config(mine)
    assert.equal((await world.call('VM.set_name_description', [mine, 'wanted'])).ok, true)
    const vbd = await text('VBD.create', { VM: mine, device: 'xvda' })

    await defined({ ...config, vcpus: 4 })

    const vm = store.get(VM, mine)
    assert.deepEqual([vm?.VCPUs_number, vm?.name_description, vm?.VBDs], [4n, 'wanted', [vbd]])
  })

  test('what clients change is not taken for a change of somebody else', async () => {
    const mine = await text('VM.create', { name_label: 'ours', memory_static_max: String(64 * MIB) })
    const vbd = await text('VBD.create', {
      VM: mine,
      VDI: await text('VDI.create', { virtual_size: '2048' }),
      device: 'xvdq',
    })
    assert.equal((await world.call('VM.start', [mine, false])).ok, true)
    assert.equal((await world.call('VM.set_VCPUs_params', [mine, 'cap=50'])).ok, true)
    const plugged = await text('VBD.create', { VM: mine, VDI: await text('VDI.create', { virtual_size: '2048' }) })
    const { name_label, ...config } = { name_label: 'renamed by others', ...(await other.domains.config(mine)) }

    await other.domains.define({ ...config, name: name_label })

    await until(() => store.get(VM, mine)?.name_label === name_label)
    assert.deepEqual(store.get(VM, mine)?.VBDs, [vbd, plugged])
    assert.equal(store.get(VM, mine)?.VCPUs_params, 'cap=50')
    assert.equal(store.get(VBD, vbd)?.device, 'xvdq')
  })

  test('what was changed while the server was away is taken over when it is back', async () => {
    const config = await defined(plain())
    await hosts.remove(host)
    await other.domains.define({ ...config, name: 'changed meanwhile' })

    await hosts.add('memory:///engine')

    assert.equal(store.get(VM, config.id)?.name_label, 'changed meanwhile')
  })
})

describe('networks that somebody else made on a host', () => {
  test('are objects, described as the host has them', () => {
    const { name_label, VLAN } = store.get(network, BEFORE) ?? {}

    assert.deepEqual([name_label, VLAN], ['theirs', '7'])
  })

  test('appear with the next machine, follow what becomes of them, and go', async () => {
    const made = { id: crypto.randomUUID(), name: 'made', nic: '', vlan: null, gateway: '', netmask: '' }
    await other.networks?.define(made)
    const config = await defined({ ...plain(), nics: [nic(made.id, 'eth0')] })
    assert.deepEqual(
      store.get(network, made.id)?.VIFs,
      config.nics?.map(({ id }) => id),
    )

    await other.networks?.define({ ...made, name: 'renamed' })
    await defined({ ...config, nics: [] })
    assert.equal(store.get(network, made.id)?.name_label, 'renamed')
    await other.networks?.undefine(made.id)
    await defined(config)
    assert.equal(store.get(network, made.id), undefined)
  })

  test('are deleted on their host, and do not come back', async () => {
    const made = { id: crypto.randomUUID(), name: 'made', nic: '', vlan: null, gateway: '', netmask: '' }
    await other.networks?.define(made)
    const config = await defined(plain())
    assert.equal((await world.call('network.delete', [made.id])).ok, true)
    await defined({ ...config, name: 'another' })

    assert.equal(store.get(network, made.id), undefined)
    assert.equal(
      (await other.networks?.list())?.some(({ id }) => id === made.id),
      false,
    )
  })
})
