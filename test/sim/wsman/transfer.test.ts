import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { enumerate, named } from './pulling.ts'
import { contentOf, faultOf } from './replies.ts'
import { makeRequest, reference, type RequestParts } from './requests.ts'
import { HOST, makeWorld, VMS } from './world.ts'

const VM = { CreationClassName: 'Msvm_ComputerSystem', Name: VMS[0] }
const DMTF = 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2'
const REFERENCES = '<w:EnumerationMode>EnumerateEPR</w:EnumerationMode>'
const get = (parts: RequestParts = {}, className = 'Msvm_ComputerSystem'): string =>
  makeRequest('Get', className, { selectors: VM, ...parts })

describe('Get', () => {
  test('brings the instance with all properties of its class, in alphabetical order whatever their case', async () => {
    const content = contentOf(await makeWorld().post(get()))

    const names = content.elements().map(({ name }) => name)
    assert.equal(content.name, 'Msvm_ComputerSystem')
    assert.deepEqual(
      names,
      names.toSorted((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)),
    )
    assert.equal(content.element('ElementName')?.text(), 'vm1')
    assert.equal(content.elements('InstanceID').length, 1)
    assert.deepEqual(content.elements('Dedicated'), [])
  })

  for (const [what, parts] of [
    ['a name in lower case', { selectors: { ...VM, Name: VMS[0].toLowerCase() } }],
    [
      'the name of a selector in another case',
      { selectors: { creationclassname: VM.CreationClassName, NAME: VMS[0] } },
    ],
    ['a URI in mixed case', { namespace: 'Root/Virtualization/V2' }],
    [
      'a superclass',
      { resourceUri: 'http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2/CIM_ComputerSystem' },
    ],
    ['the namespace beside the URI', { selectors: { ...VM, __cimnamespace: 'root/virtualization/v2' } }],
    [
      'a URI of DMTF',
      { resourceUri: `${DMTF}/CIM_ComputerSystem`, selectors: { ...VM, __cimnamespace: 'root/virtualization/v2' } },
    ],
  ] as const) {
    test(`finds it by ${what}`, async () => {
      const reply = await makeWorld().post(get(parts))

      assert.equal(contentOf(reply).element('ElementName')?.text(), 'vm1')
    })
  }

  test('finds a service by its class alone', async () => {
    const name = 'Msvm_VirtualSystemManagementService'

    const reply = await makeWorld().post(get({ selectors: { CreationClassName: name } }, name))

    assert.equal(contentOf(reply).element('Name')?.text(), 'vmms')
  })

  test('finds a singleton by its class alone, by its path without keys, and by what its keys hold', async () => {
    const world = makeWorld()
    const name = 'Win32_OperatingSystem'
    const namespace = 'root/cimv2'
    const path = String.raw`"\\\\.\\root\\cimv2:Win32_OperatingSystem=@"`

    const enumerated = await enumerate(world, { namespace, isOptimized: true, input: REFERENCES }, name)
    const queried = await enumerate(world, {
      namespace,
      isOptimized: true,
      wql: `SELECT __PATH, Version FROM ${name} WHERE __PATH = ${path}`,
    })

    assert.deepEqual(
      enumerated.items.map(item => item.element('ReferenceParameters')?.element('SelectorSet')?.children),
      [[]],
    )
    assert.deepEqual(named(queried.items, '__PATH'), [String.raw`\\HVHOST\root\cimv2:Win32_OperatingSystem=@`])
    for (const [selectors, status] of [
      [{}, 200],
      [{ Name: '' }, 200],
      [{ Name: 'another' }, 500],
    ] as const) {
      assert.equal((await world.post(get({ namespace, selectors }, name))).status, status)
    }
  })

  test('finds an association by references to its ends', async () => {
    const system = reference('Msvm_ComputerSystem', { ...VM, Name: VMS[2].toLowerCase() })
    const settings = reference('Msvm_VirtualSystemSettingData', { InstanceID: `Microsoft:${VMS[2]}` })
    const selectors =
      `<w:SelectorSet><w:Selector Name="ManagedElement"><a:EndpointReference>${system}</a:EndpointReference></w:Selector>` +
      `<w:Selector Name="SettingData"><a:EndpointReference>${settings}</a:EndpointReference></w:Selector></w:SelectorSet>`

    const reply = await makeWorld().post(get({ selectors: {}, headers: selectors }, 'Msvm_SettingsDefineState'))

    assert.equal(contentOf(reply).name, 'Msvm_SettingsDefineState')
  })

  test('asks for as many keys of a switch service as a Server 2008 R2 wants', async () => {
    const name = 'Msvm_VirtualSwitchManagementService'
    const namespace = 'root/virtualization'
    const all = {
      CreationClassName: name,
      Name: 'nvspwmi',
      SystemCreationClassName: 'Msvm_ComputerSystem',
      SystemName: HOST,
    }
    const world = makeWorld({ build: 7601 })

    const few = await world.post(get({ namespace, selectors: { CreationClassName: name } }, name))
    const enough = await world.post(get({ namespace, selectors: all }, name))

    assert.equal(faultOf(few).subcode, 'w:InvalidSelectors')
    assert.equal(enough.status, 200)
  })

  test('escapes what XML has a meaning for, and keeps all else', async () => {
    const ElementName = `<a & "b">\r\n'ä' \u{1F600}`
    const world = makeWorld({ content: { Msvm_ComputerSystem: [{ ...VM, ElementName }] } })

    assert.equal(
      contentOf(await world.post(get()))
        .element('ElementName')
        ?.text(),
      ElementName,
    )
  })

  test('of a value that no XML can carry is an internal error', async () => {
    const world = makeWorld({ content: { Msvm_ComputerSystem: [{ ...VM, ElementName: '\u0001' }] } })

    assert.equal(faultOf(await world.post(get())).subcode, 'w:InternalError')
    assert.deepEqual(world.bugs, [])
  })

  test('of more than the client takes is refused', async () => {
    const world = makeWorld({ content: { Msvm_ComputerSystem: [{ ...VM, ElementName: 'x'.repeat(9_000) }] } })
    const headers = '<w:MaxEnvelopeSize>8192</w:MaxEnvelopeSize>'

    assert.equal(faultOf(await world.post(get({ headers }))).detail, 'MaxEnvelopeSizeExceeded')
    assert.equal((await world.post(get())).status, 200)
  })
})

describe('a fragment', () => {
  const fragment = async (path: string): Promise<{ readonly body: string; readonly text: string }> => {
    const headers = `<w:FragmentTransfer s:mustUnderstand="true">${path}</w:FragmentTransfer>`
    const { text } = await makeWorld().post(get({ headers }))
    return { text, body: /<s:Body><w:XmlFragment>(.*)<\/w:XmlFragment><\/s:Body>/.exec(text)?.[1] ?? text }
  }

  test('is the property that is named, and the answer names it too', async () => {
    const { text, body } = await fragment('ElementName')

    assert.match(body, /^<p:ElementName xmlns:[^>]*v2\/Msvm_ComputerSystem"[^>]*>vm1<\/p:ElementName>$/)
    assert.match(text, /<w:FragmentTransfer s:mustUnderstand="true">ElementName<\/w:FragmentTransfer><\/s:Header>/)
  })

  test('can be named with its class and with prefixes', async () => {
    for (const path of ['p:ElementName', 'Msvm_ComputerSystem/ElementName', '/p:Msvm_ComputerSystem/p:ElementName']) {
      assert.match((await fragment(path)).body, />vm1<\/p:ElementName>$/)
    }
  })

  test('can be the text alone', async () => {
    assert.equal((await fragment('ElementName/text()')).body, 'vm1')
  })

  test('can be one of several values, counted from 1', async () => {
    assert.match((await fragment('OperationalStatus[1]')).body, />2<\/p:OperationalStatus>$/)
    assert.match((await fragment('OperationalStatus[2]')).text, /CannotProcessFilter/)
  })

  test('is nil where it is NULL', async () => {
    assert.match((await fragment('InstallDate')).body, /^<p:InstallDate [^>]*xsi:nil="true"\/>$/)
  })
})
