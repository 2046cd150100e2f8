import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { XmlElement } from '../../src/wire/xml/tree.ts'
import { Repository } from '../../sim/hyperv/cim/repository.ts'
import { loadSchema } from '../../sim/hyperv/cim/schema.ts'
import { textOf } from '../../sim/hyperv/cim/instance.ts'
import type { Instance } from '../../sim/hyperv/cim/model.ts'
import { cimv2Providers } from '../../sim/hyperv/cimv2/index.ts'
import { randomOf } from '../../sim/hyperv/host/random.ts'
import { v2Providers } from '../../sim/hyperv/v2/index.ts'
import { wsmanService } from '../../sim/hyperv/wsman/service.ts'
import { call, embedded, machineIn, onlyOne, query } from './host-world.ts'
import { defineHere, outOf, pathHere, serve, type V1World, v1WorldOf } from './v1-world.ts'
import { batchOf, contentOf, faultOf } from './wsman/replies.ts'
import { makeRequest } from './wsman/requests.ts'
import { post, type Reply, USER } from './wsman/world.ts'

// The driver of libvirt 1.3.1 that knows v1 alone: every request that it was recorded to send goes to a whole host, with
// the identifiers of this host in the place of those of the recorded one.

const FIXTURES = join(import.meta.dirname, '..', 'fixtures', 'hyperv')

interface Client {
  readonly world: V1World
  readonly bugs: unknown[]
  readonly ask: (envelope: string) => Promise<Reply>
  /** Sends a recorded request, with these texts in the place of others. */
  readonly replay: (name: string, replaced?: Readonly<Record<string, string>>) => Promise<Reply>
}

async function clientOf(build: number): Promise<Client> {
  const world = await v1WorldOf({ build, vms: 1 })
  const { host } = world
  const schema = loadSchema('root\\cimv2', build)
  const repositories = new Map([
    ['root\\cimv2', new Repository(schema, cimv2Providers(host, schema), host.state.name)],
    ['root\\virtualization', world.v1],
  ])
  if (build >= 9200) {
    const there = loadSchema('root\\virtualization\\v2', build)
    repositories.set('root\\virtualization\\v2', new Repository(there, v2Providers(host, there), host.state.name))
  }
  const bugs: unknown[] = []
  const service = wsmanService({
    host: { name: host.state.name, build },
    namespaces: repositories,
    clock: host.clock,
    random: randomOf('v1'),
    onBug: error => bugs.push(error),
  })
  const ask = (envelope: string): Promise<Reply> => post(service, envelope, USER)
  const replay: Client['replay'] = (name, replaced = {}) => {
    const file = readFileSync(join(FIXTURES, 'client-requests', 'libvirt-seed-v1', `v1-${name}.req.txt`), 'utf8')
    let envelope = file.slice(file.indexOf('<?xml')).trimEnd()
    for (const [before, after] of Object.entries(replaced)) {
      assert(envelope.includes(before), `${name} has no ${before}`)
      envelope = envelope.replaceAll(before, after)
    }
    return ask(envelope)
  }
  return { world, bugs, ask, replay }
}

const RECORDED = { vm: '0F924121-D665-5AAA-9722-7B7C13E12633', switch: '31079e72-d8e6-5b06-a982-0d31f583c6cc' } as const

const returned = (reply: Reply): string => {
  assert.equal(reply.status, 200, reply.text)
  return contentOf(reply).element('ReturnValue')?.text() ?? ''
}

/** What the driver looks for in an answer, with the prefixes that it looks with. */
const jobIn = (reply: Reply): string =>
  /<p:Job [^>]*>.*<a:ReferenceParameters>.*<w:Selector Name="InstanceID">([^<]+)</.exec(reply.text)?.[1] ?? ''

async function jobEnds({ world, ask }: Client, reply: Reply): Promise<string> {
  assert.equal(returned(reply), '4096')
  await world.clock.advance(60_000)
  const wql = `SELECT * FROM Msvm_ConcreteJob WHERE InstanceID = '${jobIn(reply)}'`
  const [job] = await pullAll(ask, wql)
  return job?.element('JobState')?.text() ?? ''
}

const ITEMS_MAX = 100

/** As the driver pulls: one item at a time. */
async function pullAll(ask: Client['ask'], wql: string, namespace = 'root/virtualization'): Promise<XmlElement[]> {
  const enumerate = makeRequest('Enumerate', '*', { namespace, wql })
  const items: XmlElement[] = []
  let { context } = batchOf(await ask(enumerate))
  while (context !== '' && items.length < ITEMS_MAX) {
    const batch = batchOf(await ask(makeRequest('Pull', '*', { namespace, context })))
    assert(batch.items.length <= 1)
    items.push(...batch.items)
    context = batch.context
  }
  return items
}

for (const build of [7601, 9200]) {
  describe(`the driver that knows v1 alone, on build ${build}`, () => {
    test('enumerates, and pulls one item at a time, whatever class its URI names', async () => {
      const { world, ask, replay, bugs } = await clientOf(build)
      const vm = machineIn(world, 'web')

      const windows = batchOf(await replay('Enumerate'))
      const wql = 'select * from Msvm_ComputerSystem where Name != __SERVER '
      const systems = batchOf(await ask(makeRequest('Enumerate', '*', { namespace: 'root/virtualization', wql })))
      const pulled = batchOf(await replay('Pull', { 'uuid:FCB25F94-8497-4282-820F-2EA9798D6025': systems.context }))
      const references = batchOf(await replay('EnumerateEPR', { [RECORDED.vm.toLowerCase()]: vm.id.toLowerCase() }))
      const told = await replay('PullEPR', { 'uuid:E488EFD5-A2B8-4073-A798-79771769A078': references.context })

      assert.notEqual(windows.context, '')
      assert.deepEqual(
        pulled.items.map(({ name }) => name),
        ['Msvm_ComputerSystem'],
      )
      assert.equal(pulled.isEnd, false)
      assert.equal(batchOf(told).items.length, 1)
      assert.match(told.text, new RegExp(`<w:Selector Name="Name">${vm.id}</w:Selector>`))
      assert.deepEqual(bugs, [])
    })

    test('defines a machine, finds it by its name, changes it, and destroys it', async () => {
      const client = await clientOf(build)
      const { world, replay } = client

      const defined = returned(await replay('DefineVirtualSystem'))
      const system = onlyOne(world.v1, 'SELECT * FROM Msvm_ComputerSystem WHERE ElementName = "test"')
      const id = textOf(system, 'Name')
      const changed = [
        returned(await replay('ModifyVirtualSystem', { [RECORDED.vm]: id })),
        returned(await replay('ModifyVirtualSystemResources', { [RECORDED.vm]: id })),
      ]
      const global = onlyOne(world.v1, `SELECT * FROM Msvm_VirtualSystemGlobalSettingData WHERE SystemName = '${id}'`)
      const memory = onlyOne(world.v1, `SELECT * FROM Msvm_MemorySettingData WHERE InstanceID LIKE '%${id}%'`)
      const started = await jobEnds(
        client,
        await replay('RequestStateChange', { [RECORDED.vm.toLowerCase()]: id.toLowerCase() }),
      )
      const running = textOf(
        onlyOne(world.v1, `SELECT * FROM Msvm_ComputerSystem WHERE Name = '${id}'`),
        'EnabledState',
      )
      await call(world.v1, system, 'RequestStateChange', { RequestedState: 3 })
      await world.clock.advance(10_000)
      const destroyed = await jobEnds(
        client,
        await replay('DestroyVirtualSystem', { '577C0415-CC6F-4201-94F1-B88CF5398C80': id }),
      )

      assert.equal(defined, '0')
      assert.deepEqual(changed, ['0', '0'])
      assert.equal(textOf(global, 'AutomaticStartupAction'), '0')
      assert.equal(textOf(memory, 'Limit'), '8192')
      assert.equal(started, '7')
      assert.equal(running, '2')
      assert.equal(destroyed, '7')
      assert.deepEqual(query(world.v1, `SELECT * FROM Msvm_ComputerSystem WHERE Name = '${id}'`), [])
      assert.deepEqual(client.bugs, [])
    })

    test('adds a disk to a drive', async () => {
      const { world, replay, bugs } = await clientOf(build)
      const system = await defineHere(world, 'web')
      const id = textOf(system, 'Name')
      const ide = onlyOne(
        world.v1,
        `SELECT * FROM Msvm_ResourceAllocationSettingData WHERE ResourceType = 5 AND Address = '0' AND InstanceID LIKE '%${id}%'`,
      )
      const text = embedded('Msvm_ResourceAllocationSettingData', {
        Parent: ['string', pathHere(world, ide)],
        Address: ['string', '0'],
        ResourceType: ['uint16', 22],
        ResourceSubType: ['string', 'Microsoft Synthetic Disk Drive'],
      })
      const input = { TargetSystem: pathHere(world, system), ResourceSettingData: [text] }
      const drive = outOf(
        world,
        await serve(world, 'VirtualSystem', 'AddVirtualSystemResources', input),
        'NewResources',
      )

      const reply = await replay('AddVirtualSystemResources', {
        [`Microsoft:${RECORDED.vm}\\\\61E281F7-082C-4A8B-A16F-C671061AF1C1\\\\0`]: textOf(
          drive,
          'InstanceID',
        ).replaceAll('\\', '\\\\'),
        [RECORDED.vm]: id,
      })

      assert.equal(returned(reply), '0')
      const [, made] = /<w:Selector Name="InstanceID">([^<]+)</.exec(reply.text) ?? []
      assert.equal(made, textOf(drive, 'InstanceID').replace(/D$/, 'L'))
      assert.deepEqual(bugs, [])
    })

    test('presses and lets go of keys, and looks at the screen of a machine that runs', async () => {
      const { world, replay, bugs } = await clientOf(build)
      const vm = machineIn(world, 'web')
      const system = onlyOne(world.v1, `SELECT * FROM Msvm_ComputerSystem WHERE Name = '${vm.id}'`)
      await call(world.v1, system, 'RequestStateChange', { RequestedState: 2 })
      await world.clock.advance(10_000)
      const keyboard = onlyOne(world.v1, `SELECT * FROM Msvm_Keyboard WHERE SystemName = '${vm.id}'`)

      const names = {
        [`Microsoft:${RECORDED.vm}\\KBD`]: textOf(keyboard, 'DeviceID'),
        [RECORDED.vm.toLowerCase()]: vm.id.toLowerCase(),
      }
      const pressed = returned(await replay('PressKey', names))
      const held = [...vm.pressedKeys]
      const released = returned(await replay('ReleaseKey', names))
      const picture = await replay('GetVirtualSystemThumbnailImage', { [RECORDED.vm]: vm.id })

      assert.deepEqual([pressed, released], ['0', '0'])
      assert.deepEqual(held, [65])
      assert.deepEqual(vm.pressedKeys, [])
      const [, image = ''] = /<p:ImageData>([^<]+)</.exec(picture.text) ?? []
      assert.equal(Buffer.from(image, 'base64').length, 32 * 32 * 2)
      assert.deepEqual(bugs, [])
    })

    test('reads every scalar property that it knows of, once', async () => {
      const { world, ask, bugs } = await clientOf(build)
      const vm = machineIn(world, 'web')
      const lan = await switchIn(world)
      await serve(world, 'VirtualSwitch', 'CreateSwitchPort', {
        VirtualSwitch: pathHere(world, lan),
        FriendlyName: 'port',
      })
      const system = onlyOne(world.v1, `SELECT * FROM Msvm_ComputerSystem WHERE Name = '${vm.id}'`)
      await call(world.v1, system, 'RequestStateChange', { RequestedState: 2 })
      await world.clock.advance(10_000)
      const known: Readonly<Record<string, readonly (readonly [string, string])[]>> = JSON.parse(
        readFileSync(join(FIXTURES, 'schema', 'v1-properties-read-by-libvirt.json'), 'utf8'),
      )
      // It is written to methods only, and of v2: the driver has its names for one that it never calls here.
      const classes = Object.keys(known).filter(name => !/_2012$|^Msvm_VirtualHardDiskSettingData$/.test(name))

      for (const name of classes) {
        const isOfWindows = /^(Win32_|CIM_DataFile)/.test(name)
        const namespace = isOfWindows ? 'root/cimv2' : 'root/virtualization'
        const where = name === 'CIM_DataFile' ? " WHERE Name='c:\\\\windows\\\\system32\\\\vmms.exe'" : ''
        const wql = `SELECT * FROM ${name}${where}`
        const [item] = await pullAll(ask, wql, namespace)
        assert.equal(item?.name, name)
        const names = item.elements().map(element => element.name)
        const scalars = (known[name] ?? []).map(([, property]) => property).filter(property => !property.endsWith('[]'))
        const amiss = scalars.filter(property => names.filter(each => each === property).length !== 1)
        assert.deepEqual(amiss, [], name)
      }

      assert.equal(classes.length, 21)
      assert.deepEqual(bugs, [])
    })
  })
}

const switchIn = async (world: V1World): Promise<Instance> =>
  outOf(
    world,
    await serve(world, 'VirtualSwitch', 'CreateSwitch', { FriendlyName: 'Internal' }),
    'CreatedVirtualSwitch',
  )

describe('a port of a switch', () => {
  test('is made by a service that is named by its class alone on build 9200', async () => {
    const { world, replay } = await clientOf(9200)
    const lan = await switchIn(world)

    const reply = await replay('CreateSwitchPort', { [RECORDED.switch]: textOf(lan, 'Name').toLowerCase() })

    assert.equal(returned(reply), '0')
    assert(reply.text.includes('<w:Selector Name="Name">76e25eb5-5142-4b26-8065-37f6df0e4360</w:Selector>'))
  })

  test('is made by a service that is named by all of its keys, and not by fewer, on build 7601', async () => {
    const { world, replay } = await clientOf(7601)
    const lan = await switchIn(world)
    const id = textOf(lan, 'Name').toLowerCase()
    const own = '<wsman:Selector Name="CreationClassName">Msvm_VirtualSwitchManagementService</wsman:Selector>'
    const rest = Object.entries({
      Name: 'nvspwmi',
      SystemCreationClassName: 'Msvm_ComputerSystem',
      SystemName: world.host.state.name,
    }).map(([name, value]) => `<wsman:Selector Name="${name}">${value}</wsman:Selector>`)

    const alone = await replay('CreateSwitchPort', { [RECORDED.switch]: id })
    const whole = await replay('CreateSwitchPort', { [RECORDED.switch]: id, [own]: own + rest.join('') })

    assert.equal(faultOf(alone).subcode, 'w:InvalidSelectors')
    assert.equal(returned(whole), '0')
  })
})
