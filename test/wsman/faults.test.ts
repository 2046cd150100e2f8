import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WsmanFault } from '../../src/protocols/wsman/fault.ts'
import { faultKind } from '../../src/protocols/wsman/fault-kind.ts'
import { readReply } from '../../src/protocols/wsman/reply.ts'
import { answerTo, faultWith, fixture } from './client-script.ts'

const WSMAN = 'http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd'
const ENUMERATION = 'http://schemas.xmlsoap.org/ws/2004/09/enumeration'

/** The fault that an answer is. */
function faultIn(answer: Uint8Array | string): WsmanFault {
  try {
    readReply(Buffer.from(answer))
  } catch (error) {
    if (error instanceof WsmanFault) return error
    throw error
  }
  return assert.fail('the answer is no fault')
}

function body(content: string): string {
  return answerTo({ messageId: '' }, content)
}

describe('faults that real hosts sent', () => {
  test('a header that is not understood', () => {
    const fault = faultIn(fixture('faults/pywinrm_fault_0_nocode.xml'))

    assert.equal(fault.kind, 'not-supported')
    assert.equal(fault.soapCode, 'MustUnderstand')
    assert.equal(fault.notUnderstood, 'wsman:ResourceUri')
    assert.equal(fault.reason, 'Test reason.')
    assert.deepEqual([fault.code, fault.providerCode, fault.subcodes], [undefined, undefined, []])
  })

  test('one that says next to nothing', () => {
    const fault = faultIn(fixture('faults/pywinrm_fault_1_nocode.xml'))

    assert.equal(fault.kind, 'unknown')
    assert.equal(fault.soapCode, 'Unknown')
    assert.equal(fault.reason, '')
    assert.equal(fault.message, 'the host tells no reason')
  })

  test('time that ran out', () => {
    const fault = faultIn(fixture('faults/pywinrm_fault_2_2150858793.xml'))

    assert.equal(fault.kind, 'timed-out')
    assert.equal(fault.code, 2_150_858_793)
    assert.equal(fault.soapCode, 'Receiver')
    assert.deepEqual(fault.subcodes, [{ namespace: WSMAN, name: 'TimedOut' }])
    assert.match(fault.message, /cannot complete the operation within .* \(0x80338029\)$/)
  })

  test('a body that breaks the schema', () => {
    const fault = faultIn(fixture('faults/pywinrm_fault_3_2150858817.xml'))

    assert.equal(fault.kind, 'schema')
    assert.equal(fault.code, 2_150_858_817)
    assert.deepEqual(fault.subcodes, [{ namespace: WSMAN, name: 'SchemaValidationError' }])
    assert.equal(fault.reason, 'Reason text.')
    assert.equal(fault.detail, 'Detail message.')
  })

  test('too many operations, though the name speaks of an internal error', () => {
    const fault = faultIn(fixture('faults/pywinrm_fault_4_2150859174.xml'))

    assert.equal(fault.kind, 'quota')
    assert.equal(fault.code, 2_150_859_174)
    assert.equal(fault.cimStatus, 27)
    assert.deepEqual(fault.subcodes, [{ namespace: WSMAN, name: 'InternalError' }])
    assert.equal(fault.detail, 'WMI Message.')
    assert.equal(fault.status?.className, 'MSFT_WmiError')
    assert.equal(fault.status?.number('error_Category'), 30)
    assert.equal(fault.status?.string('error_WindowsErrorMessage'), 'Windows Error message. ')
  })

  test('a class that does not exist, as the first WinRM tells it', () => {
    const fault = faultIn(fixture('faults/soap_fault_v1.xml'))

    assert.equal(fault.kind, 'bad-filter')
    assert.deepEqual([fault.code, fault.providerCode], [2_150_858_778, 2_150_858_778])
    assert.deepEqual(fault.subcodes, [{ namespace: ENUMERATION, name: 'CannotProcessFilter' }])
    assert.equal(fault.provider, 'WMIv1 plugin for Windows Remote Management')
    assert.equal(fault.detail, 'The specified class does not exist in the given namespace.')
    assert.match(fault.reason, /^The data source could not process the filter\. .* try the request again\.$/)
    assert.equal(fault.status, undefined)
  })

  test('a class that does not exist, as Server 2008 R2 tells it, with what WMI did', () => {
    const fault = faultIn(fixture('faults/soap_fault_v2.xml'))

    assert.equal(fault.kind, 'bad-filter')
    assert.equal(fault.provider, 'WMI Provider')
    assert.equal(fault.status?.className, '__ExtendedStatus')
    assert.equal(fault.status?.string('Operation'), 'ExecQuery')
    assert.equal(fault.status?.string('ParameterInfo'), 'Select * from Win32_Processa where name="sshd.exe"')
    assert.equal(fault.status?.number('StatusCode'), undefined)
  })

  test('too many shells, as WMI tells it', () => {
    const fault = faultIn(fixture('faults/wmi_error_v2.xml'))

    assert.equal(fault.kind, 'quota')
    assert.equal(fault.code, 2_150_859_173)
    assert.equal(fault.providerCode, undefined)
    assert.deepEqual(fault.subcodes, [{ namespace: WSMAN, name: 'QuotaLimit' }])
    assert.match(fault.message, /allowed a maximum number of 30 concurrent shells.*\(0x803381a5\)$/)
  })
})

describe('what a fault means', () => {
  const names = {
    'w:AccessDenied': 'access-denied',
    'a:DestinationUnreachable': 'not-found',
    'w:InvalidSelectors': 'invalid-selectors',
    'w:QuotaLimit': 'quota',
    'n:CannotProcessFilter': 'bad-filter',
    'n:FilterDialectRequestedUnavailable': 'bad-filter',
    'n:InvalidEnumerationContext': 'invalid-context',
    'w:SchemaValidationError': 'schema',
    'a:MessageInformationHeaderRequired': 'schema',
    'w:InvalidParameter': 'bad-parameter',
    'w:EncodingLimit': 'too-large',
    'a:ActionNotSupported': 'not-supported',
    'w:UnsupportedFeature': 'not-supported',
    'a:EndpointUnavailable': 'unavailable',
    'w:AlreadyExists': 'exists',
    'w:InternalError': 'internal',
    'w:TimedOut': 'timed-out',
    'n:TimedOut': 'timed-out',
    's:TimedOut': 'unknown',
    'w:Surprise': 'unknown',
  }

  for (const [name, kind] of Object.entries(names)) {
    test(`${name} is ${kind}`, () => {
      assert.equal(faultIn(body(faultWith(name))).kind, kind)
    })
  }

  const codes: readonly (readonly [string, number, string])[] = [
    ['w:AccessDenied', 5, 'access-denied'],
    ['w:InternalError', 0x80041002, 'not-found'],
    ['a:DestinationUnreachable', 0x8033801a, 'not-found'],
    ['w:InternalError', 0x8033801a, 'bad-filter'],
    ['w:InternalError', 0x8033805b, 'invalid-selectors'],
    ['w:InternalError', 0x8004102f, 'bad-parameter'],
    ['w:InternalError', 0x80041033, 'unavailable'],
    ['w:InternalError', 0x80041024, 'not-supported'],
    ['w:InternalError', 0x12345678, 'internal'],
    ['w:InternalError', -2_147_217_406, 'not-found'], // 0x80041002, told as a signed number.
  ]

  for (const [name, code, kind] of codes) {
    test(`${name} with ${code} is ${kind}`, () => {
      const fault = faultIn(body(faultWith(name, code)))

      assert.equal(fault.kind, kind)
      assert.equal(fault.code, code >>> 0)
    })
  }

  test('the provider knows better than WinRM', () => {
    const fault = (code: string) =>
      `<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" ${code}`
    const inner = `${fault('Code="2147749890"')}><f:Message>Nicht gefunden </f:Message></f:WSManFault>`
    const detail = `${fault('Code="2150858755"')}><f:Message><f:ProviderFault provider="WMI Provider">${inner}</f:ProviderFault></f:Message></f:WSManFault>`
    const text = faultWith('w:InternalError').replace('</s:Fault>', `<s:Detail>${detail}</s:Detail></s:Fault>`)

    const told = faultIn(body(text))

    assert.equal(told.kind, 'not-found')
    assert.deepEqual([told.code, told.providerCode], [2_150_858_755, 2_147_749_890])
    assert.equal(told.message, 'Nicht gefunden (0x80041002)')
  })

  test('a code of another table than HRESULT is not taken for one', () => {
    const namespace = 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError'
    const error = (type: string) =>
      `<p:MSFT_WmiError xmlns:p="${namespace}"><p:CIMStatusCode>5</p:CIMStatusCode><p:error_Code>5</p:error_Code><p:error_Type>${type}</p:error_Type></p:MSFT_WmiError>`
    const text = (type: string) =>
      faultWith('w:InternalError').replace('</s:Fault>', `<s:Detail>${error(type)}</s:Detail></s:Fault>`)

    // 5 is "access denied" among the codes of Windows, and "no such class" among those of CIM.
    assert.equal(faultIn(body(text('HRESULT'))).kind, 'access-denied')
    assert.equal(faultIn(body(text('MI'))).kind, 'not-found')
  })

  test('a status of CIM tells what it was, where there is no better code', () => {
    for (const [status, kind] of [
      [13, 'bad-parameter'],
      [23, 'invalid-context'],
      [25, 'bad-filter'],
      [28, 'unavailable'],
      [1, 'internal'],
    ] as const) {
      const codes = { code: undefined, providerCode: undefined, cimStatus: status, soapCode: 'Receiver' }
      const subcodes = [{ namespace: 'http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd', name: 'InternalError' }]

      assert.equal(faultKind({ ...codes, subcodes }), kind)
    }
  })

  test('the innermost of several names is the one that counts', () => {
    const inner = '<s:Subcode><s:Value>w:InvalidSelectors</s:Value></s:Subcode>'
    const text = faultWith('w:InternalError').replace('</s:Value></s:Subcode>', `</s:Value>${inner}</s:Subcode>`)

    const fault = faultIn(body(text))

    assert.equal(fault.kind, 'invalid-selectors')
    assert.deepEqual(
      fault.subcodes.map(({ name }) => name),
      ['InternalError', 'InvalidSelectors'],
    )
  })

  test('texts decide nothing', () => {
    const text = faultWith('w:InternalError').replace('>text<', '>Access is denied. The operation timed out.<')

    assert.equal(faultIn(body(text)).kind, 'internal')
  })
})

test('the prefixes of a fault decide nothing, be they in its tags or in its codes', () => {
  for (const name of ['soap_fault_v1', 'soap_fault_v2', 'wmi_error_v2', 'pywinrm_fault_2_2150858793']) {
    const plain = fixture(`faults/${name}.xml`).toString()
    const renamed = plain.replace(/(<\/?|xmlns:|type=['"]|<s:Value>)(\w+)(?=[:=])/g, '$1q-$2')
    const codes = renamed
      .replace(/(Value>)(\w+)(?=:)/g, '$1q-$2')
      .replaceAll(' xsi:', ' q-xsi:')
      .replaceAll(' b:', ' q-b:')

    const [before, after] = [faultIn(plain), faultIn(codes)]

    assert.deepEqual([after.kind, after.code, after.subcodes], [before.kind, before.code, before.subcodes], name)
    assert.equal(after.message, before.message)
  }
})
