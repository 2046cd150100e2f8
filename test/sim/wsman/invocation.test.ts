import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { makeInstance } from '../../../sim/hyperv/cim/instance.ts'
import type { CimValue } from '../../../sim/hyperv/cim/model.ts'
import { Wbem, WmiError } from '../../../sim/hyperv/cim/provider.ts'
import { loadSchema } from '../../../sim/hyperv/cim/schema.ts'
import { contentOf, faultOf } from './replies.ts'
import { makeRequest, reference, type RequestParts } from './requests.ts'
import { HOST, makeWorld, VMS, type World, type WorldOptions } from './world.ts'

const VSMS = 'Msvm_VirtualSystemManagementService'
const VM = { CreationClassName: 'Msvm_ComputerSystem', Name: VMS[0] }
const KEYBOARD = {
  CreationClassName: 'Msvm_Keyboard',
  DeviceID: `Microsoft:${VMS[1]}\\86ba1bcc-c1a8-4d4e-8d2a-3b6a2b0c1a11`,
  SystemCreationClassName: 'Msvm_ComputerSystem',
  SystemName: VMS[1],
}
const vmPath = (id: string): string =>
  `\\\\${HOST}\\root\\virtualization\\v2:Msvm_ComputerSystem.CreationClassName="Msvm_ComputerSystem",Name="${id}"`

const callService = (method: string, input: string, more: RequestParts = {}): string =>
  makeRequest(method, VSMS, { selectors: { CreationClassName: VSMS }, input, ...more })

const changeState = (input: string): string =>
  makeRequest('RequestStateChange', 'Msvm_ComputerSystem', { selectors: VM, input })

/** What a method was given for a call that is answered. */
async function inputOf(request: string, options: WorldOptions = {}): Promise<Record<string, CimValue>> {
  const world = makeWorld(options)
  const reply = await world.post(request)
  assert.equal(reply.status, 200, reply.text)
  assert.deepEqual(world.bugs, [])
  assert.equal(world.calls.length, 1)
  return Object.fromEntries(world.calls[0]?.input ?? [])
}

/** The fault of a call, which nobody was asked to carry out. */
async function refusalOf(request: string): Promise<string> {
  const world = makeWorld()
  const fault = faultOf(await world.post(request))
  assert.equal(world.calls.length, 0)
  assert.deepEqual(world.bugs, [])
  return `${fault.subcode} ${fault.code}`
}

const SCHEMA_VALIDATION = 'w:SchemaValidationError 2150858817'

describe('an argument', () => {
  test('arrives as the number that the schema says', async () => {
    assert.deepEqual(await inputOf(changeState('<p:RequestedState>2</p:RequestedState>')), { RequestedState: 2 })
  })

  test('is found by its name in any case', async () => {
    const press = makeRequest('PressKey', 'Msvm_Keyboard', {
      selectors: KEYBOARD,
      input: '<p:keyCode>65</p:keyCode>',
    })

    assert.deepEqual(await inputOf(press), { KeyCode: 65 })
  })

  for (const [text, value] of [
    ['False', false],
    ['TRUE', true],
    ['true', true],
    [' false ', false],
    ['1', true],
    ['0', false],
  ] as const) {
    test(`of a truth value may be spelled ${JSON.stringify(text)}`, async () => {
      const world = makeWorld()

      await world.post(
        makeRequest('InitiateShutdown', 'Msvm_ShutdownComponent', {
          selectors: {
            CreationClassName: 'Msvm_ShutdownComponent',
            DeviceID: `Microsoft:${VMS[1]}\\9F8233AC-BE49-4C79-8EE3-E7E1985B2077`,
            SystemCreationClassName: 'Msvm_ComputerSystem',
            SystemName: VMS[1],
          },
          input: `<p:Force>${text}</p:Force><p:Reason> kept </p:Reason>`,
        }),
      )

      assert.deepEqual(Object.fromEntries(world.calls[0]?.input ?? []), { Force: value, Reason: ' kept ' })
    })
  }

  for (const [what, text, value] of [
    ['a duration', '<cim:Interval>P0DT0H0M30S</cim:Interval>', '00000000000030.000000:000'],
    ['a point in time', '<cim:Datetime>2026-01-01T00:00:00Z</cim:Datetime>', '20260101000000.000000+000'],
    ['text of XML', 'PT1M', '00000000000100.000000:000'],
    ["text in CIM's own form", '00000000000100.000000:000', '00000000000100.000000:000'],
  ] as const) {
    test(`of a time may be ${what}`, async () => {
      const input = `<p:RequestedState>2</p:RequestedState><p:TimeoutPeriod>${text}</p:TimeoutPeriod>`

      assert.equal((await inputOf(changeState(input)))['TimeoutPeriod'], value)
    })
  }

  test('that is nil is as good as none', async () => {
    const input = '<p:RequestedState>2</p:RequestedState><p:TimeoutPeriod xsi:nil="true"/>'

    assert.deepEqual(await inputOf(changeState(input)), { RequestedState: 2 })
  })

  test('that refers to something arrives as its path', async () => {
    const input = `<p:AffectedSystem>${reference('Msvm_ComputerSystem', VM)}</p:AffectedSystem>`

    assert.deepEqual(await inputOf(callService('DestroySystem', input)), { AffectedSystem: vmPath(VMS[0]) })
  })

  test('of several references or numbers repeats its element', async () => {
    const settings = VMS.slice(0, 2).map(
      id =>
        `<p:SettingData>${reference('Msvm_VirtualSystemSettingData', { InstanceID: `Microsoft:${id}` })}</p:SettingData>`,
    )
    const input = `${settings.join('')}<p:RequestedInformation>1</p:RequestedInformation><p:RequestedInformation>100</p:RequestedInformation>`

    assert.deepEqual(await inputOf(callService('GetSummaryInformation', input)), {
      SettingData: VMS.slice(0, 2).map(
        id => `\\\\${HOST}\\root\\virtualization\\v2:Msvm_VirtualSystemSettingData.InstanceID="Microsoft:${id}"`,
      ),
      RequestedInformation: [1, 100],
    })
  })

  for (const [what, spelled] of [
    ['CDATA', '<![CDATA[<INSTANCE CLASSNAME="Msvm_VirtualSystemSettingData"/>]]>'],
    ['escaped text', '&lt;INSTANCE CLASSNAME="Msvm_VirtualSystemSettingData"/&gt;'],
  ]) {
    test(`that embeds an instance may be ${what}`, async () => {
      const request = callService('DefineSystem', `<p:SystemSettings>${spelled}</p:SystemSettings>`)

      assert.deepEqual(await inputOf(request), {
        SystemSettings: '<INSTANCE CLASSNAME="Msvm_VirtualSystemSettingData"/>',
      })
    })
  }

  for (const [what, input, bytes] of [
    ['base64', '<p:Scancodes>HqA=</p:Scancodes>', [0x1e, 0xa0]],
    ['base64 in lines', '<p:Scancodes>\n Hq\n A= </p:Scancodes>', [0x1e, 0xa0]],
    ['numbers', '<p:Scancodes>30</p:Scancodes><p:Scancodes>160</p:Scancodes>', [30, 160]],
    ['one number', '<p:Scancodes>30</p:Scancodes>', [30]],
    ['nothing', '<p:Scancodes></p:Scancodes>', []],
  ] as const) {
    test(`of bytes may be ${what}`, async () => {
      const type = makeRequest('TypeScancodes', 'Msvm_Keyboard', { selectors: KEYBOARD, input })

      assert.deepEqual(await inputOf(type), { Scancodes: bytes })
    })
  }
})

describe('an argument is refused', () => {
  for (const [what, input] of [
    ['that the method does not have', '<p:RequestedState>2</p:RequestedState><p:Force>true</p:Force>'],
    ['that only its answer has', '<p:Job>1</p:Job>'],
    ['of another namespace', '<x:RequestedState xmlns:x="urn:x">2</x:RequestedState>'],
    ['that is given twice', '<p:RequestedState>2</p:RequestedState><p:RequestedState>3</p:RequestedState>'],
    [
      'that is given twice in different case',
      '<p:RequestedState>2</p:RequestedState><p:requestedstate>3</p:requestedstate>',
    ],
    ['that is no number', '<p:RequestedState>running</p:RequestedState>'],
    ['that is too large for its type', '<p:RequestedState>65536</p:RequestedState>'],
    ['that is negative without a sign in its type', '<p:RequestedState>-1</p:RequestedState>'],
    ['that is empty where a number belongs', '<p:RequestedState></p:RequestedState>'],
    ['that is a fraction', '<p:RequestedState>2.5</p:RequestedState>'],
    ['that is an element where a number belongs', '<p:RequestedState><p:Value>2</p:Value></p:RequestedState>'],
    ['that is no time', '<p:TimeoutPeriod>soon</p:TimeoutPeriod>'],
    ['that is an impossible time', '<p:TimeoutPeriod>20260231000000.000000+000</p:TimeoutPeriod>'],
    ['that is text beside the parameters', 'RequestedState=2'],
  ] as const) {
    test(what, async () => {
      assert.equal(await refusalOf(changeState(input)), SCHEMA_VALIDATION)
    })
  }

  const EPR = reference('Msvm_ComputerSystem', VM)
  for (const [what, inner, refusal] of [
    ['whose reference is wrapped', `<a:EndpointReference>${EPR}</a:EndpointReference>`, SCHEMA_VALIDATION],
    ['whose reference is a path', vmPath(VMS[0]), SCHEMA_VALIDATION],
    ['whose reference has no address', EPR.replace(/<a:Address>[^<]*<\/a:Address>/, ''), SCHEMA_VALIDATION],
    ['whose reference has no resource', EPR.replace(/<w:ResourceURI>[^<]*<\/w:ResourceURI>/, ''), SCHEMA_VALIDATION],
    ['whose reference is of no class', EPR.replace('/Msvm_C', '/Msvm_Z'), 'a:DestinationUnreachable 2150858849'],
    ['whose reference is of another namespace', EPR.replace('/v2/', '/'), 'a:DestinationUnreachable 2150858849'],
    [
      'whose reference lacks a key',
      reference('Msvm_ComputerSystem', { Name: VMS[0] }),
      'w:InvalidSelectors 2150858848',
    ],
    [
      'whose reference has a key too many',
      reference('Msvm_ComputerSystem', { ...VM, InstanceID: 'x' }),
      'w:InvalidSelectors 2150858848',
    ],
  ] as const) {
    test(what, async () => {
      const request = callService('DestroySystem', `<p:AffectedSystem>${inner}</p:AffectedSystem>`)

      assert.equal(await refusalOf(request), refusal)
    })
  }

  test('whose instance is written out as elements', async () => {
    const tree =
      '<q:Msvm_VirtualSystemSettingData xmlns:q="urn:q"><q:ElementName>a</q:ElementName></q:Msvm_VirtualSystemSettingData>'

    assert.equal(
      await refusalOf(callService('DefineSystem', `<p:SystemSettings>${tree}</p:SystemSettings>`)),
      SCHEMA_VALIDATION,
    )
  })

  for (const text of ['not base64!', '256', 'HqA', '=AAA']) {
    test(`whose bytes are ${JSON.stringify(text)}`, async () => {
      const input = `<p:Scancodes>${text}</p:Scancodes>`

      assert.equal(
        await refusalOf(makeRequest('TypeScancodes', 'Msvm_Keyboard', { selectors: KEYBOARD, input })),
        SCHEMA_VALIDATION,
      )
    })
  }
})

describe('a call', () => {
  test('of a method that the class does not have is refused', async () => {
    assert.equal(await refusalOf(callService('DefineNothing', '')), 'a:ActionNotSupported 2150858771')
  })

  test('of a method that the class has on later builds alone is refused', async () => {
    const request = makeRequest('InitiateReboot', 'Msvm_ShutdownComponent', { selectors: { DeviceID: 'x' } })

    assert.equal(faultOf(await makeWorld({ build: 9600 }).post(request)).subcode, 'a:ActionNotSupported')
    assert.equal(faultOf(await makeWorld({ build: 10240 }).post(request)).subcode, 'w:InvalidSelectors')
  })

  test('whose body is of another method is refused', async () => {
    const body =
      '<p:DestroySystem_INPUT xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2/Msvm_VirtualSystemManagementService"/>'

    assert.equal(await refusalOf(callService('DefineSystem', '', { body })), SCHEMA_VALIDATION)
  })

  test('whose body is of another class is refused', async () => {
    const body =
      '<p:DefineSystem_INPUT xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2/Msvm_ComputerSystem"/>'

    assert.equal(await refusalOf(callService('DefineSystem', '', { body })), SCHEMA_VALIDATION)
  })

  test('without a body is refused where the method takes something', async () => {
    assert.equal(await refusalOf(callService('DefineSystem', '', { body: '' })), SCHEMA_VALIDATION)
  })

  test("may be to a class by DMTF's URI, in its action and in its body", async () => {
    const resourceUri = 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ComputerSystem'
    const selectors = { ...VM, __cimnamespace: 'root/virtualization/v2' }
    const world = makeWorld()

    const input = '<p:RequestedState>2</p:RequestedState>'
    const reply = await world.post(makeRequest('RequestStateChange', '', { resourceUri, selectors, input }))

    assert.equal(reply.status, 200)
    assert.deepEqual(world.calls[0]?.self.values.get('Name'), VMS[0])
  })

  test('whose action is of another resource is refused', async () => {
    const action =
      'http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2/Msvm_ComputerSystem/DefineSystem'

    assert.equal(await refusalOf(callService('DefineSystem', '', { action })), 'a:ActionNotSupported 2150858771')
  })

  test('of an object that is not there is refused as not found', async () => {
    const request = makeRequest('RequestStateChange', 'Msvm_ComputerSystem', {
      selectors: { ...VM, Name: '99999999-9999-9999-9999-999999999999' },
      input: '<p:RequestedState>2</p:RequestedState>',
    })

    assert.equal(await refusalOf(request), 'a:DestinationUnreachable 2147749890')
  })

  test('of a service that is not named at all fails on its own terms', async () => {
    const of = (className: string) => makeRequest('DefineSystem', className, { input: '' })

    assert.equal(await refusalOf(of(VSMS)), 'w:InternalError 2147749935')
    assert.equal(await refusalOf(of('Msvm_VirtualEthernetSwitchManagementService')), 'w:InternalError 2147749889')
  })

  test('of a method that nobody provides fails as not implemented', async () => {
    const request = callService('UpgradeSystemVersion', '')

    assert.equal(await refusalOf(request), 'w:InternalError 2147749973')
  })

  for (const [hresult, refusal] of [
    [Wbem.failed, 'w:InternalError 2147749889'],
    [Wbem.shuttingDown, 'w:InternalError 2147749939'],
    [Wbem.accessDenied, 'w:AccessDenied 5'],
    [Wbem.notFound, 'a:DestinationUnreachable 2147749890'],
    [Wbem.invalidMethodParameters, 'w:InternalError 2147749935'],
  ] as const) {
    test(`that fails in WMI with ${hresult.toString(16)} is answered with ${refusal}`, async () => {
      const world = makeWorld({
        methods: {
          [`${VSMS}.DefineSystem`]: () => {
            throw new WmiError(hresult, 'It failed.')
          },
        },
      })

      const { subcode, code, message } = faultOf(await world.post(callService('DefineSystem', '')))

      assert.equal(`${subcode} ${code}`, refusal)
      assert.match(message, /It failed\./)
    })
  }

  test('that breaks a rule of the host itself is an internal error, and reported', async () => {
    const world = makeWorld({ methods: { [`${VSMS}.DefineSystem`]: { returnValue: 0, output: { Nothing: 1 } } } })

    const fault = faultOf(await world.post(callService('DefineSystem', '')))

    assert.equal(fault.subcode, 'w:InternalError')
    assert.equal(world.bugs.length, 1)
  })
})

describe('an answer to a call', () => {
  const answer = async (world: World, request: string): Promise<string> => {
    const reply = await world.post(request)
    assert.equal(reply.status, 200, reply.text)
    return reply.text
  }

  test('has the out parameters in the order of the schema, then the return value', async () => {
    const world = makeWorld({
      methods: {
        [`${VSMS}.AddResourceSettings`]: {
          returnValue: 4096,
          output: {
            Job: `\\\\${HOST}\\root\\virtualization\\v2:Msvm_ConcreteJob.InstanceID="1"`,
            ResultingResourceSettings: [`\\\\${HOST}\\root\\virtualization\\v2:Msvm_MemorySettingData.InstanceID="2"`],
          },
        },
      },
    })

    const reply = await world.post(callService('AddResourceSettings', ''))

    assert.deepEqual(
      contentOf(reply)
        .elements()
        .map(({ name }) => name),
      ['Job', 'ResultingResourceSettings', 'ReturnValue'].toSorted((a, b) => orderOf(a) - orderOf(b)),
    )
  })

  function orderOf(name: string): number {
    const method = loadSchema('root\\virtualization\\v2', 20348).find(VSMS)?.method('AddResourceSettings')
    const index = method?.parameters.findIndex(parameter => parameter.name === name) ?? -1
    return index === -1 ? Number.POSITIVE_INFINITY : index
  }

  test('says nil for a NULL, and nothing for an array that is NULL', async () => {
    const text = await answer(makeWorld(), callService('AddResourceSettings', ''))

    assert.match(text, /<p:Job xsi:nil="true"\/>/)
    assert.doesNotMatch(text, /ResultingResourceSettings/)
    assert.match(text, /<p:ReturnValue>0<\/p:ReturnValue><\/p:AddResourceSettings_OUTPUT>/)
  })

  test('has bytes as base64 in one element', async () => {
    const world = makeWorld({
      methods: { [`${VSMS}.GetVirtualSystemThumbnailImage`]: { returnValue: 0, output: { ImageData: [0, 255, 16] } } },
    })

    assert.match(await answer(world, callService('GetVirtualSystemThumbnailImage', '')), /<p:ImageData>AP8Q<\/p:Im/)
  })

  test('embeds instances as elements of their own type', async () => {
    const cls = loadSchema('root\\virtualization\\v2', 20348).find('Msvm_SummaryInformation')
    assert.ok(cls)
    const summary = (name: string) => makeInstance(cls, { InstanceID: name, ElementName: name, NumberOfProcessors: 2 })
    const world = makeWorld({
      methods: {
        [`${VSMS}.GetSummaryInformation`]: {
          returnValue: 0,
          output: { SummaryInformation: [summary('a'), summary('b')] },
        },
      },
    })

    const reply = await world.post(callService('GetSummaryInformation', ''))

    const items = contentOf(reply).elements('SummaryInformation')
    assert.equal(items.length, 2)
    const type = items[0]?.attribute('type', 'http://www.w3.org/2001/XMLSchema-instance') ?? ''
    const [prefix = '', name] = type.split(':')
    assert.equal(name, 'Msvm_SummaryInformation_Type')
    assert.match(items[0]?.namespaceOf(prefix) ?? '', /v2\/Msvm_SummaryInformation$/)
    assert.equal(items[1]?.element('ElementName')?.text(), 'b')
    assert.equal(items[1]?.element('NumberOfProcessors')?.text(), '2')
  })

  const picture = (bytes: number): WorldOptions => ({
    methods: {
      [`${VSMS}.GetVirtualSystemThumbnailImage`]: {
        returnValue: 0,
        output: { ImageData: Array.from({ length: bytes }, () => 0) },
      },
    },
  })

  test('that is larger than the client says it takes says that the call was carried out', async () => {
    const world = makeWorld(picture(20_000))
    const headers = '<w:MaxEnvelopeSize>8192</w:MaxEnvelopeSize>'

    const fault = faultOf(await world.post(callService('GetVirtualSystemThumbnailImage', '', { headers })))

    assert.equal(`${fault.subcode} ${fault.detail}`, 'w:EncodingLimit UnreportableSuccess')
    assert.equal(world.calls.length, 1)
  })

  test('may be larger than what the service lets an envelope be, where the client says nothing or takes it', async () => {
    const bytes = 640 * 480 * 2
    for (const headers of ['', '<w:MaxEnvelopeSize>2000000</w:MaxEnvelopeSize>']) {
      const world = makeWorld(picture(bytes))

      const reply = await world.post(callService('GetVirtualSystemThumbnailImage', '', { headers }))

      assert.equal(reply.status, 200, headers)
      assert.ok(reply.text.length > bytes)
    }
  })
})
