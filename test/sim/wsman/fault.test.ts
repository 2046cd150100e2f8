import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Wbem, WmiError } from '../../../sim/hyperv/cim/provider.ts'
import { faultOf } from './replies.ts'
import { makeRequest } from './requests.ts'
import { makeWorld, type World } from './world.ts'
import { call, enumerate, get } from './wrong.ts'

describe('a fault', () => {
  const seen = async (world: World, request: string) => faultOf(await world.post(request))

  test('relates to its request and is addressed to nobody in particular', async () => {
    const reply = await makeWorld().post(get({ selectors: {}, messageId: 'uuid:ONE' }))

    const header = reply.root.element('Header')
    assert.equal(header?.element('RelatesTo')?.text(), 'uuid:ONE')
    assert.equal(header.element('To')?.text(), 'http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous')
    assert.match(header.element('MessageID')?.text() ?? '', /^uuid:[\dA-F-]{36}$/)
  })

  for (const [request, action] of [
    [get({ selectors: {} }), 'wsman'],
    [get({}, 'Msvm_Nothing'), 'addressing'],
    [makeRequest('Pull', 'X', { context: 'x' }), 'enumeration'],
    [get({ headers: '<x:Y xmlns:x="urn:x" s:mustUnderstand="true"/>' }), 'addressing'],
  ] as const) {
    test(`has the action of ${action} where its subcode is of that`, async () => {
      assert.equal((await seen(makeWorld(), request)).action, action)
    })
  }

  test('for what must be understood names it as the request does', async () => {
    const reply = await makeWorld().post(get({ headers: '<x:Y xmlns:x="urn:&lt;x&gt;" s:mustUnderstand="true"/>' }))

    const { attributes, ...header } = reply.root.element('Header')?.element('NotUnderstood') ?? assert.fail()
    assert.deepEqual(
      attributes.map(({ name, value }) => [name, value]),
      [['qname', 'x:Y']],
    )
    assert.equal(header.name, 'NotUnderstood')
    assert.match(reply.text, /<s:NotUnderstood qname="x:Y" xmlns:x="urn:&lt;x&gt;"\/>/)
  })

  test('of WMI has the form of the host that gives it', async () => {
    const request = enumerate({ wql: "SELECT * FROM Msvm_Nothing WHERE Name = 'a&b'" })
    const old = (await makeWorld({ build: 7601 }).post(request.replaceAll('/v2/', '/'))).text
    const young = (await makeWorld({ build: 9200 }).post(request)).text

    assert.ok(
      old.includes(
        '<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="2150858778" Machine="127.0.0.1">' +
          '<f:Message><f:ProviderFault provider="WMI Provider" path="%systemroot%\\system32\\WsmWmiPl.dll">' +
          '<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="2150858778" Machine="HVHOST">' +
          '<f:Message>The specified class does not exist in the given namespace. </f:Message></f:WSManFault>' +
          '<f:ExtendedError><p:__ExtendedStatus xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"' +
          ' xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/__ExtendedStatus"' +
          ' xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common" xsi:type="p:__ExtendedStatus_Type">' +
          '<p:Description xsi:nil="true"/><p:Operation>ExecQuery</p:Operation>' +
          "<p:ParameterInfo>SELECT * FROM Msvm_Nothing WHERE Name = 'a&amp;b'</p:ParameterInfo>" +
          '<p:ProviderName>WinMgmt</p:ProviderName><p:StatusCode xsi:nil="true"/></p:__ExtendedStatus>',
      ),
      old,
    )
    assert.ok(
      young.includes(
        '<s:Detail><p:MSFT_WmiError b:IsCIM_Error="true" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"' +
          ' xmlns:b="http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd"' +
          ' xmlns:p="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError"',
      ),
      young,
    )
    assert.match(young, /<p:error_Code xsi:type="cim:cimUnsignedInt">2150858778<\/p:error_Code>/)
    assert.match(young, /<p:MessageID xsi:type="cim:cimString">HRESULT 0x8033801a<\/p:MessageID>/)
  })

  test('for a namespace that is not there says so in both forms', async () => {
    const message =
      'The WS-Management service cannot process the request. The CIM namespace root/virtualization/v2 is invalid. '
    for (const [build, request] of [
      [7601, enumerate({ wql: 'SELECT * FROM Msvm_ComputerSystem' })],
      [20348, enumerate({ namespace: 'root/virtualization', wql: 'SELECT * FROM Msvm_ComputerSystem' })],
    ] as const) {
      const fault = await seen(makeWorld({ build }), request)

      assert.equal(fault.code, 2150858778)
      assert.equal(fault.message.replace('virtualization is', 'virtualization/v2 is'), message)
    }
  })

  test('speaks the language of the host, and has the same codes in it', async () => {
    const [english, japanese] = [makeWorld(), makeWorld({ locale: 'ja-JP' })]
    for (const request of [get({ selectors: {} }), enumerate({ wql: 'SELECT * FROM Msvm_Nothing' }), call('<p:X/>')]) {
      const [here, there] = [await seen(english, request), await seen(japanese, request)]

      assert.notEqual(here.reason, there.reason)
      assert.notEqual(here.message, there.message)
      assert.match(there.reason + there.message, /[\u3040-\u30ff]/)
      assert.deepEqual({ ...here, reason: '', message: '' }, { ...there, reason: '', message: '' })
    }
  })

  test('is written also where what failed says what no XML can carry', async () => {
    const world = makeWorld({
      methods: {
        'Msvm_ComputerSystem.RequestStateChange': () => {
          throw new WmiError(Wbem.failed, 'no \u0001 and no \ud800')
        },
      },
    })

    const { message } = await seen(world, call('<p:RequestedState>2</p:RequestedState>'))

    assert.equal(message, 'no \ufffd and no \ufffd ')
  })

  test('keeps secrets out: what a request held does not come back but in what it is about', async () => {
    const reply = await makeWorld().post(call('<p:RequestedState>pa55word</p:RequestedState>'))

    assert.doesNotMatch(reply.text, /pa55word/)
  })
})
