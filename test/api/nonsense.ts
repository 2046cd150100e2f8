const MIB = 1024 * 1024

/** A call with parameters that are written out. */
export const call = (params: string, method = 'VM.list') =>
  `<?xml version="1.0"?><methodCall><methodName>${method}</methodName><params>${params}</params></methodCall>`
/** A parameter with a value that is written out. */
export const param = (value: string) => `<param><value>${value}</value></param>`

const laughs = Array.from({ length: 9 }, (_, level) => `<!ENTITY l${level + 1} "${`&l${level};`.repeat(10)}">`).join('')

/** Bodies that are no call, by what is wrong with them. */
export const NONSENSE: Readonly<Record<string, string | Uint8Array>> = {
  nothing: '',
  'white space': ' \n\t ',
  'no XML': 'GET / HTTP/1.1',
  JSON: '{"method": "VM.list", "params": []}',
  zeros: new Uint8Array(1000),
  'an element that is not closed': '<methodCall><methodName>VM.list</methodName>',
  'elements that are closed crosswise': '<methodCall><methodName>VM.list</methodCall></methodName>',
  'two roots': `${call('')}${call('')}`,
  'another root': '<methodResponse><params/></methodResponse>',
  'no method name': '<methodCall><params/></methodCall>',
  'an empty method name': '<methodCall><methodName></methodName></methodCall>',
  'a second method name': '<methodCall><methodName>VM.list</methodName><methodName>VM.list</methodName></methodCall>',
  'an unknown type': call(param('<complex>1</complex>')),
  'an int that is none': call(param('<int>one</int>')),
  'an int of a thousand digits': call(param(`<i8>${'9'.repeat(1000)}</i8>`)),
  'a boolean that is none': call(param('<boolean>2</boolean>')),
  'a double that is none': call(param('<double>NaN</double>')),
  'a date that is none': call(param('<dateTime.iso8601>20061322T99:99:99</dateTime.iso8601>')),
  'base64 that is none': call(param('<base64>§§§</base64>')),
  'a struct with a member without a name': call(param('<struct><member><value>1</value></member></struct>')),
  'two types in one value': call(param('<int>1</int><int>2</int>')),
  'text beside a type': call(param('text<int>1</int>')),
  'an attribute twice': call(param('<string a="1" a="2">x</string>')),
  'an entity nobody declared': call(param('&nobody;')),
  'a character that XML forbids': call(param('\u0000')),
  'a reference to a character that XML forbids': call(param('&#0;')),
  'a reference beyond Unicode': call(param('&#x110000;')),
  'half a surrogate pair': call(param('&#xD800;')),
  'invalid UTF-8': Buffer.concat([
    Buffer.from('<methodCall><methodName>'),
    Buffer.from([0xc3, 0x28, 0xff, 0xfe]),
    Buffer.from('</methodName></methodCall>'),
  ]),
  'overlong UTF-8': Buffer.concat([
    Buffer.from('<methodCall><methodName>'),
    Buffer.from([0xc0, 0xaf]),
    Buffer.from('</methodName></methodCall>'),
  ]),
  'a billion laughs': `<?xml version="1.0"?><!DOCTYPE m [<!ENTITY l0 "ha">${laughs}]>${call(param('&l9;')).slice(21)}`,
  'an external entity': `<?xml version="1.0"?><!DOCTYPE m [<!ENTITY x SYSTEM "file:///etc/passwd">]>${call(param('&x;')).slice(21)}`,
  'an external DTD': `<?xml version="1.0"?><!DOCTYPE m SYSTEM "http://127.0.0.1:1/m.dtd">${call('').slice(21)}`,
  '100,000 nested elements': '<a>'.repeat(100_000),
  '100,000 nested arrays': call(
    param(`${'<array><data><value>'.repeat(33_000)}${'</value></data></array>'.repeat(33_000)}`),
  ),
  '100,000 nested structs': call(param('<struct><member><name>a</name><value>'.repeat(33_000))),
  'an element with 10,000 attributes': call(
    param(`<string ${Array.from({ length: 10_000 }, (_, at) => `a${at}=""`).join(' ')}/>`),
  ),
  'an element name of a megabyte': `<${'a'.repeat(MIB)}/>`,
  'a comment that does not end': `<methodCall><!-- ${'-'.repeat(100)}`,
  'CDATA that does not end': call(param('<![CDATA[')),
}
