import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { XmlError } from '../../src/wire/xml/error.ts'
import { decodeCall, decodeResponse, decodeValue } from '../../src/wire/xmlrpc/decode.ts'
import { FAULT, type WireValue, XmlRpcError, type XmlRpcLimits } from '../../src/wire/xmlrpc/value.ts'

const QUICK_MS = 15_000

const call = (text: string) => decodeCall(Buffer.from(text))
const value = (text: string) => decodeValue(Buffer.from(text))
const response = (text: string, limits?: Partial<XmlRpcLimits>) => decodeResponse(Buffer.from(text), limits)
const answer = (inner: string) => `<methodResponse><params><param>${inner}</param></params></methodResponse>`

function refuses(read: () => unknown, code: number, what: string): void {
  assert.throws(
    read,
    (error: unknown) => {
      assert.ok(error instanceof XmlRpcError, String(error))
      assert.equal(error.code, code, `${error.message} for ${what}`)
      return error.offset !== undefined && error.message.length < 120
    },
    what.slice(0, 100),
  )
}

describe('the decoder reads what the draft prints', () => {
  it('the login of §1.5', () => {
    const printed = `<?xml version='1.0'?>
<methodCall>
  <methodName>Session.do_login_with_password</methodName>
  <params>
    <param>
      <value><string>user</string></value>
    </param>
    <param>
      <value><string>passwd</string></value>
    </param>
  </params>
</methodCall>
`
    assert.deepEqual(call(printed), { method: 'Session.do_login_with_password', params: ['user', 'passwd'] })
  })

  it('the answer of §1.3.1, with spaces round names and an array without a value round it', () => {
    const printed = `<struct>
  <member> <name> Status </name>
    <value> Success </value>
  </member>
  <member> <name> Value </name>
    <array>
      <data>
        <value> vm-id-1 </value>
        <value> vm-id-2 </value>
      </data>
    </array>
  </member>
</struct>`
    const expected = { Status: ' Success ', Value: [' vm-id-1 ', ' vm-id-2 '] }
    assert.deepEqual(value(printed), expected)
    assert.deepEqual(response(answer(printed)), { kind: 'value', value: expected })
  })
})

describe('the decoder takes each value in every spelling', () => {
  const spellings: readonly (readonly [text: string, expected: WireValue])[] = [
    ['<value>text</value>', 'text'],
    ['<value> text\r\n </value>', ' text\n '],
    ['<value><string> text </string></value>', ' text '],
    ['<value>\n <string>text</string>\t</value>', 'text'],
    ['<value>  </value>', '  '],
    ['<value/>', ''],
    ['<value></value>', ''],
    ['<value><string/></value>', ''],
    ['<value><string></string></value>', ''],
    ['<value a="1"><string b="2">a<!-- x -->b<![CDATA[<c>]]>&#100;</string></value>', 'ab<c>d'],
    ['<value>a<!-- x --><![CDATA[ ]]>b</value>', 'a b'],
    ['<value><!-- x --> <?p?> <int>1</int></value>', 1n],
    ['<string>x</string>', 'x'],
    ['<value><int> \n 7 </int></value>', 7n],
    ['<value><i4>+7</i4></value>', 7n],
    ['<value><i8>-007</i8></value>', -7n],
    ['<value><i8>9223372036854775807</i8></value>', 9223372036854775807n],
    ['<value><int>-9223372036854775808</int></value>', -9223372036854775808n],
    ['<value><boolean>1</boolean></value>', true],
    ['<value><boolean> 0 </boolean></value>', false],
    ['<value><boolean>true</boolean></value>', true],
    ['<value><boolean>\nfalse</boolean></value>', false],
    ['<value><double>-12.214</double></value>', -12.214],
    ['<value><double> 1 </double></value>', 1],
    ['<value><double>+.5</double></value>', 0.5],
    ['<value><double>5.E-1</double></value>', 0.5],
    ['<value><double>-0.0</double></value>', -0],
    ['<value><base64> AP8\n Q </base64></value>', Uint8Array.of(0, 255, 16)],
    ['<value><base64/></value>', new Uint8Array()],
    ['<value><base64>AA==</base64></value>', Uint8Array.of(0)],
    ['<value><nil/></value>', null],
    ['<value><nil> </nil></value>', null],
    ['<value><ex:nil/></value>', null],
    ['<value xmlns:ex="http://ws.apache.org/xmlrpc/namespaces/extensions"> <ex:nil/> </value>', null],
    [
      '<value> <array> <data> <value>a</value> <int>1</int> <array><data/></array> </data> </array> </value>',
      ['a', 1n, []],
    ],
    ['<value><struct/></value>', {}],
    ['<value><struct><member><name>\n a b\t</name><value>1</value></member></struct></value>', { 'a b': '1' }],
    ['<value><struct><member><name/><value/></member></struct></value>', { '': '' }],
    ['<value><struct><member><name>a</name><struct> </struct></member></struct></value>', { a: {} }],
    [
      '<value><struct><member><name>a&amp;<![CDATA[b]]></name><value>1</value></member></struct></value>',
      { 'a&b': '1' },
    ],
  ]
  for (const [text, expected] of spellings) {
    it(JSON.stringify(text), () => {
      assert.deepEqual(value(text), expected)
      assert.deepEqual(response(answer(text)), { kind: 'value', value: expected })
      assert.deepEqual(
        call(`<methodCall><methodName>a</methodName><params><param>${text}</param></params></methodCall>`),
        {
          method: 'a',
          params: [expected],
        },
      )
    })
  }

  const dates: readonly (readonly [text: string, iso: string])[] = [
    ['20061122T08:00:00Z', '2006-11-22T08:00:00Z'],
    ['20061122T08:00:00', '2006-11-22T08:00:00Z'],
    ['2006-11-22T08:00:00Z', '2006-11-22T08:00:00Z'],
    [' 20061122T080000 ', '2006-11-22T08:00:00Z'],
    ['20061122t08:00:00z', '2006-11-22T08:00:00Z'],
    ['20061122T08:00:00+02:00', '2006-11-22T06:00:00Z'],
    ['20061122T08:00:00-0230', '2006-11-22T10:30:00Z'],
    ['20061122T08:00:00+01', '2006-11-22T07:00:00Z'],
    ['2006-11-22T08:00:00.25Z', '2006-11-22T08:00:00.250Z'],
    ['20040229T23:59:59Z', '2004-02-29T23:59:59Z'],
    ['00010101T00:00:00Z', '0001-01-01T00:00:00Z'],
  ]
  for (const [text, iso] of dates) {
    it(`the date ${JSON.stringify(text)}`, () => {
      assert.deepEqual(value(`<value><dateTime.iso8601>${text}</dateTime.iso8601></value>`), new Date(iso))
    })
  }
})

describe('the decoder takes calls and answers', () => {
  it('with white space, comments and attributes anywhere', () => {
    const text =
      '\ufeff<?xml version="1.0" encoding="UTF-8"?><!-- x -->\r\n<methodCall a="1" >\n<methodName>\n a.b </methodName >\n<params\t/>\n</methodCall>\n<?p?>'
    assert.deepEqual(call(text), { method: 'a.b', params: [] })
  })

  it('without params', () => {
    assert.deepEqual(call('<methodCall><methodName>a</methodName></methodCall>'), { method: 'a', params: [] })
    assert.deepEqual(call('<methodCall><methodName>a</methodName><params></params></methodCall>'), {
      method: 'a',
      params: [],
    })
  })

  it('with a fault, however its members are ordered', () => {
    const member = (name: string, inner: string) => `<member><name>${name}</name><value>${inner}</value></member>`
    const fault = (inner: string) =>
      `<methodResponse><fault><value><struct>${inner}</struct></value></fault></methodResponse>`
    const expected = { kind: 'fault', code: 4, message: 'Too many parameters.' }
    const code = member('faultCode', '<int>4</int>')
    const message = member('faultString', 'Too many parameters.')
    assert.deepEqual(response(fault(code + message)), expected)
    assert.deepEqual(response(fault(message + code)), expected)
    for (const broken of [
      code,
      message,
      '',
      member('faultCode', 'x') + message,
      code + member('faultString', '<int>1</int>'),
    ]) {
      refuses(() => response(fault(broken)), FAULT.invalidRequest, broken)
    }
  })

  it('with member names that mean something to JavaScript, as harmless members', () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
    const members = names.map(name => `<member><name>${name}</name><value><struct/></value></member>`).join('')
    for (const space of ['', ' ', '<!-- -->']) {
      const decoded = response(answer(`<value><struct>${members}${space}</struct></value>`))
      assert.ok(decoded.kind === 'value' && typeof decoded.value === 'object' && decoded.value !== null)
      assert.deepEqual(Object.keys(decoded.value), names)
      assert.equal(Object.getPrototypeOf(decoded.value), Object.prototype)
    }
    assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false)
  })

  it('with a member twice, of which the last one stays', () => {
    const member = (text: string) => `<member><name>a</name><value>${text}</value></member>`
    assert.deepEqual(value(`<struct>${member('1')}${member('2')}</struct>`), { a: '2' })
    assert.deepEqual(response(answer(`<value><struct>${member('1')}${member('2')}</struct></value>`)), {
      kind: 'value',
      value: { a: '2' },
    })
  })

  it('given as any kind of byte array', () => {
    const bytes = new TextEncoder().encode(`xx${answer('<value>é</value>')}xx`)
    assert.deepEqual(decodeResponse(bytes.subarray(2, -2)), { kind: 'value', value: 'é' })
  })
})

describe('the decoder refuses', () => {
  it('text that is none of its type', () => {
    const broken: Readonly<Record<string, readonly string[]>> = {
      int: [
        '',
        'x',
        '1.0',
        '1 2',
        '0x1',
        '--1',
        '9223372036854775808',
        '-9223372036854775809',
        '1'.repeat(100),
        '\u00a01',
      ],
      boolean: ['', '2', 'TRUE', 'yes', '10'],
      double: ['', '.', 'nan', 'NaN', 'inf', 'Infinity', '1e999', '0x1', '1e', '1,5', '1 2'],
      'dateTime.iso8601': [
        '',
        'x',
        '20061122',
        '20061322T08:00:00Z',
        '20060230T08:00:00Z',
        '20061122T24:00:00Z',
        '20061122T08:60:00Z',
        '20061122T08:00:60Z',
        '20061122T08:00:00+24:00',
        '20061122T08:00:00X',
        '06-11-22T08:00:00',
      ],
      base64: ['A', 'AAA', 'A===', 'AA=A', 'AA-_', 'A\u00e9=='],
    }
    for (const [type, texts] of Object.entries(broken)) {
      for (const text of texts) {
        const document = `<value><${type}>${text}</${type}></value>`
        refuses(() => value(document), FAULT.invalidRequest, document)
        refuses(() => response(answer(document)), FAULT.invalidRequest, document)
      }
    }
  })

  it('XML that is no XML-RPC', () => {
    const broken = [
      '<value>x<int>1</int></value>',
      '<value><int>1</int>x</value>',
      '<value><int>1</int><int>2</int></value>',
      '<value><value>1</value></value>',
      '<value><what>1</what></value>',
      '<value><Int>1</Int></value>',
      '<value><int><i4>1</i4></int></value>',
      '<value><string><b>x</b></string></value>',
      '<value><nil>x</nil></value>',
      '<value><nil><nil/></nil></value>',
      '<value><array/></value>',
      '<value><array><value>1</value></array></value>',
      '<value><array><data/><data/></array></value>',
      '<value><array><data>x</data></array></value>',
      '<value><struct>x</struct></value>',
      '<value><struct><name>a</name></struct></value>',
      '<value><struct><member/></struct></value>',
      '<value><struct><member><value>1</value></member></struct></value>',
      '<value><struct><member><name>a</name></member></struct></value>',
      '<value><struct><member><value>1</value><name>a</name></member></struct></value>',
      '<value><struct><member><name>a</name><value>1</value><value>2</value></member></struct></value>',
      '<value><struct><member><name><b/></name><value>1</value></member></struct></value>',
      '<name>x</name>',
    ]
    for (const document of broken) {
      refuses(() => value(document), FAULT.invalidRequest, document)
      refuses(() => response(answer(document)), FAULT.invalidRequest, document)
    }
  })

  it('documents that are no call', () => {
    const broken = [
      '<a/>',
      '<methodCall/>',
      '<methodCall><methodName/></methodCall>',
      '<methodCall><methodName> </methodName></methodCall>',
      '<methodCall><params/></methodCall>',
      '<methodCall>x<methodName>a</methodName></methodCall>',
      '<methodCall><methodName>a<b/></methodName></methodCall>',
      '<methodCall><methodName>a</methodName><methodName>b</methodName></methodCall>',
      '<methodCall><methodName>a</methodName><params/><params/></methodCall>',
      '<methodCall><methodName>a</methodName><params><value>1</value></params></methodCall>',
      '<methodCall><methodName>a</methodName><params><param/></params></methodCall>',
      '<methodCall><methodName>a</methodName><params><param><value/><value/></param></params></methodCall>',
      answer('<value/>'),
    ]
    for (const document of broken) refuses(() => call(document), FAULT.invalidRequest, document)
  })

  it('documents that are no answer', () => {
    const broken = [
      '<methodResponse/>',
      '<methodResponse><params/></methodResponse>',
      '<methodResponse><fault/></methodResponse>',
      '<methodResponse><value/></methodResponse>',
      '<methodResponse><params><param><value/></param><param><value/></param></params></methodResponse>',
      '<methodResponse><params><param><value/></param></params><fault/></methodResponse>',
      '<methodCall><methodName>a</methodName></methodCall>',
    ]
    for (const document of broken) refuses(() => response(document), FAULT.invalidRequest, document)
  })

  it('what is not well-formed, has a DTD, or is not UTF-8, as not parsed', () => {
    const broken = [
      '',
      'x',
      '<methodResponse>',
      '<methodResponse></x>',
      '<!DOCTYPE x><methodCall/>',
      answer('<value>&x;</value>'),
      answer('<value>\u0001</value>'),
      `${answer('<value/>')}x`,
      `${answer('<value/>')}<a/>`,
      answer('<value>1</value></value>'),
      answer('<value>]]></value>'),
    ]
    for (const document of broken) refuses(() => response(document), FAULT.parseError, document)
    refuses(() => decodeCall(Buffer.from('<methodCall/>', 'utf16le')), FAULT.parseError, 'UTF-16')
    refuses(() => decodeCall(Buffer.from([0x3c, 0x61, 0xff])), FAULT.parseError, 'broken UTF-8')
  })
})

describe('the decoder keeps to its bounds', () => {
  const limited = (text: string, limits?: Partial<XmlRpcLimits>) => {
    assert.throws(
      () => response(text, limits),
      (error: unknown) =>
        error instanceof XmlRpcError &&
        error.code === FAULT.invalidRequest &&
        error.cause instanceof XmlError &&
        error.cause.kind === 'limit',
    )
  }
  const nested = (depth: number, inner = '') =>
    answer('<value><array><data>'.repeat(depth) + inner + '</data></array></value>'.repeat(depth))

  it('of bytes, depth and values, in either decoder, and reads what just fits', () => {
    for (const space of ['', '<!-- -->']) {
      limited(nested(64, '<value><struct></struct></value>') + space)
      assert.equal(response(nested(64, '<value>x</value>') + space).kind, 'value')
      limited(nested(2, '<value>1</value>') + space, { maxValues: 2 })
      assert.equal(response(nested(2, '<value>1</value>') + space, { maxValues: 3 }).kind, 'value')
      limited(nested(1) + space, { maxBytes: 20 })
      limited(nested(1, '<value><struct></struct></value>') + space, { maxDepth: 1 })
    }
    limited(nested(600), { maxDepth: 100_000 })
  })

  const hostile: Readonly<Record<string, string>> = {
    '100,000 nested arrays': nested(100_000),
    '100,000 nested structs': answer('<value><struct><member><name>a</name>'.repeat(100_000)),
    '100,000 nested values': answer('<value>'.repeat(100_000)),
    'millions of values': nested(1, '<value/>'.repeat(3_000_000)),
    'millions of typed values': nested(1, '<nil/>'.repeat(3_000_000)),
    'an integer of megabytes': answer(`<value><int>${'1'.repeat(8_000_000)}</int></value>`),
    'a double of megabytes': answer(`<value><double>${'1'.repeat(8_000_000)}x</double></value>`),
    'white space of megabytes': answer(`<value>${' '.repeat(8_000_000)}<int>x</int></value>`),
    'base64 of megabytes': answer(`<value><base64>${'A A\n'.repeat(2_000_000)}=</base64></value>`),
    'a date of megabytes': answer(`<value><dateTime.iso8601>${'20061122T'.repeat(500_000)}</dateTime.iso8601></value>`),
  }
  for (const [what, document] of Object.entries(hostile)) {
    it(`refuses ${what} quickly`, () => {
      const bytes = Buffer.from(document)
      const start = performance.now()

      assert.throws(() => decodeResponse(bytes), { name: 'XmlRpcError' })

      assert.ok(performance.now() - start < QUICK_MS)
    })
  }
})
