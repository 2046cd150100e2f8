import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { drain, enumerate, named } from './pulling.ts'
import { batchOf } from './replies.ts'
import { makeRequest, reference } from './requests.ts'
import { HOST, makeWorld, VMS } from './world.ts'

describe('items', () => {
  const EPR = /<n:Items><a:EndpointReference><a:Address>[^<]+<\/a:Address><a:ReferenceParameters><w:ResourceURI>/

  test('are references where these are asked for, also of a query', async () => {
    const world = makeWorld()
    const input = '<w:EnumerationMode>EnumerateEPR</w:EnumerationMode>'
    const wql = `SELECT Name FROM Msvm_ComputerSystem WHERE Name = '${VMS[0]}'`
    const { context } = await enumerate(world, { input, wql })

    const reply = await world.post(makeRequest('Pull', 'Msvm_VirtualSystemManagementService', { context }))

    assert.match(reply.text, EPR)
    const [item] = batchOf(reply).items
    const selectors = item?.element('ReferenceParameters')?.element('SelectorSet')?.elements() ?? []
    assert.deepEqual(
      selectors.map(each => [each.attribute('Name'), each.text()]),
      [
        ['CreationClassName', 'Msvm_ComputerSystem'],
        ['Name', VMS[0]],
      ],
    )
  })

  test('are pairs where both are asked for', async () => {
    const world = makeWorld()
    const input = '<w:EnumerationMode>EnumerateObjectAndEPR</w:EnumerationMode>'

    const { items } = await enumerate(world, { input, isOptimized: true })

    assert.equal(items[0]?.name, 'Item')
    assert.deepEqual(
      items[0]?.elements().map(({ name }) => name),
      ['Msvm_ComputerSystem', 'EndpointReference'],
    )
  })

  test('of an association refer to both of its ends, and so does its own reference', async () => {
    const world = makeWorld()
    const input = '<w:EnumerationMode>EnumerateObjectAndEPR</w:EnumerationMode>'

    const { items } = await enumerate(world, { input, isOptimized: true }, 'Msvm_SettingsDefineState')

    const [object, epr] = items[0]?.elements() ?? []
    const uri = object?.element('SettingData')?.element('ReferenceParameters')?.element('ResourceURI')?.text()
    assert.match(uri ?? '', /v2\/Msvm_VirtualSystemSettingData$/)
    const selectors = epr?.element('ReferenceParameters')?.element('SelectorSet')?.elements() ?? []
    assert.deepEqual(
      selectors.map(each => [each.attribute('Name'), each.elements()[0]?.name]),
      [
        ['ManagedElement', 'EndpointReference'],
        ['SettingData', 'EndpointReference'],
      ],
    )
  })

  test('of a superclass come each as what it is', async () => {
    const world = makeWorld()

    const items = await drain(world, await enumerate(world, { isOptimized: true }, 'CIM_ComputerSystem'))

    assert.equal(items.length, 4)
    assert.equal(items[0]?.name, 'Msvm_ComputerSystem')
    assert.match(items[0]?.namespace ?? '', /v2\/Msvm_ComputerSystem$/)
  })

  test('are cut to the superclass where subclasses are to add nothing', async () => {
    const world = makeWorld()
    const input = '<b:PolymorphismMode>ExcludeSubClassProperties</b:PolymorphismMode>'

    const [item] = await drain(world, await enumerate(world, { isOptimized: true, input }, 'CIM_ComputerSystem'))

    assert.equal(item?.name, 'CIM_ComputerSystem')
    assert.equal(item.element('EnhancedSessionModeState'), undefined)
    assert.equal(item.element('Name')?.text(), HOST)
  })

  test('of subclasses are left out where that is asked for', async () => {
    const world = makeWorld()
    const input = '<b:PolymorphismMode>None</b:PolymorphismMode>'

    const of = async (className: string): Promise<number> =>
      (await drain(world, await enumerate(world, { isOptimized: true, input }, className))).length

    assert.equal(await of('CIM_ComputerSystem'), 0)
    assert.equal(await of('Msvm_ComputerSystem'), 4)
  })

  test('of a query for some properties are fragments, in alphabetical order and in no namespace', async () => {
    const world = makeWorld()
    const wql = `SELECT Name, caption, InstallDate, OperationalStatus FROM Msvm_ComputerSystem WHERE Name = '${VMS[0]}'`

    const reply = await world.post(makeRequest('Enumerate', '', { wql, isOptimized: true }))

    assert.ok(
      reply.text.includes(
        '<w:Items><w:XmlFragment xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"' +
          ' xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"><Caption>Virtual Machine</Caption>' +
          `<InstallDate xsi:nil="true"/><Name>${VMS[0]}</Name><OperationalStatus>2</OperationalStatus>` +
          '</w:XmlFragment></w:Items>',
      ),
      reply.text,
    )
  })

  test('of a query can be asked for what WMI itself gives to every instance', async () => {
    const world = makeWorld()
    const wql = `SELECT __PATH FROM Msvm_ComputerSystem WHERE Name = '${VMS[0]}'`

    const { items } = await enumerate(world, { wql, isOptimized: true })

    const keys = `CreationClassName="Msvm_ComputerSystem",Name="${VMS[0]}"`
    assert.deepEqual(named(items, '__PATH'), [`\\\\${HOST}\\root\\virtualization\\v2:Msvm_ComputerSystem.${keys}`])
  })
})

describe('a filter', () => {
  const DIALECT = 'http://schemas.dmtf.org/wbem/wsman/1'
  const STAR = 'http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2/*'

  test('of selectors finds instances by any of their properties, in any case', async () => {
    const world = makeWorld()
    const selectors = '<w:SelectorSet><w:Selector Name="elementname">VM2</w:Selector></w:SelectorSet>'
    const input = `<w:Filter Dialect="${DIALECT}/wsman/SelectorFilter">${selectors}</w:Filter>`

    const items = await drain(world, await enumerate(world, { input }))

    assert.deepEqual(named(items, 'Name'), [VMS[1]])
  })

  test('of selectors compares numbers as numbers, however they are spelled', async () => {
    const world = makeWorld()
    for (const [name, value] of [
      ['EnabledState', ' 02 '],
      ['enabledstate', '0x2'],
    ]) {
      const selectors = `<w:SelectorSet><w:Selector Name="${name}">${value}</w:Selector></w:SelectorSet>`
      const input = `<w:Filter Dialect="${DIALECT}/wsman/SelectorFilter">${selectors}</w:Filter>`

      assert.equal((await drain(world, await enumerate(world, { input }))).length, VMS.length + 1, value)
    }
  })

  const association = (element: string, terms: string): string => {
    const object = reference('Msvm_ComputerSystem', { CreationClassName: 'Msvm_ComputerSystem', Name: VMS[1] })
    return (
      `<w:Filter Dialect="${DIALECT}/cimbinding/associationFilter"><b:${element}><b:Object>${object}</b:Object>` +
      `${terms}</b:${element}></w:Filter>`
    )
  }

  test('of associations finds what an object is associated with', async () => {
    const world = makeWorld()
    const terms =
      '<b:AssociationClassName>Msvm_SettingsDefineState</b:AssociationClassName>' +
      '<b:ResultClassName>CIM_VirtualSystemSettingData</b:ResultClassName>'

    const first = await enumerate(world, { resourceUri: STAR, input: association('AssociatedInstances', terms) })

    assert.deepEqual(named(await drain(world, first), 'InstanceID'), [`Microsoft:${VMS[1]}`])
  })

  test('of associations finds the associations themselves', async () => {
    const world = makeWorld()
    const terms = '<b:ResultClassName>Msvm_SettingsDefineState</b:ResultClassName><b:Role>ManagedElement</b:Role>'

    const first = await enumerate(world, { resourceUri: STAR, input: association('AssociationInstances', terms) })
    const items = await drain(world, first)

    assert.deepEqual(
      items.map(({ name }) => name),
      ['Msvm_SettingsDefineState'],
    )
  })

  test('of associations can ask for some properties', async () => {
    const world = makeWorld()
    const terms =
      '<b:ResultClassName>Msvm_VirtualSystemSettingData</b:ResultClassName>' +
      '<b:IncludeResultProperty>ElementName</b:IncludeResultProperty>'

    const first = await enumerate(world, { resourceUri: STAR, input: association('AssociatedInstances', terms) })
    const [item] = await drain(world, first)

    assert.equal(item?.name, 'XmlFragment')
    assert.deepEqual(
      item.elements().map(({ name }) => name),
      ['ElementName'],
    )
  })
})
