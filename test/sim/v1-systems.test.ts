import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { textOf, valueOf } from '../../sim/hyperv/cim/instance.ts'
import type { Instance } from '../../sim/hyperv/cim/model.ts'
import { call, embedded, machineIn, onlyOne, query, settingsOf } from './host-world.ts'
import { defineHere, outOf, pathHere, serve, textAt, type V1World, v1WorldOf } from './v1-world.ts'

const GLOBAL = 'Msvm_VirtualSystemGlobalSettingData'
const SETTINGS = 'Msvm_VirtualSystemSettingData'

const related = ({ v1 }: V1World, system: Instance, association: string, result: string): readonly Instance[] =>
  query(
    v1,
    `ASSOCIATORS OF {Msvm_ComputerSystem.CreationClassName='Msvm_ComputerSystem',Name='${textOf(system, 'Name')}'}` +
      ` WHERE AssocClass = ${association} ResultClass = ${result}`,
  )

/** The same instance as it is now. */
const again = ({ v1 }: V1World, instance: Instance): Instance => {
  const key = instance.class.name === 'Msvm_ComputerSystem' ? 'Name' : 'InstanceID'
  return onlyOne(v1, `SELECT * FROM ${instance.class.name} WHERE ${key} = '${textOf(instance, key)}'`)
}

async function modify(world: V1World, system: Instance, text: string): Promise<number> {
  const input = { ComputerSystem: pathHere(world, system), SystemSettingData: text }
  return (await serve(world, 'VirtualSystem', 'ModifyVirtualSystem', input)).returnValue
}

for (const build of [7601, 9200]) {
  describe(`root\\virtualization on build ${build}`, () => {
    test('tells the host from machines by the words that older clients look for', async () => {
      const world = await v1WorldOf({ build, vms: 2 })

      const hosts = query(
        world.v1,
        'SELECT * FROM Msvm_ComputerSystem WHERE Description = "Microsoft Hosting Computer System"',
      )
      const machines = query(
        world.v1,
        'SELECT * FROM Msvm_ComputerSystem WHERE Description = "Microsoft Virtual Machine"',
      )

      assert.deepEqual(
        hosts.map(one => textOf(one, 'Name')),
        [world.host.state.name],
      )
      assert.equal(machines.length, 2)
    })

    test('defines a machine that has both of its settings objects, and destroys it', async () => {
      const world = await v1WorldOf({ build })

      const system = await defineHere(world, 'web')
      const [global] = related(world, system, 'Msvm_ElementSettingData', GLOBAL)
      const [settings] = related(world, system, 'Msvm_SettingsDefineState', SETTINGS)
      assert(global !== undefined && settings !== undefined)
      const destroyed = await serve(world, 'VirtualSystem', 'DestroyVirtualSystem', {
        ComputerSystem: pathHere(world, system),
      })
      await world.clock.advance(1_000)

      const id = textOf(system, 'Name')
      assert.equal(textOf(system, 'EnabledState'), '3')
      assert.equal(textOf(global, 'InstanceID'), `Microsoft:${id}\\Global`)
      assert.equal(textOf(global, 'ElementName'), 'web')
      assert.equal(valueOf(global, 'SettingType'), 32768)
      assert.equal(valueOf(global, 'AutomaticStartupAction'), 1)
      assert.equal(textOf(settings, 'InstanceID'), `Microsoft:${id}`)
      assert.equal(textOf(settings, 'SystemName'), id)
      assert.equal(valueOf(settings, 'SettingType'), 3)
      assert.equal(valueOf(settings, 'VirtualSystemType'), 301)
      assert.match(textOf(settings, 'BIOSGUID'), /^\{[0-9A-F-]{36}\}$/)
      assert.equal(destroyed.returnValue, 4096)
      assert.deepEqual(query(world.v1, `SELECT * FROM ${GLOBAL}`), [])
    })

    test('changes the automatic actions by numbers from 0 to 2, and no others', async () => {
      const world = await v1WorldOf({ build })
      const system = await defineHere(world, 'web')

      const codes = [0, 2, 3].map(value => embedded(GLOBAL, { AutomaticStartupAction: ['uint16', value] }))
      const results: number[] = []
      for (const text of codes) results.push(await modify(world, system, text))
      await world.clock.advance(1_000)

      const [global] = related(world, system, 'Msvm_ElementSettingData', GLOBAL)
      assert(global !== undefined)
      assert.deepEqual(results, [0, 0, 4096])
      assert.equal(valueOf(global, 'AutomaticStartupAction'), 2)
      assert.equal(world.host.state.vms[0]?.configuration.system.values['AutomaticStartupAction'], 4)
    })

    test('takes a settings object back as it showed it, and refuses what nobody may change', async () => {
      const world = await v1WorldOf({ build })
      const system = await defineHere(world, 'web')
      const [settings] = related(world, system, 'Msvm_SettingsDefineState', SETTINGS)
      assert(settings !== undefined)
      const guid = textOf(settings, 'BIOSGUID')

      const same = await modify(
        world,
        system,
        embedded(SETTINGS, {
          InstanceID: ['string', textOf(settings, 'InstanceID')],
          SettingType: ['uint16', 3],
          VirtualSystemType: ['uint16', 301],
          BIOSGUID: ['string', guid],
          Notes: ['string', 'kept for later'],
        }),
      )
      const other = await modify(world, system, embedded(SETTINGS, { VirtualSystemType: ['uint16', 302] }))
      await world.clock.advance(1_000)

      assert.equal(same, 0)
      assert.equal(other, 4096)
      assert.equal(textOf(again(world, settings), 'Notes'), 'kept for later')
      const jobs = query(world.v1, 'SELECT * FROM Msvm_ConcreteJob')
      assert.deepEqual(
        jobs.map(job => [valueOf(job, 'JobState'), valueOf(job, 'ErrorCode')]),
        [[10, 32768]],
      )
    })

    test('starts, pauses, saves and turns off by the numbers of v1, which are not those of v2', async () => {
      const world = await v1WorldOf({ build })
      const system = await defineHere(world, 'web')
      const states: unknown[] = []

      const ask = async (RequestedState: number): Promise<number> => {
        const { returnValue } = await call(world.v1, again(world, system), 'RequestStateChange', { RequestedState })
        await world.clock.advance(10_000)
        states.push(valueOf(again(world, system), 'EnabledState'))
        return returnValue
      }
      const codes: number[] = []
      for (const state of [2, 32768, 2, 32769, 2, 10, 3]) codes.push(await ask(state))
      const refused = [await ask(9), await ask(6), await ask(11), await ask(3), await ask(77)]

      assert.deepEqual(codes, [4096, 4096, 4096, 4096, 4096, 4096, 4096])
      assert.deepEqual(states.slice(0, 7), [2, 32768, 2, 32769, 2, 2, 3])
      assert.deepEqual(refused, [32775, 32775, 32775, 32775, 32773])
    })

    test('says which state was requested while the machine is on its way there, which v2 does not', async () => {
      const world = await v1WorldOf({ build })
      const system = await defineHere(world, 'web')
      const requested = (): unknown => valueOf(again(world, system), 'RequestedState')
      const seen: unknown[] = [requested()]

      for (const RequestedState of [2, 32768, 2, 32769, 2, 3]) {
        await call(world.v1, again(world, system), 'RequestStateChange', { RequestedState })
        seen.push(requested())
        await world.clock.advance(10_000)
      }

      assert.deepEqual([...seen, requested()], [5, 2, 32768, 2, 32769, 2, 3, 5])
    })

    test('gives devices to machines that run, with the methods that they have', async () => {
      const world = await v1WorldOf({ build })
      const vm = machineIn(world, 'web', 'windows')
      const before = query(world.v1, 'SELECT * FROM Msvm_Keyboard')
      await call(
        world.v1,
        onlyOne(world.v1, `SELECT * FROM Msvm_ComputerSystem WHERE Name = '${vm.id}'`),
        'RequestStateChange',
        {
          RequestedState: 2,
        },
      )
      await world.clock.advance(60_000)

      const keyboard = onlyOne(world.v1, `SELECT * FROM Msvm_Keyboard WHERE SystemName = '${vm.id}'`)
      const pressed = await call(world.v1, keyboard, 'PressKey', { KeyCode: 65 })
      const shutdown = onlyOne(world.v1, `SELECT * FROM Msvm_ShutdownComponent WHERE SystemName = '${vm.id}'`)
      const left = await call(world.v1, shutdown, 'InitiateShutdown', { Force: false, Reason: 'a test' })
      const others = [
        'SyntheticMouse',
        'S3DisplayController',
        'VideoHead',
        'HeartbeatComponent',
        'KvpExchangeComponent',
      ]
      const counts = others.map(
        name => query(world.v1, `SELECT * FROM Msvm_${name} WHERE SystemName = '${vm.id}'`).length,
      )
      await world.clock.advance(60_000)

      assert.deepEqual(before, [])
      assert.equal(pressed.returnValue, 0)
      assert.equal(left.returnValue, 0)
      assert.deepEqual(counts, [1, 1, 2, 1, 1])
      assert.equal(vm.power, 'off')
    })

    test('joins the devices of a machine that runs to their settings', async () => {
      const world = await v1WorldOf({ build })
      const vm = machineIn(world, 'web')
      await call(
        world.v1,
        onlyOne(world.v1, `SELECT * FROM Msvm_ComputerSystem WHERE Name = '${vm.id}'`),
        'RequestStateChange',
        {
          RequestedState: 2,
        },
      )
      await world.clock.advance(10_000)

      const [controller] = query(world.v1, `SELECT * FROM Msvm_IDEController WHERE SystemName = '${vm.id}'`)
      assert(controller !== undefined)
      const settings = world.v1.associators(
        { className: controller.class.name, keys: new Map([...KEYS].map(key => [key, textOf(controller, key)])) },
        { associationClass: 'Msvm_ElementSettingData' },
      )

      assert.deepEqual(
        settings.map(one => textOf(one, 'ResourceSubType')),
        ['Microsoft Emulated IDE Controller'],
      )
    })

    test('sums machines up in its own words', async () => {
      const world = await v1WorldOf({ build })
      const vm = machineIn(world, 'web')
      const system = onlyOne(world.v1, `SELECT * FROM Msvm_ComputerSystem WHERE Name = '${vm.id}'`)
      for (const RequestedState of [2, 32768]) {
        await call(world.v1, system, 'RequestStateChange', { RequestedState })
        await world.clock.advance(5_000)
      }

      const settings = onlyOne(world.v1, `SELECT * FROM ${SETTINGS}`)
      const result = await serve(world, 'VirtualSystem', 'GetSummaryInformation', {
        SettingData: [pathHere(world, settings)],
        RequestedInformation: [0, 1, 4, 100, 107],
      })

      const [summary] = Array.isArray(result.output?.['SummaryInformation']) ? result.output['SummaryInformation'] : []
      assert(typeof summary === 'object' && summary !== null && 'class' in summary)
      assert.equal(textOf(summary, 'Name'), vm.id)
      assert.equal(textOf(summary, 'ElementName'), 'web')
      assert.equal(valueOf(summary, 'EnabledState'), 32768)
      assert.equal(valueOf(summary, 'NumberOfProcessors'), 1)
    })

    test('gives pairs to guests, and has settings of its own', async () => {
      const world = await v1WorldOf({ build })
      const system = await defineHere(world, 'web')
      const item = embedded('Msvm_KvpExchangeDataItem', {
        Name: ['string', 'role'],
        Data: ['string', 'frontend'],
        Source: ['uint16', 0],
      })

      const added = await serve(world, 'VirtualSystem', 'AddKvpItems', {
        TargetSystem: pathHere(world, system),
        DataItems: [item],
      })
      await world.clock.advance(5_000)
      const changed = await serve(world, 'VirtualSystem', 'ModifyServiceSettings', {
        SettingData: embedded('Msvm_VirtualSystemManagementServiceSettingData', {
          DefaultExternalDataRoot: ['string', 'C:\\machines'],
        }),
      })

      const component = onlyOne(world.v1, 'SELECT * FROM Msvm_KvpExchangeComponentSettingData')
      const settings = onlyOne(world.v1, 'SELECT * FROM Msvm_VirtualSystemManagementServiceSettingData')
      assert.equal(added.returnValue, 4096)
      assert.equal(valueOf(outOf(world, added, 'Job'), 'JobState'), 7)
      assert.match(textAt([valueOf(component, 'HostExchangeItems')].flat()[0] ?? null), /frontend/)
      assert.equal(changed.returnValue, 0)
      assert.equal(textOf(settings, 'DefaultExternalDataRoot'), 'C:\\machines')
    })

    test('refuses what takes machines from host to host', async () => {
      const world = await v1WorldOf({ build })
      const system = await defineHere(world, 'web')

      const result = await serve(world, 'VirtualSystem', 'ExportVirtualSystem', {
        ComputerSystem: pathHere(world, system),
        CopyVmState: true,
        ExportDirectory: 'C:\\out',
      })

      assert.equal(result.returnValue, 32770)
    })
  })
}

const KEYS = ['CreationClassName', 'DeviceID', 'SystemCreationClassName', 'SystemName'] as const

describe('a Japanese host', () => {
  test('describes its machines in Japanese, so that clients which look for English words find none', async () => {
    const world = await v1WorldOf({ build: 7601, vms: 1, locale: 'ja-JP' })

    const found = query(world.v1, 'SELECT * FROM Msvm_ComputerSystem WHERE Description = "Microsoft Virtual Machine"')
    const [, machine] = query(world.v1, 'SELECT * FROM Msvm_ComputerSystem')

    assert.deepEqual(found, [])
    assert(machine !== undefined)
    assert.equal(textOf(machine, 'Caption'), '仮想マシン')
  })
})

describe('a machine seen through both namespaces', () => {
  test('has a name, notes and actions that either changes', async () => {
    const world = await v1WorldOf({ build: 9200 })
    const system = await defineHere(world, 'web')
    const [vm] = world.host.state.vms
    assert(vm !== undefined)

    await modify(
      world,
      system,
      embedded(GLOBAL, { ElementName: ['string', 'web-2'], AutomaticShutdownAction: ['uint16', 2] }),
    )
    await modify(world, system, embedded(SETTINGS, { Notes: ['string', 'from v1'] }))
    const there = settingsOf(world, vm)
    const service = onlyOne(world.v2, 'SELECT * FROM Msvm_VirtualSystemManagementService')
    await call(world.v2, service, 'ModifySystemSettings', {
      SystemSettings: embedded(SETTINGS, {
        InstanceID: ['string', `Microsoft:${vm.id}`],
        Notes: ['string', ['from v2']],
        AutomaticRecoveryAction: ['uint16', 4],
      }),
    })
    const here = onlyOne(world.v1, `SELECT * FROM ${SETTINGS}`)
    const global = onlyOne(world.v1, `SELECT * FROM ${GLOBAL}`)

    assert.equal(textOf(there, 'ElementName'), 'web-2')
    assert.equal(valueOf(there, 'AutomaticShutdownAction'), 4)
    assert.deepEqual(valueOf(there, 'Notes'), ['from v1'])
    assert.equal(textOf(here, 'Notes'), 'from v2')
    assert.equal(valueOf(global, 'AutomaticRecoveryAction'), 2)
    assert.equal(textOf(again(world, system), 'ElementName'), 'web-2')
  })

  test('has one state under two numbers', async () => {
    const world = await v1WorldOf({ build: 9200 })
    const vm = machineIn(world, 'web')
    const there = () => onlyOne(world.v2, `SELECT * FROM Msvm_ComputerSystem WHERE Name = '${vm.id}'`)
    const here = () => onlyOne(world.v1, `SELECT * FROM Msvm_ComputerSystem WHERE Name = '${vm.id}'`)

    await call(world.v1, here(), 'RequestStateChange', { RequestedState: 2 })
    await world.clock.advance(5_000)
    await call(world.v2, there(), 'RequestStateChange', { RequestedState: 9 })
    await world.clock.advance(5_000)

    assert.equal(valueOf(there(), 'EnabledState'), 9)
    assert.equal(valueOf(here(), 'EnabledState'), 32768)
  })

  test('has jobs that both namespaces show, each with paths of its own', async () => {
    const world = await v1WorldOf({ build: 9200 })
    const vm = machineIn(world, 'web')
    const here = onlyOne(world.v1, `SELECT * FROM Msvm_ComputerSystem WHERE Name = '${vm.id}'`)

    const result = await call(world.v1, here, 'RequestStateChange', { RequestedState: 2 })
    const job = outOf(world, result, 'Job')
    const there = onlyOne(world.v2, `SELECT * FROM Msvm_ConcreteJob WHERE InstanceID = '${textOf(job, 'InstanceID')}'`)

    assert.match(textAt(result.output?.['Job']), /^\\\\HVHOST\\root\\virtualization:Msvm_ConcreteJob\./)
    const affected = world.v1.references({
      className: 'Msvm_ConcreteJob',
      keys: new Map([['InstanceID', textOf(job, 'InstanceID')]]),
    })
    assert.match(
      textOf(affected[0] ?? job, 'AffectedElement'),
      /^\\\\HVHOST\\root\\virtualization:Msvm_ComputerSystem\./,
    )
    assert.equal(textOf(there, 'InstanceID'), textOf(job, 'InstanceID'))
  })
})
