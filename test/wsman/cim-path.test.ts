import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { reference } from '../../src/protocols/wsman/endpoint-reference.ts'
import {
  objectPath,
  parseObjectPath,
  printObjectPath,
  referenceTo,
  relativePath,
} from '../../src/protocols/wsman/object-path.ts'
import { classUri, parseResourceUri } from '../../src/protocols/wsman/resource.ts'

const V2 = 'root/virtualization/v2'

test('a path is printed as WMI prints it', () => {
  const drive = reference(V2, 'Msvm_ResourceAllocationSettingData', {
    InstanceID: String.raw`Microsoft:1\83F8638B\0\0\D`,
  })
  const port = reference(V2, 'Msvm_ExternalEthernetPort', {
    SystemName: 'HV',
    DeviceID: 'Microsoft:{1}',
    CreationClassName: 'Msvm_ExternalEthernetPort',
    SystemCreationClassName: 'Msvm_ComputerSystem',
  })

  assert.equal(
    objectPath(drive, 'HVHOST'),
    String.raw`\\HVHOST\root\virtualization\v2:Msvm_ResourceAllocationSettingData.InstanceID="Microsoft:1\\83F8638B\\0\\0\\D"`,
  )
  assert.equal(
    printObjectPath(relativePath(port)),
    'Msvm_ExternalEthernetPort.CreationClassName="Msvm_ExternalEthernetPort",DeviceID="Microsoft:{1}",' +
      'SystemCreationClassName="Msvm_ComputerSystem",SystemName="HV"',
  )
  assert.equal(
    printObjectPath(relativePath(reference(V2, 'Msvm_X', { Lun: 0, On: true, Q: 'a"b' }))),
    String.raw`Msvm_X.Lun=0,On=TRUE,Q="a\"b"`,
  )
  assert.equal(printObjectPath({ className: 'Win32_OperatingSystem', keys: new Map() }), 'Win32_OperatingSystem=@')
  assert.throws(() => objectPath(drive, 'a\\b'), { name: 'CimError' })
})

test('a path is read in every spelling', () => {
  const spellings: readonly (readonly [string, string | undefined, string | undefined])[] = [
    [String.raw`\\HV\root\virtualization\v2:Msvm_X.A="1\\2",B=3,C=true`, 'HV', V2],
    [String.raw`//hv/Root/Virtualization/V2:Msvm_X.A='1\\2' , B = 3 , C = TRUE`, 'hv', 'Root/Virtualization/V2'],
    [String.raw`root\virtualization\v2:Msvm_X.A="1\\2",B=3,C=true`, undefined, V2],
    [String.raw`Msvm_X.A="1\\2",B=3,C=true`, undefined, undefined],
    [String.raw`\\.\root\virtualization\v2:Msvm_X.A="1\\2",B=3,C=true`, '.', V2],
  ]
  for (const [text, host, namespace] of spellings) {
    const path = parseObjectPath(text)

    assert.ok(path, text)
    assert.equal(path.host, host)
    assert.equal(path.namespace, namespace)
    assert.equal(path.className, 'Msvm_X')
    assert.deepEqual(
      [...path.keys],
      [
        ['A', '1\\2'],
        ['B', 3n],
        ['C', true],
      ],
    )
  }
  assert.deepEqual(parseObjectPath('Win32_X=@')?.keys.size, 0)
  assert.deepEqual(parseObjectPath('Win32_X')?.keys.size, 0)
  assert.equal(parseObjectPath(String.raw`Msvm_X.A='it\'s "x"'`)?.keys.get('A'), 'it\'s "x"')
})

test('what is no path is none', () => {
  const broken = [
    '',
    'C:\\disk.vhdx',
    '\\\\server\\share\\disk.vhdx',
    'Msvm_X.',
    'Msvm_X.A',
    'Msvm_X.A=',
    'Msvm_X.A="1',
    'Msvm_X.A="1",',
    'Msvm_X.A="1"B="2"',
    'Msvm_X.A="1",A="2"',
    'Msvm_X="1"',
    '.A="1"',
    `Msvm_X.A="${'x'.repeat(40_000)}"`,
  ]
  for (const text of broken) assert.equal(parseObjectPath(text), undefined, text.slice(0, 50))
})

test('whatever its keys hold, a path comes back as it went', () => {
  const key = fc.oneof(fc.string(), fc.constantFrom('\\', '"', "'", '",X="', '\\"', '},', '\n'))
  const keys = fc.dictionary(fc.stringMatching(/^[A-Za-z_]\w{0,8}$/), key, { maxKeys: 4 })
  fc.assert(
    fc.property(keys, values => {
      const to = reference(V2, 'Msvm_X', values)

      const path = parseObjectPath(objectPath(to, 'HV'))

      assert.deepEqual(new Map(path?.keys), new Map(Object.entries(values)))
      assert.ok(path)
      assert.equal(referenceTo(path, 'root/other').resourceUri, to.resourceUri)
    }),
  )
})

test('a resource URI and what it names', () => {
  assert.equal(
    classUri('root\\virtualization\\v2', 'Msvm_X'),
    'http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2/Msvm_X',
  )
  assert.deepEqual(parseResourceUri('HTTP://schemas.microsoft.com/wbem/wsman/1/wmi/Root/CimV2/Win32_X?a=b'), {
    namespace: 'Root/CimV2',
    className: 'Win32_X',
  })
  assert.deepEqual(parseResourceUri('http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_X'), { className: 'CIM_X' })
  for (const [namespace, name] of [
    ['root', 'a b'],
    ['root', '../x'],
    ['root', ''],
    ['', 'X'],
    ['root//v2', 'X'],
    ['root/v2/', 'X'],
    ['root?x', 'X'],
  ] as const) {
    assert.throws(() => classUri(namespace, name), { name: 'CimError' })
  }
})
