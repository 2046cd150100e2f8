import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { textOf, valueOf } from '../../sim/hyperv/cim/instance.ts'
import type { CimValue, Instance } from '../../sim/hyperv/cim/model.ts'
import { pathOf } from '../../sim/hyperv/cim/path.ts'
import type { MethodResult } from '../../sim/hyperv/cim/provider.ts'
import { mistakeIn } from '../../sim/hyperv/host/state-shape.ts'
import { call, embedded, onlyOne, query } from './host-world.ts'
import { defineHere, outOf, pathHere, serve, textAt, type V1World, v1WorldOf } from './v1-world.ts'

const NIC = 'Msvm_SyntheticEthernetPortSettingData'
const PORT_ID = '76e25eb5-5142-4b26-8065-37f6df0e4360'

const ask = (world: V1World, method: string, input: Readonly<Record<string, CimValue>>): Promise<MethodResult> =>
  serve(world, 'VirtualSwitch', method, input)

async function makeSwitch(world: V1World, name: string): Promise<Instance> {
  const input = { Name: '', FriendlyName: name, NumLearnableAddresses: 1024, ScopeOfResidence: '' }
  return outOf(world, await ask(world, 'CreateSwitch', input), 'CreatedVirtualSwitch')
}

async function makePort(world: V1World, lan: Instance, Name: string): Promise<Instance> {
  const input = { VirtualSwitch: pathHere(world, lan), Name, FriendlyName: `port ${Name}`, ScopeOfResidence: '' }
  return outOf(world, await ask(world, 'CreateSwitchPort', input), 'CreatedSwitchPort')
}

function addAdapter(world: V1World, system: Instance, ...ports: Instance[]): Promise<MethodResult> {
  const text = embedded(NIC, {
    Connection: ['string', ports.map(port => pathHere(world, port))],
    ElementName: ['string', 'Network Adapter'],
    VirtualSystemIdentifiers: ['string', ['{a9196905-c530-4bb5-bf89-21584ec59c67}']],
    ResourceType: ['uint16', 10],
    ResourceSubType: ['string', 'Microsoft Synthetic Ethernet Port'],
  })
  const input = { TargetSystem: pathHere(world, system), ResourceSettingData: [text] }
  return serve(world, 'VirtualSystem', 'AddVirtualSystemResources', input)
}

const adapterOf = ({ v1 }: V1World): Instance =>
  onlyOne(v1, `SELECT * FROM ${NIC} WHERE ElementName = 'Network Adapter' AND NOT InstanceID LIKE '%Definition%'`)

const endpointAt = ({ v1 }: V1World, device: Instance): Instance => {
  const keys = ['CreationClassName', 'DeviceID', 'SystemCreationClassName', 'SystemName']
  const [endpoint] = v1.associators(
    { className: device.class.name, keys: new Map(keys.map(key => [key, textOf(device, key)])) },
    { resultClass: 'CIM_LANEndpoint' },
  )
  assert(endpoint !== undefined)
  return endpoint
}

for (const build of [7601, 9200]) {
  describe(`networks in root\\virtualization on build ${build}`, () => {
    test('are switches that a client can count and name', async () => {
      const world = await v1WorldOf({ build })
      const lan = await makeSwitch(world, 'Internal')

      const active = query(
        world.v1,
        'SELECT * FROM Msvm_VirtualSwitch WHERE Description = "Microsoft Virtual Switch" AND HealthState = 5',
      )
      const inactive = query(world.v1, 'SELECT * FROM Msvm_VirtualSwitch WHERE HealthState <> 5')

      assert(active.some(one => textOf(one, 'ElementName') === 'Internal'))
      assert.deepEqual(inactive, [])
      assert.equal(valueOf(lan, 'NumLearnableAddresses'), 1024)
      assert.match(textOf(lan, 'Name'), /^[0-9A-F-]{36}$/)
    })

    test('give an adapter the port that was made for it', async () => {
      const world = await v1WorldOf({ build })
      const lan = await makeSwitch(world, 'Internal')
      const port = await makePort(world, lan, PORT_ID)
      const system = await defineHere(world, 'web')

      const added = await addAdapter(world, system, port)

      assert.equal(added.returnValue, 0)
      assert.equal(textOf(port, 'Name'), PORT_ID)
      assert.equal(textOf(port, 'SystemName'), textOf(lan, 'Name'))
      assert.deepEqual(valueOf(outOf(world, added, 'NewResources'), 'Connection'), [pathHere(world, port)])
    })

    test('refuse a port to a second adapter, and leave nothing of it behind', async () => {
      const world = await v1WorldOf({ build })
      const port = await makePort(world, await makeSwitch(world, 'Internal'), PORT_ID)
      const [first, second] = [await defineHere(world, 'first'), await defineHere(world, 'second')]
      await addAdapter(world, first, port)

      const result = await addAdapter(world, second, port)
      await world.clock.advance(1_000)

      assert.equal(result.returnValue, 4096)
      assert.equal(valueOf(outOf(world, result, 'Job'), 'ErrorCode'), 32774)
      assert.equal(
        query(world.v1, `SELECT * FROM ${NIC} WHERE InstanceID LIKE '%${textOf(second, 'Name')}%'`).length,
        0,
      )
      assert.equal(query(world.v1, `SELECT * FROM ${NIC} WHERE InstanceID LIKE '%${textOf(first, 'Name')}%'`).length, 1)
    })

    test('let an adapter go to another port, and to none', async () => {
      const world = await v1WorldOf({ build })
      const lan = await makeSwitch(world, 'Internal')
      const [one, two] = [await makePort(world, lan, 'one'), await makePort(world, lan, 'two')]
      const system = await defineHere(world, 'web')
      await addAdapter(world, system, one)
      const change = (Connection: readonly string[]): Promise<MethodResult> =>
        serve(world, 'VirtualSystem', 'ModifyVirtualSystemResources', {
          ComputerSystem: pathHere(world, system),
          ResourceSettingData: [
            embedded(NIC, {
              InstanceID: ['string', textOf(adapterOf(world), 'InstanceID')],
              Connection: ['string', Connection],
            }),
          ],
        })

      const moved = await change([pathHere(world, two)])
      const there = valueOf(adapterOf(world), 'Connection')
      const freed = await change([])
      const nowhere = valueOf(adapterOf(world), 'Connection')

      assert.deepEqual([moved.returnValue, freed.returnValue], [0, 0])
      assert.deepEqual(there, [pathHere(world, two)])
      assert.deepEqual(nowhere, [])
      assert.equal(
        query(world.v1, `SELECT * FROM Msvm_SwitchPort WHERE SystemName = '${textOf(lan, 'Name')}'`).length,
        2,
      )
    })

    test('are set up to the outside and to the host by one job, and torn down by another', async () => {
      const world = await v1WorldOf({ build })
      const lan = await makeSwitch(world, 'External')
      const [outer, inner] = [await makePort(world, lan, 'outer'), await makePort(world, lan, 'inner')]
      const [card] = query(world.v1, 'SELECT * FROM Msvm_ExternalEthernetPort WHERE IsBound = FALSE')
      assert(card !== undefined)

      const set = await ask(world, 'SetupSwitch', {
        ExternalSwitchPort: pathHere(world, outer),
        InternalSwitchPort: pathHere(world, inner),
        ExternalEthernetPort: pathHere(world, card),
        InternalEthernetPortName: 'D6F9E0C3-0B7C-4A2D-9E1D-3A2B5C8F7E10',
        InternalEthernetPortFriendlyName: 'External - host',
      })
      const during = valueOf(outOf(world, set, 'Job'), 'JobState')
      await world.clock.advance(5_000)
      const job = outOf(world, set, 'Job')
      const bound = query(world.v1, 'SELECT * FROM Msvm_ExternalEthernetPort WHERE IsBound = TRUE').length
      const cables = query(world.v1, `SELECT * FROM Msvm_ActiveConnection`).length
      const own = onlyOne(world.v1, "SELECT * FROM Msvm_InternalEthernetPort WHERE ElementName = 'External - host'")
      const ended = await ask(world, 'TeardownSwitch', {
        ExternalEthernetPort: pathHere(world, card),
        InternalEthernetPort: pathHere(world, own),
      })
      await world.clock.advance(5_000)

      assert.match(textAt(set.output?.['Job']), /Msvm_NetworkJob/)
      assert.equal(during, 2)
      assert.equal(valueOf(job, 'JobState'), 7)
      assert.equal(valueOf(job, 'NetworkJobType'), 1)
      assert.equal(textOf(job, 'CreatedInternalEthernetPort'), pathHere(world, own))
      assert.equal(bound, 1)
      assert(cables >= 2)
      assert.equal(valueOf(outOf(world, ended, 'Job'), 'JobState'), 7)
      assert.deepEqual(query(world.v1, 'SELECT * FROM Msvm_ExternalEthernetPort WHERE IsBound = TRUE'), [])
      assert.deepEqual(
        query(world.v1, "SELECT * FROM Msvm_InternalEthernetPort WHERE ElementName = 'External - host'"),
        [],
      )
      assert.equal(
        query(world.v1, `SELECT * FROM Msvm_SwitchPort WHERE SystemName = '${textOf(lan, 'Name')}'`).length,
        2,
      )
    })

    test('reach the host over a card that was made for it, step by step', async () => {
      const world = await v1WorldOf({ build })
      const lan = await makeSwitch(world, 'Internal')
      const port = await makePort(world, lan, PORT_ID)
      const made = await ask(world, 'CreateInternalEthernetPort', {
        Name: 'D6F9E0C3-0B7C-4A2D-9E1D-3A2B5C8F7E10',
        FriendlyName: 'host on Internal',
        MacAddress: '00155D0A0B0C',
      })
      const card = outOf(world, made, 'CreatedInternalEthernetPort')

      const connected = await ask(world, 'ConnectSwitchPort', {
        SwitchPort: pathHere(world, port),
        LANEndpoint: pathHere(world, endpointAt(world, card)),
      })
      const kind = world.host.state.switches.at(-1)?.kind
      const isUp = valueOf(endpointAt(world, card), 'Connected')
      const cable = outOf(world, connected, 'ActiveConnection')
      const freed = await ask(world, 'DisconnectSwitchPort', { SwitchPort: pathHere(world, port) })

      assert.equal(textOf(card, 'PermanentAddress'), '00155D0A0B0C')
      assert.equal(connected.returnValue, 0)
      assert.equal(kind, 'internal')
      assert.equal(isUp, true)
      assert.equal(textOf(cable, 'Antecedent'), pathHere(world, port))
      assert.equal(freed.returnValue, 0)
      assert.equal(world.host.state.switches.at(-1)?.kind, 'private')
      assert.equal(valueOf(endpointAt(world, card), 'Connected'), false)
      assert.equal(mistakeIn(world.host.state), undefined)
    })

    test('are joined to the machines that run: adapter, end of the cable, port, switch', async () => {
      const world = await v1WorldOf({ build })
      const lan = await makeSwitch(world, 'Internal')
      const port = await makePort(world, lan, PORT_ID)
      const system = await defineHere(world, 'web')
      await addAdapter(world, system, port)
      await call(world.v1, system, 'RequestStateChange', { RequestedState: 2 })
      await world.clock.advance(5_000)

      const adapter = onlyOne(
        world.v1,
        `SELECT * FROM Msvm_SyntheticEthernetPort WHERE SystemName = '${textOf(system, 'Name')}'`,
      )
      const endpoint = endpointAt(world, adapter)
      const keys = ['CreationClassName', 'Name', 'SystemCreationClassName', 'SystemName']
      const [found] = world.v1.associators(
        { className: endpoint.class.name, keys: new Map(keys.map(key => [key, textOf(endpoint, key)])) },
        { associationClass: 'Msvm_ActiveConnection' },
      )
      const deleted = await ask(world, 'DeleteSwitch', { VirtualSwitch: pathHere(world, lan) })

      assert.equal(endpoint.class.name, 'Msvm_VmLANEndpoint')
      assert(found !== undefined)
      assert.equal(textOf(found, 'Name'), PORT_ID)
      assert.match(textOf(adapter, 'PermanentAddress'), /^00155D[0-9A-F]{6}$/)
      assert.equal(deleted.returnValue, 32774)
    })

    test('refuse what leads to nothing, and names that are taken or none', async () => {
      const world = await v1WorldOf({ build })
      const lan = await makeSwitch(world, 'Internal')
      const port = await makePort(world, lan, PORT_ID)
      await ask(world, 'DeleteSwitchPort', { SwitchPort: pathHere(world, port) })

      const codes = [
        await ask(world, 'CreateSwitch', { Name: textOf(lan, 'Name'), FriendlyName: 'again' }),
        await ask(world, 'CreateSwitch', { Name: 'no GUID', FriendlyName: 'x' }),
        await ask(world, 'DeleteSwitchPort', { SwitchPort: pathHere(world, port) }),
        await ask(world, 'DeleteSwitch', { VirtualSwitch: pathHere(world, port) }),
        await ask(world, 'CreateInternalEthernetPort', { Name: '', FriendlyName: 'x', MacAddress: 'nonsense' }),
      ].map(({ returnValue }) => returnValue)

      assert.deepEqual(codes, [32773, 32773, 32773, 32773, 32773])
    })
  })
}

describe('a network seen through both namespaces', () => {
  test('is a connection there and a port here, whichever made it', async () => {
    const world = await v1WorldOf({ build: 9200 })
    const lan = await makeSwitch(world, 'Internal')
    const port = await makePort(world, lan, PORT_ID)
    const system = await defineHere(world, 'web')
    const added = outOf(world, await addAdapter(world, system, port), 'NewResources')

    const there = onlyOne(
      world.v2,
      `SELECT * FROM Msvm_EthernetPortAllocationSettingData WHERE InstanceID = '${textOf(added, 'InstanceID').replaceAll('\\', '\\\\')}\\\\C'`,
    )
    const [path] = [valueOf(there, 'HostResource')].flat()
    const other = onlyOne(world.v2, `SELECT * FROM Msvm_VirtualEthernetSwitch WHERE Name = '${textOf(lan, 'Name')}'`)
    const service = onlyOne(world.v2, 'SELECT * FROM Msvm_VirtualSystemManagementService')
    const removed = await call(world.v2, service, 'RemoveResourceSettings', {
      ResourceSettings: [pathOf(there, world.v2.hostName, 'root\\virtualization\\v2')],
    })

    assert.equal(path, pathOf(other, world.v2.hostName, 'root\\virtualization\\v2'))
    assert.equal(removed.returnValue, 0)
    assert.deepEqual(valueOf(adapterOf(world), 'Connection'), [])
  })

  test('shows a connection that v2 made as a port of the switch', async () => {
    const world = await v1WorldOf({ build: 9200 })
    const lan = await makeSwitch(world, 'Internal')
    const system = await defineHere(world, 'web')
    const adapter = outOf(world, await addAdapter(world, system), 'NewResources')
    const service = onlyOne(world.v2, 'SELECT * FROM Msvm_VirtualSystemManagementService')
    const settings = onlyOne(
      world.v2,
      `SELECT * FROM ${NIC} WHERE ElementName = 'Network Adapter' AND NOT InstanceID LIKE '%Definition%'`,
    )
    const other = onlyOne(world.v2, `SELECT * FROM Msvm_VirtualEthernetSwitch WHERE Name = '${textOf(lan, 'Name')}'`)

    await call(world.v2, service, 'AddResourceSettings', {
      AffectedConfiguration: `\\\\HVHOST\\root\\virtualization\\v2:Msvm_VirtualSystemSettingData.InstanceID="Microsoft:${textOf(system, 'Name')}"`,
      ResourceSettings: [
        embedded('Msvm_EthernetPortAllocationSettingData', {
          Parent: ['string', pathOf(settings, world.v2.hostName, 'root\\virtualization\\v2')],
          HostResource: ['string', [pathOf(other, world.v2.hostName, 'root\\virtualization\\v2')]],
          ResourceType: ['uint16', 33],
          ResourceSubType: ['string', 'Microsoft:Hyper-V:Ethernet Connection'],
        }),
      ],
    })

    const port = onlyOne(world.v1, `SELECT * FROM Msvm_SwitchPort WHERE SystemName = '${textOf(lan, 'Name')}'`)
    assert.deepEqual(valueOf(adapter, 'Connection'), [])
    assert.deepEqual(valueOf(adapterOf(world), 'Connection'), [pathHere(world, port)])
  })
})
